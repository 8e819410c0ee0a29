/** The four figures at the head of the Overview. */
import { compareSums, deltaOf, type Comparison } from './comparison.ts'
import type { Kpi, Overview } from './contract.ts'
import { dateAfter, daysFrom, withinDates } from './days.ts'
import { kwh, money, ratio, sumNano, type Nano } from './decimal.ts'
import { countsInTotal } from './directory.ts'
import { healthByDay, meanHealth } from './health.ts'
import { counted, noDataReason, percent, type Picture } from './picture.ts'

const HOUR_MS = 3_600_000

export function kpisOf(picture: Picture): Overview['kpis'] {
  return {
    total_energy_kwh: energyKpi(picture),
    total_cost: costKpi(picture),
    active_devices: activeKpi(picture),
    mean_health_score: healthKpi(picture),
  }
}

const daysOf = ({ figures, span }: Picture) => withinDates(figures.days, span.from, span.to)

/** The house's total over the range, as Gold's daily summary has it. */
export function houseTotal(picture: Picture, of: 'energy' | 'cost'): Nano | null {
  return sumNano(daysOf(picture).map((day) => day[of]))
}

/** Devices that the total is made of. */
function measured({ figures, home }: Picture) {
  return figures.devices.filter(
    (device) => device.energy !== null && countsInTotal(home, device.device_id, device.device_type),
  )
}

/** Covered time of the devices that have energy / their elapsed time; the open day counts as far as it is. */
export function coverageOf(picture: Picture): number | null {
  const devices = measured(picture)
  const elapsedS = (picture.span.elapsedMs / 1000) * devices.length
  if (elapsedS <= 0) return null
  return ratio(Math.min(1, devices.reduce((sum, device) => sum + device.covered_s, 0) / elapsedS))
}

function energyKpi(picture: Picture): Kpi {
  const total = houseTotal(picture, 'energy')
  const devices = measured(picture)
  return {
    value: total === null ? null : kwh(total),
    unit: 'kWh',
    reason: total === null ? noEnergyReason(picture) : null,
    ...compareSums(picture, 'energy', kwh),
    sparkline: sparkline(picture, 'energy', kwh),
    coverage_ratio: coverageOf(picture),
    partial: picture.span.partial,
    definition: {
      what: 'Energy that the house used in the range: devices that lie behind no meter, without solar and battery.',
      formula:
        total === null
          ? 'sum of energy of the devices'
          : `sum over ${counted(devices.length, 'device')} = ${kwh(total)} kWh, measured ${percent(coverageOf(picture) ?? 0)} of the time`,
    },
  }
}

function costKpi(picture: Picture): Kpi {
  const cost = houseTotal(picture, 'cost')
  const energy = houseTotal(picture, 'energy')
  const perKwh = cost !== null && energy ? money((cost * 1_000_000_000_000n) / energy) : null
  return {
    value: cost === null ? null : money(cost),
    unit: picture.currency,
    reason: cost === null ? noEnergyReason(picture) : null,
    ...compareSums(picture, 'cost', money),
    sparkline: sparkline(picture, 'cost', money),
    coverage_ratio: coverageOf(picture),
    partial: picture.span.partial,
    definition: {
      what: 'Price of that energy by the tariff of each quarter-hour; base charges stand on bills only.',
      formula:
        cost === null || energy === null
          ? 'sum of kWh × price per kWh'
          : `${kwh(energy)} kWh × ${perKwh ?? '–'} ${picture.currency}/kWh (mean) = ${money(cost)} ${picture.currency}`,
    },
  }
}

function noEnergyReason(picture: Picture): string {
  return picture.figures.devices.some((device) => device.readings > 0)
    ? 'No device of this home measures energy or power in this range.'
    : noDataReason(picture)
}

function activeKpi(picture: Picture): Overview['kpis']['active_devices'] {
  const { figures, home, span } = picture
  const active = figures.devices.filter((device) => device.readings > 0).length
  const total = home.devices.size
  const known = total > 0
  return {
    value: known ? active : null,
    total,
    unit: 'devices',
    reason: known ? null : 'No device of this home is known yet.',
    ...compareActive(picture, active),
    sparkline: activeSparkline(picture),
    coverage_ratio: null,
    partial: span.partial,
    definition: {
      what: 'Devices with at least one accepted reading in the range, of all that the catalogue or a reading names.',
      formula: `${active} of ${counted(total, 'known device')}`,
    },
  }
}

function compareActive({ ...picture }: Picture, active: number): Comparison {
  const { figures, span } = picture
  const heardIn = (date: string) =>
    figures.cuts.filter((row) => row.date === date && row.readings > 0).map((row) => row.device_id)
  const before = new Set([
    ...figures.devices.filter((device) => device.previous_readings > 0).map((device) => device.device_id),
    ...(span.cut ? heardIn(span.cut.previous.date) : []),
  ])
  if (before.size === 0) return { delta: null, delta_reason: 'There are no readings of the period before.' }
  const now = span.cut && span.from === span.to ? new Set(heardIn(span.to)).size : active
  return deltaOf(picture, now, before.size)
}

function healthKpi(picture: Picture): Kpi {
  const { figures, home, span } = picture
  const { mean, scores } = meanHealth(picture, span.from, span.to)
  const before = meanHealth(picture, span.previous.from, span.previous.to)
  const comparison: Comparison =
    mean === null || before.mean === null
      ? { delta: null, delta_reason: 'There is no health of the period before.' }
      : deltaOf(picture, mean, before.mean, 'whole days')
  const scored = figures.health.filter((row) => row.health_score !== null).length
  const week = dateAfter(span.to, -6)
  const days = span.from === span.to ? daysFrom(week, span.to, picture.timeZone) : picture.days
  const byDay = healthByDay(picture)
  return {
    value: mean,
    unit: '',
    reason: mean === null ? noDataReason(picture) : null,
    ...comparison,
    sparkline: {
      grain: 'day',
      t: days.map(({ start }) => start),
      value: days.map(({ date }) => byDay.get(date)?.mean ?? null),
    },
    coverage_ratio: home.devices.size > 0 ? ratio(scored / home.devices.size) : null,
    partial: span.partial,
    definition: {
      what: 'Mean of the daily health scores (0–1) of the devices that reported.',
      formula:
        'each: 0.4 × quality + 0.3 × valid share + 0.2 × (1 − late share) + 0.1 × (1 − alert episodes per hour / 10)' +
        (mean === null ? '' : `; mean of ${counted(scores, 'score')} = ${mean}`),
    },
  }
}

/** By local hour for a single day, else by day. */
function sparkline(
  picture: Picture,
  of: 'energy' | 'cost',
  toNumber: (value: Nano) => number,
): Kpi['sparkline'] {
  const { figures, span } = picture
  if (span.from !== span.to) {
    const byDate = new Map(figures.days.map((day) => [day.date, day[of]]))
    return dailySparkline(picture, (date) => {
      const value = byDate.get(date) ?? null
      return value === null ? null : toNumber(value)
    })
  }
  const byHour = new Map(figures.hours.map((row) => [row.startMs, row[of]]))
  return hourlySparkline(picture, (hour) => {
    const value = byHour.get(hour) ?? null
    return value === null ? null : toNumber(value)
  })
}

function activeSparkline(picture: Picture): Kpi['sparkline'] {
  const { figures, span } = picture
  if (span.from !== span.to) {
    const byDate = new Map(figures.days.map((day) => [day.date, day.active_devices]))
    return dailySparkline(picture, (date) => byDate.get(date) ?? null)
  }
  const byHour = new Map(figures.hours.map((row) => [row.startMs, row.active_devices]))
  return hourlySparkline(picture, (hour) => byHour.get(hour) ?? null)
}

function dailySparkline({ days }: Picture, valueOf: (date: string) => number | null): Kpi['sparkline'] {
  return {
    grain: 'day',
    t: days.map(({ start }) => start),
    value: days.map(({ date }) => valueOf(date)),
  }
}

function hourlySparkline(
  { span, figures }: Picture,
  valueOf: (hour: number) => number | null,
): Kpi['sparkline'] {
  const count = Math.ceil(span.elapsedMs / HOUR_MS)
  // Where the clocks move by half an hour, Gold's hours do not lie a whole number of hours after midnight.
  const hours = new Set([
    ...Array.from({ length: count }, (_, i) => span.startMs + i * HOUR_MS),
    ...figures.hours.map((row) => row.startMs),
  ])
  const ordered = [...hours].toSorted((a, b) => a - b)
  return {
    grain: 'hour',
    t: ordered.map((hour) => new Date(hour).toISOString()),
    value: ordered.map(valueOf),
  }
}
