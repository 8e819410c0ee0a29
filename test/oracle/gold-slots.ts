/** Quarter-hours: splitting, coverage and prices of decision 0002, "Gold". */
import { QUARTER_US, SECOND_US, greater, lesser, parseDecimal, roundDiv, sum, toInteger } from './exact.ts'
import { deviceKey } from './accept.ts'
import { groupBy, maxGapUs } from './types.ts'
import { quarterEndingAt, quarterHolding } from './zone.ts'
import type { LocalQuarter, Zone } from './zone.ts'
import type { Accepted, House, SilverReading, Tariff } from './types.ts'

export interface Part {
  nwh: bigint
  method: string
  row: Accepted
}

/** What one device did in one quarter-hour. */
export interface Slot {
  tenant: string
  device: string
  /** UTC start, µs. */
  quarter: bigint
  local: LocalQuarter
  parts: Part[]
  /** Rows with event time in [start, end), in row order. */
  rows: Accepted[]
  /** Covered µs per channel. */
  covered: Map<string, bigint>
}

/** Every quarter-hour that has energy, a reading or cover, one device after the other. */
export function slotsOf(readings: readonly SilverReading[], zone: Zone): Slot[] {
  return [...groupBy(readings, (reading) => deviceKey(reading.row)).values()].flatMap((device) =>
    deviceSlots(device, zone),
  )
}

function deviceSlots(readings: readonly SilverReading[], zone: Zone): Slot[] {
  const { tenant_id: tenant, device_id: device } = (readings[0] as SilverReading).row
  const slots = new Map<bigint, Slot>()
  const slot = (quarter: bigint): Slot => {
    const found = slots.get(quarter) ?? {
      tenant,
      device,
      quarter,
      local: zone.local(quarter),
      parts: [],
      rows: [],
      covered: new Map(),
    }
    slots.set(quarter, found)
    return found
  }
  const previousOfChannel = new Map<string, Accepted>()
  for (const reading of readings.toSorted((a, b) => a.row.order - b.row.order)) {
    const { row } = reading
    slot(quarterHolding(row.at)).rows.push(row)
    placeEnergy(reading, slot)
    const covers = coverage(reading, previousOfChannel.get(row.channel))
    if (covers) cover(row.channel, covers.from, covers.to, slot)
    previousOfChannel.set(row.channel, row)
  }
  return [...slots.values()]
    .filter((s) => s.parts.length > 0 || s.rows.length > 0 || s.covered.size > 0)
    .toSorted((a, b) => (a.quarter < b.quarter ? -1 : 1))
}

/** Energy goes to the quarter-hours of its interval in proportion to time, the remainder to the last. */
function placeEnergy({ row, energy }: SilverReading, slot: (quarter: bigint) => Slot): void {
  if (energy.nwh === null) return
  const { method } = energy
  if (energy.from === null || energy.to === null) {
    slot(quarterEndingAt(row.at)).parts.push({ nwh: energy.nwh, method, row })
    return
  }
  const length = energy.to - energy.from
  const last = quarterEndingAt(energy.to)
  let rest = energy.nwh
  if (length > 0n) {
    for (let quarter = quarterHolding(energy.from); quarter < last; quarter += QUARTER_US) {
      const time = quarter + QUARTER_US - greater(quarter, energy.from)
      const nwh = (energy.nwh * time) / length
      slot(quarter).parts.push({ nwh, method, row })
      rest -= nwh
    }
  }
  slot(last).parts.push({ nwh: rest, method, row })
}

/** The time that a row's energy covers; null where it covers none. */
function coverage(
  { row, energy }: SilverReading,
  previous: Accepted | undefined,
): { from: bigint; to: bigint } | null {
  if (energy.nwh === null) return null
  const maxGap = maxGapUs(row.entry)
  if (energy.from !== null && energy.to !== null)
    return energy.to - energy.from > maxGap ? null : { from: energy.from, to: energy.to }
  return previous ? { from: greater(previous.at, row.at - maxGap), to: row.at } : null
}

function cover(channel: string, from: bigint, to: bigint, slot: (quarter: bigint) => Slot): void {
  for (let quarter = quarterHolding(from); quarter < to; quarter += QUARTER_US) {
    const time = lesser(to, quarter + QUARTER_US) - greater(from, quarter)
    const { covered } = slot(quarter)
    covered.set(channel, (covered.get(channel) ?? 0n) + time)
  }
}

/** Energy of the slot, nWh; null where there is none. */
export function energyOf(slot: Slot): bigint | null {
  return slot.parts.length === 0 ? null : sum(slot.parts.map((part) => part.nwh))
}

/** Over the channels that have energy there, else over those that cover it, the smallest coverage, whole seconds. */
export function coveredSeconds(slot: Slot): bigint {
  const channels = new Set(
    slot.parts.length > 0 ? slot.parts.map((part) => part.row.channel) : slot.covered.keys(),
  )
  const covered = [...channels].map((channel) => lesser(slot.covered.get(channel) ?? 0n, QUARTER_US))
  return covered.length === 0 ? 0n : covered.reduce(lesser) / SECOND_US
}

export interface Price {
  /** 10⁻⁹ of the currency. */
  nanos: bigint
  version: number
}

/** Cost of a slot; null without energy or without a tariff. */
export function priceOf(slot: Slot, tariffs: House['tariffs']): Price | null {
  const nwh = energyOf(slot)
  const tariff = tariffFor(slot, tariffs)
  if (nwh === null || !tariff) return null
  const billed = nwh > 0n ? nwh : 0n
  // nWh × 10⁻⁹ per kWh = 10⁻²¹ kWh-prices; 10⁻⁹ of the currency are 10¹² of those.
  const nanos = roundDiv(billed * parseDecimal(tariff.energy_rate_kwh, 9), 10n ** 12n)
  return { nanos, version: Number(tariff.tariff_version) }
}

function tariffFor(slot: Slot, tariffs: readonly Tariff[]): Tariff | undefined {
  const { date, hour, weekday } = slot.local
  const monthDay = Number(date.slice(5, 7)) * 100 + Number(date.slice(8))
  const user = lastKnown('user_id', slot.rows, slot.parts)
  const holds = tariffs.filter(
    (t) =>
      (t.tenant_id === null || t.tenant_id === slot.tenant) &&
      (t.user_id === null || t.user_id === user) &&
      t.valid_from <= date &&
      (t.valid_to === null || date < t.valid_to) &&
      (t.season_from === null || (t.season_from <= monthDay && monthDay < (t.season_to ?? 0))) &&
      t.weekdays.includes(String(weekday)) &&
      t.hour_from <= hour &&
      hour < t.hour_to,
  )
  return holds.toSorted(
    (a, b) =>
      Number(a.user_id === null) - Number(b.user_id === null) ||
      Number(a.tenant_id === null) - Number(b.tenant_id === null) ||
      Number(b.tariff_version) - Number(a.tariff_version) ||
      (a.valid_from > b.valid_from ? -1 : a.valid_from < b.valid_from ? 1 : 0) ||
      (a.band < b.band ? -1 : 1),
  )[0]
}

/** The last value in row order among the rows of the time, else among those that carry energy into it. */
export function lastKnown(
  field: 'user_id' | 'device_type' | 'location',
  rows: readonly Accepted[],
  parts: readonly Part[],
): string | null {
  const last = (candidates: readonly Accepted[]): string | null =>
    candidates
      .filter((row) => row[field] !== null)
      .reduce<Accepted | null>((best, row) => (best && best.order > row.order ? best : row), null)?.[field] ??
    null
  return last(rows) ?? last(parts.map((part) => part.row))
}

/** Sums that hold for a slot, an hour, a day or a month, in integers. */
export interface Sums {
  nwh: bigint | null
  method: string | null
  coveredS: bigint
  rows: Accepted[]
  powerMw: bigint[]
  temperatureMc: bigint[]
  price: Price | null
}

/** Adds up slots of one device. */
export function sumsOf(slots: readonly Slot[], tariffs: House['tariffs']): Sums {
  const energies = slots.map(energyOf).filter((nwh) => nwh !== null)
  const methods = new Set(slots.flatMap((slot) => slot.parts.map((part) => part.method)))
  const prices = slots.map((slot) => priceOf(slot, tariffs)).filter((price) => price !== null)
  const rows = slots.flatMap((slot) => slot.rows)
  return {
    nwh: energies.length === 0 ? null : sum(energies),
    method: methods.size === 0 ? null : methods.size > 1 ? 'mixed' : ([...methods][0] as string),
    coveredS: sum(slots.map(coveredSeconds)),
    rows,
    powerMw: rows.flatMap((row) => (row.power_usage === null ? [] : [toInteger(row.power_usage, 1000)])),
    temperatureMc: rows.flatMap((row) =>
      row.temperature === null ? [] : [toInteger(row.temperature, 1000)],
    ),
    price:
      prices.length === 0
        ? null
        : {
            nanos: sum(prices.map((price) => price.nanos)),
            version: Math.max(...prices.map((price) => price.version)),
          },
  }
}
