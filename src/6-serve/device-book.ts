/** What the routes need of the devices' own book, which lies beside the lake: who was heard, and what people say. */
import type { DeviceChange } from './contract.ts'

/** A device as its messages show it. */
export interface HeardDevice {
  tenant_id: string
  device_id: string
  /** By availability, last will and silence; the interval is the catalogue's where that says one. */
  presence(expectedIntervalS: number | null): 'online' | 'offline' | 'silent' | 'unknown'
  first_seen: string | null
  last_seen: string | null
  messages: number
  usual_interval_s: number | null
  clock_offset_s: number | null
  time_rules: Readonly<Record<string, number>>
  battery_pct: number | null
  link_quality: number | null
  rssi_dbm: number | null
  aliases: readonly string[]
  gateway: string | null
  units: Readonly<Record<string, string>>
}

/** Messages of one pattern that nobody could read. */
export interface UnreadMessages {
  tenant_id: string
  pattern: string
  why: string
  count: number
  first_seen: string
  last_seen: string
  topic: string
  sample: string
  /** As YAML for `sources.mappings`. */
  proposal: string | null
}

export interface DeviceBook {
  heard(): readonly HeardDevice[]
  unread(): readonly UnreadMessages[]
  /** Writes what a person says; resolves with the version of the catalogue that has it. */
  change(tenant: string, change: Omit<DeviceChange, 'tenant'>): Promise<number>
}
