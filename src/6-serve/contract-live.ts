/** Live values: the last readings, columns for the charts, and the events of the stream. */
import { z } from 'zod'
import { Alert, Instant, TenantId } from './contract-common.ts'
import { PowerNow } from './contract-overview.ts'
import { DataStatus } from './contract-status.ts'

/** A reading as the live view shows it; names and units are those of the telemetry contract. */
export const LiveReading = z.object({
  tenant_id: z.string(),
  device_id: z.string(),
  channel: z.string(),
  timestamp: Instant.meta({ description: 'Event time.' }),
  device_type: z.string().nullable(),
  location: z.string().nullable(),
  temperature: z.number().nullable().meta({ description: '°C' }),
  power_usage: z.number().nullable().meta({ description: 'W' }),
  energy_consumption_wh: z.number().nullable(),
  status: z.string().nullable(),
  alert: z.string().nullable(),
})
export type LiveReading = z.infer<typeof LiveReading>

export const RecentQuery = z.strictObject({
  tenant: TenantId.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})

export const RecentReadings = z.object({
  tenant: z.string(),
  source: z.enum(['live', 'silver']).meta({
    description: '`live`: as received from the stream, unchecked; `silver`: from the lake, just started.',
  }),
  readings: z.array(LiveReading).meta({ description: 'Newest event time first.' }),
  reason: z.string().nullable().meta({ description: 'Why there is none.' }),
})
export type RecentReadings = z.infer<typeof RecentReadings>

export const SeriesQuery = z.strictObject({
  tenant: TenantId.optional(),
  minutes: z.coerce.number().int().min(1).max(60).default(5),
})

const Columns = z.record(z.string(), z.array(z.number().nullable()))

export const LiveSeries = z.object({
  tenant: z.string(),
  bucket_s: z.number(),
  /** Unix seconds: what the chart wants on its x axis. */
  t: z.array(z.int()).meta({ description: 'Start of each bucket, Unix seconds, ascending, no gaps.' }),
  power: Columns.meta({ description: 'W by device: the last value in the bucket; null: none.' }),
  temperature: Columns.meta({ description: '°C by device: the last value in the bucket; null: none.' }),
  devices: z.record(
    z.string(),
    z.object({ device_type: z.string().nullable(), location: z.string().nullable() }),
  ),
  omitted_devices: z.int().meta({ description: 'Devices left out; the largest by power are kept.' }),
  reason: z.string().nullable(),
})
export type LiveSeries = z.infer<typeof LiveSeries>

/**
 * The events of `/api/v1/live`, by their names. `id` is `<epoch>-<seq>`; send it back as `Last-Event-ID` to go
 * on where it ended. `resync`: events are gone that were not sent; a `snapshot` follows, refetch the rest.
 */
export const LIVE_EVENTS = {
  snapshot: z.object({
    tenant: z.string(),
    readings: z.array(LiveReading).meta({ description: 'The last readings, newest first.' }),
    alerts: z.array(Alert).meta({ description: 'All that are open.' }),
    power_now: PowerNow,
  }),
  readings: z.object({
    readings: z.array(LiveReading).meta({ description: 'In the order of arrival.' }),
    omitted: z
      .int()
      .meta({ description: 'Readings left out of this batch; the newest of each device are in.' }),
  }),
  power: PowerNow.meta({ description: 'Once a second where it has changed.' }),
  status: DataStatus,
  alert: Alert,
  resync: z.object({ reason: z.enum(['gap', 'restarted', 'slow']) }),
} as const

export type LiveEventName = keyof typeof LIVE_EVENTS
export type LiveEvent<Name extends LiveEventName> = z.infer<(typeof LIVE_EVENTS)[Name]>
