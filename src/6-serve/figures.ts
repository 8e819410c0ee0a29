/** The questions that the Overview puts to Gold, as SQL over pruned files. Energy in Wh and cost as exact decimals. */
import { GOLD_DAILY, GOLD_HEALTH, GOLD_HOURLY, GOLD_QUARTER_HOURLY, GOLD_SUMMARY } from '../5-gold/tables.ts'
import type { Cut, Period, Span } from './days.ts'
import { daysBefore } from './days.ts'
import { nano, type Nano } from './decimal.ts'
import { literal, monthOf, partitionWithin, type View } from './lake-reader.ts'

/** Days that "usual" is made of when today is looked at. */
export const USUAL_DAYS = 7
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

/** One device over the range and over the whole days of the period before. */
export interface DeviceFigures {
  device_id: string
  device_type: string | null
  location: string | null
  user_id: string | null
  energy: Nano | null
  cost: Nano | null
  readings: number
  covered_s: number
  previous_readings: number
}

/** One device in the first part of one day, up to the cut; all of it where the day is over. */
export interface CutFigures {
  date: string
  device_id: string
  energy: Nano | null
  cost: Nano | null
  readings: number
  covered_s: number
}

export interface HourFigures {
  /** Start of the local hour. */
  startMs: number
  device_id: string
  energy: Nano | null
  cost: Nano | null
  readings: number
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
  cuts: CutFigures[]
  hours: HourFigures[]
  /** Each device's newest row in the range. */
  health: HealthRow[]
  /** Per day, from `healthFrom` of the range on. */
  healthDays: HealthDay[]
}

/** All that Gold says for the Overview of one home and range. */
export async function readFigures(
  view: View,
  tenant: string,
  span: Span,
  timeZone: string,
): Promise<Figures> {
  const [days, devices, cuts, hours, health, healthDays] = await Promise.all([
    readDays(view, tenant, { from: span.previous.from, to: span.to }),
    readDevices(view, tenant, span),
    readCuts(view, tenant, cutsOf(span, timeZone)),
    span.from === span.to ? readHours(view, tenant, span.from) : [],
    readHealthOf(view, tenant, span),
    readHealthDays(view, tenant, { from: healthFrom(span), to: span.to }),
  ])
  return { days, devices, cuts, hours, health, healthDays }
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
  const week = Temporal.PlainDate.from(span.to)
    .subtract({ days: HEALTH_DAYS - 1 })
    .toString()
  return week < span.previous.from ? week : span.previous.from
}

/** The open day and its counterpart; for a single day the days that "usual" is made of. */
function cutsOf({ cut, from, to, endMs }: Span, timeZone: string): Cut[] {
  if (from === to) {
    const day = cut?.current ?? { date: to, beforeMs: endMs }
    return [day, ...daysBefore(day, USUAL_DAYS, timeZone)]
  }
  return cut ? [cut.current, cut.previous] : []
}

const ofTenant = (tenant: string): string => `tenant_id = ${literal(tenant)}`
const within = ({ from, to }: Period): string => `date BETWEEN DATE '${from}' AND DATE '${to}'`
const byMonth = ({ from, to }: Period) => partitionWithin('month', monthOf(from), monthOf(to))

async function readDays(view: View, tenant: string, period: Period): Promise<DayFigures[]> {
  const rows = await view.ask<{ date: string; wh: string | null; cost: string | null; active: number }>(`
    SELECT date, total_energy_wh AS wh, total_cost AS cost, active_devices AS active
    FROM ${view.from(GOLD_SUMMARY.name, byMonth(period))}
    WHERE ${ofTenant(tenant)} AND ${within(period)}
    ORDER BY date`)
  return rows.map(({ date, wh, cost, active }) => ({
    date,
    energy: nano(wh),
    cost: nano(cost),
    active_devices: active,
  }))
}

async function readDevices(view: View, tenant: string, span: Span): Promise<DeviceFigures[]> {
  const both = { from: span.previous.from, to: span.to }
  // The last day of the period before counts to the cut only, which the quarter-hours tell.
  const before = span.cut
    ? `date >= DATE '${span.previous.from}' AND date < DATE '${span.previous.to}'`
    : within(span.previous)
  const rows = await view.ask<
    Omit<DeviceFigures, 'energy' | 'cost'> & { wh: string | null; cost: string | null }
  >(`
    SELECT device_id,
      max_by(device_type, date) AS device_type, max_by(location, date) AS location, max_by(user_id, date) AS user_id,
      sum(total_energy_wh) FILTER (WHERE ${within(span)}) AS wh,
      sum(cost) FILTER (WHERE ${within(span)}) AS cost,
      coalesce(sum(reading_count) FILTER (WHERE ${within(span)}), 0)::BIGINT AS readings,
      coalesce(sum(covered_s) FILTER (WHERE ${within(span)}), 0)::BIGINT AS covered_s,
      coalesce(sum(reading_count) FILTER (WHERE ${before}), 0)::BIGINT AS previous_readings
    FROM ${view.from(GOLD_DAILY.name, byMonth(both))}
    WHERE ${ofTenant(tenant)} AND ${within(both)}
    GROUP BY device_id ORDER BY device_id`)
  return rows.map(({ wh, cost, ...row }) => ({ ...row, energy: nano(wh), cost: nano(cost) }))
}

async function readCuts(view: View, tenant: string, cuts: readonly Cut[]): Promise<CutFigures[]> {
  if (cuts.length === 0) return []
  const dates = new Set(cuts.map(({ date }) => date))
  const parts = cuts.map(
    ({ date, beforeMs }) =>
      `(date = DATE '${date}' AND quarter_hour < TIMESTAMPTZ '${new Date(beforeMs).toISOString()}')`,
  )
  const rows = await view.ask<
    Omit<CutFigures, 'energy' | 'cost'> & { wh: string | null; cost: string | null }
  >(`
    SELECT date, device_id, sum(energy_wh) AS wh, sum(cost) AS cost,
      sum(readings)::BIGINT AS readings, sum(covered_s)::BIGINT AS covered_s
    FROM ${view.from(GOLD_QUARTER_HOURLY.name, ({ partition }) => dates.has(partition.date ?? ''))}
    WHERE ${ofTenant(tenant)} AND (${parts.join(' OR ')})
    GROUP BY date, device_id`)
  return rows.map(({ wh, cost, ...row }) => ({ ...row, energy: nano(wh), cost: nano(cost) }))
}

async function readHours(view: View, tenant: string, date: string): Promise<HourFigures[]> {
  const rows = await view.ask<{
    start_us: number
    device_id: string
    wh: string | null
    cost: string | null
    readings: number
  }>(`
    SELECT unix_micros(hour_start) AS start_us, device_id, energy_wh AS wh, cost, readings
    FROM ${view.from(GOLD_HOURLY.name, byMonth({ from: date, to: date }))}
    WHERE ${ofTenant(tenant)} AND date = DATE '${date}'`)
  return rows.map(({ start_us, wh, cost, ...row }) => ({
    ...row,
    startMs: start_us / 1000,
    energy: nano(wh),
    cost: nano(cost),
  }))
}

/** Each device's newest row of a period. */
export async function readHealthOf(view: View, tenant: string, period: Period): Promise<HealthRow[]> {
  return await view.ask<HealthRow>(`
    SELECT device_id, date,
      health_score::DOUBLE AS health_score, failure_probability::DOUBLE AS failure_probability,
      data_reliability::DOUBLE AS data_reliability, mean_quality_score::DOUBLE AS mean_quality_score,
      valid_share::DOUBLE AS valid_share, late_share::DOUBLE AS late_share, alert_episodes,
      uptime_percentage::DOUBLE AS uptime_percentage
    FROM ${view.from(GOLD_HEALTH.name, byMonth(period))}
    WHERE ${ofTenant(tenant)} AND ${within(period)}
    QUALIFY row_number() OVER (PARTITION BY device_id ORDER BY date DESC) = 1`)
}

async function readHealthDays(view: View, tenant: string, period: Period): Promise<HealthDay[]> {
  return await view.ask<HealthDay>(`
    SELECT date, sum(health_score)::DOUBLE AS score_sum, count(health_score)::BIGINT AS scores
    FROM ${view.from(GOLD_HEALTH.name, byMonth(period))}
    WHERE ${ofTenant(tenant)} AND ${within(period)} AND health_score IS NOT NULL
    GROUP BY date ORDER BY date`)
}
