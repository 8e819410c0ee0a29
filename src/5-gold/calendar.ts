import type { Lake, Session } from '../lake/types.ts'
import { GOLD_CALENDAR } from './tables.ts'

const QUARTER_MS = 900_000
const DAY_MS = 86_400_000
const HOUR_US = 3_600_000_000

/** A stretch of time in which the zone's offset stays the same; it begins on a quarter-hour. */
interface OffsetSpan {
  fromMs: number
  offsetMs: number
}

/**
 * The quarter-hours of one local year, as a query: the columns of `gold.calendar`. A change of the offset begins a new local hour, so
 * that the repeated hour of a 25-hour day is two; one inside a quarter-hour (Newfoundland changed at 00:01) counts from its start.
 */
export function calendarSql(zone: string, year: number): string {
  const fromMs = Date.UTC(year, 0, 1) - 2 * DAY_MS
  const toMs = Date.UTC(year + 1, 0, 1) + 2 * DAY_MS
  const spans = offsetSpans(zone, fromMs, toMs)
  const values = spans.map(
    (span, index) =>
      `(${[span.fromMs, spans[index + 1]?.fromMs ?? toMs, span.offsetMs].map(micros).join(', ')})`,
  )
  return `WITH spans (from_us, to_us, offset_us) AS (VALUES ${values.join(', ')}),
    slots AS (
      SELECT from_us, slot_us, slot_us + offset_us AS local_us, make_timestamp(slot_us + offset_us) AS local_time
      FROM spans, (SELECT unnest(range(${micros(fromMs)}, ${micros(toMs)}, ${micros(QUARTER_MS)})) AS slot_us)
      WHERE slot_us >= from_us AND slot_us < to_us
    )
    SELECT '${zone.replaceAll("'", "''")}' AS zone, make_timestamptz(slot_us) AS quarter_hour,
      make_timestamptz(greatest(from_us, slot_us - (local_us % ${HOUR_US} + ${HOUR_US}) % ${HOUR_US})) AS hour_start,
      CAST(local_time AS DATE) AS date, CAST(date_trunc('month', local_time) AS DATE) AS month,
      hour(local_time) AS local_hour, isodow(local_time) AS local_weekday,
      count(*) OVER (PARTITION BY CAST(local_time AS DATE)) * 900 AS day_s, ${year} AS year
    FROM slots WHERE year(local_time) = ${year}`
}

const micros = (ms: number): string => `CAST(${ms * 1000} AS BIGINT)`

function offsetSpans(zone: string, fromMs: number, toMs: number): OffsetSpan[] {
  const offsetAt = zoneOffset(zone)
  const spans: OffsetSpan[] = [{ fromMs, offsetMs: offsetAt(fromMs) }]
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
    const add = await lake.write(session, GOLD_CALENDAR.name, calendarSql(zone, missing))
    // The version makes two writers of the same year one.
    await lake.commit(GOLD_CALENDAR.name, {
      operation: 'WRITE',
      add,
      txns: { [`year:${zone}/${missing}`]: 1 },
    })
  }
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
