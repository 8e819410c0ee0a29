import { rowCount } from '../lake/stats.ts'
import type { DataFile, Lake, Session, Snapshot, TableDefinition } from '../lake/types.ts'
import { checkRows, checkSums, readModel } from './models.ts'
import { filesOf, LEAST_MAX_GAP_US, loadReadings, MAX_GAP_SQL, type Span } from './silver-rows.ts'
import {
  addDeviceDays,
  forgetFacts,
  keepNewestFacts,
  recountMovedMedians,
  replaceFacts,
  UNDECIDED_DAYS,
} from './slot-facts.ts'
import {
  GOLD_DAILY,
  GOLD_HEALTH,
  GOLD_HOURLY,
  GOLD_MONTHLY,
  GOLD_QUARTER_HOURLY,
  GOLD_SUMMARY,
} from './tables.ts'

/** So few that whoever asks for a day or a device of a large file passes over most of it. */
const ROW_GROUP_ROWS = 20_480
/** Rows that one pass of the models may hold; it bounds memory, not the result. */
const MAX_CHUNK_ROWS = 1_000_000

const DEVICE_ROWS = readModel('device_rows')
const ENERGY_PARTS = readModel('energy_parts')
const SUM_INVARIANTS = readModel('sum_invariants')

/** A Gold table, and the columns by which `touched_days` says which of its rows are computed anew. */
const DEVICE_DAY_COLUMNS = `tenant_id VARCHAR, device_id VARCHAR, date DATE, reading_count BIGINT, interval_us BIGINT,
  intervals_with_reading BIGINT, intervals_reporting BIGINT, quality_sum DECIMAL(38,6), valid_count BIGINT,
  late_count BIGINT, alert_count BIGINT, alert_episodes BIGINT, first_us BIGINT, last_us BIGINT, outages BIGINT,
  outage_us BIGINT, reported_nwh DECIMAL(38,0), reported_power_mw BIGINT, device_type VARCHAR, location VARCHAR,
  user_id VARCHAR`

interface Target {
  definition: TableDefinition
  touchedBy: string
}
const QUARTER_HOURLY: Target = { definition: GOLD_QUARTER_HOURLY, touchedBy: 'tenant_id, device_id, date' }
const HOURLY: Target = { definition: GOLD_HOURLY, touchedBy: 'tenant_id, device_id, date' }
const DAILY: Target = { definition: GOLD_DAILY, touchedBy: 'tenant_id, device_id, date' }
const HEALTH: Target = { definition: GOLD_HEALTH, touchedBy: 'tenant_id, device_id, date' }
const SUMMARY: Target = { definition: GOLD_SUMMARY, touchedBy: 'tenant_id, date' }
const MONTHLY: Target = { definition: GOLD_MONTHLY, touchedBy: 'tenant_id, device_id, month' }

/** What a build adds to and removes from one Gold table, not yet committed. */
export interface TableChange {
  add: DataFile[]
  remove: DataFile[]
}

export interface GoldBuild {
  /** Where Silver is read. */
  lake: Lake
  /** Where Gold is written. */
  target: Lake
  session: Session
  readings: readonly DataFile[]
  rejects: readonly DataFile[]
  /** The Gold tables that the touched days are merged into, by name. */
  base: ReadonlyMap<string, Snapshot>
  /** Whether facts of the newest days are carried from one build of this session to the next. */
  carries: boolean
  onProgress?: (text: string) => void
  /** Of an earlier build of the very same: its months are done, and `new_months` is as they left it. */
  done?: { months: number; files: Readonly<Record<string, DataFile[]>> }
  /** Called after each month with how many are done and what they wrote. */
  afterMonth?: (months: number, changes: ReadonlyMap<string, TableChange>) => Promise<void>
  /** Silver rows that were read, added up. */
  rowsRead?: number
}

/**
 * Computes the device-days in the temporary table `touched` month by month and writes them, merged with the rows of
 * `base` that are not touched, as data files. Needs `catalogue`, `tariffs`, `all_calendar` and `all_days` in the
 * session. Every check runs before anything is returned.
 */
export async function buildTouched(build: GoldBuild): Promise<Map<string, TableChange>> {
  const { session } = build
  const { months: doneMonths = 0, files: doneFiles = {} } = build.done ?? {}
  const changes = new Map<string, TableChange>(
    Object.entries(doneFiles).map(([name, add]) => [name, { add, remove: [] }]),
  )
  if (!build.carries) await forgetFacts(session)
  const months = await session.rows<{ month: string; days: number }>(
    `SELECT a.month, count(*) AS days FROM (SELECT DISTINCT tenant_id, device_id, date FROM touched) t
     JOIN all_days a ON a.date = t.date GROUP BY a.month ORDER BY a.month`,
  )
  if (doneMonths === 0)
    await session.run('CREATE OR REPLACE TEMP TABLE new_months AS SELECT NULL WHERE FALSE')
  for (const [index, { month, days }] of months.entries()) {
    if (index < doneMonths) continue
    build.onProgress?.(
      `gold ${month.slice(0, 7)}: ${days} device-days (month ${index + 1} of ${months.length})`,
    )
    await buildMonth(build, month, changes, index === 0)
    await build.afterMonth?.(index + 1, changes)
  }
  const years = new Set(months.map(({ month }) => month.slice(0, 4)))
  if (months.length > 0) await mergeMonths(build, years, changes)
  return changes
}

async function buildMonth(
  build: GoldBuild,
  month: string,
  changes: Map<string, TableChange>,
  first: boolean,
): Promise<void> {
  const { session, lake } = build
  await session.run(
    `CREATE OR REPLACE TEMP TABLE touched_days AS
     SELECT t.tenant_id, t.device_id, t.date, a.month, a.start_us, a.end_us,
       CASE WHEN c.date IS NULL THEN a.start_us ELSE coalesce(min(t.from_us), a.start_us) END AS from_us,
       CASE WHEN c.date IS NULL THEN a.end_us ELSE coalesce(max(t.to_us), a.start_us) END AS to_us
     FROM touched t JOIN all_days a ON a.date = t.date
     LEFT JOIN carried_days c ON c.tenant_id = t.tenant_id AND c.device_id = t.device_id AND c.date = t.date
     WHERE a.month = CAST($1 AS DATE)
     GROUP BY t.tenant_id, t.device_id, t.date, a.month, a.start_us, a.end_us, c.date`,
    [month],
  )
  await session.run(
    'CREATE OR REPLACE TEMP TABLE computed_spans AS SELECT tenant_id, device_id, date, from_us, to_us FROM touched_days',
  )
  await session.run(
    'CREATE OR REPLACE TEMP TABLE calendar AS SELECT * FROM all_calendar WHERE month = CAST($1 AS DATE)',
    [month],
  )
  const dates = await datesOf(session)
  const chunks = chunksOf(build, dates)
  for (const [index, chunk] of chunks.entries()) await computeChunk(build, chunk, index === 0)

  const monthSpan = {
    fromUs: Math.min(...dates.map(({ start_us }) => start_us)),
    toUs: Math.max(...dates.map(({ end_us }) => end_us)),
  }
  await session.run(
    `CREATE OR REPLACE TEMP TABLE rejects AS SELECT tenant_id, device_id, timestamp, ingestion_time, reject_reason
     FROM ${lake.scan('silver.rejects', rejectFiles(build.rejects, monthSpan))}`,
  )
  const inMonth = new Set([month])
  const onDates = new Set(dates.map(({ date }) => date))
  await mergeInto(build, QUARTER_HOURLY, 'SELECT * FROM new_quarter_hours', onDates, changes)
  for (const target of [HOURLY, DAILY, HEALTH, SUMMARY]) {
    await mergeInto(build, target, readModel(modelName(target)).sql, inMonth, changes)
  }
  await checkSums(session, SUM_INVARIANTS)
  const monthly = readModel('monthly_energy').sql
  await session.run(
    first ? `CREATE OR REPLACE TEMP TABLE new_months AS ${monthly}` : `INSERT INTO new_months ${monthly}`,
  )
}

function modelName(target: Target): string {
  return target.definition.name.replace('gold.', '')
}

/** Rejects lie by their UTC date, so a local day may find its own in the file of the day before or after. */
function rejectFiles(files: readonly DataFile[], span: Span): DataFile[] {
  const dayUs = 86_400_000_000
  return files.filter((file) => {
    const dateUs = Date.parse(`${file.partition.counted_date}T00:00:00Z`) * 1000
    return dateUs >= span.fromUs - dayUs && dateUs < span.toUs + dayUs
  })
}

/** One local date, the span of it that is touched, µs, and its devices. */
interface TouchedDate {
  date: string
  start_us: number
  end_us: number
  from_us: number
  to_us: number
  devices: number
  /** Devices of which the whole day is computed. */
  whole: number
}

async function datesOf(session: Session): Promise<TouchedDate[]> {
  return await session.rows<TouchedDate>(
    `SELECT d.date, min(d.start_us) AS start_us, max(d.end_us) AS end_us, min(d.from_us) AS from_us, max(d.to_us) AS to_us,
       count(*) AS devices, count_if(d.from_us = d.start_us AND d.to_us = d.end_us) AS whole
     FROM touched_days d GROUP BY d.date ORDER BY d.date`,
  )
}

/** Some days of some devices, small enough for one pass. */
interface Chunk {
  dates: string[]
  bucket: number
  buckets: number
  /** Whether a day of it is computed whole. */
  hasWhole: boolean
}

/** Cuts the month's days into runs of dates of bounded size; a date that is too large by itself, by devices. */
function chunksOf(build: GoldBuild, dates: readonly TouchedDate[]): Chunk[] {
  const chunks: Chunk[] = []
  let rows = Infinity
  for (const { date, from_us: fromUs, to_us: toUs, devices, whole } of dates) {
    const hasWhole = whole > 0
    const dateRows = rowCount(filesOf(build.readings, { fromUs, toUs }, LEAST_MAX_GAP_US))
    const buckets = Math.min(Math.ceil(dateRows / MAX_CHUNK_ROWS) || 1, devices)
    rows += dateRows
    if (buckets === 1 && rows <= MAX_CHUNK_ROWS) {
      const last = chunks.at(-1)!
      last.dates.push(date)
      last.hasWhole ||= hasWhole
      continue
    }
    rows = buckets === 1 ? dateRows : Infinity
    for (let bucket = 0; bucket < buckets; bucket += 1)
      chunks.push({ dates: [date], bucket, buckets, hasWhole })
  }
  return chunks
}

/** Adds the quarter-hours of the chunk to `new_quarter_hours` and its device-days to `device_days`. */
async function computeChunk(build: GoldBuild, chunk: Chunk, first: boolean): Promise<void> {
  const { session } = build
  const dates = chunk.dates.map((date) => `DATE '${date}'`).join(', ')
  const spans = `SELECT tenant_id, device_id, date, start_us AS day_start_us, end_us AS day_end_us, from_us, to_us
     FROM touched_days WHERE date IN (${dates}) AND hash(tenant_id, device_id) % ${chunk.buckets} = ${chunk.bucket}`
  await session.run(`CREATE OR REPLACE TEMP TABLE touched_spans AS ${spans}`)
  if (first) {
    await session.run(
      `CREATE OR REPLACE TEMP TABLE new_quarter_hours AS SELECT * FROM ${build.target.scan(GOLD_QUARTER_HOURLY.name, [])}`,
    )
    await session.run(`CREATE OR REPLACE TEMP TABLE device_days (${DEVICE_DAY_COLUMNS})`)
  }
  if (!build.carries) await forgetFacts(session)
  await computeSpans(build, chunk.hasWhole)
  let addsDays = chunk.hasWhole
  if (build.carries) {
    if (await computeUndecided(build)) {
      addsDays = true
      await session.run(`CREATE OR REPLACE TEMP TABLE touched_spans AS ${spans}`)
    }
    await recountMovedMedians(build.lake, session, build.readings)
  }
  await addDeviceDays(session)
  if (build.carries && addsDays) await keepNewestFacts(session)
}

/** Adds the quarter-hours of `touched_spans`, and replaces what is known of them for their days. */
async function computeSpans(build: GoldBuild, hasWhole: boolean): Promise<void> {
  const { session, lake } = build
  await session.run(
    `CREATE OR REPLACE TEMP TABLE chunk_devices AS
     SELECT d.tenant_id, d.device_id, ${MAX_GAP_SQL} AS max_gap_us, min(d.from_us) AS from_us, max(d.to_us) AS to_us,
       bool_or(d.from_us = d.day_start_us) AS begins_day
     FROM touched_spans d LEFT JOIN catalogue c ON c.tenant_id = d.tenant_id AND c.device_id = d.device_id
     WHERE d.from_us < d.to_us GROUP BY ALL`,
  )
  await loadReadings(lake, session, build.readings)
  const [loaded] = await session.rows<{ rows: number }>('SELECT count(*) AS rows FROM loaded_readings')
  build.rowsRead = (build.rowsRead ?? 0) + loaded!.rows
  await session.run(`CREATE OR REPLACE TEMP TABLE device_rows AS ${DEVICE_ROWS.sql}`)
  await session.run('DROP TABLE loaded_readings')
  await session.run(`CREATE OR REPLACE TEMP TABLE energy_parts AS ${ENERGY_PARTS.sql}`)
  await session.run(`INSERT INTO new_quarter_hours BY NAME ${readModel('quarter_hourly_energy').sql}`)
  await replaceFacts(session, hasWhole)
  await session.run('DROP TABLE energy_parts')
  await session.run('DROP TABLE device_rows')
}

/** Whether there are any; computes those days whole after all for which the quarter-hours that were read do not decide everything. */
async function computeUndecided(build: GoldBuild): Promise<boolean> {
  const { session } = build
  const [any] = await session.rows(`SELECT 1 FROM (${UNDECIDED_DAYS}) LIMIT 1`)
  if (any === undefined) return false
  await session.run(`CREATE OR REPLACE TEMP TABLE undecided AS ${UNDECIDED_DAYS}`)
  const same = (table: string): string =>
    `u.tenant_id = ${table}.tenant_id AND u.device_id = ${table}.device_id AND u.date = ${table}.date`
  await session.run(`DELETE FROM new_quarter_hours USING undecided u WHERE ${same('new_quarter_hours')}`)
  await session.run(
    `UPDATE computed_spans SET from_us = d.start_us, to_us = d.end_us FROM undecided u JOIN all_days d ON d.date = u.date
     WHERE ${same('computed_spans')}`,
  )
  await session.run(
    `CREATE OR REPLACE TEMP TABLE touched_spans AS
     SELECT s.tenant_id, s.device_id, s.date, day_start_us, day_end_us, day_start_us AS from_us, day_end_us AS to_us
     FROM touched_spans s JOIN undecided u ON ${same('s')}`,
  )
  await computeSpans(build, true)
  return true
}

/**
 * Makes the temporary table of the target's name: the new rows, and those that the touched partitions held of
 * days that are not touched. Checks it and writes it as the partitions' new files.
 */
async function mergeInto(
  build: GoldBuild,
  target: Target,
  newRows: string,
  partitions: ReadonlySet<string>,
  changes: Map<string, TableChange>,
): Promise<void> {
  const { session } = build
  const { definition } = target
  const table = modelName(target)
  const columns = definition.columns.map(({ name }) => name).join(', ')
  const partition = definition.partitionBy[0]!
  const replaced = (build.base.get(definition.name)?.files ?? []).filter((file) =>
    partitions.has(file.partition[partition] ?? ''),
  )
  const touchedTable = target === MONTHLY ? 'new_months_touched' : 'touched_days'
  const untouched =
    target === QUARTER_HOURLY
      ? `NOT EXISTS (FROM computed_spans s WHERE s.tenant_id = q.tenant_id AND s.device_id = q.device_id
           AND s.date = q.date AND epoch_us(q.quarter_hour) >= s.from_us AND epoch_us(q.quarter_hour) < s.to_us)`
      : `(${target.touchedBy}) NOT IN (SELECT (${target.touchedBy}) FROM ${touchedTable})`
  await session.run(
    `CREATE OR REPLACE TEMP TABLE ${table} AS SELECT ${columns} FROM (${newRows})
     UNION ALL
     SELECT ${columns} FROM ${build.target.scan(definition.name, replaced)} q
     WHERE ${untouched}`,
  )
  await checkRows(session, readModel(table), table, definition)
  const add = await build.target.write(session, definition.name, `SELECT ${columns} FROM ${table}`, {
    rowGroupRows: ROW_GROUP_ROWS,
  })
  const change = changes.get(definition.name) ?? { add: [], remove: [] }
  changes.set(definition.name, {
    add: [...change.add, ...add],
    remove: [...change.remove, ...replaced],
  })
}

/** The months of all touched days together, since a file of `gold.monthly_energy` holds a year. */
async function mergeMonths(
  build: GoldBuild,
  years: ReadonlySet<string>,
  changes: Map<string, TableChange>,
): Promise<void> {
  await build.session.run(
    `CREATE OR REPLACE TEMP TABLE new_months_touched AS
     SELECT DISTINCT t.tenant_id, t.device_id, a.month, a.year FROM touched t JOIN all_days a ON a.date = t.date`,
  )
  await mergeInto(build, MONTHLY, 'SELECT * FROM new_months', years, changes)
}
