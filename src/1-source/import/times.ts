/** Event times as files write them: instants, epochs, and local clock times of a zone through both clock changes. */

export type DateOrder = 'dmy' | 'mdy' | 'ymd'

/** A clock time: milliseconds as if it were UTC, and the further digits of its second. */
interface ClockTime {
  ms: number
  fraction: string
  /** Minutes east of UTC, where the text says so. */
  offsetMinutes?: number
}

const CLOCK = String.raw`(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*([AaPp][Mm])?`
const ZONE = String.raw`\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?`
const YEAR_FIRST = new RegExp(String.raw`^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:(?:T|\s+)${CLOCK}${ZONE})?$`)
const YEAR_LAST = new RegExp(
  String.raw`^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})(?:(?:T|,?\s+)${CLOCK}${ZONE})?$`,
)
const EPOCH = /^(\d{9,17})(?:\.(\d+))?$/

/** Day, month or year first? Told by a number above 12 in a sample of times; undefined where none tells. */
export function findDateOrder(times: Iterable<string>): DateOrder | undefined {
  for (const time of times) {
    const match = YEAR_LAST.exec(time.trim())
    if (match && Number(match[1]) > 12) return 'dmy'
    if (match && Number(match[3]) > 12) return 'mdy'
  }
  return undefined
}

export function needsDateOrder(time: string): boolean {
  return YEAR_LAST.test(time.trim())
}

function clockTime(
  date: readonly [year: number, month: number, day: number],
  rest: readonly (string | undefined)[],
): ClockTime | undefined {
  const [year, month, day] = date
  const [hourText = '0', minuteText = '0', secondText = '0', fraction = '', half, zone] = rest
  let hour = Number(hourText)
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return undefined
    hour = (hour % 12) + (half.toLowerCase() === 'pm' ? 12 : 0)
  }
  const [minute, second] = [Number(minuteText), Number(secondText)]
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const ms = Date.UTC(year, month - 1, day, hour, minute, second)
  const back = new Date(ms)
  if (back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day) return undefined
  if (zone === undefined) return { ms, fraction }
  const digits = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone)
  const offset = digits ? (digits[1] === '-' ? -1 : 1) * (Number(digits[2]) * 60 + Number(digits[3] ?? 0)) : 0
  return { ms, fraction, offsetMinutes: offset }
}

/** Two digits are of this century: nobody's meter is older. */
function fullYear(year: number): number {
  return year < 100 ? 2000 + year : year
}

function parseClock(text: string, order: DateOrder | undefined): ClockTime | undefined {
  const first = YEAR_FIRST.exec(text)
  if (first) return clockTime([Number(first[1]), Number(first[3]), Number(first[4])], first.slice(5))
  const last = YEAR_LAST.exec(text)
  if (last) {
    const [a, b, c] = [Number(last[1]), Number(last[3]), Number(last[4])]
    if (order === 'dmy') return clockTime([fullYear(c), b, a], last.slice(5))
    if (order === 'mdy') return clockTime([fullYear(c), a, b], last.slice(5))
    if (order === 'ymd' && a < 100) return clockTime([fullYear(a), b, c], last.slice(5))
    return undefined
  }
  const epoch = EPOCH.exec(text)
  if (!epoch) return undefined
  // Seconds, milliseconds or microseconds since 1970, told by the number of digits.
  const [, digits, fraction = ''] = epoch
  const power = digits!.length <= 11 ? 0 : digits!.length <= 14 ? 3 : 6
  const seconds = power === 0 ? digits! : digits!.slice(0, -power)
  const rest = power === 0 ? '' : digits!.slice(-power)
  return { ms: Number(seconds) * 1000, fraction: rest + fraction, offsetMinutes: 0 }
}

/** Local clock time → UTC in an IANA zone. */
export interface Zone {
  /** The instants that show this clock time, earlier first: one, or two in the hour that is repeated. */
  instants(localMs: number): readonly number[]
}

const QUARTER_MS = 900_000
const DAY_MS = 86_400_000
/** Rows out of order by so much are no clock change. */
const DISORDER_MS = 15 * 60_000

/** Throws a RangeError for a zone that is unknown. */
export function openZone(timeZone: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const offsetAt = (ms: number): number => {
    const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]))
    const { year, month, day, hour, minute, second } = parts as Record<string, number>
    return Date.UTC(year!, month! - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000
  }
  // Clocks change on quarter-hours, so the offsets of a quarter-hour hold for all of it.
  const offsets = new Map<number, readonly number[]>()
  const offsetsOf = (localMs: number): readonly number[] => {
    const quarter = Math.floor(localMs / QUARTER_MS)
    const known = offsets.get(quarter)
    if (known) return known
    const start = quarter * QUARTER_MS
    const [before, after] = [offsetAt(start - DAY_MS), offsetAt(start + DAY_MS)]
    const showing = [...new Set([before, after])].filter((offset) => offsetAt(start - offset) === offset)
    // A clock time that is left out in spring is taken as if the clock had not been changed yet.
    const found = showing.length > 0 ? showing.toSorted((a, b) => b - a) : [before]
    if (offsets.size >= 100_000) offsets.clear()
    offsets.set(quarter, found)
    return found
  }
  return { instants: (localMs) => offsetsOf(localMs).map((offset) => localMs - offset) }
}

/**
 * Reads the times of one file in its order. A clock time that came twice (the hour that is repeated in autumn) is the
 * first of the two until the device's time runs back, then the second; in a file that goes backwards, the other way round.
 */
export class EventTimes {
  readonly #zone: Zone
  readonly #order: DateOrder | undefined
  readonly #descending: boolean
  readonly #lastMs = new Map<string, number>()

  constructor(zone: Zone, order: DateOrder | undefined, descending: boolean) {
    this.#zone = zone
    this.#order = order
    this.#descending = descending
  }

  /** ISO 8601 in UTC, at most microseconds; undefined where the text names no time. */
  parse(text: string, device: string): string | undefined {
    const clock = parseClock(text.trim(), this.#order)
    if (!clock) return undefined
    const ms =
      clock.offsetMinutes === undefined
        ? this.#local(clock.ms, device)
        : clock.ms - clock.offsetMinutes * 60_000
    if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return undefined
    this.#lastMs.set(device, ms)
    const fraction = clock.fraction.slice(0, 6).replace(/0+$/, '')
    return new Date(ms).toISOString().slice(0, 19) + (fraction === '' ? 'Z' : `.${fraction}Z`)
  }

  #local(localMs: number, device: string): number {
    const instants = this.#zone.instants(localMs)
    const [earlier, later = earlier] = instants as [number, number?]
    const last = this.#lastMs.get(device)
    if (this.#descending) return last !== undefined && later > last + DISORDER_MS ? earlier : later
    return last !== undefined && earlier < last - DISORDER_MS ? later : earlier
  }
}
