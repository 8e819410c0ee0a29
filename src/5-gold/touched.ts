import { rowCount } from '../lake/stats.ts'
import type { DataFile, Lake, Session, Snapshot } from '../lake/types.ts'
import {
  bounds,
  dateRounds,
  filesOf,
  LEAST_MAX_GAP_US,
  MAX_GAP_SQL,
  mayHold,
  READING_INPUTS,
  type Span,
  wantedDevices,
} from './silver-rows.ts'

/**
 * What changes of the inputs touch: the temporary table `touched` (tenant_id, device_id, date, from_us, to_us) gets
 * every device and local day whose figures may differ, with the span of quarter-hours in it; without one, where the
 * rows themselves say what they said. It may hold more than that, never less.
 *
 * `changed` gathers the rows that came or went, a line per device, channel and quarter-hour:
 * `first_us` … `last_us` are their event times, `energy_from_us` … `energy_to_us` the energy that they carry.
 */
export async function beginTouched(session: Session): Promise<void> {
  await session.run(
    'CREATE OR REPLACE TEMP TABLE touched (tenant_id VARCHAR, device_id VARCHAR, date DATE, from_us BIGINT, to_us BIGINT)',
  )
  await session.run(
    `CREATE OR REPLACE TEMP TABLE changed (tenant_id VARCHAR, device_id VARCHAR, channel VARCHAR,
       first_us BIGINT, last_us BIGINT, energy_from_us BIGINT, energy_to_us BIGINT, reported BOOLEAN,
       has_alert BOOLEAN, rows BIGINT)`,
  )
}

/** Adds the rows by which `silver.readings` changed; those that a rewritten file merely repeats cancel out. */
export async function addChangedReadings(
  lake: Lake,
  session: Session,
  changes: { added: readonly DataFile[]; removed: readonly DataFile[] },
): Promise<void> {
  await session.expect(rowCount([...changes.added, ...changes.removed]))
  const columns = READING_INPUTS.join(', ')
  for (const select of differences(lake, 'silver.readings', columns, 'event_date', changes)) {
    await session.run(`INSERT INTO changed ${groupedRows(select)}`)
  }
}

function groupedRows(select: string): string {
  return `SELECT tenant_id, device_id, channel, min(epoch_us(timestamp)), max(epoch_us(timestamp)),
      min(epoch_us(energy_from)), max(epoch_us(energy_to)), bool_or(energy_method = 'reported'),
      bool_or(alert IS NOT NULL), count(*)
    FROM (${select})
    GROUP BY tenant_id, device_id, channel, epoch_us(timestamp) // 900000000,
      CASE WHEN energy_from < timestamp - INTERVAL 1 DAY THEN energy_from END`
}

/** Adds the local days of the rejects that came or went; a reject that names no device counts nowhere. */
export async function addChangedRejects(
  lake: Lake,
  session: Session,
  changes: { added: readonly DataFile[]; removed: readonly DataFile[] },
): Promise<void> {
  const columns = `coalesce(tenant_id, 'home') AS tenant_id, device_id, timestamp, ingestion_time, reject_reason`
  for (const select of differences(lake, 'silver.rejects', columns, 'counted_date', changes)) {
    await session.run(
      `INSERT INTO touched
       WITH placed AS (
         SELECT DISTINCT tenant_id, device_id, epoch_us(CASE
           WHEN timestamp IS NULL OR reject_reason IN ('missing_timestamp', 'before_2000', 'in_future')
           THEN ingestion_time ELSE timestamp END) // 900000000 * 900000000 AS slot_us
         FROM (${select}) WHERE device_id IS NOT NULL AND trim(device_id) <> ''
       )
       SELECT p.tenant_id, p.device_id, d.date, NULL, NULL FROM placed p
       JOIN all_days d ON d.start_us <= p.slot_us AND d.end_us > p.slot_us`,
    )
  }
}

/** Selects of the rows that are in only one of the two sets; partitions that only grew need no comparison. */
function differences(
  lake: Lake,
  table: string,
  columns: string,
  partition: string,
  changes: { added: readonly DataFile[]; removed: readonly DataFile[] },
): string[] {
  const { added, removed } = changes
  const rewritten = new Set(removed.map((file) => file.partition[partition]))
  const select = (files: readonly DataFile[]): string => `SELECT ${columns} FROM ${lake.scan(table, files)}`
  const grown = added.filter((file) => !rewritten.has(file.partition[partition]))
  const selects = grown.length > 0 ? [select(grown)] : []
  for (const date of rewritten) {
    const now = select(added.filter((file) => file.partition[partition] === date))
    const before = select(removed.filter((file) => file.partition[partition] === date))
    selects.push(`(${now} EXCEPT ALL ${before}) UNION ALL (${before} EXCEPT ALL ${now})`)
  }
  return selects
}

/** The moments that `changed` reaches over, µs; `null` where nothing changed. */
export async function changedSpan(session: Session): Promise<Span | null> {
  const [span] = await session.rows<{ from_us: number | null; to_us: number }>(
    'SELECT min(least(first_us, energy_from_us)) AS from_us, max(last_us) AS to_us FROM changed',
  )
  return span === undefined || span.from_us === null ? null : { fromUs: span.from_us, toUs: span.to_us }
}

/**
 * From changed rows to touched days: the days of their event times and of their energy, those that a reported
 * value covers back into, and those of the channel's next row and next alert, which look back to what changed.
 */
export async function touchChangedRows(lake: Lake, session: Session, readings: Snapshot): Promise<void> {
  await session.run(
    `CREATE OR REPLACE TEMP TABLE changed_spans AS
     SELECT r.tenant_id, r.device_id,
       r.first_us - CASE WHEN r.reported THEN ${MAX_GAP_SQL} ELSE 0 END AS from_us,
       r.last_us + ${MAX_GAP_SQL} AS to_us
     FROM changed r LEFT JOIN catalogue c ON c.tenant_id = r.tenant_id AND c.device_id = r.device_id
     UNION ALL
     SELECT tenant_id, device_id, energy_from_us, energy_to_us FROM changed WHERE energy_from_us IS NOT NULL`,
  )
  await touchSpans(session)
  await touchNextRows(lake, session, readings.files)
}

async function touchSpans(session: Session): Promise<void> {
  await session.run(
    `INSERT INTO touched
     SELECT s.tenant_id, s.device_id, d.date, greatest(s.from_us, d.start_us), least(s.to_us + 900000000, d.end_us)
     FROM (SELECT DISTINCT tenant_id, device_id, from_us // 900000000 * 900000000 AS from_us,
             to_us // 900000000 * 900000000 AS to_us FROM changed_spans) s
     JOIN all_days d ON d.end_us > s.from_us AND d.start_us <= s.to_us`,
  )
}

/**
 * Searches forward, nearest days first, for the next row, and the next day's first alert, of each channel that
 * changed. At the head of the data there is none, and no file is read.
 */
async function touchNextRows(lake: Lake, session: Session, files: readonly DataFile[]): Promise<void> {
  const [earliest] = await session.rows<{ us: number | null }>('SELECT min(last_us) AS us FROM changed')
  const laterThan = (us: number) =>
    files.filter((file) => (bounds(file, 'timestamp')?.toUs ?? -Infinity) >= us)
  // What is looked for lies in a later quarter-hour than the row that changed.
  if (laterThan(Math.floor((earliest?.us ?? Infinity) / 900_000_000 + 1) * 900_000_000).length === 0) return
  await session.run(
    `CREATE OR REPLACE TEMP TABLE next_wanted AS
     SELECT r.tenant_id, r.device_id, r.channel, w.want_alert,
       CASE WHEN w.want_alert THEN d.end_us ELSE (max(r.last_us) // 900000000 + 1) * 900000000 END AS after_us
     FROM changed r
     JOIN all_days d ON d.start_us <= r.last_us AND d.end_us > r.last_us
     JOIN (VALUES (TRUE), (FALSE)) w(want_alert) ON r.has_alert OR NOT w.want_alert
     GROUP BY r.tenant_id, r.device_id, r.channel, w.want_alert, d.end_us`,
  )
  const [first] = await session.rows<{ after_us: number | null }>(
    'SELECT min(after_us) AS after_us FROM next_wanted',
  )
  for (const round of dateRounds(laterThan(first?.after_us ?? Infinity), 'ascending')) {
    const wanted = await wantedDevices(session, 'next_wanted')
    if (wanted === null) break
    const scanned = round.filter((file) => mayHold(file, wanted))
    if (scanned.length === 0) continue
    await session.run(
      `CREATE OR REPLACE TEMP TABLE next_found AS
       SELECT w.*, min(epoch_us(r.timestamp)) AS next_us
       FROM next_wanted w
       JOIN ${lake.scan('silver.readings', scanned)} r
         ON r.tenant_id = w.tenant_id AND r.device_id = w.device_id AND r.channel = w.channel
         AND epoch_us(r.timestamp) >= w.after_us AND (NOT w.want_alert OR r.alert IS NOT NULL)
       GROUP BY ALL`,
    )
    await session.run(
      `INSERT INTO touched
       SELECT f.tenant_id, f.device_id, d.date,
         CASE WHEN f.want_alert THEN d.start_us
           ELSE greatest((f.next_us - ${MAX_GAP_SQL}) // 900000000 * 900000000, d.start_us) END,
         CASE WHEN f.want_alert THEN d.end_us ELSE least(f.next_us // 900000000 * 900000000 + 900000000, d.end_us) END
       FROM next_found f LEFT JOIN catalogue c ON c.tenant_id = f.tenant_id AND c.device_id = f.device_id
       JOIN all_days d ON d.end_us > f.next_us - ${MAX_GAP_SQL} AND d.start_us <= f.next_us`,
    )
    await session.run(
      `DELETE FROM next_wanted WHERE (tenant_id, device_id, channel, after_us, want_alert) IN
         (SELECT (tenant_id, device_id, channel, after_us, want_alert) FROM next_found)`,
    )
  }
}

/** Touches every Gold day of the devices whose parent or expected interval changed, and of those parents. */
export async function touchChangedDevices(
  session: Session,
  catalogueBefore: string,
  goldDays: string,
): Promise<void> {
  const columns = 'tenant_id, device_id, expected_interval_s, parent_device_id'
  const before = `SELECT ${columns} FROM ${catalogueBefore}`
  const now = `SELECT ${columns} FROM catalogue`
  await session.run(
    `INSERT INTO touched
     WITH differing AS ((${now} EXCEPT ${before}) UNION ALL (${before} EXCEPT ${now})),
       concerned AS (
         SELECT tenant_id, device_id FROM differing
         UNION SELECT tenant_id, parent_device_id FROM differing WHERE parent_device_id IS NOT NULL
       )
     -- Also the days between, which a longer interval may cover.
     SELECT g.tenant_id, g.device_id, d.date, d.start_us, d.end_us
     FROM (SELECT tenant_id, device_id, min(date) AS first, max(date) AS last FROM ${goldDays} GROUP BY ALL) g
     JOIN concerned USING (tenant_id, device_id) JOIN all_days d ON d.date BETWEEN g.first AND g.last`,
  )
}

/**
 * Touches the days whose price changed. A tariff of everybody concerns every Gold day from its first date on; one
 * of a user the days on which Silver has a row of that user, since a device may change hands within a day.
 */
export async function touchChangedTariffs(
  lake: Lake,
  session: Session,
  readings: Snapshot,
  tariffsBefore: string,
  goldDays: string,
): Promise<void> {
  const price =
    'tenant_id, user_id, tariff_version, valid_from, band, weekdays, hour_from, hour_to, season_from, season_to, energy_rate_kwh'
  await session.run(
    `CREATE OR REPLACE TEMP TABLE changed_tariffs AS
     WITH sides AS (
       SELECT ${price}, coalesce(valid_to, DATE '9999-12-31') AS valid_to, 1 AS side FROM tariffs
       UNION ALL
       SELECT ${price}, coalesce(valid_to, DATE '9999-12-31') AS valid_to, 0 AS side FROM ${tariffsBefore}
     ), compared AS (
       SELECT ${price}, count(*) AS sides, min(valid_to) AS earlier_to, max(valid_to) AS later_to
       FROM sides GROUP BY ALL
     )
     -- A price that merely ends earlier or later changes the days between the two ends.
     SELECT DISTINCT tenant_id, user_id, season_from, season_to, later_to AS to_date,
       CASE WHEN sides = 1 THEN valid_from ELSE earlier_to END AS from_date
     FROM compared WHERE sides = 1 OR earlier_to < later_to`,
  )
  await session.run(
    `INSERT INTO touched
     SELECT DISTINCT g.tenant_id, g.device_id, g.date, d.start_us, d.end_us FROM ${goldDays} g
     JOIN all_days d ON d.date = g.date
     JOIN changed_tariffs t ON t.user_id IS NULL AND g.date >= t.from_date AND g.date < t.to_date
       AND (t.tenant_id IS NULL OR t.tenant_id = g.tenant_id) AND ${inSeason('g.date')}`,
  )
  const [span] = await session.rows<{ from_us: number | null; to_us: number }>(
    `SELECT min(d.start_us) AS from_us, max(d.end_us) AS to_us FROM changed_tariffs t
     JOIN all_days d ON d.date >= t.from_date AND d.date < t.to_date WHERE t.user_id IS NOT NULL`,
  )
  if (span === undefined || span.from_us === null) return
  const files = filesOf(readings.files, { fromUs: span.from_us, toUs: span.to_us }, LEAST_MAX_GAP_US)
  await session.run(
    `INSERT INTO touched
     WITH user_rows AS (
       SELECT DISTINCT r.tenant_id, r.device_id, r.user_id, epoch_us(r.timestamp) // 900000000 * 900000000 AS to_us,
         (epoch_us(coalesce(r.energy_from, r.timestamp)) - 1) // 900000000 * 900000000 AS from_us
       FROM ${lake.scan('silver.readings', files)} r
       WHERE r.user_id IN (SELECT user_id FROM changed_tariffs)
     )
     SELECT DISTINCT r.tenant_id, r.device_id, d.date, d.start_us, d.end_us FROM user_rows r
     JOIN changed_tariffs t ON t.user_id = r.user_id AND (t.tenant_id IS NULL OR t.tenant_id = r.tenant_id)
     JOIN all_days d ON d.end_us > r.from_us AND d.start_us <= r.to_us AND d.date >= t.from_date AND d.date < t.to_date
       AND ${inSeason('d.date')}`,
  )
}

/** Whether a date lies in the season of the tariff `t`. */
const inSeason = (date: string): string =>
  `(t.season_from IS NULL OR (month(${date}) * 100 + day(${date}) >= t.season_from AND month(${date}) * 100 + day(${date}) < t.season_to))`
