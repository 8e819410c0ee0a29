import type { DataFile, Lake, Session } from '../lake/types.ts'

/** Reading of Silver: which files can hold what a span of days needs, and the rows themselves. */

export const READINGS = 'silver.readings'

const POSITION = ['ingestion_time', 'stream_topic', 'stream_partition', 'stream_offset', 'stream_index']

/** The columns of `silver.readings` that Gold looks at. */
export const READING_INPUTS = [
  ...POSITION,
  'tenant_id',
  'device_id',
  'channel',
  'timestamp',
  'device_type',
  'user_id',
  'location',
  'temperature',
  'power_usage',
  'energy_consumption_wh',
  'status',
  'alert',
  'quality_score',
  'is_valid',
  'is_late_event',
  'energy_wh',
  'energy_from',
  'energy_to',
  'energy_method',
] as const

/** Those of them that repeat a few texts over and over. */
const TEXT_INPUTS = [
  'stream_topic',
  'tenant_id',
  'device_id',
  'channel',
  'device_type',
  'user_id',
  'location',
  'alert',
  'energy_method',
]
/** Below so many rows an enumeration costs more than it saves. */
export const FEW_ROWS = 50_000
/** Words with which an enumeration still pays; its list stands in the text of the query. */
const MAX_WORDS = 5000

/** A span of time, µs; the end is exclusive. */
export interface Span {
  fromUs: number
  toUs: number
}

/** The smallest gap that Gold allows for any device, µs. */
export const LEAST_MAX_GAP_US = 900_000_000

/** SQL of a device's `max_gap`, µs, where `c` is its catalogue row or null. */
export const MAX_GAP_SQL = `greatest(${LEAST_MAX_GAP_US}, coalesce(3 * CAST(round(c.expected_interval_s * 1000000) AS BIGINT), 0))`

/** Bounds of a timestamp column in a file, µs; `null` where the file has no value. Minima are never too large, maxima never too small. */
export function bounds(file: DataFile, column: string): Span | null {
  const min = file.stats.min[column]
  const max = file.stats.max[column]
  if (min === undefined || max === undefined) {
    return file.stats.nulls[column] === file.stats.rows ? null : { fromUs: -Infinity, toUs: Infinity }
  }
  return { fromUs: Date.parse(String(min)) * 1000, toUs: Date.parse(String(max)) * 1000 + 1000 }
}

/** Files with rows of the span, or with rows after it that carry energy into it. */
export function filesOf(files: readonly DataFile[], span: Span, gapUs: number): DataFile[] {
  return files.filter((file) => {
    const time = bounds(file, 'timestamp')
    if (time === null || time.toUs < span.fromUs) return false
    const from = bounds(file, 'energy_from')
    return time.fromUs <= span.toUs + gapUs || (from !== null && from.fromUs < span.toUs)
  })
}

/** Rows of the files that may lie in the span, by their statistics: where a file reaches further, its share of time. */
function rowsWithin(files: readonly DataFile[], span: Span): number {
  return files.reduce((sum, file) => {
    const time = bounds(file, 'timestamp')
    if (time === null) return sum
    const within = Math.min(time.toUs, span.toUs) - Math.max(time.fromUs, span.fromUs)
    const share = Math.max(0, within) / Math.max(1, time.toUs - time.fromUs)
    return sum + file.stats.rows * (Number.isNaN(share) ? 1 : share)
  }, 0)
}

/**
 * Makes `readings`, the input of the models, of the temporary table `loaded_readings`: the rows of the devices in `chunk_devices`
 * (`tenant_id`, `device_id`, `max_gap_us`, the span `from_us` … `to_us`, whether it `begins_day`) that lie in the device's span, carry
 * energy or coverage into it, or come last before it where the models have to know what came before.
 */
export async function loadReadings(lake: Lake, session: Session, files: readonly DataFile[]): Promise<void> {
  const [all] = await session.rows<{ from_us: number | null; to_us: number; gap_us: number }>(
    `SELECT min(from_us) AS from_us, max(to_us) AS to_us, max(max_gap_us) AS gap_us FROM chunk_devices`,
  )
  const gapUs = all?.gap_us ?? LEAST_MAX_GAP_US
  const span =
    all === undefined || all.from_us === null
      ? { fromUs: 0, toUs: 0 }
      : { fromUs: all.from_us, toUs: all.to_us }
  const held = filesOf(files, span, gapUs)
  const scan = lake.scan(READINGS, held)
  const rows = rowsWithin(held, span)
  await session.expect(rows)
  const type = rows < FEW_ROWS ? 'VARCHAR' : await wordType(session, scan)
  const columns = READING_INPUTS.map((name) =>
    TEXT_INPUTS.includes(name) ? `CAST(r.${name} AS ${type}) AS ${name}` : `r.${name}`,
  ).join(', ')
  await session.run(
    `CREATE OR REPLACE TEMP TABLE loaded_readings AS
     SELECT ${columns} FROM ${scan} r
     JOIN chunk_devices d ON d.tenant_id = r.tenant_id AND d.device_id = r.device_id
     WHERE r.timestamp >= make_timestamptz(${span.fromUs})
       AND (r.timestamp <= make_timestamptz(${span.toUs + gapUs}) OR r.energy_from < make_timestamptz(${span.toUs}))
       AND epoch_us(r.timestamp) >= d.from_us
       AND (epoch_us(r.timestamp) <= d.to_us + d.max_gap_us OR r.energy_from < make_timestamptz(d.to_us))`,
  )
  await loadEarlier({ lake, session, files, span: { ...span, fromUs: span.fromUs - gapUs }, type })
  await session.run('CREATE OR REPLACE TEMP VIEW readings AS SELECT rowid AS row_id, * FROM loaded_readings')
}

/**
 * The type of the texts in `readings`: an enumeration, in their own order, sorts and joins in half the time and
 * memory. The models cannot tell the difference.
 */
async function wordType(session: Session, scan: string): Promise<string> {
  const distinct = TEXT_INPUTS.map((name) => `SELECT DISTINCT ${name} AS word FROM ${scan}`).join(
    ' UNION ALL ',
  )
  // What the models compare with has to be among the words.
  const words = await session.rows<{ word: string }>(
    `SELECT DISTINCT word FROM (${distinct} UNION ALL VALUES ('none'), ('reported'), ('counter'), ('integrated'))
     WHERE word IS NOT NULL ORDER BY word LIMIT ${MAX_WORDS + 1}`,
  )
  // A NUL would end the text of the query.
  if (words.length > MAX_WORDS || words.some(({ word }) => word.includes('\0'))) return 'VARCHAR'
  return `ENUM(${words.map(({ word }) => `'${word.replaceAll("'", "''")}'`).join(', ')})`
}

/**
 * Adds the last row, or the last alert, before the span of those channels whose first one in it depends on that:
 * a reported value covers back to the row before it, and an alert is an episode unless the one before is the same.
 */
async function loadEarlier(work: {
  lake: Lake
  session: Session
  files: readonly DataFile[]
  span: Span
  type: string
}): Promise<void> {
  const { lake, session, files, span, type } = work
  await session.run(
    `CREATE OR REPLACE TEMP TABLE earlier_wanted AS
     WITH firsts AS (
       SELECT tenant_id, device_id, channel,
         min(timestamp) = min(timestamp) FILTER (WHERE energy_method = 'reported') AS covers_back,
         min(timestamp) FILTER (WHERE alert IS NOT NULL) = min(timestamp) FILTER (WHERE alert <> 'none') AS begins_alert
       FROM loaded_readings GROUP BY ALL
     )
     SELECT f.tenant_id, f.device_id, f.channel, w.want_alert, d.from_us
     FROM firsts f JOIN chunk_devices d USING (tenant_id, device_id)
     JOIN (VALUES (TRUE), (FALSE)) w(want_alert)
       ON CASE WHEN w.want_alert THEN f.begins_alert AND d.begins_day ELSE f.covers_back END`,
  )
  const columns = READING_INPUTS.map((name) => `r.${name}`).join(', ')
  // A text that occurs nowhere in the span becomes null: of these rows only the time and an equal alert matter.
  const found = READING_INPUTS.map((name) =>
    TEXT_INPUTS.includes(name) ? `TRY_CAST(${name} AS ${type}) AS ${name}` : name,
  ).join(', ')
  const earlier = files.filter((file) => (bounds(file, 'timestamp')?.fromUs ?? Infinity) < span.toUs)
  // Nearly always the row before lies no further back than a gap.
  const near = earlier.filter((file) => bounds(file, 'timestamp')!.toUs >= span.fromUs)
  for (const round of [near, ...dateRounds(earlier, 'descending')]) {
    const wanted = await wantedDevices(session, 'earlier_wanted')
    if (wanted === null) return
    const scanned = round.filter((file) => mayHold(file, wanted))
    if (scanned.length === 0) continue
    await session.run(
      `CREATE OR REPLACE TEMP TABLE earlier_found AS
       SELECT ${columns}, w.want_alert FROM ${lake.scan(READINGS, scanned)} r
       JOIN earlier_wanted w USING (tenant_id, device_id, channel)
       WHERE epoch_us(r.timestamp) < w.from_us AND (NOT w.want_alert OR r.alert IS NOT NULL)
         ${round === near ? `AND r.timestamp >= make_timestamptz(${span.fromUs})` : ''}
       QUALIFY row_number() OVER (
         PARTITION BY tenant_id, device_id, channel, w.want_alert
         ORDER BY ${['timestamp', ...POSITION].map((name) => `r.${name} DESC`).join(', ')}
       ) = 1`,
    )
    await session.run(`INSERT INTO loaded_readings SELECT DISTINCT ${found} FROM earlier_found`)
    await session.run(
      `DELETE FROM earlier_wanted WHERE (tenant_id, device_id, channel, want_alert) IN
         (SELECT (tenant_id, device_id, channel, want_alert) FROM earlier_found)`,
    )
  }
}

export interface WantedDevices {
  least: string
  greatest: string
  /** Only rows with an alert are wanted. */
  alertsOnly: boolean
}

/** The range of device ids that a `*_wanted` table still looks for; `null`: none. */
export async function wantedDevices(session: Session, table: string): Promise<WantedDevices | null> {
  const [wanted] = await session.rows<{ least: string | null; greatest: string; alerts_only: boolean }>(
    `SELECT min(device_id) AS least, max(device_id) AS greatest, bool_and(want_alert) AS alerts_only FROM ${table}`,
  )
  if (wanted === undefined || wanted.least === null) return null
  return { least: wanted.least, greatest: wanted.greatest, alertsOnly: wanted.alerts_only }
}

export function mayHold(file: DataFile, wanted: WantedDevices): boolean {
  const { min, max, nulls, rows } = file.stats
  if (wanted.alertsOnly && nulls.alert === rows) return false
  const low = min.device_id
  const high = max.device_id
  return (low === undefined || low <= wanted.greatest) && (high === undefined || high >= wanted.least)
}

/** The files by event date, in rounds of ever more dates, so that what lies near is found with little reading. */
export function dateRounds(files: readonly DataFile[], order: 'ascending' | 'descending'): DataFile[][] {
  const byDate = Map.groupBy(files, (file) => file.partition.event_date ?? '')
  const dates = [...byDate.keys()].toSorted()
  if (order === 'descending') dates.reverse()
  const rounds: DataFile[][] = []
  for (let at = 0, size = 2; at < dates.length; at += size, size *= 4) {
    rounds.push(dates.slice(at, at + size).flatMap((date) => byDate.get(date)!))
  }
  return rounds
}
