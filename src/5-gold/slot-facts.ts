import type { DataFile, Lake, Session } from '../lake/types.ts'
import { checkRows, readModel } from './models.ts'
import { filesOf, READINGS } from './silver-rows.ts'

/**
 * What a day needs of its rows besides energy, kept by quarter-hour: temporary tables of one session from which
 * `device_days` is made. Of the days in `carried_days` they hold every quarter-hour, so that new readings cost the
 * quarter-hours that they lie in, not the day. All of it comes from Silver and can be dropped at any moment.
 */
const FACTS: Readonly<Record<string, string>> = {
  device_slots: `slot_us BIGINT, reading_count BIGINT, quality_sum DECIMAL(38,6), valid_count BIGINT,
    late_count BIGINT, alert_count BIGINT, first_us BIGINT, last_us BIGINT, first_offline BOOLEAN, last_offline BOOLEAN,
    offline_begins BIGINT, offline_us BIGINT, reported_nwh DECIMAL(38,0), reported_power_mw BIGINT, device_type VARCHAR,
    location VARCHAR, user_id VARCHAR, carried_device_type VARCHAR, device_type_order BIGINT, carried_location VARCHAR,
    location_order BIGINT, carried_user_id VARCHAR, user_id_order BIGINT`,
  interval_slots: `slot_us BIGINT, day_start_us BIGINT, interval_us BIGINT, intervals BIGINT, reporting_intervals BIGINT,
    first_us BIGINT, last_us BIGINT, first_reporting_us BIGINT, last_reporting_us BIGINT`,
  channel_times: `channel VARCHAR, slot_us BIGINT, first_us BIGINT, last_us BIGINT, differences BIGINT, below BIGINT, equal BIGINT`,
  channel_alerts: 'channel VARCHAR, slot_us BIGINT, first_alert VARCHAR, last_alert VARCHAR, episodes BIGINT',
  alerts_before: 'channel VARCHAR, alert_before VARCHAR',
  channel_medians: 'channel VARCHAR, median_us BIGINT',
  expected_intervals: 'interval_us BIGINT',
  carried_days: '',
}
const DAY = 'tenant_id VARCHAR, device_id VARCHAR, date DATE'

/** How many local days back from the newest one are kept: rows of the day before still come in after midnight. */
const CARRIED_DATES = 2

const models = Object.fromEntries(
  [
    'channel_medians',
    'expected_intervals',
    'channel_times',
    'interval_slots',
    'device_slots',
    'channel_alerts',
    'alerts_before',
    'device_days',
  ].map((name) => [name, readModel(name)]),
)

/** Makes the tables, empty: nothing is carried. */
export async function forgetFacts(session: Session): Promise<void> {
  for (const [table, columns] of Object.entries(FACTS)) {
    await session.run(`CREATE OR REPLACE TEMP TABLE ${table} (${[DAY, columns].filter(Boolean).join(', ')})`)
  }
}

/**
 * Puts in the facts of `touched_spans`, from `device_rows` and `energy_parts`, in place of what there was. `hasWhole`:
 * one of the days may be computed whole; what is known of whole days alone is left as it is where none is.
 */
export async function replaceFacts(session: Session, hasWhole: boolean): Promise<void> {
  await session.run(
    `CREATE OR REPLACE TEMP TABLE whole_days AS
     SELECT tenant_id, device_id, date FROM touched_spans WHERE from_us = day_start_us AND to_us = day_end_us`,
  )
  for (const table of ['device_slots', 'interval_slots', 'channel_times', 'channel_alerts']) {
    await session.run(
      `DELETE FROM ${table} USING touched_spans s WHERE s.tenant_id = ${table}.tenant_id
         AND s.device_id = ${table}.device_id AND s.date = ${table}.date AND slot_us >= s.from_us AND slot_us < s.to_us`,
    )
  }
  await insert(session, 'device_slots')
  await insert(session, 'channel_alerts')
  if (hasWhole) await replaceDays(session, 'alerts_before', 'whole_days')
  await session.run('DELETE FROM channel_alerts WHERE date IS NULL')
  await session.run(
    `CREATE OR REPLACE TEMP TABLE day_times AS
     SELECT tenant_id, device_id, date, day_start_us, channel, slot_us, t_us, offline, channel_previous_us, device_previous_us
     FROM device_rows WHERE date IS NOT NULL`,
  )
  if (hasWhole) {
    await replaceDays(session, 'channel_medians', 'whole_days')
    await replaceDays(session, 'expected_intervals', 'whole_days')
    await session.run('INSERT INTO carried_days SELECT * FROM whole_days EXCEPT SELECT * FROM carried_days')
  }
  await insertTimes(session)
}

async function insertTimes(session: Session): Promise<void> {
  await insert(session, 'channel_times')
  await insert(session, 'interval_slots')
}

async function insert(session: Session, table: string): Promise<void> {
  await session.run(`INSERT INTO ${table} BY NAME ${models[table]!.sql}`)
}

/** Replaces what a table holds of some device-days. */
async function replaceDays(session: Session, table: string, days: string): Promise<void> {
  const same = (row: string): string =>
    `d.tenant_id = ${row}.tenant_id AND d.device_id = ${row}.device_id AND d.date = ${row}.date`
  await session.run(`DELETE FROM ${table} USING ${days} d WHERE ${same(table)}`)
  await session.run(
    `INSERT INTO ${table} BY NAME SELECT m.* FROM (${models[table]!.sql}) m JOIN ${days} d ON ${same('m')}`,
  )
}

/**
 * Counts the expected intervals anew, over the whole day, where new rows moved a channel's median: then every
 * quarter-hour of the day has another count. Reads times alone.
 */
export async function recountMovedMedians(
  lake: Lake,
  session: Session,
  readings: readonly DataFile[],
): Promise<void> {
  const [any] = await session.rows(`SELECT 1 FROM (${MOVED_DAYS}) LIMIT 1`)
  if (any === undefined) return
  await session.run(`CREATE OR REPLACE TEMP TABLE moved_days AS ${MOVED_DAYS}`)
  const [span] = await session.rows<{ from_us: number | null; to_us: number }>(
    'SELECT min(day_start_us) AS from_us, max(day_end_us) AS to_us FROM moved_days',
  )
  if (span === undefined || span.from_us === null) return
  const files = filesOf(readings, { fromUs: span.from_us, toUs: span.to_us }, 0)
  await session.run(
    `CREATE OR REPLACE TEMP TABLE day_times AS
     SELECT tenant_id, device_id, date, day_start_us, channel, t_us - t_us % 900000000 AS slot_us, t_us, offline,
       lag(t_us) OVER (PARTITION BY tenant_id, device_id, date, channel ORDER BY t_us) AS channel_previous_us,
       lag(t_us) OVER (PARTITION BY tenant_id, device_id, date ORDER BY t_us) AS device_previous_us
     FROM (
       SELECT m.tenant_id, m.device_id, m.date, m.day_start_us, r.channel, epoch_us(r.timestamp) AS t_us,
         coalesce(r.status, '') = 'offline' AS offline
       FROM ${lake.scan(READINGS, files)} r
       JOIN moved_days m ON m.tenant_id = r.tenant_id AND m.device_id = r.device_id
         AND epoch_us(r.timestamp) >= m.day_start_us AND epoch_us(r.timestamp) < m.day_end_us
       WHERE r.timestamp >= make_timestamptz(${span.from_us}) AND r.timestamp < make_timestamptz(${span.to_us})
     )`,
  )
  for (const table of ['interval_slots', 'channel_times']) {
    await session.run(
      `DELETE FROM ${table} USING moved_days d WHERE d.tenant_id = ${table}.tenant_id
         AND d.device_id = ${table}.device_id AND d.date = ${table}.date`,
    )
  }
  await replaceDays(session, 'channel_medians', 'moved_days')
  await replaceDays(session, 'expected_intervals', 'moved_days')
  await insertTimes(session)
}

/** Device-days where the lower median of a channel's differences, those between quarter-hours too, is another than noted. */
const MOVED_DAYS = `
  WITH steps AS (
    SELECT t.*, m.median_us, s.day_start_us, s.day_end_us,
      greatest(t.first_us - lag(t.last_us) OVER (PARTITION BY t.tenant_id, t.device_id, t.date, t.channel ORDER BY slot_us),
        1000000) AS step_us
    FROM channel_times t
    JOIN touched_spans s ON s.tenant_id = t.tenant_id AND s.device_id = t.device_id AND s.date = t.date
    LEFT JOIN channel_medians m ON m.tenant_id = t.tenant_id AND m.device_id = t.device_id AND m.date = t.date
      AND m.channel = t.channel
  ), channels AS (
    SELECT tenant_id, device_id, date, channel, day_start_us, day_end_us, max(median_us) AS median_us,
      sum(differences) + count(step_us) AS differences,
      sum(below) + count(CASE WHEN step_us < median_us THEN 1 END) AS below,
      sum(equal) + count(CASE WHEN step_us = median_us THEN 1 END) AS equal
    FROM steps GROUP BY ALL
  )
  SELECT DISTINCT tenant_id, device_id, date, day_start_us, day_end_us FROM channels
  WHERE differences >= 2
    AND NOT coalesce(below < (differences + 1) // 2 AND (differences + 1) // 2 <= below + equal, FALSE)`

/**
 * Device-days of `touched_spans` that were not computed whole and have to be: a channel's first alert of the day is
 * new and what came before the day is not known, or texts that only energy carries into the day are several, so that
 * the order of rows read at different times would decide.
 */
export const UNDECIDED_DAYS = `
  WITH alerts AS (
    SELECT a.tenant_id, a.device_id, a.date, a.channel, min_by(a.first_alert, a.slot_us) AS first_alert
    FROM channel_alerts a
    JOIN touched_spans s ON s.tenant_id = a.tenant_id AND s.device_id = a.device_id AND s.date = a.date
    GROUP BY ALL
  ), texts AS (
    SELECT d.tenant_id, d.device_id, d.date,
      (count(d.device_type) = 0 AND min(d.carried_device_type) < max(d.carried_device_type))
      OR (count(d.location) = 0 AND min(d.carried_location) < max(d.carried_location))
      OR (count(d.user_id) = 0 AND min(d.carried_user_id) < max(d.carried_user_id)) AS is_open
    FROM device_slots d
    JOIN touched_spans s ON s.tenant_id = d.tenant_id AND s.device_id = d.device_id AND s.date = d.date
    GROUP BY ALL
  ), undecided AS (
    SELECT a.tenant_id, a.device_id, a.date FROM alerts a
    ANTI JOIN alerts_before b ON b.tenant_id = a.tenant_id AND b.device_id = a.device_id AND b.date = a.date
      AND b.channel = a.channel
    WHERE a.first_alert <> 'none'
    UNION SELECT tenant_id, device_id, date FROM texts WHERE is_open
  )
  SELECT u.* FROM undecided u ANTI JOIN whole_days w
    ON w.tenant_id = u.tenant_id AND w.device_id = u.device_id AND w.date = u.date`

/** Adds the facts of `touched_spans`' days to the temporary table `device_days`. */
export async function addDeviceDays(session: Session): Promise<void> {
  for (const name of ['device_slots', 'interval_slots', 'channel_times']) {
    await checkRows(session, models[name]!, name)
  }
  await session.run(`INSERT INTO device_days BY NAME ${models.device_days!.sql}`)
  await checkRows(session, models.device_days!, 'device_days')
}

/** Keeps the facts of the newest days only. */
export async function keepNewestFacts(session: Session): Promise<void> {
  const [newest] = await session.rows<{ date: string | null; oldest: string | null }>(
    `SELECT CAST(max(date) - ${CARRIED_DATES - 1} AS VARCHAR) AS date, CAST(min(date) AS VARCHAR) AS oldest FROM carried_days`,
  )
  if (newest?.date === null || newest === undefined || newest.oldest! >= newest.date) return
  for (const table of Object.keys(FACTS)) {
    await session.run(`DELETE FROM ${table} WHERE date < CAST($1 AS DATE)`, [newest.date])
  }
}
