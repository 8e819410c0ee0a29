/** The arrivals of the devices of `dirty`, of the spans that are refined again, in parts that fit in memory. */
import { rowCount } from '../lake/stats.ts'
import type { DataFile, Lake, Session, Snapshot } from '../lake/types.ts'
import { filesOfSpans, loadBefore, overlaps } from './history.ts'
import { KEPT_TOO, loadKept } from './kept.ts'
import { arrivalsOf, takeArrivals, TENANT } from './models.ts'
import { CONSTANTS } from './rules.ts'
import { OPEN_US } from './tail.ts'

/** Bounds the memory of one run of the models. */
const ROWS_PER_PART = 1_500_000

/** Which arrivals belong to a device's span: `a`, with its row `d` of `dirty`. */
const IN_SPAN = `a.device_id = d.device_id AND ${TENANT('a')} = d.tenant_id
  AND (d.from_us = 0 OR (epoch_us(a.timestamp) >= d.from_us AND epoch_us(a.timestamp) < d.until_us))`

/** What the late pass works on: Bronze and `silver.readings` as of one moment. */
export interface LateWork {
  lake: Lake
  session: Session
  bronze: Snapshot
  readings: Snapshot
  /** Up to so many rows from where a span begins, doing all of them again costs less than to look for its end; before it see `loadBefore`. */
  fewRows: number
}

/**
 * For those rows of `dirty` that meet a condition, part by part: `dirty_part`, its `arrivals` and `kept`, and `carried` and `hour_before`,
 * what its devices carry from before. Between two parts the caller runs the models.
 */
export async function* lateParts(
  { lake, session, bronze, readings, fewRows }: LateWork,
  condition: string,
): AsyncGenerator<void> {
  const spans = `SELECT * FROM dirty WHERE ${condition}`
  const [any] = await session.rows(`${spans} LIMIT 1`)
  if (any === undefined) return
  const files = await touchedBronze(session, bronze, spans)
  const rows = rowCount(files)
  await session.expect(rows)
  const parts = rows <= ROWS_PER_PART ? 1 : await partsOf(lake, session, files, spans)
  for (let part = 0; part < parts; part++) {
    await session.run(
      `CREATE OR REPLACE TEMP TABLE dirty_part AS ${spans} AND device_no % ${parts} = ${part};
       CREATE OR REPLACE TEMP TABLE before_us AS
       SELECT device_no, from_us AS to_us FROM dirty_part WHERE from_us > 0`,
    )
    await loadKept(lake, session, readings)
    await takeArrivals(
      session,
      `SELECT a.* FROM ${arrivalsOf(lake, files)} a JOIN dirty_part d ON ${IN_SPAN} ${KEPT_TOO}`,
    )
    await loadBefore(lake, session, readings, fewRows)
    yield
  }
}

/** Rows in the files of Bronze that may hold arrivals of the spans that are looked for an end of, or any later ones. */
export async function rowsFromThere({ session, bronze }: LateWork): Promise<number> {
  const spans = `SELECT from_us, ${OPEN_US} AS to_us FROM dirty WHERE to_us IS NULL`
  const files = await filesOfSpans(session, bronze.files, 'timestamp', spans)
  return rowCount(files)
}

/** Files of Bronze that may hold such arrivals: a reading arrives at most ten minutes before its event time. */
async function touchedBronze(session: Session, bronze: Snapshot, spans: string): Promise<DataFile[]> {
  const [whole] = await session.rows(`${spans} AND from_us = 0 LIMIT 1`)
  if (whole !== undefined) return [...bronze.files]
  const inTime = await filesOfSpans(
    session,
    bronze.files,
    'timestamp',
    `SELECT from_us, until_us AS to_us FROM (${spans})`,
  )
  const [first] = await session.rows<{ from_us: number }>(
    `SELECT CAST(min(from_us) AS DOUBLE) AS from_us FROM (${spans})`,
  )
  const fromMs = (first!.from_us - CONSTANTS.ahead_limit_us) / 1000
  return inTime.filter((file) => overlaps(file, 'ingestion_time', fromMs, Number.POSITIVE_INFINITY))
}

async function partsOf(
  lake: Lake,
  session: Session,
  files: readonly DataFile[],
  spans: string,
): Promise<number> {
  const [found] = await session.rows<{ n: number }>(
    `SELECT count(*) AS n FROM ${arrivalsOf(lake, files)} a JOIN (${spans}) d ON ${IN_SPAN}`,
  )
  return Math.max(1, Math.ceil((found?.n ?? 0) / ROWS_PER_PART))
}
