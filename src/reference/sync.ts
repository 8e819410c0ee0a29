import type { Engine, Lake, Session, Snapshot, TableDefinition } from '../lake/types.ts'
import type { CataloguePeriod, CatalogueRow } from './catalogue.ts'
import type { DeviceNote, ListedDevice } from './devices.ts'
import { loadRows } from './rows.ts'
import {
  REFERENCE_CATALOGUE,
  REFERENCE_DEVICES,
  REFERENCE_PERIODS,
  REFERENCE_RULES,
  REFERENCE_SETTINGS,
  REFERENCE_TARIFFS,
} from './tables.ts'
import type { TariffRow } from './tariffs.ts'

/** What else figures depend on. */
export interface ReferenceSettings {
  /** IANA zone of the house; fixed at the first start. */
  time_zone: string
  late_watermark_hours: number
  /** ISO 4217 */
  currency: string
  /** Version of the folder's format. */
  format_version: number
}

/** The newest rows of a reference table, and the table version that they are of. */
export interface Versioned<T> {
  version: number
  value: T
}

export interface StoredTariff extends TariffRow {
  tariff_version: number
}

/** A row of `reference.rules`. */
export interface RuleRow {
  rule: string
  /** `*`: every type. */
  device_type: string
  enabled: boolean
  points: number | null
  limit: number | null
}

export interface SyncReport {
  /** Names of the tables that got a new version. */
  changed: string[]
  /** The settings that hold, which are not the given ones where a notice says so. */
  settings: ReferenceSettings
  /** Sentences for the person who started the program. */
  notices: string[]
}

/** What is known of devices: the catalogue, and the periods of those that were something else before. */
export interface DeviceRows {
  catalogue: readonly (CatalogueRow & Partial<ListedDevice>)[]
  periods?: readonly CataloguePeriod[]
}

/**
 * Records catalogue, tariffs and settings in the lake where they differ from the newest version there. A price
 * that is new or changed gets the next `tariff_version`; one that only ends earlier or later keeps its own.
 * Another time zone than the recorded one is not applied, since every local day would change: a notice says so.
 */
export async function syncReference(
  options: {
    lake: Lake
    engine: Engine
    tariffs: readonly TariffRow[]
    settings: ReferenceSettings
  } & DeviceRows,
): Promise<SyncReport> {
  const { lake, engine } = options
  const session = await engine.session()
  try {
    const notices: string[] = []
    const settings = { ...options.settings }
    const recorded = await settingsOf(lake, session)
    const zone = recorded.value.time_zone
    if (zone !== undefined && zone !== settings.time_zone) {
      notices.push(
        `The time zone of this data folder is ${zone}; "${settings.time_zone}" from the configuration is not applied.`,
      )
      settings.time_zone = zone
    }
    const tariffs = versioned(options.tariffs, (await tariffsOf(lake, session)).value)
    const pairs = Object.entries(settings).map(([name, value]) => ({ name, value: String(value) }))
    const changed = await replaceDevices(lake, session, options)
    for (const [table, rows] of [
      [REFERENCE_TARIFFS, tariffs],
      [REFERENCE_SETTINGS, pairs],
    ] as const) {
      if (await replaceRows(lake, session, table, rows)) changed.push(table.name)
    }
    return { changed, settings, notices }
  } finally {
    await session.close()
  }
}

/** Records the devices alone; tariffs and settings stay as they are. Gives the names of the tables that got a new version. */
export async function syncDevices(options: { lake: Lake; engine: Engine } & DeviceRows): Promise<string[]> {
  return await withSession(options.engine, (session) => replaceDevices(options.lake, session, options))
}

async function replaceDevices(
  lake: Lake,
  session: Session,
  { catalogue, periods = [] }: DeviceRows,
): Promise<string[]> {
  const rows = catalogue.toSorted((a, b) => compare(rowKey(a), rowKey(b)))
  const changed: string[] = []
  // Periods first: then a device that has them is not refined for its row of the catalogue as well.
  if (await replaceRows(lake, session, REFERENCE_PERIODS, periods)) changed.push(REFERENCE_PERIODS.name)
  if (await replaceRows(lake, session, REFERENCE_CATALOGUE, rows)) changed.push(REFERENCE_CATALOGUE.name)
  return changed
}

/** The newest catalogue, by home and device. */
export async function readCatalogue(lake: Lake, engine: Engine): Promise<Versioned<ListedDevice[]>> {
  return await withSession(engine, (session) => newest<ListedDevice>(lake, session, REFERENCE_CATALOGUE))
}

/** How the rules in force differ from the published ones. */
export async function readRules(lake: Lake, engine: Engine): Promise<Versioned<RuleRow[]>> {
  return await withSession(engine, (session) => newest<RuleRow>(lake, session, REFERENCE_RULES))
}

/** Puts other rules in force; false where they are already. Silver does again what that concerns. */
export async function recordRules(lake: Lake, engine: Engine, rules: readonly RuleRow[]): Promise<boolean> {
  return await withSession(engine, (session) => replaceRows(lake, session, REFERENCE_RULES, rules))
}

/** What people have said of devices. */
export async function readDeviceNotes(lake: Lake, engine: Engine): Promise<DeviceNote[]> {
  return await withSession(
    engine,
    async (session) => (await newest<DeviceNote>(lake, session, REFERENCE_DEVICES)).value,
  )
}

/** Records what people have said, instead of what was recorded before. */
export async function writeDeviceNotes(
  lake: Lake,
  engine: Engine,
  notes: readonly DeviceNote[],
): Promise<void> {
  await withSession(engine, (session) => replaceRows(lake, session, REFERENCE_DEVICES, notes))
}

/** The newest tariffs. */
export async function readTariffs(lake: Lake, engine: Engine): Promise<Versioned<StoredTariff[]>> {
  return await withSession(engine, (session) => tariffsOf(lake, session))
}

/** The newest settings; `null` before the first start has recorded any. */
export async function readSettings(lake: Lake, engine: Engine): Promise<Versioned<ReferenceSettings | null>> {
  const { version, value } = await withSession(engine, (session) => settingsOf(lake, session))
  if (value.time_zone === undefined) return { version, value: null }
  return {
    version,
    value: {
      time_zone: value.time_zone,
      late_watermark_hours: Number(value.late_watermark_hours),
      currency: value.currency ?? 'USD',
      format_version: Number(value.format_version),
    },
  }
}

/**
 * Records another zone for the house; false where it is the one that holds. Every local day is another one then, which
 * Gold sees and builds itself anew. Throws a TypeError before the first start has recorded any.
 */
export async function recordZone(lake: Lake, engine: Engine, timeZone: string): Promise<boolean> {
  return await withSession(engine, async (session) => {
    const { value } = await settingsOf(lake, session)
    if (value.time_zone === undefined) throw new TypeError('No zone is recorded yet.')
    const rows = Object.entries({ ...value, time_zone: timeZone }).map(([name, text]) => ({
      name,
      value: text,
    }))
    return await replaceRows(lake, session, REFERENCE_SETTINGS, rows)
  })
}

async function withSession<T>(engine: Engine, use: (session: Session) => Promise<T>): Promise<T> {
  const session = await engine.session()
  try {
    return await use(session)
  } finally {
    await session.close()
  }
}

async function newest<T extends object>(
  lake: Lake,
  session: Session,
  table: TableDefinition,
): Promise<Versioned<T[]>> {
  const snapshot = await lake.snapshot(table.name)
  return { version: snapshot.version, value: await rowsOf<T>(lake, session, table, snapshot) }
}

async function rowsOf<T extends object>(
  lake: Lake,
  session: Session,
  table: TableDefinition,
  snapshot: Snapshot,
): Promise<T[]> {
  return await session.rows<T>(
    `SELECT * FROM ${lake.scan(table.name, snapshot.files)} ORDER BY ${table.key.join(', ')}`,
  )
}

async function tariffsOf(lake: Lake, session: Session): Promise<Versioned<StoredTariff[]>> {
  return await newest<StoredTariff>(lake, session, REFERENCE_TARIFFS)
}

async function settingsOf(
  lake: Lake,
  session: Session,
): Promise<Versioned<Partial<Record<keyof ReferenceSettings, string>>>> {
  const { version, value } = await newest<{ name: string; value: string }>(lake, session, REFERENCE_SETTINGS)
  return { version, value: Object.fromEntries(value.map((row) => [row.name, row.value])) }
}

/** Gives each price its version: the one that it has already, else the next. */
function versioned(tariffs: readonly TariffRow[], stored: readonly StoredTariff[]): StoredTariff[] {
  const known = new Map(stored.map((row) => [priceKey(row), row.tariff_version]))
  const next = 1 + Math.max(0, ...stored.map((row) => row.tariff_version))
  return tariffs.map((row) => ({ tariff_version: known.get(priceKey(row)) ?? next, ...row }))
}

function priceKey(row: TariffRow): string {
  return JSON.stringify([
    row.tenant_id,
    row.user_id,
    row.valid_from,
    row.band,
    row.weekdays,
    row.hour_from,
    row.hour_to,
    row.season_from,
    row.season_to,
    row.energy_rate_kwh,
    row.base_charge_month,
    row.currency,
  ])
}

function rowKey(row: CatalogueRow): string {
  return JSON.stringify([row.tenant_id, row.device_id])
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/**
 * Writes the rows as the whole content of the table, unless that is what it holds. Two processes that start at once
 * both see the same version; the transaction lets one of them write it, and the other looks again.
 */
async function replaceRows(
  lake: Lake,
  session: Session,
  table: TableDefinition,
  rows: readonly object[],
): Promise<boolean> {
  await loadRows(session, 'reference_rows', table.columns, rows)
  const columns = table.columns.map(({ name }) => `"${name}"`).join(', ')
  const given = `SELECT ${columns} FROM reference_rows`
  for (;;) {
    const snapshot = await lake.snapshot(table.name)
    const stored = `SELECT ${columns} FROM ${lake.scan(table.name, snapshot.files)}`
    const [difference] = await session.rows<{ rows: number }>(
      `SELECT count(*) AS rows FROM ((${given} EXCEPT ALL ${stored}) UNION ALL (${stored} EXCEPT ALL ${given}))`,
    )
    if (difference?.rows === 0) return false
    const add = await lake.write(session, table.name, given)
    const txns = { 'reference.sync': snapshot.version + 1 }
    const { applied } = await lake.commit(table.name, {
      operation: 'WRITE',
      add,
      remove: snapshot.files,
      txns,
    })
    if (applied) return true
  }
}
