/** Event times: ISO 8601 instants with a zone. A time without a zone is no instant, and is never guessed at. */

const ISO_INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(?:(Z|z)|([+-])(\d{2})(?::?(\d{2}))?)$/

export interface Instant {
  /** Seconds since 1970-01-01T00:00:00Z, whole. */
  seconds: number
  /** Microseconds of that second. */
  micros: number
  /** Whether microseconds hold all of what was written. */
  exact: boolean
}

function isTimeOfDay(hour: number, minute: number, second: number): boolean {
  // A leap second has no number of its own in UTC microseconds, so it is not taken for another one.
  return hour <= 23 && minute <= 59 && second <= 59
}

/** Midnights of days that were asked for, NaN where the calendar has no such day; a stream holds few different ones. */
const knownMidnights = new Map<string, number>()

/** Seconds since 1970 at which a UTC day begins; NaN where there is no such day. */
function midnightOf(date: string): number {
  const known = knownMidnights.get(date)
  if (known !== undefined) return known
  const midnight = new Date(`${date}T00:00:00Z`)
  const exists = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date)
  const seconds = exists ? midnight.getTime() / 1000 : NaN
  if (knownMidnights.size >= 10_000) knownMidnights.clear()
  knownMidnights.set(date, seconds)
  return seconds
}

/** `2024-01-15T10:30:00Z`, with up to six digits of a second: nearly everything is written so. */
const PLAIN_INSTANT = /^(?!0000)\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z$/
const FRACTION_AT = 20

/** The instant that a text names, in the years 1 to 9999; undefined where it names none. */
export function parseInstant(text: string): Instant | undefined {
  return PLAIN_INSTANT.test(text) ? plainInstant(text) : anyInstant(text)
}

function plainInstant(text: string): Instant | undefined {
  const midnight = midnightOf(text.slice(0, 10))
  if (Number.isNaN(midnight)) return undefined
  const two = (at: number): number => (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48
  const seconds = midnight + two(11) * 3600 + two(14) * 60 + two(17)
  const micros = text.length > FRACTION_AT ? microsOf(text.slice(FRACTION_AT, -1)) : 0
  return { seconds, micros, exact: true }
}

const microsOf = (fraction: string): number => Number(fraction.slice(0, 6).padEnd(6, '0'))
const [FIRST_SECOND, LAST_SECOND] = ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z'].map(
  (text) => Date.parse(text) / 1000,
) as [number, number]

function anyInstant(text: string): Instant | undefined {
  const match = ISO_INSTANT.exec(text)
  if (!match) return undefined
  const [
    ,
    year,
    month,
    day,
    hour,
    minute,
    second = '00',
    fraction = '',
    ,
    sign,
    zoneHour = '00',
    zoneMinute = '00',
  ] = match
  if (!isTimeOfDay(Number(hour), Number(minute), Number(second))) return undefined
  if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) return undefined
  const local =
    midnightOf(`${year}-${month}-${day}`) + Number(hour) * 3600 + Number(minute) * 60 + Number(second)
  const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60
  const seconds = local - (sign === '-' ? -offset : offset)
  if (!(seconds >= FIRST_SECOND && seconds <= LAST_SECOND)) return undefined
  return { seconds, micros: microsOf(fraction), exact: /^0*$/.test(fraction.slice(6)) }
}
