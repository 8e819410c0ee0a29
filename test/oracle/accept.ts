/** From Bronze to accepted rows, rejects and duplicates: decision 0002, "From Bronze to accepted rows". */
import { powerRangeW, ruleOf } from './limits.ts'
import { HOUR_US, MINUTE_US, parseUs } from './exact.ts'
import { MEASURED, OWNED, groupBy } from './types.ts'
import type {
  Accepted,
  BronzeRow,
  CataloguePeriod,
  Correction,
  DuplicateArrival,
  House,
  Measured,
  RejectedArrival,
} from './types.ts'

const YEAR_2000_US = parseUs('2000-01-01T00:00:00Z')
const NEVER_POWER_UP = ['boiler', 'water_heater', 'solar']

const isBlank = (text: string | null): boolean => text === null || /^ *$/.test(text)
const unlessBlank = (text: string | null | undefined): string | null =>
  text === undefined || isBlank(text) ? null : (text as string)
const hasMetrics = (row: BronzeRow): boolean => row.metrics !== null && Object.keys(row.metrics).length > 0

export function compareArrival(a: BronzeRow, b: BronzeRow): number {
  if (a.ingestion_time !== b.ingestion_time)
    return parseUs(a.ingestion_time) < parseUs(b.ingestion_time) ? -1 : 1
  if (a.stream_topic !== b.stream_topic) return a.stream_topic < b.stream_topic ? -1 : 1
  return (
    a.stream_partition - b.stream_partition ||
    a.stream_offset - b.stream_offset ||
    a.stream_index - b.stream_index
  )
}

const identity = (row: Accepted): string =>
  JSON.stringify([row.tenant_id, row.device_id, row.channel, String(row.at), row.event_id ?? ''])

export function accept(
  bronze: readonly BronzeRow[],
  house: House,
): { accepted: Accepted[]; rejects: RejectedArrival[]; duplicates: DuplicateArrival[] } {
  const rejects: RejectedArrival[] = []
  const candidates: Accepted[] = []
  for (const arrival of bronze.toSorted(compareArrival)) {
    const cleaned = clean(arrival, house)
    const reason = rejectReason(arrival, cleaned, house)
    if (reason === null) candidates.push(cleaned)
    else rejects.push({ arrival, reason, countedAt: countedAt(cleaned, reason) })
  }
  const accepted: Accepted[] = []
  const duplicates: DuplicateArrival[] = []
  const received = new Map(bronze.map((row) => [positionOf(row), row]))
  for (const arrivals of groupBy(candidates, identity).values()) {
    const conflicts = resolveIdentity(arrivals, accepted, duplicates)
    for (const conflict of conflicts) {
      const arrival = received.get(positionOf(conflict)) as BronzeRow
      rejects.push({ arrival, reason: 'conflict', countedAt: conflict.at })
    }
  }
  numberRows(accepted)
  return { accepted, rejects, duplicates }
}

export const positionOf = (row: BronzeRow): string =>
  JSON.stringify([row.stream_topic, row.stream_partition, row.stream_offset, row.stream_index])

/** Rules 1 and 2: what the catalogue knows is filled in, what a person corrected is put in, what cannot be a measurement is nulled. */
function clean(arrival: BronzeRow, house: House): Accepted {
  const tenant_id = unlessBlank(arrival.tenant_id) ?? 'home'
  const entry = house.catalogue.find((e) => e.tenant_id === tenant_id && e.device_id === arrival.device_id)
  const at = arrival.timestamp === null ? 0n : parseUs(arrival.timestamp)
  const said = described(tenant_id, arrival, at, house) ?? entry
  const device_type = unlessBlank(arrival.device_type) ?? unlessBlank(said?.device_type)
  const row: Accepted = {
    ...arrival,
    tenant_id,
    device_id: arrival.device_id as string,
    event_id: unlessBlank(arrival.event_id),
    device_type,
    user_id: unlessBlank(arrival.user_id) ?? unlessBlank(said?.user_id),
    location: unlessBlank(arrival.location) ?? unlessBlank(said?.location),
    manufacturer: unlessBlank(arrival.manufacturer) ?? unlessBlank(said?.manufacturer),
    model: unlessBlank(arrival.model) ?? unlessBlank(said?.model),
    status: unlessBlank(arrival.status),
    alert: unlessBlank(arrival.alert),
    metrics: hasMetrics(arrival) ? arrival.metrics : null,
    at,
    arrivedAt: parseUs(arrival.ingestion_time),
    nulled: [],
    entry,
    installation_date: said?.installation_date ?? null,
    order: -1,
  }
  for (const field of MEASURED) {
    const correction = correctionsOf(row, house).findLast(
      (one) => one.action === 'set' && one.field === field,
    )
    const received = arrival[field] !== null || arrival.faults?.includes(field) === true
    if (correction !== undefined && received) {
      row[field] = correction.value
      row.nulled.push(`corrected:${field}`)
      continue
    }
    const rule = nullRule(field, arrival, device_type, house)
    if (rule === null) continue
    row[field] = null
    row.nulled.push(`${rule}:${field}`)
  }
  return row
}

/** What the catalogue says of the device at that time, where it says so by period; outside of all of them nothing. */
function described(
  tenant: string,
  { device_id: device, timestamp }: BronzeRow,
  at: bigint,
  house: House,
): Partial<CataloguePeriod> | undefined {
  const periods = (house.periods ?? []).filter((one) => one.tenant_id === tenant && one.device_id === device)
  if (periods.length === 0) return undefined
  const holds = (one: CataloguePeriod): boolean =>
    timestamp !== null &&
    parseUs(one.valid_from) <= at &&
    (one.valid_to === null || at < parseUs(one.valid_to))
  return periods.find(holds) ?? {}
}

/** The corrections in force that concern a row, in the order in which they were recorded. */
function correctionsOf(row: Accepted, house: House): Correction[] {
  const all = house.corrections ?? []
  const undone = all.flatMap(({ action, undoes }) => (action === 'undo' && undoes !== null ? [undoes] : []))
  return all
    .filter(
      (one) =>
        one.action !== 'undo' &&
        !undone.includes(one.correction_id) &&
        row.timestamp !== null &&
        one.tenant_id === row.tenant_id &&
        one.device_id === row.device_id &&
        (one.channel === null || one.channel === row.channel) &&
        parseUs(one.from_time) <= row.at &&
        row.at <= parseUs(one.to_time),
    )
    .toSorted((a, b) => a.correction_id - b.correction_id)
}

function nullRule(
  field: Measured,
  arrival: BronzeRow,
  deviceType: string | null,
  house: House,
): string | null {
  const isOn = (rule: string): boolean => ruleOf(house, rule, deviceType).on
  if (arrival.faults?.includes(field)) return 'not_a_number'
  const value = arrival[field]
  if (value === null) return null
  if (!Number.isFinite(value)) return 'not_a_number'
  if ((value === 2147483647 || value === 4294967295) && isOn('sentinel')) return 'sentinel'
  if (field === 'temperature') {
    if ((value === 32767 || value === -127 || value === 127.99) && isOn('sentinel')) return 'sentinel'
    const uptimeS = arrival.metrics?.['uptime_s']
    const justPoweredUp = uptimeS !== undefined && uptimeS !== null && uptimeS <= 60
    const exempt = deviceType !== null && NEVER_POWER_UP.includes(deviceType)
    if ((value === 85 || value === 0) && justPoweredUp && !exempt && isOn('power_up')) return 'power_up'
  }
  if (field === 'energy_consumption_wh' && Math.abs(value) >= 9e8) return 'too_large'
  if (field === 'energy_total_wh' && Math.abs(value) >= 9e12) return 'too_large'
  return null
}

/** Rule 3, the first that holds; null where none does. */
function rejectReason(arrival: BronzeRow, row: Accepted, house: House): string | null {
  const isOn = (rule: string): boolean => ruleOf(house, rule, row.device_type).on
  const faults = arrival.faults ?? []
  if (faults.includes('not_json') || faults.includes('not_object')) return 'not_json'
  if (isBlank(arrival.device_id)) return 'missing_device_id'
  if (arrival.timestamp === null) return 'missing_timestamp'
  if (row.at < YEAR_2000_US) return 'before_2000'
  if (row.at > row.arrivedAt + 10n * MINUTE_US) return 'in_future'
  const anyNumber = MEASURED.some((field) => arrival[field] !== null || faults.includes(field))
  if (!anyNumber && row.status === null && row.alert === null && row.metrics === null) return 'empty'
  const [leastC, mostC] = isOn('temperature_out_of_range') ? [-50, 100] : [-1e6, 1e6]
  if (row.temperature !== null && (row.temperature < leastC || row.temperature > mostC))
    return 'temperature_out_of_range'
  const [leastW, mostW] = isOn('power_out_of_range') ? powerRangeW(row.device_type) : [-1e9, 1e9]
  if (row.power_usage !== null && (row.power_usage < leastW || row.power_usage > mostW))
    return 'power_out_of_range'
  const isNegative = row.energy_consumption_wh !== null && row.energy_consumption_wh < 0
  if (isNegative && isOn('negative_energy')) return 'negative_energy'
  if (correctionsOf(row, house).some((one) => one.action === 'exclude')) return 'excluded'
  return null
}

function countedAt(row: Accepted, reason: string): bigint {
  const timeIsNoUse = row.timestamp === null || reason === 'before_2000' || reason === 'in_future'
  return timeIsNoUse ? row.arrivedAt : row.at
}

/** Rule 4, for the arrivals of one identity in order; returns the conflicts. */
function resolveIdentity(
  arrivals: readonly Accepted[],
  accepted: Accepted[],
  duplicates: DuplicateArrival[],
): Accepted[] {
  const conflicts: Accepted[] = []
  const owned: Partial<Record<string, string | number>> = {}
  let metricsOwned = false
  const own = (row: Accepted): void => {
    for (const field of OWNED) if (row[field] !== null) owned[field] = row[field]
    if (row.metrics !== null) metricsOwned = true
    accepted.push(row)
  }
  const first = arrivals[0] as Accepted
  own(first)
  for (const arrival of arrivals.slice(1)) {
    const has = OWNED.filter((field) => arrival[field] !== null)
    const differs = has.some((field) => owned[field] !== undefined && owned[field] !== arrival[field])
    const isNew =
      has.some((field) => owned[field] === undefined) || (arrival.metrics !== null && !metricsOwned)
    if (differs) conflicts.push(arrival)
    else if (isNew) own(onlyWhatItAdds(arrival, owned, metricsOwned))
    else duplicates.push({ arrival, of: first })
  }
  return conflicts
}

function onlyWhatItAdds(
  row: Accepted,
  owned: Partial<Record<string, unknown>>,
  metricsOwned: boolean,
): Accepted {
  const kept = { ...row }
  for (const field of MEASURED) if (owned[field] !== undefined) kept[field] = null
  if (owned['status'] !== undefined) kept.status = null
  if (owned['alert'] !== undefined) kept.alert = null
  if (metricsOwned) kept.metrics = null
  return kept
}

/** Row order of a device: (event time, position). */
function numberRows(accepted: Accepted[]): void {
  for (const rows of groupBy(accepted, deviceKey).values()) {
    rows.sort((a, b) => (a.at === b.at ? compareArrival(a, b) : a.at < b.at ? -1 : 1))
    rows.forEach((row, order) => (row.order = order))
  }
}

export const deviceKey = (row: { tenant_id: Accepted['tenant_id']; device_id: string }): string =>
  JSON.stringify([row.tenant_id, row.device_id])

/** Live, and delayed by more than the watermark. */
export function isLate(row: Accepted, house: House): boolean {
  const watermarkUs = BigInt(Math.round(house.lateWatermarkHours * Number(HOUR_US)))
  return row.ingest_kind === 'live' && row.arrivedAt - row.at > watermarkUs
}
