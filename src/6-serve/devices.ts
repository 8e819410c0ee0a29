/** The devices of one home with their state, newest values and figures of the day. */
import { GOLD_DAILY, GOLD_HOURLY } from '../5-gold/tables.ts'
import type { z } from 'zod'
import type { ListedDevice } from '../reference/devices.ts'
import { byMonth, ofTenant } from './by-month.ts'
import type { DeviceRow, Presence } from './contract.ts'
import { dateAfter, spanOf, type Span } from './days.ts'
import { nano, ratio } from './decimal.ts'
import type { HeardDevice } from './device-book.ts'
import { homeIn, type Directory, type HomeDirectory } from './directory.ts'
import { FIGURE_TABLES, readHealthOf, type HealthRow } from './figures.ts'
import { scoreOf, mainCause } from './health.ts'
import type { View } from './lake-reader.ts'
import type { LiveHome } from './live-home.ts'

export const DEVICE_TABLES = FIGURE_TABLES
const SPARKLINE_HOURS = 24
const HOUR_MS = 3_600_000
/** Health is of the newest day within so many. */
const HEALTH_DAYS = 30

export interface DevicesSource {
  tenant: string
  directory: Directory
  live: LiveHome | undefined
  heard: readonly HeardDevice[]
  timeZone: string
  nowMs: number
  /** Silence after which a device counts as silent, s. */
  offlineS: number
}

/** One row per device that the catalogue, a message or a reading names; by name. */
export async function readDeviceRows(
  view: View,
  source: DevicesSource,
): Promise<z.infer<typeof DeviceRow>[]> {
  const { tenant, timeZone, nowMs } = source
  const span = spanOf({ range: 'today' }, timeZone, nowMs)
  const [today, hours, health] = await Promise.all([
    readToday(view, tenant, span),
    readHours(view, tenant, nowMs),
    readHealthOf(view, tenant, { from: dateAfter(span.today, -HEALTH_DAYS), to: span.today }),
  ])
  const home = homeIn(source.directory, tenant)
  const heard = new Map(
    source.heard.filter((one) => one.tenant_id === tenant).map((one) => [one.device_id, one]),
  )
  const figures: Figures = {
    span,
    today: new Map(today.map((row) => [row.device_id, row])),
    hours,
    health: new Map(health.map((row) => [row.device_id, row])),
    power: source.live?.power(nowMs - source.offlineS * 1000) ?? new Map(),
  }
  const ids = new Set([
    ...home.devices,
    ...heard.keys(),
    ...today.map(({ device_id }) => device_id),
    ...(source.live?.devices() ?? []),
  ])
  const rows = [...ids].map((id) => rowOf(id, { source, home, heard: heard.get(id), figures }))
  return rows.toSorted((a, b) => compare(a.name ?? a.device_id, b.name ?? b.device_id))
}

const compare = (a: string, b: string): number => a.localeCompare(b, 'en', { numeric: true })

interface Today {
  device_id: string
  device_type: string | null
  location: string | null
  user_id: string | null
  wh: string | null
}

interface Figures {
  span: Span
  today: ReadonlyMap<string, Today>
  /** Device → kWh by hour start, ms. */
  hours: ReadonlyMap<string, ReadonlyMap<number, number | null>>
  health: ReadonlyMap<string, HealthRow>
  power: ReturnType<LiveHome['power']>
}

function rowOf(
  id: string,
  of: { source: DevicesSource; home: HomeDirectory; heard: HeardDevice | undefined; figures: Figures },
): z.infer<typeof DeviceRow> {
  const { source, home, heard, figures } = of
  const listed: Partial<ListedDevice> = home.catalogue.get(id) ?? {}
  const today = figures.today.get(id)
  const latest = source.live?.latest(id)
  const health = figures.health.get(id)
  const score = health ? scoreOf(health, figures.span.today, source) : null
  const energy = nano(today?.wh ?? null)
  return {
    device_id: id,
    name: listed.name ?? null,
    device_type: listed.device_type ?? today?.device_type ?? null,
    location: listed.location ?? today?.location ?? null,
    user_id: listed.user_id ?? today?.user_id ?? null,
    manufacturer: listed.manufacturer ?? null,
    model: listed.model ?? null,
    protocol: listed.protocol ?? null,
    origin: listed.origin ?? null,
    presence: presenceOf(listed, heard, latest, source),
    merged_into: listed.merged_into ?? null,
    retired_on: listed.retired_on ?? null,
    last_seen: lastSeen(heard, latest),
    power_w: rounded(figures.power.get(id)?.power_w ?? null, 1),
    temperature_c: latest?.temperature ?? null,
    today_kwh: energy === null ? null : Number(energy) / 1e12,
    health_score: score ? ratio(score.health) : null,
    failure_probability: score ? ratio(score.risk) : null,
    main_cause: health ? mainCause(health) : null,
    battery_pct: heard?.battery_pct ?? null,
    link_quality: heard?.link_quality ?? null,
    rssi_dbm: heard?.rssi_dbm ?? null,
    clock_offset_s: heard?.clock_offset_s ?? null,
    sparkline: sparklineOf(figures.hours.get(id), source.nowMs),
  }
}

const rounded = (value: number | null, digits: number): number | null =>
  value === null ? null : Number(value.toFixed(digits))

function lastSeen(heard: HeardDevice | undefined, latest: { eventMs: number } | undefined): string | null {
  const ms = Math.max(Date.parse(heard?.last_seen ?? '') || 0, latest?.eventMs ?? 0)
  return ms === 0 ? null : new Date(ms).toISOString()
}

/** The book knows availability topics and wills; the live view whoever writes to the stream itself. */
function presenceOf(
  listed: Partial<ListedDevice>,
  heard: HeardDevice | undefined,
  latest: ReturnType<LiveHome['latest']>,
  { nowMs, offlineS }: DevicesSource,
): z.infer<typeof Presence> {
  if (listed.merged_into) return 'merged'
  if (listed.retired_on) return 'retired'
  const expectedS = listed.expected_interval_s ?? null
  const told = heard?.presence(expectedS) ?? 'unknown'
  if (!latest) return told
  if (told === 'offline' || latest.status === 'offline') return 'offline'
  const age = nowMs - latest.eventMs
  const isFresh = age <= Math.max(offlineS, 3 * (expectedS ?? 0)) * 1000
  return isFresh || told === 'online' ? 'online' : 'silent'
}

async function readToday(view: View, tenant: string, { today }: Span): Promise<Today[]> {
  return await view.ask<Today>(`
    SELECT device_id, device_type, location, user_id, total_energy_wh AS wh
    FROM ${view.from(GOLD_DAILY.name, byMonth({ from: today, to: today }))}
    WHERE ${ofTenant(tenant)} AND date = DATE '${today}'`)
}

/** Hours of the zones of the world start at whole quarter-hours; so the newest 24 are those of Gold, by their start. */
async function readHours(
  view: View,
  tenant: string,
  nowMs: number,
): Promise<Map<string, Map<number, number | null>>> {
  const since = new Date(nowMs - (SPARKLINE_HOURS + 1) * HOUR_MS).toISOString()
  const date = since.slice(0, 10)
  const around = { from: dateAfter(date, -1), to: dateAfter(date, 3) }
  const rows = await view.ask<{ device_id: string; start_us: number; kwh: number | null }>(`
    SELECT device_id, unix_micros(hour_start) AS start_us, energy_wh::DOUBLE / 1000 AS kwh
    FROM ${view.from(GOLD_HOURLY.name, byMonth(around))}
    WHERE ${ofTenant(tenant)} AND hour_start > TIMESTAMPTZ '${quarterOf(since)}'`)
  const devices = new Map<string, Map<number, number | null>>()
  for (const { device_id, start_us, kwh } of rows) {
    const hours = devices.get(device_id) ?? new Map<number, number | null>()
    hours.set(start_us / 1000, kwh)
    devices.set(device_id, hours)
  }
  return devices
}

/** A question of the same text is answered once: its time moves with the quarter-hours only. */
function quarterOf(instant: string): string {
  return new Date(Math.floor(Date.parse(instant) / 900_000) * 900_000).toISOString()
}

function sparklineOf(
  hours: ReadonlyMap<number, number | null> | undefined,
  nowMs: number,
): (number | null)[] {
  if (!hours || hours.size === 0) return []
  const newest = Math.max(...hours.keys())
  // Counted back from an hour that there is, so that zones with half hours keep their grid.
  const last = newest + Math.floor((nowMs - newest) / HOUR_MS) * HOUR_MS
  return Array.from(
    { length: SPARKLINE_HOURS },
    (_, n) => hours.get(last - (SPARKLINE_HOURS - 1 - n) * HOUR_MS) ?? null,
  )
}
