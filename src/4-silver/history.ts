/** Finds, in Silver itself, what the rows of a device before some moment leave to those after it. */
import { rowCount } from '../lake/stats.ts'
import type { DataFile, Lake, Session, Snapshot } from '../lake/types.ts'
import { materialise } from './model.ts'
import { carryNothing, computeEnergy, READINGS } from './models.ts'

const DAY_US = 86_400_000_000
const HOUR_US = 3_600_000_000

/** How far back to look, days: at first two hours, since the hour before is needed whole; further only for devices whose state was not all found. */
export const WINDOWS_DAYS = [1 / 12, 2, 40, Number.POSITIVE_INFINITY]

/** Reading so many rows costs no more than a look at a window of them: fewer are read whole. */
const FEW_ROWS = 2_000

/** Bounds the memory of one run of the models over history. */
const ROWS_PER_PART = 1_000_000

/**
 * Makes `carried` (channel states) and `hour_before` for the devices of the table `before_us` (device_no,
 * to_us), from the rows before `to_us`. The table `seen` says which channels have ever measured what, so that the search can end.
 * `fewRows` can only be less than what is taken for few: 0 makes it search always.
 */
export async function loadBefore(
  lake: Lake,
  session: Session,
  readings: Snapshot,
  fewRows = FEW_ROWS,
): Promise<void> {
  await carryNothing(session)
  await session.run('CREATE OR REPLACE TEMP TABLE wanted AS SELECT * FROM before_us')
  const isFew = rowCount(readings.files) <= Math.min(fewRows, FEW_ROWS)
  for (const days of isFew ? [Number.POSITIVE_INFINITY] : WINDOWS_DAYS) {
    const files = await filesOfWindow(session, readings, days)
    const source = lake.scan(READINGS, files)
    const rows = rowCount(files)
    const parts = Math.max(1, Math.ceil(rows / ROWS_PER_PART))
    await session.run('CREATE OR REPLACE TEMP TABLE found (device_no INTEGER)')
    for (let part = 0; part < parts; part++) await searchPart(session, source, days, part, parts)
    await session.run('DELETE FROM wanted w USING found f WHERE w.device_no = f.device_no')
    const [left] = await session.rows<{ n: number }>('SELECT count(*) AS n FROM wanted')
    if (left === undefined || left.n === 0) return
  }
}

async function searchPart(
  session: Session,
  source: string,
  days: number,
  part: number,
  parts: number,
): Promise<void> {
  const since = Number.isFinite(days)
    ? `AND epoch_us(r.timestamp) >= w.to_us - ${Math.round(days * DAY_US)}`
    : ''
  await readPast(session, source, `${since} AND w.device_no % ${parts} = ${part}`)
  await session.run(
    `INSERT INTO found SELECT w.device_no FROM wanted w
       WHERE w.device_no % ${parts} = ${part} ${Number.isFinite(days) ? `AND NOT EXISTS (${INCOMPLETE})` : ''};
     INSERT INTO carried_so_far SELECT s.* FROM channel_state s JOIN channels h USING (channel_no) JOIN found f ON f.device_no = h.device_no;
     CREATE OR REPLACE TEMP TABLE carried AS SELECT * FROM carried_so_far;
     INSERT INTO hour_found SELECT h.channel_no, h.device_no, h.t_us, h.temperature_mc, h.power_mw, h.has_alert
       FROM history h JOIN found f ON f.device_no = h.device_no
       JOIN wanted w ON w.device_no = h.device_no
       WHERE h.t_us > w.to_us - ${HOUR_US}`,
  )
}

/**
 * Ids of the devices of `before_us` of which the rows before `to_us` alone, with nothing carried into them, do not say what they
 * leave to those after. `seen` says which channels have ever measured what.
 */
export async function unsettledDevices(lake: Lake, session: Session, readings: Snapshot): Promise<string[]> {
  await session.run('CREATE OR REPLACE TEMP TABLE wanted AS SELECT * FROM before_us')
  const files = await filesOfWindow(session, readings, Number.POSITIVE_INFINITY)
  const source = lake.scan(READINGS, files)
  const parts = Math.max(1, Math.ceil(rowCount(files) / ROWS_PER_PART))
  const unsettled: string[] = []
  for (let part = 0; part < parts; part++) {
    await carryNothing(session)
    const inPart = `w.device_no % ${parts} = ${part}`
    await readPast(session, source, `AND ${inPart}`)
    const found = await session.rows<{ device_id: string }>(
      `SELECT DISTINCT n.device_id FROM wanted w JOIN numbers n USING (device_no)
       WHERE ${inPart} AND EXISTS (${INCOMPLETE})`,
    )
    unsettled.push(...found.map(({ device_id }) => device_id))
  }
  return unsettled
}

/** Makes `history` of the rows before their device's `to_us` that meet a condition, and the energy models over them; `carried` is put aside. */
async function readPast(session: Session, source: string, condition: string): Promise<void> {
  await session.run(
    `CREATE OR REPLACE TEMP TABLE past AS
     SELECT n.channel_no, n.device_no, r.ingestion_time, r.stream_topic, r.stream_partition, r.stream_offset, r.stream_index, r.timestamp, r.device_type, r.temperature, r.power_usage, r.energy_consumption_wh, r.energy_total_wh, r.status, r.alert
     FROM ${source} r JOIN numbers n ON n.tenant_id = r.tenant_id AND n.device_id = r.device_id AND n.channel = r.channel
     JOIN wanted w ON w.device_no = n.device_no
     WHERE epoch_us(r.timestamp) < w.to_us ${condition}`,
  )
  await materialise(session, 'history')
  await session.run(
    `CREATE OR REPLACE TEMP TABLE accepted AS SELECT * FROM history;
     CREATE OR REPLACE TEMP TABLE carried_so_far AS SELECT * FROM carried;
     CREATE OR REPLACE TEMP TABLE carried AS SELECT * FROM carried LIMIT 0`,
  )
  await computeEnergy(session)
}

/**
 * Channels of a wanted device that a window does not settle: something that they have measured once does not lie in
 * it, or the newest counter step and the one before it do not both begin in it (a third one is needed to tell), or the
 * newest power lies before the window's first reported value, which may or may not begin a span.
 */
const INCOMPLETE = `
  SELECT 1 FROM seen s
  JOIN channels d ON d.channel_no = s.channel_no
  LEFT JOIN channel_state x ON x.channel_no = s.channel_no
  LEFT JOIN (SELECT channel_no, max(step_no) AS steps FROM counter_rows GROUP BY ALL) c ON c.channel_no = s.channel_no
  LEFT JOIN (SELECT channel_no, max(reported_spans) AS spans FROM holds GROUP BY ALL) h ON h.channel_no = s.channel_no
  WHERE d.device_no = w.device_no AND (
    (s.has_p AND x.p_us IS NULL) OR (s.has_r AND x.r_us IS NULL)
    OR (s.has_c AND coalesce(c.steps, 0) < 3)
    OR (s.has_r AND s.has_p AND coalesce(h.spans, 0) = 0))`

const filesOfWindow = (session: Session, readings: Snapshot, days: number): Promise<DataFile[]> =>
  filesOfSpans(
    session,
    readings.files,
    'timestamp',
    `SELECT ${Number.isFinite(days) ? `to_us - ${Math.round(days * DAY_US)}` : '0'} AS from_us, to_us FROM wanted`,
  )

/** Files that may hold a row whose column lies in one of some spans: SELECT from_us, to_us (µs, inclusive). */
export async function filesOfSpans(
  session: Session,
  files: readonly DataFile[],
  column: string,
  sql: string,
): Promise<DataFile[]> {
  // To the hour: a thousand devices have few spans.
  const spans = await session.rows<{ from_us: number; to_us: number }>(
    `SELECT CAST(min(from_us) AS DOUBLE) AS from_us, CAST(max(to_us) AS DOUBLE) AS to_us FROM (${sql})
     GROUP BY from_us // ${HOUR_US}, to_us // ${HOUR_US} ORDER BY from_us`,
  )
  const merged: { from_us: number; to_us: number }[] = []
  for (const span of spans) {
    const last = merged.at(-1)
    if (last !== undefined && span.from_us <= last.to_us) last.to_us = Math.max(last.to_us, span.to_us)
    else merged.push({ ...span })
  }
  return files.filter((file) =>
    merged.some(({ from_us, to_us }) => overlaps(file, column, from_us / 1000, to_us / 1000)),
  )
}

/** Whether a file may hold a row whose column lies between two moments (ms, inclusive). */
export function overlaps(file: DataFile, column: string, fromMs: number, toMs: number): boolean {
  const { min, max } = file.stats
  const last = max[column]
  const first = min[column]
  return (
    (typeof last !== 'string' || Date.parse(last) >= fromMs) &&
    (typeof first !== 'string' || Date.parse(first) <= toMs)
  )
}
