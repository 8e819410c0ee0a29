/**
 * The late pass: devices with pending arrivals are refined again from Bronze, in the spans that these touch, and what
 * Silver held of them there is replaced. It can be run again at any time with the same outcome.
 */
import type { DataFile, Lake, Session, Snapshot } from '../lake/types.ts'
import { filesOfSpans } from './history.ts'
import { FRESH_READINGS, horizonUs } from './kept.ts'
import { lateParts, type LateWork } from './late-arrivals.ts'
import { findDirty } from './late-spans.ts'
import { explained } from './model.ts'
import { DUPLICATES, READINGS, refineArrivals, REJECTS, TENANT } from './models.ts'
import { OPEN_US, replaceInTail } from './tail.ts'

/** From this many rows on, files are written hour by hour, so that the next late row rewrites an hour, not a day. */
const ROWS_SPLIT_BY_HOUR = 20_000

/** Doing so many rows again takes about as long as one look for the end of a span. */
const FEW_ROWS = 20_000

export interface Replacement {
  table: string
  add: DataFile[]
  remove: DataFile[]
}

/**
 * Rejects that a late arrival cannot change are left alone, unless what rows depend on has changed. One from the future
 * lies behind its own ingestion, so that its arrival may not be at hand; nothing but its time decides on it.
 */
function judgedAnew(x: string): string {
  return `(${x}.reject_reason = 'conflict' OR (d.anew AND ${x}.reject_reason <> 'in_future'))`
}

/** A row without a time, or with one that no reading has, belongs to no span. */
function isInSpan(x: string): string {
  return `(epoch_us(${x}.timestamp) >= d.from_us AND epoch_us(${x}.timestamp) < d.to_us)`
}

/** Bronze has the arrival, so that the row can be made again. */
const isAtHand = (x: string): string => `epoch_us(${x}.ingestion_time) >= d.horizon_us`

/** Which rows of a table belong to a device that is refined again, in its span; `d` is its row of `dirty`. */
const REPLACED: Readonly<Record<string, string>> = {
  [REJECTS]: `(${isAtHand('x')} AND (d.from_us = 0 OR (${isInSpan('x')} AND ${judgedAnew('x')})))`,
  [DUPLICATES]: `(${isAtHand('x')} AND ${isInSpan('x')})`,
  [READINGS]: isInSpan('x'),
}

/**
 * Refines the devices of `pending` again with Bronze as of `bronze`, and leaves that empty. Returns what to replace in each table, rejects
 * first, readings last, written but not committed. Of a device with pending arrivals far apart one span after the other is refined.
 */
export async function refineLate(
  lake: Lake,
  session: Session,
  bronze: Snapshot,
  silver: ReadonlyMap<string, Snapshot>,
  fewRows = FEW_ROWS,
): Promise<Replacement[]> {
  const horizon = horizonUs(bronze, [...silver.values()])
  const now = new Map(silver)
  const workOn = (tables: ReadonlyMap<string, Snapshot>): LateWork => {
    const readings = tables.get(READINGS)
    if (readings === undefined) throw new TypeError(`A snapshot of ${READINGS} is needed.`)
    return { lake, session, bronze, readings, fewRows }
  }
  while ((await session.rows('SELECT 1 FROM pending LIMIT 1')).length > 0) {
    for (const { table, add, remove } of await refineFirst(workOn(now), now, horizon)) {
      const gone = new Set(remove.map(({ path }) => path))
      const before = now.get(table)!
      now.set(table, { ...before, files: [...before.files.filter(({ path }) => !gone.has(path)), ...add] })
    }
    // What is carried at the end of a span without one is known now; a device that has no row any more is done, too.
    await session.run(
      `DELETE FROM pending WHERE from_us < coalesce((SELECT max(d.to_us) FROM dirty d WHERE d.device_no = pending.device_no), ${OPEN_US})`,
    )
  }
  return [...silver].map(([table, { files }]) => {
    const after = now.get(table)!.files
    const [here, there] = [paths(files), paths(after)]
    return {
      table,
      add: after.filter(({ path }) => !here.has(path)),
      remove: files.filter(({ path }) => !there.has(path)),
    }
  })
}

const paths = (files: readonly DataFile[]): Set<string> => new Set(files.map(({ path }) => path))

/** The first span of each pending device. Leaves `dirty`. */
async function refineFirst(
  work: LateWork,
  silver: ReadonlyMap<string, Snapshot>,
  horizon: number,
): Promise<Replacement[]> {
  const { lake, session } = work
  await findDirty(work, horizon)
  const made: Replacement[] = []
  for (const [table, snapshot] of silver)
    made.push({ table, add: [], remove: await affectedFiles(lake, session, snapshot) })
  let isFirst = true
  for (const isOpen of [false, true])
    for await (const _ of lateParts(work, `${isOpen ? '' : 'NOT '}to_us = ${OPEN_US}`)) {
      await refineArrivals(session)
      if (isOpen) await replaceInTail(session)
      for (const { table, add, remove } of made)
        add.push(...(await writeReplaced(lake, session, table, isFirst ? remove : [])))
      isFirst = false
    }
  return made
}

/** Files of a Silver table that hold a row of a dirty device to be replaced. */
async function affectedFiles(lake: Lake, session: Session, snapshot: Snapshot): Promise<DataFile[]> {
  const [whole] = await session.rows('SELECT 1 FROM dirty WHERE from_us = 0 LIMIT 1')
  const candidates = whole
    ? snapshot.files
    : await filesOfSpans(session, snapshot.files, 'timestamp', 'SELECT from_us, to_us FROM dirty')
  const affected: DataFile[] = []
  for (const file of candidates) {
    const [found] = await session.rows<{ n: number }>(
      `SELECT count(*) AS n FROM ${lake.scan(snapshot.table, [file])} x
       JOIN dirty d ON d.device_id = x.device_id AND d.tenant_id = ${TENANT('x')} WHERE ${REPLACED[snapshot.table]}`,
    )
    if (found !== undefined && found.n > 0) affected.push(file)
  }
  return affected
}

/** The new rows, and with them those of the affected files that stay. */
async function writeReplaced(
  lake: Lake,
  session: Session,
  table: string,
  affected: readonly DataFile[],
): Promise<DataFile[]> {
  const result = table.slice(table.indexOf('.') + 1)
  const ofPart = (rows: string): string =>
    `SELECT x.* FROM (${rows}) x JOIN dirty_part d ON d.device_id = x.device_id AND d.tenant_id = ${TENANT('x')} WHERE`
  const fresh = `${ofPart(table === READINGS ? FRESH_READINGS : `SELECT * FROM ${result}`)} ${REPLACED[table]}`
  await explained(
    session.run(
      `CREATE OR REPLACE TEMP TABLE replaced AS ${fresh} UNION ALL BY NAME
     SELECT x.* FROM ${lake.scan(table, affected)} x
     WHERE NOT EXISTS (SELECT 1 FROM dirty d WHERE d.device_id = x.device_id AND d.tenant_id = ${TENANT('x')} AND ${REPLACED[table]})`,
    ),
  )
  const hours = await session.rows<{ hour: string; n: number }>(
    `SELECT date_trunc('hour', timestamp) AS hour, count(*) AS n FROM replaced GROUP BY ALL ORDER BY hour`,
  )
  const rows = hours.reduce((sum, { n }) => sum + n, 0)
  if (rows === 0) return []
  if (rows <= ROWS_SPLIT_BY_HOUR || table !== READINGS)
    return lake.write(session, table, 'SELECT * FROM replaced')
  return writeByHour(lake, session, hours)
}

/** One file, or more of half a million rows, for each run of hours that holds enough rows. */
async function writeByHour(
  lake: Lake,
  session: Session,
  hours: { hour: string; n: number }[],
): Promise<DataFile[]> {
  const files: DataFile[] = []
  let from = 0
  for (let until = 1, rows = 0; until <= hours.length; until++) {
    rows += hours[until - 1]?.n ?? 0
    if (rows < ROWS_SPLIT_BY_HOUR && until < hours.length) continue
    const [first, last] = [hours[from]?.hour, hours[until - 1]?.hour]
    files.push(
      ...(await lake.write(
        session,
        READINGS,
        `SELECT * FROM replaced WHERE date_trunc('hour', timestamp) BETWEEN TIMESTAMPTZ '${first}' AND TIMESTAMPTZ '${last}'`,
      )),
    )
    from = until
    rows = 0
  }
  return files
}
