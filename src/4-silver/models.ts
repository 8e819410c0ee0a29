/** Runs Silver's models in their order, over temporary tables of one session. */
import { BRONZE_TELEMETRY } from '../3-bronze/tables.ts'
import type { Lake, Session, Snapshot } from '../lake/types.ts'
import {
  REFERENCE_CATALOGUE,
  REFERENCE_CORRECTIONS,
  REFERENCE_PERIODS,
  REFERENCE_RULES,
  REFERENCE_SETTINGS,
} from '../reference/tables.ts'
import { append, checkAccounting, materialise, materialiseIf, view } from './model.ts'
import { CONSTANTS, DEFAULT_LATE_WATERMARK_HOURS } from './rules.ts'
import { typeRows, typeRowsSql, type RuleChange } from './rules-in-force.ts'
import { SILVER_DUPLICATES, SILVER_READINGS, SILVER_REJECTS } from './tables.ts'

/** Silver's inputs, which may not be there yet where Silver is started first. */
export const INPUT_TABLES = [
  BRONZE_TELEMETRY,
  REFERENCE_CATALOGUE,
  REFERENCE_PERIODS,
  REFERENCE_SETTINGS,
  REFERENCE_RULES,
  REFERENCE_CORRECTIONS,
] as const

/** What rows depend on besides Bronze, by name. */
export const REFERENCES = INPUT_TABLES.slice(1).map(({ name }) => name)

export const BRONZE = BRONZE_TELEMETRY.name
export const READINGS = SILVER_READINGS.name
export const REJECTS = SILVER_REJECTS.name
export const DUPLICATES = SILVER_DUPLICATES.name

/** The home of a row of Bronze, which may not name one. */
export const TENANT = (alias: string): string => `coalesce(filled(${alias}.tenant_id), 'home')`

/** Rows of Bronze; those of a device that is merged into another are that one's. */
export function arrivalsOf(lake: Lake, files: Snapshot['files']): string {
  return `(SELECT b.* REPLACE (coalesce(m.merged_into, b.device_id) AS device_id) FROM ${lake.scan(BRONZE, files)} b
     LEFT JOIN merges m ON m.device_id = b.device_id AND m.tenant_id = ${TENANT('b')})`
}

/** What is known of a channel before the rows at hand: the result of the model `channel_state`. */
export const CHANNEL_STATE_COLUMNS = [
  'channel_no INTEGER',
  'p_us BIGINT, p_mw BIGINT, held_until_us BIGINT, hold_dropped BOOLEAN',
  'c_first_us BIGINT, c_us BIGINT, c_uwh BIGINT, c_plausible_mw BIGINT, c_before_us BIGINT, c_before_uwh BIGINT',
  'lower_c_us BIGINT, r_us BIGINT, lower_r_us BIGINT',
].join(', ')

/** Rows of the hour before the rows at hand, for the one-hour windows. */
export const HOUR_COLUMNS =
  'channel_no INTEGER, device_no INTEGER, t_us BIGINT, temperature_mc BIGINT, power_mw BIGINT, has_alert BOOLEAN'

/** Makes `carried` and `hour_found`, empty, and `hour_before` stand for the latter. */
export async function carryNothing(session: Session): Promise<void> {
  await session.run(
    `CREATE OR REPLACE TEMP TABLE carried (${CHANNEL_STATE_COLUMNS});
     CREATE OR REPLACE TEMP TABLE hour_found (${HOUR_COLUMNS});
     CREATE OR REPLACE TEMP VIEW hour_before AS SELECT * FROM hour_found`,
  )
}

/** No channel has a number yet: whatever holds numbers (`carried`, the tail) is made anew after this. */
export async function forgetNumbers(session: Session): Promise<void> {
  await session.run(
    `CREATE OR REPLACE TEMP TABLE numbers (channel_no INTEGER, device_no INTEGER, tenant_id VARCHAR, device_id VARCHAR, channel VARCHAR)`,
  )
  await describeChannels(session)
}

/** Makes `channels` and `described`: what the catalogue says of everything that has a number. */
export async function describeChannels(session: Session): Promise<void> {
  await materialise(session, 'channels')
  await materialise(session, 'described')
}

/** Gives numbers to the channels of some rows that have tenant_id, device_id, channel. */
export async function numberChannels(session: Session, rowsSql: string): Promise<void> {
  await session.run(`CREATE OR REPLACE TEMP VIEW landed AS ${rowsSql}`)
  if ((await append(session, 'numbers', 'numbers')) > 0) await describeChannels(session)
}

/** Makes `arrivals` of some rows of Bronze, and `corrected`, and numbers their channels. */
export async function takeArrivals(session: Session, rowsSql: string): Promise<void> {
  await numberChannels(session, rowsSql)
  await takeNumberedArrivals(session, rowsSql)
}

/** As `takeArrivals`, where every channel has its number. */
export async function takeNumberedArrivals(session: Session, rowsSql: string): Promise<void> {
  await session.run(`CREATE OR REPLACE TEMP VIEW landed AS ${rowsSql}`)
  await orderArrivals(session)
  await materialise(session, 'corrected')
}

/** Makes `arrivals`: a table keeps the order in which rows are put into it, and that is their `seq`. */
async function orderArrivals(session: Session): Promise<void> {
  await materialise(session, 'arrivals', 'arrivals_in_order')
  await session.run(
    'CREATE OR REPLACE TEMP VIEW arrivals AS SELECT rowid + 1 AS seq, * FROM arrivals_in_order',
  )
}

/** As `takeArrivals`, for few rows of channels that nearly always have a number already. */
export async function takeFewArrivals(session: Session, rowsSql: string): Promise<void> {
  await session.run(`CREATE OR REPLACE TEMP VIEW landed AS ${rowsSql}`)
  await orderArrivals(session)
  const [unknown] = await session.rows(
    `SELECT 1 FROM arrivals WHERE channel_no IS NULL AND trim(device_id) <> '' LIMIT 1`,
  )
  if (unknown) return await takeArrivals(session, rowsSql)
  const [correction] = await session.rows('SELECT 1 FROM corrections LIMIT 1')
  await materialiseIf(session, correction !== undefined, 'corrected')
}

/** What rows depend on besides Bronze, as of one moment. */
export interface ReferenceVersions {
  tables: ReadonlyMap<string, Snapshot>
  lateWatermarkHours: number
}

/** `known`, where no table has another version. */
export async function referenceNow(
  lake: Lake,
  session: Session,
  known?: ReferenceVersions,
): Promise<ReferenceVersions> {
  const tables = new Map<string, Snapshot>()
  for (const name of REFERENCES) tables.set(name, await lake.snapshot(name))
  if (known && [...tables].every(([name, { version }]) => version === known.tables.get(name)?.version))
    return known
  return {
    tables,
    lateWatermarkHours: await watermarkOf(lake, session, snapshotIn(tables, REFERENCE_SETTINGS.name)),
  }
}

export function snapshotIn(tables: ReadonlyMap<string, Snapshot>, name: string): Snapshot {
  const snapshot = tables.get(name)
  if (snapshot === undefined) throw new TypeError(`No snapshot of ${name}.`)
  return snapshot
}

export async function watermarkOf(lake: Lake, session: Session, settings: Snapshot): Promise<number> {
  const [watermark] =
    settings.files.length === 0
      ? []
      : await session.rows<{ value: string }>(
          `SELECT value FROM ${lake.scan(REFERENCE_SETTINGS.name, settings.files)} WHERE name = 'late_watermark_hours'`,
        )
  return Number(watermark?.value ?? DEFAULT_LATE_WATERMARK_HOURS)
}

export async function ruleChanges(lake: Lake, session: Session, rules: Snapshot): Promise<RuleChange[]> {
  if (rules.files.length === 0) return []
  return await session.rows<RuleChange>(
    `SELECT * FROM ${lake.scan(REFERENCE_RULES.name, rules.files)} ORDER BY rule, device_type`,
  )
}

/** Makes `constants`, `type_limits`, `catalogue`, `periods`, `merges` and `corrections`. */
export async function loadReference(
  lake: Lake,
  session: Session,
  { tables, lateWatermarkHours }: ReferenceVersions,
): Promise<void> {
  const constants = { ...CONSTANTS, late_watermark_us: Math.round(lateWatermarkHours * 3_600_000_000) }
  const columns = Object.entries(constants).map(
    ([name, value]) => `CAST(${value} AS ${Number.isInteger(value) ? 'BIGINT' : 'DOUBLE'}) AS ${name}`,
  )
  await session.run(`CREATE OR REPLACE TEMP TABLE constants AS SELECT ${columns.join(', ')}`)
  const changes = await ruleChanges(lake, session, snapshotIn(tables, REFERENCE_RULES.name))
  await session.run(`CREATE OR REPLACE TEMP TABLE type_limits AS ${typeRowsSql(typeRows(changes))}`)
  const all = (name: string): string => `SELECT * FROM ${lake.scan(name, snapshotIn(tables, name).files)}`
  await session.run(
    `CREATE OR REPLACE TEMP TABLE catalogue AS ${all(REFERENCE_CATALOGUE.name)};
     CREATE OR REPLACE TEMP TABLE periods AS ${all(REFERENCE_PERIODS.name)};
     CREATE OR REPLACE TEMP TABLE merges AS SELECT tenant_id, device_id, merged_into FROM catalogue WHERE merged_into IS NOT NULL`,
  )
  // What was said of a device that is merged into another since, is said of that one.
  await session.run(
    `CREATE OR REPLACE TEMP TABLE corrections AS
     SELECT c.* REPLACE (coalesce(m.merged_into, c.device_id) AS device_id)
     FROM (${all(REFERENCE_CORRECTIONS.name)}) c LEFT JOIN merges m USING (tenant_id, device_id)`,
  )
}

async function countOf(session: Session, table: string): Promise<number> {
  const [row] = await session.rows<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)
  return row?.n ?? 0
}

/** From `candidates` to `resolved` and `accepted`: identities, as decision 0002 numbers them. */
export async function resolveIdentities(session: Session): Promise<void> {
  await materialise(session, 'repeated')
  let found = await countOf(session, 'repeated')
  const isRepeated = found > 0
  await materialiseIf(session, isRepeated, 'owners_first', 'owned')
  while (found > 0) found = await append(session, 'owners_next', 'owned')
  await materialiseIf(session, isRepeated, 'resolved')
  await materialise(session, 'accepted')
}

/** From `accepted` and `carried` to `energy` and `channel_state`. */
export async function computeEnergy(session: Session): Promise<void> {
  await view(session, 'measured')
  await materialise(session, 'methods')
  const [counters] = await session.rows('SELECT 1 FROM methods WHERE c IS NOT NULL LIMIT 1')
  await materialiseIf(session, counters !== undefined, 'counter_rows')
  await materialiseIf(session, counters !== undefined, 'counter_steps')
  for (const model of ['holds', 'energy', 'channel_state']) await materialise(session, model)
}

/** From this many rows of the hour before per new row on, looking up is cheaper than sorting it all. */
const LOOK_UP_RATIO = 20

/** From `accepted`, `hour_before` and `energy` to `readings`. */
export async function computeReadings(session: Session): Promise<void> {
  await session.run(
    `CREATE OR REPLACE TEMP VIEW hour_rows AS
     SELECT seq, channel_no, device_no, t_us, temperature_mc, power_mw, has_alert FROM accepted
     UNION ALL SELECT 0, * FROM hour_before`,
  )
  const [rows] = await session.rows<{ new_rows: number; old_rows: number; alerts: number }>(
    `SELECT count_if(seq > 0) AS new_rows, count_if(seq = 0) AS old_rows, count_if(has_alert) AS alerts FROM hour_rows`,
  )
  const lookUp = rows!.old_rows > rows!.new_rows * LOOK_UP_RATIO
  await materialise(session, lookUp ? 'windows_on_time' : 'windows', 'windows')
  await materialiseIf(session, rows!.alerts > 0, lookUp ? 'alarms_on_time' : 'alarms', 'alarms')
  // A view: these are the widest rows of all, and they are read once, to be written.
  await view(session, 'readings')
}

/** From `arrivals` and `carried` to `accepted`, `energy` and `channel_state`. */
export async function acceptArrivals(session: Session): Promise<void> {
  await materialise(session, 'checked')
  await session.run(
    'CREATE OR REPLACE TEMP VIEW candidates AS SELECT * FROM checked WHERE reject_reason IS NULL',
  )
  await resolveIdentities(session)
  await computeEnergy(session)
}

/** From `arrivals`, `carried` and `hour_before` to `readings`, `rejects`, `duplicates` and `channel_state`. */
export async function refineArrivals(session: Session): Promise<void> {
  await acceptArrivals(session)
  await computeReadings(session)
  await materialise(session, 'rejects')
  await materialise(session, 'duplicates')
  await checkAccounting(session)
}
