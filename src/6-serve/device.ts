/** One device: its facts, its health with the parts of the score, its messages and rejects. */
import type { z } from 'zod'
import { BRONZE_TELEMETRY } from '../3-bronze/tables.ts'
import { SILVER_REJECTS } from '../4-silver/tables.ts'
import type { DeviceDetail, DeviceMessages } from './contract.ts'
import { elapsedSecondsOf } from './days.ts'
import { ratio } from './decimal.ts'
import type { DevicesSource } from './devices.ts'
import { homeIn, type HomeDirectory } from './directory.ts'
import type { HealthRow } from './figures.ts'
import { lossesOf, scoreOf } from './health.ts'
import { literal, partitionWithin, type LakeReader, type View } from './lake-reader.ts'

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
  const { rows: messages } = await newest(view, BRONZE_TELEMETRY.name, 'ingestion_date', of, '')
  const { rows: rejects, from } = await newest(
    view,
    SILVER_REJECTS.name,
    'counted_date',
    of,
    ', reject_reason, reject_detail',
  )
  const [counted] =
    from === null ? [] : await view.ask<{ n: number }>(`SELECT count(*)::DOUBLE AS n FROM ${from}`)
  return {
    tenant: of.tenant,
    time_zone: timeZone,
    messages: messages.map(({ channel, ...row }) => ({ ...told(row), channel: channel ?? '' })),
    rejects: rejects.map((row) => {
      const { arrived_at, timestamp, position, text } = told(row)
      return { arrived_at, timestamp, position, text, reason: row.reject_reason!, detail: row.reject_detail! }
    }),
    reject_count: counted?.n ?? 0,
    reason: messages.length === 0 ? `Nothing arrived of it in ${MESSAGE_DAYS.at(-1)} days.` : null,
  }
}

type FoundRow = MessageRow & { reject_reason?: string; reject_detail?: string }

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
): Promise<{ rows: FoundRow[]; from: string | null }> {
  const dates = view
    .snapshot(table)
    .files.flatMap((file) => file.partition[partition] ?? [])
    .toSorted()
  const newestDate = dates.at(-1)
  let rows: FoundRow[] = []
  let from: string | null = null
  for (const days of newestDate === undefined ? [] : MESSAGE_DAYS) {
    const since = Temporal.PlainDate.from(newestDate!)
      .subtract({ days: days - 1 })
      .toString()
    const fields = FIELDS.map((name) => `${name} := ${name}`).join(', ')
    from = `${view.from(table, partitionWithin(partition, since, '9999-12-31'))}
      WHERE tenant_id = ${literal(tenant)} AND device_id IN (${ids.map(literal).join(', ')})`
    const order = 'ORDER BY ingestion_time DESC, stream_offset DESC, stream_index DESC'
    // After an import one day holds millions: texts are made of those alone that are shown.
    rows = await view.ask<FoundRow>(`
      SELECT ingestion_time AS arrived_at, timestamp, channel, source_topic AS topic, protocol, ${POSITION} AS position,
        left(${TEXT(fields)}, ${MOST_TEXT_CHARS}) AS text${more}
      FROM (SELECT * FROM ${from} ${order} LIMIT ${limit}) ${order}`)
    if (rows.length >= limit) break
  }
  return { rows, from }
}
