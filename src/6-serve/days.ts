/** The home's local days: the range that is asked for, and the same elapsed part of the period before it. */
import type { OverviewQuery } from './contract.ts'
import { ApiError } from './problems.ts'

const QUARTER_MS = 15 * 60_000
/** Of dates, which lie so far apart as midnights in UTC do; local days may be longer or shorter. */
const DAY_MS = 86_400_000
const MOST_DAYS = 1_100

/** A local day up to an instant (exclusive): the part of a day that a comparison counts. */
export interface Cut {
  date: string
  beforeMs: number
}

export interface Period {
  /** Local dates, both inclusive. */
  from: string
  to: string
}

export interface Span extends Period {
  name: NonNullable<OverviewQuery['range']>
  startMs: number
  /** Midnight after the last day. */
  endMs: number
  totalMs: number
  elapsedMs: number
  /** The last day is today. */
  partial: boolean
  today: string
  /** The period before, as long and as far. */
  previous: Period
  /** Where the last day is open: how far it and its counterparts count when compared; whole quarter-hours. */
  cut: { current: Cut; previous: Cut } | null
}

/** The days of a query. Wrong ones are refused with `bad_range`. */
export function spanOf(query: OverviewQuery, timeZone: string, nowMs: number): Span {
  const now = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timeZone)
  const today = now.toPlainDate()
  const { from, to } = datesOf(query, today)
  const partial = to.equals(today)
  const startMs = startOf(from, timeZone)
  const endMs = startOf(to.add({ days: 1 }), timeZone)
  const days = from.until(to).days + 1
  const back = query.range === 'month' ? { months: 1 } : { days }
  const previous = { from: from.subtract(back), to: to.subtract(back) }
  const cutTime = wholeQuarter(nowMs, timeZone)
  const cutMs = (date: Temporal.PlainDate) =>
    date.toZonedDateTime({ timeZone, plainTime: cutTime }).epochMilliseconds
  return {
    name: query.range ?? 'today',
    from: from.toString(),
    to: to.toString(),
    startMs,
    endMs,
    totalMs: endMs - startMs,
    elapsedMs: Math.min(nowMs, endMs) - startMs,
    partial,
    today: today.toString(),
    previous: { from: previous.from.toString(), to: previous.to.toString() },
    cut: partial
      ? {
          current: { date: to.toString(), beforeMs: cutMs(to) },
          previous: { date: previous.to.toString(), beforeMs: cutMs(previous.to) },
        }
      : null,
  }
}

function datesOf(query: OverviewQuery, today: Temporal.PlainDate) {
  const { range = 'today' } = query
  if (range !== 'custom') {
    if (query.from !== undefined || query.to !== undefined)
      throw new ApiError('bad_range', `from and to do not go with range=${range}.`, 'Ask with range=custom.')
    if (range === 'yesterday') {
      const day = today.subtract({ days: 1 })
      return { from: day, to: day }
    }
    const first = { today, '7d': today.subtract({ days: 6 }), '30d': today.subtract({ days: 29 }) }
    return { from: range === 'month' ? today.with({ day: 1 }) : first[range], to: today }
  }
  const from = dateOf('from', query.from)
  const asked = dateOf('to', query.to)
  const to = Temporal.PlainDate.compare(asked, today) > 0 ? today : asked
  if (Temporal.PlainDate.compare(from, to) > 0)
    throw new ApiError('bad_range', `from (${from}) lies after to (${to}).`, 'Name the earlier day first.')
  if (from.until(to).days >= MOST_DAYS)
    throw new ApiError('bad_range', `More than ${MOST_DAYS} days.`, 'Ask for a shorter range.')
  return { from, to }
}

function dateOf(name: string, text: string | undefined): Temporal.PlainDate {
  if (text === undefined)
    throw new ApiError('bad_range', `range=custom lacks ${name}.`, 'Give from and to as YYYY-MM-DD.')
  try {
    const date = Temporal.PlainDate.from(text)
    if (date.year >= 2000) return date
  } catch {
    // Falls through to the same answer.
  }
  throw new ApiError('bad_range', `${name}=${text} is no date since 2000.`, 'Give it as YYYY-MM-DD.')
}

/** Local time of the last quarter-hour that is over; zones are whole quarter-hours from UTC. */
function wholeQuarter(nowMs: number, timeZone: string): Temporal.PlainTime {
  return Temporal.Instant.fromEpochMilliseconds(nowMs - (nowMs % QUARTER_MS))
    .toZonedDateTimeISO(timeZone)
    .toPlainTime()
}

const MOST_STARTS = 10_000
/** Zone and date to instant: the conversion is what costs most in a long range. */
const starts = new Map<string, number>()

/** The instant at which a local day begins (not midnight where the clocks change at midnight). */
export function startOf(date: Temporal.PlainDate | string, timeZone: string): number {
  const key = `${timeZone} ${date}`
  const known = starts.get(key)
  if (known !== undefined) return known
  if (starts.size >= MOST_STARTS) starts.clear()
  const ms = Temporal.PlainDate.from(date).toZonedDateTime({ timeZone }).epochMilliseconds
  starts.set(key, ms)
  return ms
}

/** A local day and the instant at which it begins, ISO 8601. */
export interface LocalDay {
  date: string
  start: string
}

/** Every day from one date to another, both inclusive. */
export function daysFrom(from: string, to: string, timeZone: string): LocalDay[] {
  const count = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1
  return Array.from({ length: count }, (_, days) => {
    const date = dateAfter(from, days)
    return { date, start: new Date(startOf(date, timeZone)).toISOString() }
  })
}

export function dateAfter(date: string, days: number): string {
  return new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10)
}

/** Seconds of a local day that have passed; all of them once it is over. */
export function elapsedSecondsOf(date: string, timeZone: string, nowMs: number): number {
  const end = startOf(dateAfter(date, 1), timeZone)
  return Math.max(0, (Math.min(nowMs, end) - startOf(date, timeZone)) / 1000)
}

/** The same part of the days before, whole days for a whole day: what "usual" is made of. */
export function daysBefore(cut: Cut, count: number, timeZone: string): Cut[] {
  const day = Temporal.PlainDate.from(cut.date)
  const end = Temporal.Instant.fromEpochMilliseconds(cut.beforeMs).toZonedDateTimeISO(timeZone)
  const whole = !end.toPlainDate().equals(day)
  return Array.from({ length: count }, (_, i) => {
    const date = day.subtract({ days: i + 1 })
    const beforeMs = whole
      ? startOf(date.add({ days: 1 }), timeZone)
      : date.toZonedDateTime({ timeZone, plainTime: end.toPlainTime() }).epochMilliseconds
    return { date: date.toString(), beforeMs }
  })
}

/** Rows of days within a period, both inclusive. */
export function withinDates<Row extends { date: string }>(
  rows: readonly Row[],
  from: string,
  to: string,
): Row[] {
  return rows.filter(({ date }) => date >= from && date <= to)
}
