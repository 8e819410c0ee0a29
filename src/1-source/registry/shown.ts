/** What is known of a device's messages, as people and programs are told it: times as instants, durations in seconds. */
import { clockOffsetMs, intervalMs, presenceOf, type PresenceNow } from './heard.ts'
import type { KnownDevice } from './registry.ts'

const iso = (ms: number | null | undefined): string | null =>
  ms === null || ms === undefined ? null : new Date(ms).toISOString()
const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000)

/** Of a device that was never heard: nothing, and nulls. */
export function shownOf(device: KnownDevice | undefined) {
  return {
    first_seen: iso(device?.firstMs),
    last_seen: iso(device?.lastMs),
    messages: device?.messages ?? 0,
    usual_interval_s: seconds(device ? intervalMs(device) : null),
    clock_offset_s: seconds(device ? clockOffsetMs(device) : null),
    time_rules: device?.timeRules ?? {},
    battery_pct: device?.batteryPct ?? null,
    link_quality: device?.linkQuality ?? null,
    rssi_dbm: device?.rssiDbm ?? null,
    aliases: device?.facts.aliases ?? [],
    gateway: device?.facts.parent_device_id ?? null,
    units: device?.facts.units ?? {},
  }
}

export function shownPresence(
  device: KnownDevice | undefined,
  of: { nowMs: number; silentAfterS: number; expectedIntervalS: number | null },
): PresenceNow {
  if (!device) return 'unknown'
  return presenceOf(device, {
    nowMs: of.nowMs,
    silentAfterMs: of.silentAfterS * 1000,
    expectedIntervalMs: of.expectedIntervalS === null ? null : of.expectedIntervalS * 1000,
  })
}
