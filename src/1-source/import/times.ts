/** From the clock times of a file to instants: local times of a zone through both clock changes, labels of intervals. */
import { parseClock, type ClockTime, type DateOrders } from './clock.ts'

/** Local clock time → UTC in an IANA zone. */
export interface Zone {
  /** The instants that show this clock time, earlier first: one, or two in the hour that is repeated. */
  instants(localMs: number): readonly number[]
  /** Whether no clock of the zone has shown this time: the hour that spring leaves out. */
  skips(localMs: number): boolean
}

const QUARTER_MS = 900_000
const DAY_MS = 86_400_000
/** Rows out of order by so much are no clock change. */
const DISORDER_MS = 15 * 60_000

/** Throws a RangeError for a zone that is unknown. Fixed offsets such as `+01:00` are zones too. */
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
  const offsets = new Map<number, { found: readonly number[]; skipped: boolean }>()
  const offsetsOf = (localMs: number): { found: readonly number[]; skipped: boolean } => {
    const quarter = Math.floor(localMs / QUARTER_MS)
    const known = offsets.get(quarter)
    if (known) return known
    const start = quarter * QUARTER_MS
    const [before, after] = [offsetAt(start - DAY_MS), offsetAt(start + DAY_MS)]
    const showing = [...new Set([before, after])].filter((offset) => offsetAt(start - offset) === offset)
    // A clock time that is left out in spring is taken as if the clock had not been changed yet.
    const found = showing.length > 0 ? showing.toSorted((a, b) => b - a) : [before]
    if (offsets.size >= 100_000) offsets.clear()
    const entry = { found, skipped: showing.length === 0 }
    offsets.set(quarter, entry)
    return entry
  }
  return {
    instants: (localMs) => offsetsOf(localMs).found.map((offset) => localMs - offset),
    skips: (localMs) => offsetsOf(localMs).skipped,
  }
}

/** What is known of the times of a file. */
export interface TimeForm {
  zone: Zone
  orders: DateOrders
  /** Whether the file goes backwards. */
  descending: boolean
  /** Whether 00:00 of a date is the end of that day: hour-ending labels with the date of the hour. */
  midnightEnds: boolean
}

/** An event time of a file. */
export interface EventTime {
  /** ms since 1970, whole seconds. */
  ms: number
  /** Digits of the second behind the point. */
  fraction: string
  isDay: boolean
  /** ms since 1970 of the end of the day, where the text is a date alone. */
  dayEndMs: number
  /** The text, where no clock of the zone has shown that time. */
  skipped?: string
}

/**
 * Reads the times of one file in its order. A clock time that came twice (the hour that is repeated in autumn) is the
 * first of the two until the device's time runs back or stands still, then the second; in a file that goes backwards, the other way round.
 */
export class EventTimes {
  readonly #form: TimeForm
  readonly #last = new Map<string, { ms: number; stepMs: number; repeats: boolean }>()

  constructor(form: TimeForm) {
    this.#form = form
  }

  /** Undefined where the text names no time. */
  read(text: string, device: string): EventTime | undefined {
    const clock = parseClock(text.trim(), this.#form.orders)
    if (!clock) return undefined
    const isLocal = clock.offsetMinutes === undefined
    const localMs = isLocal ? this.#dayEnded(clock) : clock.ms
    const ms = isLocal ? this.#local(localMs, device) : clock.ms - clock.offsetMinutes! * 60_000
    if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return undefined
    const before = this.#last.get(device)
    const stepMs = before ? Math.abs(ms - before.ms) : 0
    const repeats = (before?.repeats ?? false) || (before !== undefined && stepMs === 0)
    this.#last.set(device, { ms, stepMs, repeats })
    const { zone } = this.#form
    return {
      ms,
      fraction: clock.fraction,
      isDay: clock.isDay ?? false,
      dayEndMs: clock.isDay ? zone.instants(localMs + DAY_MS)[0]! : ms,
      ...(isLocal && zone.skips(localMs) && { skipped: text.trim() }),
    }
  }

  #dayEnded({ ms, isDay }: ClockTime): number {
    return this.#form.midnightEnds && !isDay && ms % DAY_MS === 0 ? ms + DAY_MS : ms
  }

  #local(localMs: number, device: string): number {
    const instants = this.#form.zone.instants(localMs)
    const [earlier, later = earlier] = instants as [number, number?]
    if (earlier === later) return earlier
    const last = this.#last.get(device)
    if (last === undefined) return this.#form.descending ? later : earlier
    // Hours follow each other with the same label; where labels came twice before, it is a row that stands twice.
    const isNextStep = last.stepMs > DISORDER_MS && !last.repeats
    if (this.#form.descending)
      return later > last.ms + DISORDER_MS || (later === last.ms && isNextStep) ? earlier : later
    return earlier < last.ms - DISORDER_MS || (earlier === last.ms && isNextStep) ? later : earlier
  }
}

/** ISO 8601 in UTC, at most microseconds. */
export function isoTime(ms: number, fraction = ''): string {
  const digits = fraction.slice(0, 6).replace(/0+$/, '')
  return new Date(ms).toISOString().slice(0, 19) + (digits === '' ? 'Z' : `.${digits}Z`)
}
