/** One device: its facts and health with the parts of the score, its figures over time, its messages and rejects. */
import type { z } from 'zod'
import { BRONZE_TELEMETRY } from '../3-bronze/tables.ts'
import { SILVER_REJECTS } from '../4-silver/tables.ts'
import { GOLD_DAILY, GOLD_HOURLY, GOLD_QUARTER_HOURLY } from '../5-gold/tables.ts'
import type { DeviceDetail, DeviceHistory, DeviceHistoryQuery, DeviceMessages } from './contract.ts'
import { elapsedSecondsOf } from './days.ts'
import { ratio } from './decimal.ts'
import type { DevicesSource } from './devices.ts'
import { homeIn, type HomeDirectory } from './directory.ts'
import type { HealthRow } from './figures.ts'
import { lossesOf, scoreOf } from './health.ts'
import { literal, monthOf, partitionWithin, type LakeReader, type View } from './lake-reader.ts'

export const HISTORY_TABLES = [GOLD_QUARTER_HOURLY, GOLD_HOURLY, GOLD_DAILY].map(({ name }) => name)
export const MESSAGE_TABLES = [BRONZE_TELEMETRY, SILVER_REJECTS].map(({ name }) => name)

/** Ids whose messages are the device's: its own, and those merged into it. */
export function idsOf(home: HomeDirectory, device: string): string[] {
  const merged = [...home.catalogue.values()].filter(({ merged_into }) => merged_into === device)
  return [device, ...merged.map(({ device_id }) => device_id)]
}

export function factsOf(source: DevicesSource, device: string): z.infer<typeof DeviceDetail>['facts'] {
  const home = homeIn(source.directory, source.tenant)
  const listed = home.catalogue.get(device)
  const heard = source.heard.find((one) => one.tenant_id === source.tenant && one.device_id === device)
  return {
    first_seen: heard?.first_seen ?? null,
    messages: heard?.messages ?? 0,
    usual_interval_s: heard?.usual_interval_s ?? null,
    expected_interval_s: listed?.expected_interval_s ?? null,
    time_rules: { ...heard?.time_rules },
    aliases: [...(heard?.aliases ?? [])],
    gateway: heard?.gateway ?? null,
    parent_device_id: listed?.parent_device_id ?? null,
    installation_date: listed?.installation_date ?? null,
    rated_power_w: listed?.rated_power_w ?? null,
    units: { ...heard?.units },
    merged_ids: idsOf(home, device).slice(1),
  }
}

const DAY_HOURS = 24

export function healthOf(
  row: HealthRow | undefined,
  today: string,
  clock: { timeZone: string; nowMs: number },
): z.infer<typeof DeviceDetail>['health'] {
  const score = row ? scoreOf(row, today, clock) : null
  if (!row || !score) return null
  const hours = row.date === today ? elapsedSecondsOf(today, clock.timeZone, clock.nowMs) / 3600 : DAY_HOURS
  const uptime = row.uptime_percentage
  return {
    date: row.date,
    score: ratio(score.health),
    risk: ratio(score.risk),
    // Gold's is of the whole day; of the open one only what has passed can count.
    uptime: uptime === null ? null : ratio(Math.min(1, ((uptime / 100) * DAY_HOURS) / Math.max(hours, 0.25))),
    alert_episodes: row.alert_episodes,
    parts: lossesOf(row, hours).map(({ name, share, weight, loss, text }) => ({
      name,
      share: ratio(share),
      weight,
      lost: ratio(loss),
      text,
    })),
  }
}

const QUARTER_S = 900
const HOUR_S = 3600
const DAY_S = 86_400
const RANGES = {
  '1d': { days: 1, grain: 'quarter_hour', step_s: QUARTER_S },
  '7d': { days: 7, grain: 'hour', step_s: HOUR_S },
  '30d': { days: 30, grain: 'hour', step_s: HOUR_S },
  '365d': { days: 365, grain: 'day', step_s: DAY_S },
} as const

interface Slot {
  start_s: number
  power_w: number | null
  power_max_w: number | null
  kwh: number | null
  temperature_c: number | null
  covered_s: number
}

const SUMS = `
  power_sum_mw::DOUBLE / nullif(power_count, 0) / 1000 AS power_w, power_max_w::DOUBLE AS power_max_w,
  energy_wh::DOUBLE / 1000 AS kwh, temperature_sum_mc::DOUBLE / nullif(temperature_count, 0) / 1000 AS temperature_c,
  covered_s`

/** The newest days of a device, every slot of them; slots without data are null. */
export async function readHistory(
  view: View,
  of: { tenant: string; device: string; range: z.output<typeof DeviceHistoryQuery>['range'] },
  { timeZone, nowMs }: { timeZone: string; nowMs: number },
): Promise<z.infer<typeof DeviceHistory>> {
  const { days, grain, step_s } = RANGES[of.range]
  const local = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timeZone)
  const firstDay = local.toPlainDate().subtract({ days: days === 1 ? 1 : days - 1 })
  // A day is the last 24 hours; more days are whole local ones.
  const startS =
    days === 1
      ? Math.floor((nowMs / 1000 - DAY_S) / step_s) * step_s
      : firstDay.toZonedDateTime(timeZone).epochMilliseconds / 1000
  const rows = await readSlots(view, of, grain, {
    startS,
    from: firstDay.toString(),
    to: local.toPlainDate().toString(),
  })
  const slots = new Map(rows.map((row) => [row.start_s, row]))
  const t = grain === 'day' ? daysOf(firstDay, local, timeZone) : gridOf(startS, nowMs / 1000, step_s, rows)
  const column = (pick: (slot: Slot) => number | null): (number | null)[] =>
    t.map((start) => {
      const slot = slots.get(start)
      return slot ? pick(slot) : null
    })
  const known = rows.filter(({ kwh }) => kwh !== null)
  const elapsed = nowMs / 1000 - startS
  return {
    tenant: of.tenant,
    time_zone: timeZone,
    grain,
    t,
    power_w: column(({ power_w }) => power_w),
    power_max_w: column(({ power_max_w }) => power_max_w),
    energy_kwh: column(({ kwh }) => kwh),
    temperature_c: column(({ temperature_c }) => temperature_c),
    total_kwh: known.length === 0 ? null : known.reduce((sum, { kwh }) => sum + kwh!, 0),
    coverage_ratio:
      rows.length === 0
        ? null
        : ratio(Math.min(1, rows.reduce((sum, row) => sum + row.covered_s, 0) / elapsed)),
    reason: rows.length === 0 ? 'There are no readings of this device in these days.' : null,
  }
}

async function readSlots(
  view: View,
  { tenant, device }: { tenant: string; device: string },
  grain: 'quarter_hour' | 'hour' | 'day',
  { startS, from, to }: { startS: number; from: string; to: string },
): Promise<Slot[]> {
  const whose = `tenant_id = ${literal(tenant)} AND device_id = ${literal(device)}`
  const byMonth = partitionWithin('month', monthOf(from), monthOf(to))
  if (grain === 'day') {
    const days = await view.ask<Omit<Slot, 'start_s'> & { date: string }>(`
      SELECT date, mean_power_w::DOUBLE AS power_w, max_power_w::DOUBLE AS power_max_w, total_energy_wh::DOUBLE / 1000 AS kwh,
        mean_temperature_c::DOUBLE AS temperature_c, covered_s
      FROM ${view.from(GOLD_DAILY.name, byMonth)}
      WHERE ${whose} AND date BETWEEN DATE '${from}' AND DATE '${to}' ORDER BY date`)
    return days.map(({ date, ...row }) => ({ ...row, start_s: dayKey(date) }))
  }
  const since = new Date(startS * 1000).toISOString()
  const [table, start, keep] =
    grain === 'hour'
      ? ([GOLD_HOURLY.name, 'hour_start', byMonth] as const)
      : ([GOLD_QUARTER_HOURLY.name, 'quarter_hour', partitionWithin('date', from, to)] as const)
  return await view.ask<Slot>(`
    SELECT unix_micros(${start}) // 1000000 AS start_s, ${SUMS}
    FROM ${view.from(table, keep)} WHERE ${whose} AND ${start} >= TIMESTAMPTZ '${since}' ORDER BY 1`)
}

/** Days are drawn at their date, as if it were UTC: the axis names the date, whatever the clock does. */
const dayKey = (date: string): number => Date.parse(`${date}T00:00:00Z`) / 1000

function daysOf(first: Temporal.PlainDate, now: Temporal.ZonedDateTime, _zone: string): number[] {
  const days: number[] = []
  for (let day = first; Temporal.PlainDate.compare(day, now.toPlainDate()) <= 0; day = day.add({ days: 1 }))
    days.push(dayKey(day.toString()))
  return days
}

/** Slots from start to now; their grid is that of the rows, since a zone may lie half an hour beside the others. */
function gridOf(startS: number, nowS: number, stepS: number, rows: readonly Slot[]): number[] {
  const shift = rows.length === 0 ? 0 : (((rows[0]!.start_s - startS) % stepS) + stepS) % stepS
  const first = startS + shift
  const t = new Set<number>()
  for (let at = first; at <= nowS; at += stepS) t.add(at)
  for (const { start_s } of rows) t.add(start_s)
  return [...t].toSorted((a, b) => a - b)
}

/** Days of Bronze that are looked through for messages: first the newest, then more. */
const MESSAGE_DAYS = [1, 8, 60]

interface MessageRow {
  arrived_at: string
  timestamp: string | null
  channel: string | null
  topic: string | null
  protocol: string | null
  position: string
  text: string
}

const POSITION = "stream_partition || '/' || stream_offset || '/' || stream_index"
const TEXT = (rest: string): string => `coalesce(raw, to_json(struct_pack(${rest}))::VARCHAR)`
const FIELDS = [
  'device_type',
  'temperature',
  'power_usage',
  'energy_consumption_wh',
  'energy_total_wh',
  'status',
  'alert',
  'metrics',
]
const MOST_TEXT_CHARS = 4_000

/** The newest messages and rejects of a device's ids. */
export async function readMessages(
  reader: LakeReader,
  of: { tenant: string; ids: readonly string[]; limit: number },
  { timeZone }: { timeZone: string },
): Promise<z.infer<typeof DeviceMessages>> {
  const view = await reader.view(MESSAGE_TABLES)
  const messages = await newest(view, BRONZE_TELEMETRY.name, 'ingestion_date', of, '')
  const rejects = await newest(
    view,
    SILVER_REJECTS.name,
    'counted_date',
    of,
    ', reject_reason, reject_detail',
  )
  return {
    tenant: of.tenant,
    time_zone: timeZone,
    messages: messages.map(({ channel, ...row }) => ({ ...told(row), channel: channel ?? '' })),
    rejects: rejects.map((row) => {
      const { arrived_at, timestamp, position, text } = told(row)
      return { arrived_at, timestamp, position, text, reason: row.reject_reason!, detail: row.reject_detail! }
    }),
    reject_count: rejects[0]?.total ?? 0,
    reason: messages.length === 0 ? `Nothing arrived of it in ${MESSAGE_DAYS.at(-1)} days.` : null,
  }
}

type FoundRow = MessageRow & { total: number; reject_reason?: string; reject_detail?: string }

function told<Row extends { arrived_at: string; timestamp: string | null; text: string }>(row: Row): Row {
  return {
    ...row,
    arrived_at: new Date(row.arrived_at).toISOString(),
    timestamp: row.timestamp === null ? null : new Date(row.timestamp).toISOString(),
  }
}

async function newest(
  view: View,
  table: string,
  partition: string,
  { tenant, ids, limit }: { tenant: string; ids: readonly string[]; limit: number },
  more: string,
): Promise<FoundRow[]> {
  const dates = view
    .snapshot(table)
    .files.flatMap((file) => file.partition[partition] ?? [])
    .toSorted()
  const newestDate = dates.at(-1)
  let rows: FoundRow[] = []
  for (const days of newestDate === undefined ? [] : MESSAGE_DAYS) {
    const since = Temporal.PlainDate.from(newestDate!)
      .subtract({ days: days - 1 })
      .toString()
    const fields = FIELDS.map((name) => `${name} := ${name}`).join(', ')
    rows = await view.ask<FoundRow>(`
      SELECT ingestion_time AS arrived_at, timestamp, channel, source_topic AS topic, protocol, ${POSITION} AS position,
        left(${TEXT(fields)}, ${MOST_TEXT_CHARS}) AS text, count(*) OVER () AS total${more}
      FROM ${view.from(table, partitionWithin(partition, since, '9999-12-31'))}
      WHERE tenant_id = ${literal(tenant)} AND device_id IN (${ids.map(literal).join(', ')})
      ORDER BY ingestion_time DESC, stream_offset DESC, stream_index DESC LIMIT ${limit}`)
    if (rows.length >= limit) break
  }
  return rows
}
