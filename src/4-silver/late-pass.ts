/**
 * The late pass: devices with pending arrivals are refined again from Bronze, from the earliest event time that these
 * touch, and what Silver held of them from there on is replaced. It can be run again at any time with the same outcome.
 */
import type { DataFile, Lake, Session, Snapshot } from '../lake/types.ts'
import { loadBefore, overlaps } from './history.ts'
import { FRESH_READINGS, horizonUs, KEPT_TOO, loadKept } from './kept.ts'
import { explained, materialise } from './model.ts'
import { arrivalsOf, DUPLICATES, READINGS, refineArrivals, REJECTS, takeArrivals, TENANT } from './models.ts'
import { CONSTANTS } from './rules.ts'
import { replaceInTail } from './tail.ts'

/** Bounds the memory of one run of the models. */
const ROWS_PER_PART = 1_500_000

/** From this many rows on, files are written hour by hour, so that the next late row rewrites an hour, not a day. */
const ROWS_SPLIT_BY_HOUR = 20_000

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

/** Bronze has the arrival, so that the row can be made again. */
const isAtHand = (x: string): string => `epoch_us(${x}.ingestion_time) >= d.horizon_us`

/** Which rows of a table belong to a device that is refined again; `d` is its row of `dirty`. */
const REPLACED: Readonly<Record<string, string>> = {
  [REJECTS]: `(${isAtHand('x')} AND (d.from_us = 0 OR (epoch_us(x.timestamp) >= d.from_us AND ${judgedAnew('x')})))`,
  [DUPLICATES]: `(${isAtHand('x')} AND epoch_us(x.timestamp) >= d.from_us)`,
  [READINGS]: 'epoch_us(x.timestamp) >= d.from_us',
}

/**
 * Refines the devices of `pending` again with Bronze as of `bronze`. Returns what to replace in each table, rejects
 * first, readings last, written but not committed; leaves `dirty` (device_no, tenant_id, device_id, from_us; 0: all of the device; anew: its rejects too; horizon_us: see `horizonUs`).
 */
export async function refineLate(
  lake: Lake,
  session: Session,
  bronze: Snapshot,
  silver: ReadonlyMap<string, Snapshot>,
): Promise<Replacement[]> {
  const readings = silver.get(READINGS)
  if (readings === undefined) throw new TypeError(`A snapshot of ${READINGS} is needed.`)
  await findDirty(lake, session, readings, horizonUs(bronze, [...silver.values()]))
  const files = await touchedBronze(session, bronze)
  await session.expect(files.reduce((sum, file) => sum + file.stats.rows, 0))
  const parts = await partsOf(lake, session, files)
  const added = new Map<string, DataFile[]>()
  const affected = new Map<string, DataFile[]>()
  for (const [table, snapshot] of silver) affected.set(table, await affectedFiles(lake, session, snapshot))
  for (let part = 0; part < parts; part++) {
    await startPart(lake, session, readings, files, part, parts)
    await refineArrivals(session)
    await replaceInTail(session)
    for (const [table] of silver) {
      const written = await writeReplaced(lake, session, table, part === 0 ? (affected.get(table) ?? []) : [])
      added.set(table, [...(added.get(table) ?? []), ...written])
    }
  }
  return [...silver.keys()].map((table) => ({
    table,
    add: added.get(table) ?? [],
    remove: affected.get(table) ?? [],
  }))
}

/**
 * `dirty` and `seen`: from which event time on each pending device is refined again. Where Bronze has given up dates, something that has
 * changed besides readings is worked in from there on only: the rows from then on all have their arrival.
 */
async function findDirty(lake: Lake, session: Session, readings: Snapshot, horizon: number): Promise<void> {
  const wholeUs = horizon === 0 ? 0 : horizon + CONSTANTS.ahead_limit_us
  await session.run(
    `CREATE TEMP TABLE IF NOT EXISTS changed_devices (device_no INTEGER, from_us BIGINT);
     CREATE OR REPLACE TEMP TABLE seen AS
     SELECT channel_no, p_us IS NOT NULL AS has_p, c_us IS NOT NULL AS has_c, r_us IS NOT NULL AS has_r FROM channel_states;
     CREATE OR REPLACE TEMP TABLE first_us AS
     SELECT device_no, min(CASE WHEN arrivals = 0 THEN greatest(from_us, ${wholeUs}) ELSE from_us END) AS from_us FROM pending GROUP BY device_no;
     CREATE OR REPLACE TEMP TABLE before_us AS SELECT device_no, from_us AS to_us FROM first_us WHERE from_us > 0`,
  )
  await loadBefore(lake, session, readings)
  await materialise(session, 'unsettled')
  await session.run(
    `CREATE OR REPLACE TEMP TABLE dirty AS
     SELECT f.device_no, n.tenant_id, n.device_id, f.from_us, f.device_no IN (SELECT device_no FROM changed_devices) AS anew,
       CAST(${horizon} AS BIGINT) AS horizon_us FROM (
       SELECT device_no, from_us FROM unsettled
       UNION ALL SELECT device_no, CAST(0 AS BIGINT) FROM first_us WHERE from_us = 0
     ) f JOIN (SELECT DISTINCT device_no, tenant_id, device_id FROM numbers) n USING (device_no)`,
  )
}

/** `dirty_part`, its `arrivals`, and what its devices carry from before. */
async function startPart(
  lake: Lake,
  session: Session,
  readings: Snapshot,
  files: readonly DataFile[],
  part: number,
  parts: number,
): Promise<void> {
  await session.run(
    `CREATE OR REPLACE TEMP TABLE dirty_part AS SELECT * FROM dirty WHERE device_no % ${parts} = ${part};
     CREATE OR REPLACE TEMP TABLE before_us AS
     SELECT device_no, from_us AS to_us FROM dirty_part WHERE from_us > 0`,
  )
  await loadKept(lake, session, readings)
  await takeArrivals(
    session,
    `SELECT a.* FROM ${arrivalsOf(lake, files)} a
     JOIN dirty_part d ON d.device_id = a.device_id AND d.tenant_id = ${TENANT('a')}
     WHERE d.from_us = 0 OR epoch_us(a.timestamp) >= d.from_us ${KEPT_TOO}`,
  )
  await loadBefore(lake, session, readings)
}

/** Files of Bronze that may hold arrivals to refine again: a reading arrives at most ten minutes before its event time. */
async function touchedBronze(session: Session, bronze: Snapshot): Promise<DataFile[]> {
  const [first] = await session.rows<{ from_us: number | null }>(
    'SELECT CAST(min(from_us) AS DOUBLE) AS from_us FROM dirty',
  )
  const fromMs = ((first?.from_us ?? 0) - CONSTANTS.ahead_limit_us) / 1000
  return bronze.files.filter((file) => overlaps(file, 'ingestion_time', fromMs, Number.POSITIVE_INFINITY))
}

async function partsOf(lake: Lake, session: Session, files: readonly DataFile[]): Promise<number> {
  const rows = files.reduce((sum, file) => sum + file.stats.rows, 0)
  if (rows <= ROWS_PER_PART) return 1
  const [found] = await session.rows<{ n: number }>(
    `SELECT count(*) AS n FROM ${arrivalsOf(lake, files)} a
     JOIN dirty d ON d.device_id = a.device_id AND d.tenant_id = ${TENANT('a')}
     WHERE d.from_us = 0 OR epoch_us(a.timestamp) >= d.from_us`,
  )
  return Math.max(1, Math.ceil((found?.n ?? 0) / ROWS_PER_PART))
}

/** Files of a Silver table that hold a row of a dirty device to be replaced. */
async function affectedFiles(lake: Lake, session: Session, snapshot: Snapshot): Promise<DataFile[]> {
  const [first] = await session.rows<{ from_us: number | null }>(
    'SELECT CAST(min(from_us) AS DOUBLE) AS from_us FROM dirty',
  )
  const fromMs = (first?.from_us ?? 0) / 1000
  const candidates = snapshot.files.filter((file) =>
    overlaps(file, 'timestamp', fromMs, Number.POSITIVE_INFINITY),
  )
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
  const fresh =
    table === REJECTS
      ? `SELECT r.* FROM rejects r JOIN dirty d ON d.device_id = r.device_id AND d.tenant_id = ${TENANT('r')}
         WHERE ${isAtHand('r')} AND (d.from_us = 0 OR ${judgedAnew('r')})`
      : table === READINGS
        ? FRESH_READINGS
        : `SELECT r.* FROM ${result} r JOIN dirty d ON d.device_id = r.device_id AND d.tenant_id = ${TENANT('r')} WHERE ${isAtHand('r')}`
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
