/** `gold.daily_business_summary`: one row per home and local day that has a daily row. */
import { roundDiv, sum } from './exact.ts'
import { decimalOrNull } from './gold-common.ts'
import { energyOf } from './gold-slots.ts'
import { isAlert } from './types.ts'
import type { DeviceDay } from './gold.ts'
import type { HealthDay } from './gold-health.ts'
import type { Accepted, CatalogueEntry, Row } from './types.ts'

/** Mean of integers of 10⁻⁶ (or other), rounded half up; null where there is none. */
const roundedMean = (values: readonly bigint[]): bigint | null =>
  values.length === 0 ? null : roundDiv(sum(values), BigInt(values.length))

export function summaryRow(
  days: readonly DeviceDay[],
  health: readonly HealthDay[],
  hundredths: ReadonlyMap<Accepted, bigint>,
  catalogue: readonly CatalogueEntry[],
): Row {
  const { tenant, date } = days[0] as DeviceDay
  const home = catalogue.filter((e) => e.tenant_id === tenant)
  const hasParent = (device: string): boolean =>
    home.some((e) => e.device_id === device && e.parent_device_id !== null)
  const counted = days.filter(
    (day) => !hasParent(day.device) && day.deviceType !== 'solar' && day.deviceType !== 'battery',
  )
  const energies = counted.map((day) => day.sums.nwh).filter((nwh) => nwh !== null)
  const costs = counted.flatMap((day) => (day.sums.price ? [day.sums.price.nanos] : []))
  const nwh = energies.length === 0 ? null : sum(energies)
  const kwhNanos = nwh === null ? null : roundDiv(nwh, 1000n)
  const cost = costs.length === 0 ? null : sum(costs)
  const rows = days.flatMap((day) => day.sums.rows)
  const reporting = days.filter((day) => day.sums.rows.length > 0)
  const users = reporting.map((day) => day.userId).filter((user) => user !== null)
  return {
    tenant_id: tenant,
    date,
    total_energy_wh: decimalOrNull(nwh, 9),
    total_energy_kwh: decimalOrNull(kwhNanos, 9),
    total_cost: decimalOrNull(cost, 9),
    cost_per_kwh: !kwhNanos || cost === null ? null : Number(cost) / 1e9 / (Number(kwhNanos) / 1e9),
    active_devices: reporting.length,
    active_users: new Set(users).size,
    mean_data_quality: decimalOrNull(
      roundedMean(rows.map((row) => (hundredths.get(row) ?? 0n) * 10_000n)),
      6,
    ),
    data_points: rows.length,
    mean_health_score: decimalOrNull(roundedMean(health.flatMap((h) => h.scores.health ?? [])), 6),
    mean_failure_probability: decimalOrNull(roundedMean(health.flatMap((h) => h.scores.failure ?? [])), 6),
    alert_count: rows.filter(isAlert).length,
    untracked_energy_wh: decimalOrNull(untracked(days, home), 9),
    month: `${date.slice(0, 7)}-01`,
  }
}

/** Parents minus their direct children, over the quarter-hours in which the parent has energy, nWh. */
function untracked(days: readonly DeviceDay[], home: readonly CatalogueEntry[]): bigint | null {
  const slots = days.flatMap((day) => day.slots)
  const differences: bigint[] = []
  for (const slot of slots) {
    const nwh = energyOf(slot)
    const children = home.filter((e) => e.parent_device_id === slot.device).map((e) => e.device_id)
    if (nwh === null || children.length === 0) continue
    const behind = slots.filter((other) => other.quarter === slot.quarter && children.includes(other.device))
    differences.push(nwh - sum(behind.map((other) => energyOf(other) ?? 0n)))
  }
  return differences.length === 0 ? null : sum(differences)
}
