/**
 * What goes into the oracle and what comes out of it. Rows are plain records in the form that a session of the
 * engine returns: timestamps as ISO text with microseconds, dates and decimals as text.
 */

export type Value = string | number | bigint | boolean | null | string[] | Record<string, number>
export type Row = Record<string, Value>

export interface BronzeRow {
  ingestion_time: string
  stream_topic: string
  stream_partition: number
  stream_offset: number
  stream_index: number
  tenant_id: string | null
  device_id: string | null
  channel: string
  timestamp: string | null
  event_id: string | null
  device_type: string | null
  user_id: string | null
  temperature: number | null
  power_usage: number | null
  energy_consumption_wh: number | null
  energy_total_wh: number | null
  status: string | null
  alert: string | null
  location: string | null
  manufacturer: string | null
  model: string | null
  metrics: Record<string, number> | null
  ingest_kind: string
  protocol: string | null
  source_topic: string | null
  raw: string | null
  faults: string[] | null
}

export interface CatalogueEntry {
  tenant_id: string
  device_id: string
  device_type: string | null
  user_id: string | null
  location: string | null
  installation_date: string | null
  manufacturer: string | null
  model: string | null
  rated_power_w: number | null
  expected_interval_s: number | null
  energy_source: 'counter' | 'reported' | 'integrated' | null
  parent_device_id: string | null
}

export interface Tariff {
  tariff_version: number
  tenant_id: string | null
  user_id: string | null
  valid_from: string
  valid_to: string | null
  band: string
  weekdays: string
  hour_from: number
  hour_to: number
  /** Month × 100 + day, the end exclusive; null: all year. */
  season_from: number | null
  season_to: number | null
  energy_rate_kwh: string
  base_charge_month: string
  currency: string
}

export interface CataloguePeriod {
  tenant_id: string
  device_id: string
  valid_from: string
  valid_to: string | null
  device_type: string | null
  user_id: string | null
  location: string | null
  installation_date: string | null
  manufacturer: string | null
  model: string | null
}

export interface Correction {
  correction_id: number
  tenant_id: string
  device_id: string
  channel: string | null
  from_time: string
  to_time: string
  action: 'exclude' | 'set' | 'undo'
  field: Measured | null
  value: number | null
  undoes: number | null
}

/** How a rule differs from the published one. */
export interface RuleChange {
  rule: string
  device_type: string
  enabled: boolean
  points: number | null
  limit: number | null
}

export interface House {
  catalogue: readonly CatalogueEntry[]
  tariffs: readonly Tariff[]
  timeZone: string
  lateWatermarkHours: number
  periods?: readonly CataloguePeriod[]
  corrections?: readonly Correction[]
  rules?: readonly RuleChange[]
}

/** The fields that the identity rule gives to the first arrival that has them. */
export const MEASURED = ['temperature', 'power_usage', 'energy_consumption_wh', 'energy_total_wh'] as const
export type Measured = (typeof MEASURED)[number]
export const OWNED = [...MEASURED, 'status', 'alert'] as const

/** An accepted arrival: enriched, its bad fields nulled, only the fields that it adds. */
export interface Accepted extends BronzeRow {
  tenant_id: string
  device_id: string
  /** Event and ingestion time, µs. */
  at: bigint
  arrivedAt: bigint
  /** Rules that nulled a field of it. */
  nulled: string[]
  entry: CatalogueEntry | undefined
  installation_date: string | null
  /** Place in row order among all rows of its device. */
  order: number
}

export interface RejectedArrival {
  arrival: BronzeRow
  reason: string
  /** The time that decides the day it counts on, µs. */
  countedAt: bigint
}

export interface DuplicateArrival {
  arrival: Accepted
  of: Accepted
}

export interface Energy {
  nwh: bigint | null
  from: bigint | null
  to: bigint | null
  method: 'counter' | 'reported' | 'integrated' | 'none'
  reasons: string[]
}

/** An accepted row with everything that Silver knows about it. */
export interface SilverReading {
  row: Accepted
  energy: Energy
  qualityHundredths: bigint
}

export function isOffline(row: Accepted): boolean {
  return row.status === 'offline'
}

export function isAlert(row: Accepted): boolean {
  return row.alert !== null && row.alert !== 'none'
}

/** Longest time that an energy interval may have and still count as covered, µs. */
export function maxGapUs(entry: CatalogueEntry | undefined): bigint {
  const fifteenMinutes = 900_000_000n
  if (!entry || entry.expected_interval_s === null) return fifteenMinutes
  const three = 3n * BigInt(Math.round(entry.expected_interval_s * 1e6))
  return three > fifteenMinutes ? three : fifteenMinutes
}

export function groupBy<T>(rows: readonly T[], key: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const row of rows) {
    const group = groups.get(key(row))
    if (group) group.push(row)
    else groups.set(key(row), [row])
  }
  return groups
}
