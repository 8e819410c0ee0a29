/** When and how a device was heard: presence, usual interval, clock, battery and link. */
import type { Reading } from '../../reading.ts'
import type { Clock, Presence, TimeRule } from '../decoders/decoder.ts'

export interface Heard {
  firstMs: number | null
  lastMs: number | null
  messages: number
  /** What its availability topic or last will said last, and when. */
  told: Presence['status'] | null
  toldMs: number | null
  batteryPct: number | null
  linkQuality: number | null
  rssiDbm: number | null
  /** Newest times between messages, ms; oldest first. */
  gapsMs: number[]
  /** Newest differences of the device's clock to the arrival, ms; oldest first. */
  offsetsMs: number[]
  /** How many of its messages had their time by which rule. */
  timeRules: Partial<Record<TimeRule, number>>
}

/** So many of the newest gaps and offsets tell the usual one. */
const REMEMBERED = 16
/** Messages nearer to each other than this are parts of one report. */
const ONE_REPORT_MS = 500

export function heardNothing(): Heard {
  return {
    firstMs: null,
    lastMs: null,
    messages: 0,
    told: null,
    toldMs: null,
    batteryPct: null,
    linkQuality: null,
    rssiDbm: null,
    gapsMs: [],
    offsetsMs: [],
    timeRules: {},
  }
}

/** Takes one message of the device in; changes `heard`. */
export function hear(
  heard: Heard,
  {
    receivedMs,
    readings,
    presence,
    clock,
  }: {
    receivedMs: number
    readings: readonly Reading[]
    presence: Presence['status'] | undefined
    clock: Clock | undefined
  },
): void {
  // A will is told by the broker: it is not the device that is heard.
  const isWill = presence === 'offline'
  if (!isWill) {
    heard.firstMs ??= receivedMs
    const gapMs = receivedMs - (heard.lastMs ?? receivedMs)
    if (gapMs >= ONE_REPORT_MS) heard.gapsMs = [...heard.gapsMs, gapMs].slice(-REMEMBERED)
    heard.lastMs = Math.max(heard.lastMs ?? 0, receivedMs)
    heard.messages += 1
  }
  if (presence !== undefined) {
    heard.told = presence
    heard.toldMs = receivedMs
  }
  for (const { metrics } of readings) {
    heard.batteryPct = metrics?.battery_pct ?? heard.batteryPct
    heard.linkQuality = metrics?.link_quality ?? heard.linkQuality
    heard.rssiDbm = metrics?.rssi_dbm ?? heard.rssiDbm
  }
  if (!clock || isWill) return
  heard.timeRules = { ...heard.timeRules, [clock.rule]: (heard.timeRules[clock.rule] ?? 0) + 1 }
  if (clock.offset_ms !== undefined)
    heard.offsetsMs = [...heard.offsetsMs, clock.offset_ms].slice(-REMEMBERED)
}

/** The usual time between reports: the lower median of the newest; null before there are three. */
export function intervalMs({ gapsMs }: Heard): number | null {
  if (gapsMs.length < 3) return null
  return gapsMs.toSorted((a, b) => a - b)[Math.floor((gapsMs.length - 1) / 2)]!
}

/**
 * How far the device's clock is ahead (+) or behind (−). Each message takes some time to arrive, which makes the clock look
 * behind; so the largest of the newest differences, that of the message that took the least, is nearest to it.
 */
export function clockOffsetMs({ offsetsMs }: Heard): number | null {
  return offsetsMs.length === 0 ? null : Math.max(...offsetsMs)
}

export type PresenceNow = 'online' | 'offline' | 'silent' | 'unknown'

/**
 * `offline`: its availability topic or will says so, and nothing has come since; `silent`: nothing came for three of its
 * intervals and for `silentAfterMs`.
 */
export function presenceOf(
  heard: Heard,
  options: { nowMs: number; silentAfterMs: number; expectedIntervalMs: number | null },
): PresenceNow {
  const { told, toldMs, lastMs } = heard
  if (told === 'offline' && toldMs! >= (lastMs ?? 0)) return 'offline'
  if (lastMs === null) return 'unknown'
  const interval = options.expectedIntervalMs ?? intervalMs(heard) ?? 0
  return options.nowMs - lastMs > Math.max(options.silentAfterMs, 3 * interval) ? 'silent' : 'online'
}
