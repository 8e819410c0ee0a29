/** The Overview: every card composed from Gold's figures, the live values and the open alerts. */
import type { z } from 'zod'
import type { EnergyByType, Overview } from './contract.ts'
import { kwh, money, ratio, sumNano, type Nano } from './decimal.ts'
import { isConsumption, parentsOf } from './directory.ts'
import { healthVsRiskOf, systemHealthOf } from './health.ts'
import { insightOf } from './insight.ts'
import { coverageOf, houseTotal, kpisOf } from './kpis.ts'
import { noDataReason, type Picture } from './picture.ts'

const SHOWN_ALERTS = 3

export type OverviewCards = Omit<
  Overview,
  | 'tenant'
  | 'simulated'
  | 'generated_at'
  | 'time_zone'
  | 'currency'
  | 'refresh_s'
  | 'range'
  | 'newest_day'
  | 'built_from'
>

export function overviewCards(
  picture: Picture,
  powerNow: Overview['power_now'],
  alertsCheckedMs: number | null,
): OverviewCards {
  const coverage = coverageOf(picture)
  return {
    kpis: kpisOf(picture),
    power_now: powerNow,
    energy_by_type: energyByTypeOf(picture),
    health_vs_risk: healthVsRiskOf(picture),
    system_health: systemHealthOf(picture, coverage),
    ...insightOf(picture),
    alerts: {
      open_count: picture.alerts.length,
      rows: picture.alerts.slice(0, SHOWN_ALERTS),
      checked_at: alertsCheckedMs === null ? null : new Date(alertsCheckedMs).toISOString(),
      reason: alertsCheckedMs === null ? 'No live readings are watched.' : null,
    },
  }
}

function energyByTypeOf(picture: Picture): z.infer<typeof EnergyByType> {
  const { figures, home } = picture
  const parents = parentsOf(home)
  const leaves = figures.devices.filter(
    (device) =>
      device.energy !== null &&
      !parents.has(device.device_id) &&
      isConsumption(home, device.device_id, device.device_type),
  )
  const total = houseTotal(picture, 'energy')
  const tracked = sumNano(leaves.map((device) => device.energy))
  const untracked = parents.size > 0 && total !== null ? total - (tracked ?? 0n) : null
  const types = Map.groupBy(leaves, (device) => device.device_type ?? 'unknown')
  const rows = [...types].map(([device_type, devices]) => ({
    device_type,
    energy: sumNano(devices.map((device) => device.energy)) ?? 0n,
    cost: sumNano(devices.map((device) => device.cost)),
    devices: devices.length,
  }))
  const whole = total ?? 0n
  return {
    rows: rows
      .toSorted((a, b) => compareNano(b.energy, a.energy) || (a.device_type < b.device_type ? -1 : 1))
      .filter(({ energy }) => energy !== 0n)
      .map(({ device_type, energy, cost, devices }) => ({
        device_type,
        energy_kwh: kwh(energy),
        cost: cost === null ? null : money(cost),
        share: whole === 0n ? 0 : ratio(Number(energy) / Number(whole)),
        devices,
      })),
    untracked_kwh: untracked === null ? null : kwh(untracked),
    reason: tracked === null ? noDataReason(picture) : null,
    definition: {
      what: 'Energy of the range by kind of device. A meter with devices behind it is not counted as a kind: what it counted beyond them is untracked.',
      formula:
        total === null
          ? 'sum of energy by device type'
          : `${kwh(tracked ?? 0n)} kWh by type${untracked === null ? '' : ` + ${kwh(untracked)} kWh untracked`} = ${kwh(total)} kWh`,
    },
  }
}

function compareNano(a: Nano, b: Nano): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
