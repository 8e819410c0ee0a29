/** The devices of a home: what they are, whether they report, what they said. A number that is not known is null; never 0. */
import { z } from 'zod'
import { Instant, LocalDate, TenantId } from './contract-common.ts'

const DeviceId = z.string().min(1).max(512)

export const Presence = z.enum(['online', 'offline', 'silent', 'unknown', 'merged', 'retired']).meta({
  description: 'offline: its availability topic, last will or status says so; silent: nothing came.',
})
export type Presence = z.infer<typeof Presence>

export const DeviceRow = z.object({
  device_id: z.string(),
  name: z.string().nullable().meta({ description: 'What people call it.' }),
  device_type: z.string().nullable(),
  location: z.string().nullable(),
  user_id: z.string().nullable(),
  manufacturer: z.string().nullable(),
  model: z.string().nullable(),
  protocol: z.string().nullable(),
  origin: z
    .enum(['file', 'person', 'discovered'])
    .nullable()
    .meta({ description: 'Where the catalogue has it from; null: its readings only.' }),
  presence: Presence,
  merged_into: z.string().nullable(),
  retired_on: LocalDate.nullable(),
  last_seen: Instant.nullable(),
  power_w: z
    .number()
    .nullable()
    .meta({ description: 'Newest power, summed over its channels, as received.' }),
  temperature_c: z.number().nullable().meta({ description: 'Newest temperature, as received.' }),
  today_kwh: z.number().nullable().meta({ description: 'Energy of the local day so far.' }),
  health_score: z.number().nullable().meta({ description: '0–1, of its newest day with readings.' }),
  failure_probability: z.number().nullable().meta({ description: '0–1, by rule.' }),
  main_cause: z.string().nullable().meta({ description: 'What takes most from its health.' }),
  battery_pct: z.number().nullable(),
  link_quality: z.number().nullable().meta({ description: 'As the radio tells it, 0–255.' }),
  rssi_dbm: z.number().nullable(),
  clock_offset_s: z.number().nullable().meta({ description: 'How far its clock is ahead.' }),
  sparkline: z
    .array(z.number().nullable())
    .meta({ description: 'kWh of each of the last 24 local hours, oldest first; null: no data.' }),
})
export type DeviceRow = z.infer<typeof DeviceRow>

export const Devices = z.object({
  tenant: z.string(),
  time_zone: z.string(),
  generated_at: Instant,
  devices: z.array(DeviceRow),
  can_change: z.boolean().meta({ description: 'Whether this server writes what people say of devices.' }),
  unknown_messages: z.int().meta({ description: 'Messages that nobody could read.' }),
})
export type Devices = z.infer<typeof Devices>

export const DeviceQuery = z.strictObject({ tenant: TenantId.optional(), device: DeviceId })

const HealthPart = z.object({
  name: z.string(),
  share: z.number().meta({ description: '0–1: what of the part is reached.' }),
  weight: z.number().meta({ description: 'Part of the score.' }),
  lost: z.number().meta({ description: 'What it takes from the score, 0–1.' }),
  text: z.string().meta({ description: 'The value that it rests on, in words.' }),
})

export const DeviceDetail = z.object({
  tenant: z.string(),
  time_zone: z.string(),
  currency: z.string(),
  generated_at: Instant,
  can_change: z.boolean(),
  device: DeviceRow,
  facts: z.object({
    first_seen: Instant.nullable(),
    messages: z.int(),
    usual_interval_s: z.number().nullable(),
    expected_interval_s: z.number().nullable(),
    time_rules: z
      .record(z.string(), z.int())
      .meta({ description: 'How many of its messages had their time by which rule.' }),
    aliases: z.array(z.string()),
    gateway: z.string().nullable(),
    parent_device_id: z.string().nullable(),
    installation_date: LocalDate.nullable(),
    rated_power_w: z.number().nullable(),
    units: z.record(z.string(), z.string()),
    merged_ids: z.array(z.string()).meta({ description: 'Other ids whose history is its own.' }),
  }),
  health: z
    .object({
      date: LocalDate,
      score: z.number(),
      risk: z.number(),
      uptime: z.number().nullable().meta({ description: '0–1.' }),
      alert_episodes: z.int().nullable(),
      parts: z.array(HealthPart),
    })
    .nullable(),
})
export type DeviceDetail = z.infer<typeof DeviceDetail>

export const DEVICE_RANGES = ['1d', '7d', '30d', '365d'] as const

export const DeviceHistoryQuery = z.strictObject({
  tenant: TenantId.optional(),
  device: DeviceId,
  range: z.enum(DEVICE_RANGES).default('1d'),
  end: LocalDate.optional().meta({
    description:
      'Last local date; without one today, or where the device has nothing in the newest days, the newest day that it has.',
  }),
})

const Column = z.array(z.number().nullable())

export const DeviceHistory = z.object({
  tenant: z.string(),
  time_zone: z.string(),
  from: LocalDate,
  to: LocalDate,
  is_open: z.boolean().meta({ description: 'Whether it ends now; else with the last date.' }),
  grain: z.enum(['quarter_hour', 'hour', 'day']),
  t: z
    .array(z.int())
    .meta({ description: 'Start of each slot, s since 1970; slots without data are there.' }),
  power_w: Column.meta({ description: 'Mean over the readings of the slot.' }),
  power_max_w: Column,
  energy_kwh: Column,
  temperature_c: Column,
  total_kwh: z.number().nullable(),
  coverage_ratio: z
    .number()
    .nullable()
    .meta({ description: '0–1: how much of the time the energy rests on.' }),
  reason: z.string().nullable(),
})
export type DeviceHistory = z.infer<typeof DeviceHistory>

export const DeviceMessagesQuery = z.strictObject({
  tenant: TenantId.optional(),
  device: DeviceId,
  limit: z.coerce.number().int().min(1).max(200).default(50),
})

export const DeviceMessages = z.object({
  tenant: z.string(),
  time_zone: z.string(),
  messages: z
    .array(
      z.object({
        arrived_at: Instant,
        timestamp: Instant.nullable(),
        channel: z.string(),
        topic: z.string().nullable(),
        protocol: z.string().nullable(),
        position: z.string().meta({ description: 'Place in the stream: partition/offset/index.' }),
        text: z
          .string()
          .meta({ description: 'What it says: the payload as received, else its fields as JSON.' }),
      }),
    )
    .meta({ description: 'Newest first, from Bronze.' }),
  rejects: z
    .array(
      z.object({
        arrived_at: Instant,
        timestamp: Instant.nullable(),
        reason: z.string(),
        detail: z.string(),
        position: z.string(),
        text: z.string(),
      }),
    )
    .meta({ description: 'Newest first, of the quarantine.' }),
  reject_count: z.int().meta({ description: 'Rejects of the days that were looked at.' }),
  reason: z.string().nullable(),
})
export type DeviceMessages = z.infer<typeof DeviceMessages>

export const UnknownMessages = z.object({
  tenant: z.string(),
  patterns: z.array(
    z.object({
      pattern: z.string().meta({ description: 'The topic, with + for what looks like an id.' }),
      why: z.string(),
      count: z.int(),
      first_seen: Instant,
      last_seen: Instant,
      topic: z.string(),
      sample: z.string(),
      proposal: z.string().nullable().meta({ description: 'A mapping for sources.mappings, as YAML.' }),
    }),
  ),
})
export type UnknownMessages = z.infer<typeof UnknownMessages>

const Said = z.string().trim().min(1).max(200).nullable()

export const DeviceChange = z
  .strictObject({
    tenant: TenantId.optional(),
    device: DeviceId,
    name: Said.optional().meta({ description: 'null: what the device or the file says.' }),
    location: Said.optional(),
    device_type: Said.optional(),
    merged_into: DeviceId.nullable()
      .optional()
      .meta({ description: 'Another device of the same home; null: undone.' }),
    retired_on: LocalDate.nullable().optional().meta({ description: 'null: in use again.' }),
  })
  .refine((change) => Object.keys(change).some((key) => key !== 'tenant' && key !== 'device'), {
    message: 'nothing is said of the device',
  })
export type DeviceChange = z.input<typeof DeviceChange>

export const DeviceChanged = z.object({
  tenant: z.string(),
  device: z.string(),
  catalogue_version: z.int().meta({ description: 'Version of reference.catalogue that has it.' }),
})
