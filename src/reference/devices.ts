/** One list of devices from three hands: the catalogue file, what a person said by command, and what was discovered. */
import type { CataloguePeriod, CatalogueRow } from './catalogue.ts'

/** A device as `reference.catalogue` has it. */
export interface ListedDevice extends CatalogueRow {
  name: string | null
  origin: 'file' | 'person' | 'discovered' | null
  protocol: string | null
  merged_into: string | null
  /** `YYYY-MM-DD` */
  retired_on: string | null
}

/** What a person said of a device; null: nothing. */
export interface DeviceNote {
  tenant_id: string
  device_id: string
  name: string | null
  device_type: string | null
  user_id: string | null
  location: string | null
  merged_into: string | null
  /** `YYYY-MM-DD` */
  retired_on: string | null
  /** Meter of the same home that the device lies behind. */
  parent_device_id: string | null
  /** s */
  expected_interval_s: number | null
}

/** What a device's messages say of it. Its gateway is no meter that it lies behind, so it is no parent here. */
export interface DiscoveredDevice {
  tenant_id: string
  device_id: string
  protocol: string
  name?: string
  device_type?: string
  location?: string
  manufacturer?: string
  model?: string
  expected_interval_s?: number
}

const keyOf = ({ tenant_id, device_id }: { tenant_id: string; device_id: string }): string =>
  JSON.stringify([tenant_id, device_id])

/** Field by field what a person said by command or on the page wins over the file, and that over what was discovered. */
export function listDevices(
  files: readonly CatalogueRow[],
  notes: readonly DeviceNote[],
  discovered: readonly DiscoveredDevice[],
): ListedDevice[] {
  const listed = new Map<string, ListedDevice>()
  for (const found of discovered)
    listed.set(keyOf(found), { ...empty(found), ...told(known(found)), origin: 'discovered' })
  for (const row of files)
    listed.set(keyOf(row), { ...(listed.get(keyOf(row)) ?? empty(row)), ...told(row), origin: 'file' })
  for (const note of notes)
    listed.set(keyOf(note), { ...(listed.get(keyOf(note)) ?? empty(note)), ...told(note), origin: 'person' })
  return [...listed.values()]
}

/** The periods of the file, filled up in the same way. */
export function listPeriods(
  periods: readonly CataloguePeriod[],
  notes: readonly DeviceNote[],
  discovered: readonly DiscoveredDevice[],
): CataloguePeriod[] {
  const others = new Map(listDevices([], notes, discovered).map((device) => [keyOf(device), device]))
  return periods.map((period) => {
    const other = others.get(keyOf(period))
    return {
      ...period,
      device_type: period.device_type ?? other?.device_type ?? null,
      user_id: period.user_id ?? other?.user_id ?? null,
      location: period.location ?? other?.location ?? null,
      manufacturer: period.manufacturer ?? other?.manufacturer ?? null,
      model: period.model ?? other?.model ?? null,
    }
  })
}

function empty({ tenant_id, device_id }: { tenant_id: string; device_id: string }): ListedDevice {
  return {
    tenant_id,
    device_id,
    device_type: null,
    user_id: null,
    location: null,
    installation_date: null,
    manufacturer: null,
    model: null,
    rated_power_w: null,
    expected_interval_s: null,
    energy_source: null,
    parent_device_id: null,
    name: null,
    origin: null,
    protocol: null,
    merged_into: null,
    retired_on: null,
  }
}

/** The columns that discovery fills, and nothing else that a message says. */
function known({ protocol, name, device_type, location, manufacturer, model, ...rest }: DiscoveredDevice) {
  const { expected_interval_s } = rest
  return { protocol, name, device_type, location, manufacturer, model, expected_interval_s }
}

/** What is said, without what is left open. */
function told<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== undefined),
  ) as Partial<T>
}

/**
 * The notes with one device merged into another. Those that were merged into it before go along, so that no merge leads to
 * a merged device; the newest word wins where the two were merged the other way round.
 */
export function merge(
  notes: readonly DeviceNote[],
  tenant: string,
  from: string,
  into: string,
): DeviceNote[] {
  const others = new Map(notes.map((note) => [keyOf(note), { ...note }]))
  const noteOf = (device_id: string): DeviceNote => {
    const key = keyOf({ tenant_id: tenant, device_id })
    const note = others.get(key) ?? emptyNote(tenant, device_id)
    others.set(key, note)
    return note
  }
  const before = noteOf(into).merged_into
  const target = before === null || before === from ? into : before
  noteOf(target).merged_into = null
  noteOf(from).merged_into = target
  for (const note of others.values())
    if (note.tenant_id === tenant && note.merged_into === from) note.merged_into = target
  return [...others.values()]
}

export function emptyNote(tenant_id: string, device_id: string): DeviceNote {
  return {
    tenant_id,
    device_id,
    name: null,
    device_type: null,
    user_id: null,
    location: null,
    merged_into: null,
    retired_on: null,
    parent_device_id: null,
    expected_interval_s: null,
  }
}
