/** The six tables of Gold: design §3.5 and decision 0002, "Gold". */
import { SECOND_US, decimal, formatUs, roundDiv, sum, toInteger } from './exact.ts'
import { byRowOrder, decimalOrNull, known, largest, smallest } from './gold-common.ts'
import { expectedIntervalUs, slotShare } from './gold-days.ts'
import { healthDays } from './gold-health.ts'
import { energyOf, lastKnown, slotsOf, sumsOf } from './gold-slots.ts'
import { summaryRow } from './gold-summary.ts'
import { groupBy } from './types.ts'
import { openZone } from './zone.ts'
import type { Slot, Sums } from './gold-slots.ts'
import type { Silver } from './silver.ts'
import type { Zone } from './zone.ts'
import type { Accepted, House, Row } from './types.ts'

export type GoldTables = Record<
  | 'gold.quarter_hourly_energy'
  | 'gold.hourly_energy'
  | 'gold.daily_energy_consumption'
  | 'gold.monthly_energy'
  | 'gold.device_health_metrics'
  | 'gold.daily_business_summary',
  Row[]
>

export interface DeviceDay {
  tenant: string
  device: string
  date: string
  slots: Slot[]
  sums: Sums
  deviceType: string | null
  userId: string | null
  row: Row
}

const key = (...parts: string[]): string => JSON.stringify(parts)

export function gold(silver: Silver, house: House): GoldTables {
  const zone = openZone(house.timeZone)
  const slots = slotsOf(silver.readings, zone)
  const groups = (of: (slot: Slot) => string): Slot[][] => [...groupBy(slots, of).values()]
  const days = groups((s) => key(s.tenant, s.device, s.local.date)).map((day) => deviceDay(day, house, zone))
  const health = healthDays(silver, house, zone)
  const hundredths = new Map(silver.readings.map(({ row, qualityHundredths }) => [row, qualityHundredths]))
  const summaries = [...groupBy(days, (day) => key(day.tenant, day.date)).values()].map((home) =>
    summaryRow(
      home,
      health.filter((h) => h.tenant === home[0]?.tenant && h.date === home[0].date),
      hundredths,
      house.catalogue,
    ),
  )
  return {
    'gold.quarter_hourly_energy': slots.map((slot) => ({
      tenant_id: slot.tenant,
      device_id: slot.device,
      quarter_hour: formatUs(slot.quarter),
      ...sumColumns(sumsOf([slot], house.tariffs)),
      user_id: lastKnown('user_id', slot.rows, slot.parts),
      date: slot.local.date,
    })),
    'gold.hourly_energy': groups((s) => key(s.tenant, s.device, String(zone.hourStart(s.quarter)))).map(
      (hour) => hourRow(hour, house, zone),
    ),
    'gold.daily_energy_consumption': days.map((day) => day.row),
    'gold.monthly_energy': groups((s) => key(s.tenant, s.device, s.local.month)).map((month) =>
      monthRow(month, house),
    ),
    'gold.device_health_metrics': health.map((day) => day.row),
    'gold.daily_business_summary': summaries,
  }
}

function sumColumns(sums: Sums): Row {
  return {
    energy_wh: decimalOrNull(sums.nwh, 9),
    energy_method: sums.method,
    covered_s: Number(sums.coveredS),
    readings: sums.rows.length,
    power_sum_mw: sums.powerMw.length === 0 ? null : sum(sums.powerMw),
    power_count: sums.powerMw.length,
    power_max_w: largest(known(sums.rows.map((row) => row.power_usage))),
    temperature_sum_mc: sums.temperatureMc.length === 0 ? null : sum(sums.temperatureMc),
    temperature_count: sums.temperatureMc.length,
    temperature_min_c: smallest(known(sums.rows.map((row) => row.temperature))),
    temperature_max_c: largest(known(sums.rows.map((row) => row.temperature))),
    cost: decimalOrNull(sums.price?.nanos, 9),
    tariff_version: sums.price?.version ?? null,
  }
}

function hourRow(slots: readonly Slot[], house: House, zone: Zone): Row {
  const { tenant, device, quarter, local } = slots[0] as Slot
  const withEnergy = slots.filter((slot) => energyOf(slot) !== null)
  const fedIn = withEnergy.map(energyOf).filter((nwh) => nwh !== null && nwh < 0n) as bigint[]
  const users = new Set(withEnergy.map((slot) => lastKnown('user_id', slot.rows, slot.parts)))
  return {
    tenant_id: tenant,
    device_id: device,
    hour_start: formatUs(zone.hourStart(quarter)),
    ...sumColumns(sumsOf(slots, house.tariffs)),
    fed_in_wh: fedIn.length === 0 ? null : decimal(-fedIn.reduce((a, b) => a + b), 9),
    user_id: users.size === 1 ? ([...users][0] ?? null) : null,
    one_user: withEnergy.length === 0 ? null : users.size === 1,
    date: local.date,
    month: local.month,
  }
}

function monthRow(slots: readonly Slot[], house: House): Row {
  const { tenant, device, local } = slots[0] as Slot
  return {
    tenant_id: tenant,
    device_id: device,
    month: local.month,
    ...sumColumns(sumsOf(slots, house.tariffs)),
    year: Number(local.month.slice(0, 4)),
  }
}

/** Integer thousandths: sum / count, then by 1000. */
const meanOfThousandths = (values: readonly bigint[]): number | null =>
  values.length === 0 ? null : Number(sum(values)) / values.length / 1000

function deviceDay(slots: Slot[], house: House, zone: Zone): DeviceDay {
  const { tenant, device, quarter, local } = slots[0] as Slot
  const sums = sumsOf(slots, house.tariffs)
  const rows = byRowOrder(sums.rows)
  const parts = slots.flatMap((slot) => slot.parts)
  const energies = slots.map(energyOf).filter((nwh) => nwh !== null)
  const day = zone.day(quarter)
  const entry = house.catalogue.find((e) => e.tenant_id === tenant && e.device_id === device)
  const interval = expectedIntervalUs(rows, entry)
  const deviceType = lastKnown('device_type', rows, parts)
  const userId = lastKnown('user_id', rows, parts)
  const row: Row = {
    tenant_id: tenant,
    device_id: device,
    date: local.date,
    total_energy_wh: decimalOrNull(sums.nwh, 9),
    mean_energy_wh: sums.nwh === null ? null : Number(sums.nwh) / energies.length / 1e9,
    max_energy_wh:
      energies.length === 0
        ? null
        : decimal(
            energies.reduce((a, b) => (a > b ? a : b)),
            9,
          ),
    reading_count: rows.length,
    mean_power_w: meanOfThousandths(sums.powerMw),
    max_power_w: largest(known(rows.map((r) => r.power_usage))),
    mean_temperature_c: meanOfThousandths(sums.temperatureMc),
    min_temperature_c: smallest(known(rows.map((r) => r.temperature))),
    max_temperature_c: largest(known(rows.map((r) => r.temperature))),
    cost: decimalOrNull(sums.price?.nanos, 9),
    energy_efficiency: reportedPerWatt(rows),
    data_completeness: interval === null ? null : decimal(slotShare(rows, day, interval), 6),
    coverage_ratio: decimal(roundDiv(sums.coveredS * 1_000_000n, (day.end - day.start) / SECOND_US), 6),
    device_type: deviceType,
    location: lastKnown('location', rows, parts),
    user_id: userId,
    energy_method: sums.method,
    covered_s: Number(sums.coveredS),
    month: local.month,
  }
  return { tenant, device, date: local.date, slots, sums, deviceType, userId, row }
}

/** Sum of reported Wh / sum of W, over rows that have both and power above zero. */
function reportedPerWatt(rows: readonly Accepted[]): number | null {
  const both = rows.filter((row) => row.energy_consumption_wh !== null && (row.power_usage ?? 0) > 0)
  const nwh = sum(both.map((row) => toInteger(row.energy_consumption_wh as number, 1e9)))
  const mw = sum(both.map((row) => toInteger(row.power_usage as number, 1000)))
  return both.length === 0 || mw === 0n ? null : Number(nwh) / 1e9 / (Number(mw) / 1000)
}
