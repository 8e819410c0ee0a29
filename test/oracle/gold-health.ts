/** `gold.device_health_metrics`: one row per device and local day with a reading, or a reject that names it. */
import { deviceKey, isLate } from './accept.ts'
import { SECOND_US, decimal, sum } from './exact.ts'
import { byRowOrder, decimalOrNull } from './gold-common.ts'
import {
  episodeBeginnings,
  expectedIntervalUs,
  healthOf,
  mtbfHours,
  uptimeMicroPercent,
} from './gold-days.ts'
import { groupBy, isAlert } from './types.ts'
import { quarterHolding } from './zone.ts'
import type { Health } from './gold-days.ts'
import type { Silver } from './silver.ts'
import type { Accepted, House, Row, SilverReading } from './types.ts'
import type { Zone } from './zone.ts'

export interface HealthDay {
  tenant: string
  date: string
  scores: Health
  row: Row
}

const tenantOf = (tenant: string | null): string => (tenant?.replaceAll(' ', '') ? tenant : 'home')

export function healthDays(silver: Silver, house: House, zone: Zone): HealthDay[] {
  const dateOf = (us: bigint): string => zone.local(quarterHolding(us)).date
  const dayKey = (tenant: string, device: string, at: bigint): string =>
    JSON.stringify([tenant, device, dateOf(at)])
  const beginnings = new Set<Accepted>()
  for (const device of groupBy(
    silver.readings.map(({ row }) => row),
    deviceKey,
  ).values())
    for (const row of episodeBeginnings(byRowOrder(device))) beginnings.add(row)

  const readings = groupBy(silver.readings, ({ row }) => dayKey(row.tenant_id, row.device_id, row.at))
  const named = silver.rejects.filter(({ arrival }) => (arrival.device_id ?? '').replaceAll(' ', '') !== '')
  const rejects = groupBy(named, ({ arrival, countedAt }) =>
    dayKey(tenantOf(arrival.tenant_id), arrival.device_id as string, countedAt),
  )
  return [...new Set([...readings.keys(), ...rejects.keys()])].map((key) => {
    const [tenant, device, date] = JSON.parse(key) as [string, string, string]
    const at = readings.get(key)?.[0]?.row.at ?? rejects.get(key)?.[0]?.countedAt ?? 0n
    return healthDay({
      tenant,
      device,
      date,
      day: zone.day(quarterHolding(at)),
      readings: readings.get(key) ?? [],
      rejects: rejects.get(key)?.length ?? 0,
      beginnings,
      house,
    })
  })
}

function healthDay(of: {
  tenant: string
  device: string
  date: string
  day: { start: bigint; end: bigint }
  readings: readonly SilverReading[]
  rejects: number
  beginnings: ReadonlySet<Accepted>
  house: House
}): HealthDay {
  const rows = byRowOrder(of.readings.map(({ row }) => row))
  const episodes = rows.filter((row) => of.beginnings.has(row)).length
  const scores = healthOf({
    qualityHundredths: of.readings.map((reading) => reading.qualityHundredths),
    lateRows: rows.filter((row) => isLate(row, of.house)).length,
    rejects: of.rejects,
    episodes,
    daySeconds: (of.day.end - of.day.start) / SECOND_US,
  })
  const entry = of.house.catalogue.find((e) => e.tenant_id === of.tenant && e.device_id === of.device)
  const interval = rows.length === 0 ? null : expectedIntervalUs(rows, entry)
  const unlessEmpty = <T>(value: T): T | null => (rows.length === 0 ? null : value)
  const row: Row = {
    tenant_id: of.tenant,
    device_id: of.device,
    date: of.date,
    health_score: decimalOrNull(scores.health, 6),
    failure_probability: decimalOrNull(scores.failure, 6),
    data_reliability: decimalOrNull(scores.reliability, 6),
    mean_quality_score: decimal(scores.quality, 6),
    valid_share: decimal(scores.valid, 6),
    late_share: decimal(scores.late, 6),
    alert_count: unlessEmpty(rows.filter(isAlert).length),
    alert_episodes: unlessEmpty(episodes),
    uptime_percentage: interval === null ? null : decimal(uptimeMicroPercent(rows, of.day, interval), 6),
    mtbf_hours: interval === null ? null : mtbfHours(rows, interval),
    reading_count: unlessEmpty(rows.length),
    quality_sum: unlessEmpty(decimal(sum(of.readings.map((r) => r.qualityHundredths)) * 10_000n, 6)),
    month: `${of.date.slice(0, 7)}-01`,
  }
  return { tenant: of.tenant, date: of.date, scores, row }
}
