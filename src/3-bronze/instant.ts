/** Event times: ISO 8601 instants with a zone. A time without a zone is no instant, and is never guessed at. */

const ISO_INSTANT =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(?:(Z|z)|([+-])(\d{2})(?::?(\d{2}))?)$/

export interface Instant {
  /** `YYYY-MM-DDTHH:MM:SS.ffffffZ` */
  iso: string
  /** Whether microseconds hold all of what was written. */
  exact: boolean
}

function isTimeOfDay(hour: number, minute: number, second: number): boolean {
  // A leap second has no number of its own in UTC microseconds, so it is not taken for another one.
  return hour <= 23 && minute <= 59 && second <= 59
}

/** Days of the calendar that have been seen to exist; a stream holds few different ones. */
const knownDates = new Map<string, boolean>()

function isDate(date: string): boolean {
  const known = knownDates.get(date)
  if (known !== undefined) return known
  const midnight = new Date(`${date}T00:00:00Z`)
  const exists = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date)
  if (knownDates.size >= 10_000) knownDates.clear()
  knownDates.set(date, exists)
  return exists
}

/** `2024-01-15T10:30:00Z`, with up to six digits of a second: what needs no rewriting, and nearly everything is. */
const PLAIN_INSTANT = /^[1-8]\d{3}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z$/

export function isPlainInstant(text: string): boolean {
  return PLAIN_INSTANT.test(text) && isDate(text.slice(0, 10))
}

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
    zoneHour,
    zoneMinute = '00',
  ] = match
  if (!isDate(`${year}-${month}-${day}`) || !isTimeOfDay(Number(hour), Number(minute), Number(second))) {
    return undefined
  }
  if (zoneHour !== undefined && (Number(zoneHour) > 23 || Number(zoneMinute) > 59)) return undefined
  const offsetMinutes = Number(zoneHour ?? 0) * 60 + Number(zoneMinute)
  const local = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  const iso = new Date(local - (sign === '-' ? -1 : 1) * offsetMinutes * 60_000).toISOString()
  if (!/^(?!0000)\d{4}-/.test(iso)) return undefined
  const micros = fraction.slice(0, 6).padEnd(6, '0')
  return { iso: `${iso.slice(0, 19)}.${micros}Z`, exact: /^0*$/.test(fraction.slice(6)) }
}
