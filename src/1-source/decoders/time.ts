/**
 * When what a message says was true: its own time where that is plausible, else the arrival, and by which rule.
 * A clock time without a zone is one of the house's zone.
 */
import { epochMs } from '../../units.ts'
import type { Context, Lesson, TimeRule } from './decoder.ts'
import { isObject } from './message.ts'
import { numberOf } from './values.ts'

const EARLIEST_MS = Date.UTC(2000, 0, 1)
const AHEAD_MS = 10 * 60_000
const QUARTER_MS = 900_000
/** How near a clock time must be to its arrival, quarter-hours aside, to be one of another zone. */
const NEAR_MS = 90_000
/** The zones of the world span 26 hours. */
const WIDEST_ZONES_MS = 26 * 3_600_000
/** How long a clock must be behind by the same quarter-hours, by arrival, before that is its zone and not a delay. */
const ZONE_PROOF_MS = 30 * 60_000

export interface EventTime {
  /** ISO 8601, UTC. */
  timestamp: string
  rule: TimeRule
  /** The message's own time minus its arrival, ms. */
  offset_ms?: number
  /** What it teaches of this device's clock. */
  lesson?: Lesson
}

const CLOCK_TIME =
  /^(\d{4})[-.](\d{2})[-.](\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?\s?(Z|z|[+-]\d{2}:?\d{2})?$/

/** Event time of a device's message; `own` is the time that it names, in any form, undefined or null where it names none. */
export function eventTime(own: unknown, context: Context, deviceId: string): EventTime {
  const { receivedMs } = context
  if (own === undefined || own === null || own === '') return arrival('arrival', context)
  const read = readTime(own)
  if (!read) return arrival('unreadable', context)
  const ownMs = read.zoned ? read.ms : nearestLocal(read.ms, context)
  const offset_ms = Math.round(ownMs - receivedMs)
  if (ownMs < EARLIEST_MS) return { ...arrival('clock_not_set', context), offset_ms }
  if (!read.zoned && context.retained !== true) {
    const other = otherZone(ownMs, context, `clock/${deviceId}`)
    if (other?.movedMs !== undefined)
      return { timestamp: iso(other.movedMs), rule: 'other_zone', offset_ms, lesson: other.lesson }
    if (other) return { timestamp: iso(ownMs), rule: 'message', offset_ms, lesson: other.lesson }
  }
  if (offset_ms > AHEAD_MS) return { ...arrival('ahead', context), offset_ms }
  return { timestamp: iso(ownMs), rule: 'message', offset_ms }
}

function arrival(rule: TimeRule, context: Context): EventTime {
  return { timestamp: iso(context.receivedMs), rule }
}

/** Most messages are of the minute of the one before, and to write a date costs a tenth of a decoder's time. */
let lastMinute = NaN
/** `2024-01-15T10:30:` */
let minuteText = ''

function iso(ms: number): string {
  const whole = Math.floor(ms)
  const minute = Math.floor(whole / 60_000)
  if (minute !== lastMinute) {
    minuteText = new Date(minute * 60_000).toISOString().slice(0, -7)
    lastMinute = minute
  }
  const inMinute = whole - minute * 60_000
  const second = Math.floor(inMinute / 1000)
  const milli = inMinute - second * 1000
  // To the microsecond: of two messages that came in one millisecond each has a time of its own.
  const micros = Math.round((ms - whole) * 1000)
  return `${minuteText}${digits(second, 2)}.${digits(milli, 3)}${micros === 0 ? '' : digits(micros, 3)}Z`
}

function digits(value: number, length: 2 | 3): string {
  if (value >= 100 || (length === 2 && value >= 10)) return String(value)
  return (length === 3 && value < 10 ? '00' : '0') + String(value)
}

/** ms of an instant, or of a clock time as if it were UTC. */
function readTime(own: unknown): { ms: number; zoned: boolean } | undefined {
  const plain = typeof own === 'string' ? readPlainTime(own) : NaN
  if (!Number.isNaN(plain)) return { ms: plain, zoned: (own as string).length === 20 }
  const count = typeof own === 'string' && /[-:]/.test(own) ? undefined : numberOf(own)
  if (count !== undefined) {
    const ms = epochMs(count)
    return ms === undefined ? undefined : { ms, zoned: true }
  }
  const match = typeof own === 'string' && own.length <= 40 ? CLOCK_TIME.exec(own.trim()) : null
  if (!match) return undefined
  const [, year, month, day, hour, minute, second, fraction = '', zone] = match
  const date = Date.UTC(Number(year), Number(month) - 1, Number(day))
  if (new Date(date).getUTCDate() !== Number(day) || Number(hour) > 23 || Number(minute) > 59)
    return undefined
  if (Number(second) > 59) return undefined
  const ms =
    date +
    Number(hour) * 3_600_000 +
    Number(minute) * 60_000 +
    Number(second) * 1000 +
    Number(fraction.slice(0, 3).padEnd(3, '0'))
  if (zone === undefined) return { ms, zoned: false }
  if (zone.toUpperCase() === 'Z') return { ms, zoned: true }
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return { ms: ms - (zone.startsWith('-') ? -minutes : minutes) * 60_000, zoned: true }
}

/** `2024-01-15T10:30:00` and the same with `Z`, as most devices write it: ms as if it were UTC; NaN for all else, which may be a time, too. */
function readPlainTime(text: string): number {
  if (text.length !== 19 && !(text.length === 20 && text.charCodeAt(19) === 90)) return NaN
  if (text[4] !== '-' || text[7] !== '-' || text[10] !== 'T' || text[13] !== ':' || text[16] !== ':')
    return NaN
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  const hour = twoDigits(text, 11)
  const minute = twoDigits(text, 14)
  const second = twoDigits(text, 17)
  // The 29th to the 31st are left to those who know how long a month is.
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= 28 && hour <= 23 && minute <= 59 && second <= 59))
    return NaN
  return Date.UTC(twoDigits(text, 0) * 100 + twoDigits(text, 2), month - 1, day, hour, minute, second)
}

/** NaN where they are none. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48
  const ones = text.charCodeAt(at + 1) - 48
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN
}

/** Of the instants that show a clock time (two in the hour that is repeated) the one nearest to the arrival. */
function nearestLocal(localMs: number, context: Context): number {
  let nearest: number | undefined
  for (const ms of context.zone.instants(localMs))
    if (nearest === undefined || Math.abs(ms - context.receivedMs) < Math.abs(nearest - context.receivedMs))
      nearest = ms
  return nearest ?? localMs
}

/**
 * Whether a device's clock is set to another zone than the house's: off by whole quarter-hours. Ahead of the arrival that is
 * clear at once. Behind, the message may only have waited somewhere; then the time stands until the clock has been behind by
 * the same quarter-hours for half an hour of arrivals, which no queue that is worked off is. Undefined where the clock is right.
 */
function otherZone(
  ownMs: number,
  { receivedMs, lessons }: Context,
  key: string,
): { movedMs?: number; lesson: Lesson } | undefined {
  const behindMs = receivedMs - ownMs
  const quarters = Math.round(behindMs / QUARTER_MS)
  if (quarters === 0 || Math.abs(behindMs) > WIDEST_ZONES_MS) return undefined
  if (Math.abs(behindMs - quarters * QUARTER_MS) > NEAR_MS) return undefined
  const known = lessons.get(key)
  const same = isObject(known) && known.quarters === quarters && typeof known.since_ms === 'number'
  const sinceMs = same ? (known.since_ms as number) : receivedMs
  const lesson = { key, value: { quarters, since_ms: sinceMs } }
  const proven = quarters < 0 || receivedMs - sinceMs >= ZONE_PROOF_MS
  return proven ? { movedMs: ownMs + quarters * QUARTER_MS, lesson } : { lesson }
}
