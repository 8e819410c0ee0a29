/** Who is who: the homes, their devices by catalogue and by Gold, and the prices. Renewed when a table changes. */
import { GOLD_MONTHLY } from '../5-gold/tables.ts'
import { tariffAt } from '../reference/applicable.ts'
import type { ListedDevice } from '../reference/devices.ts'
import type { StoredTariff } from '../reference/sync.ts'
import { REFERENCE_CATALOGUE, REFERENCE_TARIFFS } from '../reference/tables.ts'
import type { LakeReader } from './lake-reader.ts'

export interface HomeDirectory {
  /** By the catalogue. */
  catalogue: ReadonlyMap<string, ListedDevice>
  /** Every device that the catalogue or a reading in Gold names. */
  devices: ReadonlySet<string>
  /** Whether Gold has something of it. */
  hasData: boolean
}

export interface Directory {
  homes: ReadonlyMap<string, HomeDirectory>
  tariffs: readonly StoredTariff[]
}

const EMPTY_HOME: HomeDirectory = { catalogue: new Map(), devices: new Set(), hasData: false }
/** Types whose energy is no consumption of the house. */
const NOT_CONSUMPTION = new Set(['solar', 'battery'])

export function homeIn(directory: Directory, tenant: string): HomeDirectory {
  return directory.homes.get(tenant) ?? EMPTY_HOME
}

export interface DirectoryReader {
  /** As last read: for what cannot wait. */
  current(): Directory
  /** As of now. */
  read(): Promise<Directory>
}

export function createDirectory(reader: LakeReader): DirectoryReader {
  let current: Directory = { homes: new Map(), tariffs: [] }
  let stamp = ''

  async function read(): Promise<Directory> {
    const view = await reader.view([REFERENCE_CATALOGUE.name, REFERENCE_TARIFFS.name, GOLD_MONTHLY.name])
    const columns = REFERENCE_CATALOGUE.columns.map(({ name }) => name).join(', ')
    const [catalogue, tariffs, known] = await Promise.all([
      view.ask<ListedDevice>(`SELECT ${columns} FROM ${view.from(REFERENCE_CATALOGUE.name)}`),
      view.ask<StoredTariff>(`SELECT * FROM ${view.from(REFERENCE_TARIFFS.name)}`),
      view.ask<{ tenant_id: string; device_id: string }>(
        `SELECT tenant_id, device_id FROM ${view.from(GOLD_MONTHLY.name)} GROUP BY ALL`,
      ),
    ])
    const newStamp = JSON.stringify(view.versions)
    if (newStamp !== stamp) current = { homes: homesOf(catalogue, known), tariffs }
    stamp = newStamp
    return current
  }

  return { current: () => current, read }
}

function homesOf(
  catalogue: readonly ListedDevice[],
  known: readonly { tenant_id: string; device_id: string }[],
): Map<string, HomeDirectory> {
  const homes = new Map<
    string,
    { catalogue: Map<string, ListedDevice>; devices: Set<string>; hasData: boolean }
  >()
  const homeOf = (tenant: string) => {
    const home = homes.get(tenant) ?? { catalogue: new Map(), devices: new Set(), hasData: false }
    homes.set(tenant, home)
    return home
  }
  for (const row of catalogue) {
    const home = homeOf(row.tenant_id)
    home.catalogue.set(row.device_id, row)
    home.devices.add(row.device_id)
  }
  for (const { tenant_id, device_id } of known) {
    const home = homeOf(tenant_id)
    home.devices.add(device_id)
    home.hasData = true
  }
  return homes
}

/** Whether a device's energy is part of the house's total: it lies behind no meter and neither makes nor stores. */
export function countsInTotal(home: HomeDirectory, device: string, type: string | null): boolean {
  return home.catalogue.get(device)?.parent_device_id == null && isConsumption(home, device, type)
}

/** Devices that others lie behind. */
export function parentsOf(home: HomeDirectory): Set<string> {
  const parents = [...home.catalogue.values()].map((row) => row.parent_device_id)
  return new Set(parents.filter((parent) => parent !== null))
}

/** Whether a device's energy is consumption at all; of no known type it is. */
export function isConsumption(home: HomeDirectory, device: string, type: string | null): boolean {
  const known = type ?? home.catalogue.get(device)?.device_type ?? null
  return known === null || !NOT_CONSUMPTION.has(known)
}

/** The price per kWh now, as Gold prices energy; null where none holds. */
export function priceNow(
  tariffs: readonly StoredTariff[],
  of: { tenant: string; user: string | null },
  local: Temporal.ZonedDateTime,
): StoredTariff | null {
  const date = local.toPlainDate().toString()
  return tariffAt(tariffs, { ...of, date, hour: local.hour, weekday: local.dayOfWeek }) ?? null
}
