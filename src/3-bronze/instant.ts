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

const microsOf = (fraction: string): number => Number(fraction.slice(0, 6).padEnd(6, '0'))
const [FIRST_SECOND, LAST_SECOND] = ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z'].map(
  (text) => Date.parse(text) / 1000,
) as [number, number]

/** The instant that a text names, in the years 1 to 9999; undefined where it names none. */
export function parseInstant(text: string): Instant | undefined {
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

const [ZERO, NINE, DASH, COLON, POINT, CAPITAL_T, CAPITAL_Z] = [0x30, 0x39, 0x2d, 0x3a, 0x2e, 0x54, 0x5a]
/** From `2024-01-15T10:30:00Z` to one with microseconds. */
const [SHORTEST, LONGEST, FRACTION_AT] = [20, 27, 20]
const FRACTION_UNITS = [NaN, 100_000, 10_000, 1_000, 100, 10, 1]
/** Midnights by year, month and day in one number. */
const midnightsByNumber = new Map<number, number>()

/** Whether bytes may be a time as nearly all are written: `2024-01-15T10:30:00Z`, with up to six digits of a second. */
export function looksPlain(bytes: Uint8Array, from: number, to: number): boolean {
  const length = to - from
  if (length < SHORTEST || length > LONGEST) return false
  return bytes[from + 10] === CAPITAL_T && bytes[to - 1] === CAPITAL_Z && digitsAt(bytes, from, 1) !== -1
}

/** As `parseInstant`, from bytes that look plain, without making text of them; false where they are no such time. */
export function readPlainInstant(
  bytes: Uint8Array,
  from: number,
  to: number,
  into: { seconds: number; micros: number },
): boolean {
  const [year, month, day] = [
    digitsAt(bytes, from, 4),
    digitsAt(bytes, from + 5, 2),
    digitsAt(bytes, from + 8, 2),
  ]
  const hour = digitsAt(bytes, from + 11, 2)
  const minute = digitsAt(bytes, from + 14, 2)
  const second = digitsAt(bytes, from + 17, 2)
  if (year < 1 || month === -1 || day === -1 || hour === -1 || minute === -1 || second === -1) return false
  if (bytes[from + 4] !== DASH || bytes[from + 7] !== DASH) return false
  if (bytes[from + 13] !== COLON || bytes[from + 16] !== COLON) return false
  if (!isTimeOfDay(hour, minute, second)) return false
  let micros = 0
  if (to - from > SHORTEST) {
    const digits = to - 1 - from - FRACTION_AT
    const fraction = digitsAt(bytes, from + FRACTION_AT, digits)
    if (bytes[from + FRACTION_AT - 1] !== POINT || digits === 0 || fraction === -1) return false
    micros = fraction * FRACTION_UNITS[digits]!
  }
  const number = (year * 100 + month) * 100 + day
  let midnight = midnightsByNumber.get(number)
  if (midnight === undefined) {
    const text = (value: number, length: number): string => String(value).padStart(length, '0')
    midnight = midnightOf(`${text(year, 4)}-${text(month, 2)}-${text(day, 2)}`)
    if (midnightsByNumber.size >= 10_000) midnightsByNumber.clear()
    midnightsByNumber.set(number, midnight)
  }
  if (Number.isNaN(midnight)) return false
  into.seconds = midnight + hour * 3600 + minute * 60 + second
  into.micros = micros
  return true
}

/** The whole number that so many digits are; -1 where one is none. */
function digitsAt(bytes: Uint8Array, at: number, count: number): number {
  let number = 0
  for (let end = at + count; at < end; at++) {
    const byte = bytes[at]!
    if (!(byte >= ZERO && byte <= NINE)) return -1
    number = number * 10 + byte - ZERO
  }
  return number
}
