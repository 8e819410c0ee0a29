import type { Lake, Session } from '../lake/types.ts'
import { GOLD_CALENDAR } from './tables.ts'

/** One quarter-hour on the local clock; the columns of `gold.calendar`. */
export interface CalendarRow {
  zone: string
  /** ISO 8601, UTC */
  quarter_hour: string
  /** ISO 8601, UTC */
  hour_start: string
  /** `YYYY-MM-DD` */
  date: string
  month: string
  local_hour: number
  /** ISO weekday, 1 = Monday. */
  local_weekday: number
  /** Seconds of the whole local day. */
  day_s: number
  year: number
}

const QUARTER_MS = 900_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** A stretch of time in which the zone's offset stays the same; it begins on a quarter-hour. */
interface OffsetSpan {
  fromMs: number
  offsetMs: number
}

/**
 * The quarter-hours of one local year. A change of the offset begins a new local hour, so that the repeated hour
 * of a 25-hour day is two; one inside a quarter-hour (Newfoundland changed at 00:01) counts from its start.
 */
export function calendarYear(zone: string, year: number): CalendarRow[] {
  const fromMs = Date.UTC(year, 0, 1) - 2 * DAY_MS
  const toMs = Date.UTC(year + 1, 0, 1) + 2 * DAY_MS
  const spans = offsetSpans(zone, fromMs, toMs)
  const rows: CalendarRow[] = []
  let span = 0
  for (let slotMs = fromMs; slotMs < toMs; slotMs += QUARTER_MS) {
    while (spans[span + 1] !== undefined && spans[span + 1]!.fromMs <= slotMs) span += 1
    const { fromMs: spanFromMs, offsetMs } = spans[span]!
    const localMs = slotMs + offsetMs
    const local = new Date(localMs)
    if (local.getUTCFullYear() !== year) continue
    const date = local.toISOString().slice(0, 10)
    rows.push({
      zone,
      quarter_hour: new Date(slotMs).toISOString(),
      hour_start: new Date(Math.max(spanFromMs, localMs - (localMs % HOUR_MS) - offsetMs)).toISOString(),
      date,
      month: `${date.slice(0, 7)}-01`,
      local_hour: local.getUTCHours(),
      local_weekday: local.getUTCDay() === 0 ? 7 : local.getUTCDay(),
      day_s: 0,
      year,
    })
  }
  const slots = new Map<string, number>()
  for (const row of rows) slots.set(row.date, (slots.get(row.date) ?? 0) + 1)
  for (const row of rows) row.day_s = slots.get(row.date)! * 900
  return rows
}

function offsetSpans(zone: string, fromMs: number, toMs: number): OffsetSpan[] {
  const offsetAt = zoneOffset(zone)
  const spans: OffsetSpan[] = [{ fromMs: -Infinity, offsetMs: offsetAt(fromMs) }]
  for (let dayMs = fromMs; dayMs < toMs; dayMs += DAY_MS) {
    const next = offsetAt(dayMs + DAY_MS)
    if (next === spans.at(-1)!.offsetMs) continue
    let before = dayMs
    let after = dayMs + DAY_MS
    while (after - before > 1000) {
      const middle = Math.floor((before + after) / 2000) * 1000
      if (offsetAt(middle) === next) after = middle
      else before = middle
    }
    spans.push({ fromMs: after - (after % QUARTER_MS), offsetMs: next })
  }
  return spans
}

/** The zone's offset from UTC, ms, at a moment given in ms. */
function zoneOffset(zone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (ms) => {
    const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]))
    return Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second) - ms
  }
}

/** Adds the years that the zone's calendar lacks. */
export async function extendCalendar(options: {
  lake: Lake
  session: Session
  zone: string
  /** First and last local year that is needed. */
  first: number
  last: number
}): Promise<void> {
  const { lake, session, zone, first, last } = options
  for (;;) {
    const snapshot = await lake.snapshot(GOLD_CALENDAR.name)
    const known = await session.rows<{ year: number }>(
      `SELECT DISTINCT year FROM ${lake.scan(GOLD_CALENDAR.name, snapshot.files)} WHERE zone = $1`,
      [zone],
    )
    const years = new Set(known.map(({ year }) => year))
    const missing = Array.from({ length: last - first + 1 }, (_, index) => first + index).find(
      (year) => !years.has(year),
    )
    if (missing === undefined) return
    await loadYear(session, calendarYear(zone, missing))
    const add = await lake.write(session, GOLD_CALENDAR.name, 'SELECT * FROM calendar_rows')
    await session.run('DROP TABLE calendar_rows')
    // The version makes two writers of the same year one.
    await lake.commit(GOLD_CALENDAR.name, {
      operation: 'WRITE',
      add,
      txns: { [`year:${zone}/${missing}`]: 1 },
    })
  }
}

/** Puts the rows into the temporary table `calendar_rows`, as plain text: JSON takes ten times as long to read. */
async function loadYear(session: Session, rows: readonly CalendarRow[]): Promise<void> {
  const columns = GOLD_CALENDAR.columns.map(({ name }) => name)
  const select = columns.map((name, index) => `words[${index + 1}] AS ${name}`)
  const lines = rows.map((row) => columns.map((name) => row[name as keyof CalendarRow]).join(' '))
  await session.run(
    `CREATE OR REPLACE TEMP TABLE calendar_rows AS
     SELECT ${select.join(', ')} FROM (
       SELECT string_split(line, ' ') AS words FROM (SELECT unnest(string_split($1, '|')) AS line)
     )`,
    [lines.join('|')],
  )
}

/**
 * Makes the temporary tables `all_calendar` (the zone's quarter-hours) and `all_days` (its local days, each with
 * `start_us` and `end_us`, exclusive).
 */
export async function loadCalendar(lake: Lake, session: Session, zone: string): Promise<void> {
  const { files } = await lake.snapshot(GOLD_CALENDAR.name)
  await session.run(
    `CREATE OR REPLACE TEMP TABLE all_calendar AS
     SELECT * FROM ${lake.scan(GOLD_CALENDAR.name, files)} WHERE zone = $1`,
    [zone],
  )
  await session.run(
    `CREATE OR REPLACE TEMP TABLE all_days AS
     SELECT date, month, year, min(unix_micros(quarter_hour)) AS start_us,
       max(unix_micros(quarter_hour)) + 900000000 AS end_us
     FROM all_calendar GROUP BY ALL ORDER BY date`,
  )
}
