/** The questions that the Overview puts to Gold, as SQL over pruned files. Energy in Wh and cost as exact decimals. */
import { GOLD_DAILY, GOLD_HEALTH, GOLD_HOURLY, GOLD_QUARTER_HOURLY, GOLD_SUMMARY } from '../5-gold/tables.ts'
import { byMonth, ofTenant, partsOf, perDay, within } from './by-month.ts'
import type { Cut, Period, Span } from './days.ts'
import { dateAfter, daysBefore, startOf } from './days.ts'
import { nano, type Nano } from './decimal.ts'
import { type DeviceFigures, readDevices } from './device-figures.ts'
import { literal, monthOf, type View } from './lake-reader.ts'

/** Days that "usual" is made of when today is looked at. */
export const USUAL_DAYS = 7
/** A day is well measured where energy covers so much of its time. */
export const LEAST_COVERAGE = 0.8
/** Days that the health sparkline shows where the range is a single day. */
const HEALTH_DAYS = 7

export const FIGURE_TABLES = [GOLD_SUMMARY, GOLD_DAILY, GOLD_HEALTH, GOLD_HOURLY, GOLD_QUARTER_HOURLY].map(
  ({ name }) => name,
)

export interface DayFigures {
  date: string
  energy: Nano | null
  cost: Nano | null
  active_devices: number
}

/** One device in the first part of one day, up to the cut. */
export interface CutFigures {
  date: string
  device_id: string
  energy: Nano | null
  cost: Nano | null
  readings: number
  covered_s: number
}

/** One device in the same part of the days before that were well measured. */
export interface UsualFigures {
  device_id: string
  energy: Nano
  days: number
}

/** The house in one local hour: energy and cost of the devices that count in its total, and how many devices reported. */
export interface HourFigures {
  /** Start of the local hour. */
  startMs: number
  energy: Nano | null
  cost: Nano | null
  active_devices: number
}

/** A row of `gold.device_health_metrics`; shares 0–1. */
export interface HealthRow {
  device_id: string
  date: string
  health_score: number | null
  failure_probability: number | null
  data_reliability: number | null
  mean_quality_score: number
  valid_share: number
  late_share: number
  alert_episodes: number | null
  uptime_percentage: number | null
}

export interface HealthDay {
  date: string
  score_sum: number
  scores: number
}

export interface Figures {
  days: DayFigures[]
  devices: DeviceFigures[]
  /** Where the last day is open: of that day and of its counterpart. */
  cuts: CutFigures[]
  /** Of a single day, as `hours`. */
  usual: UsualFigures[]
  hours: HourFigures[]
  /** Each device's newest row in the range. */
  health: HealthRow[]
  /** Per day, from `healthFrom` of the range on. */
  healthDays: HealthDay[]
}

/** All that Gold says for the Overview of one home and range; `counts`: whether a device is part of the house's total. */
export async function readFigures(
  view: View,
  tenant: string,
  span: Span,
  { timeZone, counts }: { timeZone: string; counts(device: string, type: string | null): boolean },
): Promise<Figures> {
  const isDay = span.from === span.to
  const devices = readDevices(view, tenant, span)
  const hours = async (): Promise<HourFigures[]> => {
    const apart = (await devices).filter(({ device_id, device_type }) => !counts(device_id, device_type))
    return readHours(
      view,
      tenant,
      span.from,
      apart.map(({ device_id }) => device_id),
    )
  }
  const figures = await Promise.all([
    devices,
    readDays(view, tenant, { from: span.previous.from, to: span.to }),
    span.cut ? readCuts(view, tenant, [span.cut.current, span.cut.previous]) : [],
    isDay ? readUsual(view, tenant, span, timeZone) : [],
    isDay ? hours() : [],
    readHealthOf(view, tenant, span),
    readHealthDays(view, tenant, { from: healthFrom(span), to: span.to }),
  ])
  const [known, days, cuts, usual, byHour, health, healthDays] = figures
  return { devices: known, days, cuts, usual, hours: byHour, health, healthDays }
}

/** The last local day until another on which a device of the home was active; null: none. */
export async function newestDay(view: View, tenant: string, until: string): Promise<string | null> {
  const period = { from: '0001-01-01', to: until }
  const [row] = await view.ask<{ date: string | null }>(`
    SELECT max(date) AS date FROM ${view.from(GOLD_SUMMARY.name, byMonth(period))}
    WHERE ${ofTenant(tenant)} AND active_devices > 0 AND ${within(period)}`)
  return row?.date ?? null
}

/** First day of what is said about health over time: the range and the period before, at least a week. */
function healthFrom(span: Span): string {
  const week = dateAfter(span.to, 1 - HEALTH_DAYS)
  return week < span.previous.from ? week : span.previous.from
}

async function readDays(view: View, tenant: string, period: Period): Promise<DayFigures[]> {
  const rows = await perDay<{ date: string; wh: string | null; cost: string | null; active: number }>(
    view,
    GOLD_SUMMARY.name,
    period,
    (from) => `
      SELECT date, total_energy_wh AS wh, total_cost AS cost, active_devices AS active
      FROM ${from} WHERE ${ofTenant(tenant)} ORDER BY date`,
  )
  return rows.map(({ date, wh, cost, active }) => ({
    date,
    energy: nano(wh),
    cost: nano(cost),
    active_devices: active,
  }))
}

/** Device by day, up to each cut: columns `date`, `device_id`, `wh`, `cost`, `readings`, `covered_s`. */
function cutsSql(view: View, tenant: string, cuts: readonly Cut[]): string {
  const dates = new Set(cuts.map(({ date }) => date))
  const parts = cuts.map(
    ({ date, beforeMs }) =>
      `(date = DATE '${date}' AND quarter_hour < TIMESTAMPTZ '${new Date(beforeMs).toISOString()}')`,
  )
  return `
    SELECT date, device_id, sum(energy_wh) AS wh, sum(cost) AS cost,
      sum(readings)::BIGINT AS readings, sum(covered_s)::BIGINT AS covered_s
    FROM ${view.from(GOLD_QUARTER_HOURLY.name, ({ partition }) => dates.has(partition.date ?? ''))}
    WHERE ${ofTenant(tenant)} AND (${parts.join(' OR ')})
    GROUP BY date, device_id`
}

async function readCuts(view: View, tenant: string, cuts: readonly Cut[]): Promise<CutFigures[]> {
  const rows = await view.ask<
    Omit<CutFigures, 'energy' | 'cost'> & { wh: string | null; cost: string | null }
  >(cutsSql(view, tenant, cuts))
  return rows.map(({ wh, cost, ...row }) => ({ ...row, energy: nano(wh), cost: nano(cost) }))
}

/** The well measured ones of the days before a single day: of an open one up to the same time, else whole. */
async function readUsual(
  view: View,
  tenant: string,
  { cut, to, endMs }: Span,
  timeZone: string,
): Promise<UsualFigures[]> {
  const day = cut?.current ?? { date: to, beforeMs: endMs }
  const before = daysBefore(day, USUAL_DAYS, timeZone)
  const period = { from: before.at(-1)!.date, to: before[0]!.date }
  const leastS = Math.ceil((LEAST_COVERAGE * (day.beforeMs - startOf(to, timeZone))) / 1000)
  // A whole day is the sum of its quarter-hours, which are a hundred times as many.
  const days = cut
    ? cutsSql(view, tenant, before)
    : `SELECT device_id, total_energy_wh AS wh, covered_s
       FROM ${view.from(GOLD_DAILY.name, byMonth(period))} WHERE ${ofTenant(tenant)} AND ${within(period)}`
  const rows = await view.ask<{ device_id: string; wh: string; days: number }>(`
    SELECT device_id, sum(wh) AS wh, count(*) AS days FROM (${days})
    WHERE wh IS NOT NULL AND covered_s >= ${leastS} GROUP BY device_id`)
  return rows.map(({ wh, ...row }) => ({ ...row, energy: nano(wh)! }))
}

/** By hour; `apart`: the devices that do not count in the total. */
async function readHours(
  view: View,
  tenant: string,
  date: string,
  apart: readonly string[],
): Promise<HourFigures[]> {
  const counts = apart.length === 0 ? 'true' : `device_id NOT IN (${apart.map(literal).join(', ')})`
  const rows = await view.ask<{
    start_us: number
    wh: string | null
    cost: string | null
    active_devices: number
  }>(`
    SELECT unix_micros(hour_start) AS start_us, sum(energy_wh) FILTER (WHERE ${counts}) AS wh,
      sum(cost) FILTER (WHERE ${counts}) AS cost, count(*) FILTER (WHERE readings > 0) AS active_devices
    FROM ${view.from(GOLD_HOURLY.name, byMonth({ from: date, to: date }))}
    WHERE ${ofTenant(tenant)} AND date = DATE '${date}' GROUP BY hour_start`)
  return rows.map(({ start_us, wh, cost, ...row }) => ({
    ...row,
    startMs: start_us / 1000,
    energy: nano(wh),
    cost: nano(cost),
  }))
}

/** Each device's newest row of a period. */
export async function readHealthOf(view: View, tenant: string, period: Period): Promise<HealthRow[]> {
  // The newest row of a whole month is that of its days from some day on, or there is none: so the first month need not be parted.
  const parts = partsOf({ from: monthOf(period.from), to: period.to })
  const long = partsOf(period).months.length > 0
  const rows = await Promise.all(
    (long ? [...parts.months, ...parts.days] : [period]).map((part) => readNewestHealth(view, tenant, part)),
  )
  const newest = new Map<string, HealthRow>()
  for (const row of rows.flat())
    if (row.date >= period.from && row.date > (newest.get(row.device_id)?.date ?? ''))
      newest.set(row.device_id, row)
  return [...newest.values()]
}

async function readNewestHealth(view: View, tenant: string, period: Period): Promise<HealthRow[]> {
  // Of a single day there is one row each.
  const newest = 'QUALIFY row_number() OVER (PARTITION BY device_id ORDER BY date DESC) = 1'
  return await view.ask<HealthRow>(`
    SELECT device_id, date,
      health_score::DOUBLE AS health_score, failure_probability::DOUBLE AS failure_probability,
      data_reliability::DOUBLE AS data_reliability, mean_quality_score::DOUBLE AS mean_quality_score,
      valid_share::DOUBLE AS valid_share, late_share::DOUBLE AS late_share, alert_episodes,
      uptime_percentage::DOUBLE AS uptime_percentage
    FROM ${view.from(GOLD_HEALTH.name, byMonth(period))}
    WHERE ${ofTenant(tenant)} AND ${within(period)} ${period.from === period.to ? '' : newest}`)
}

async function readHealthDays(view: View, tenant: string, period: Period): Promise<HealthDay[]> {
  return await perDay<HealthDay>(
    view,
    GOLD_HEALTH.name,
    period,
    (from) => `
      SELECT date, sum(health_score)::DOUBLE AS score_sum, count(health_score)::BIGINT AS scores
      FROM ${from} WHERE ${ofTenant(tenant)} AND health_score IS NOT NULL
      GROUP BY date ORDER BY date`,
  )
}
