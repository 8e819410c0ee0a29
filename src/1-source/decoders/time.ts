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

/** Many messages arrive in one millisecond, and to write a time costs a tenth of a decoder's. */
let lastMs = NaN
let lastIso = ''

function iso(ms: number): string {
  if (ms !== lastMs) {
    const whole = Math.floor(ms)
    // To the microsecond: of two messages that came in one millisecond each has a time of its own.
    const micros = Math.round((ms - whole) * 1000)
    const text = new Date(whole).toISOString()
    lastIso = micros === 0 ? text : `${text.slice(0, -1)}${String(micros).padStart(3, '0')}Z`
    lastMs = ms
  }
  return lastIso
}

/** ms of an instant, or of a clock time as if it were UTC. */
function readTime(own: unknown): { ms: number; zoned: boolean } | undefined {
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
