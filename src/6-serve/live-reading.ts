/**
 * A reading as the live view takes it from the stream: straight, before Bronze. Rubbish is left out silently here,
 * since Bronze keeps every byte of it and Silver says what was wrong; the live view must only never break by it.
 */
import { DEFAULT_TENANT } from '../reading.ts'
import type { LiveReading } from './contract.ts'

/** A live reading with its times as numbers. */
export interface TimedReading {
  reading: LiveReading
  /** Whose device it is, where the reading says so. */
  user_id: string | null
  eventMs: number
  receivedMs: number
}

/** What the catalogue knows of a device; a reading often does not say it itself. */
export interface DeviceFacts {
  device_type: string | null
  location: string | null
}

const FUTURE_MS = 10 * 60_000
const LONGEST_NAME = 256
// Outside of these a value is an error of the sensor (Silver rejects it); one of them would flatten a whole chart.
const TEMPERATURE_C = { min: -50, max: 100 }
const POWER_W = { min: -100_000, max: 100_000 }

const INSTANT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})$/i
const utf8 = new TextDecoder('utf-8')

/** The live readings of one message: none for rubbish, for backfill, and for a time that cannot be. */
export function parseLiveReadings(
  value: Uint8Array,
  receivedMs: number,
  factsOf: (tenant: string, device: string) => DeviceFacts | undefined,
): TimedReading[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(utf8.decode(value))
  } catch {
    return []
  }
  const items: unknown[] = Array.isArray(parsed) ? parsed : [parsed]
  return items.flatMap((item) => timedReading(item, receivedMs, factsOf) ?? [])
}

function timedReading(
  item: unknown,
  receivedMs: number,
  factsOf: (tenant: string, device: string) => DeviceFacts | undefined,
): TimedReading | undefined {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined
  const fields = item as Record<string, unknown>
  if (fields.ingest_kind === 'backfill') return undefined
  const device = name(fields.device_id)
  const eventMs = instantMs(fields.timestamp)
  if (device === null || eventMs === undefined || eventMs > receivedMs + FUTURE_MS) return undefined
  const tenant = name(fields.tenant_id) ?? DEFAULT_TENANT
  const facts = factsOf(tenant, device)
  const reading: LiveReading = {
    tenant_id: tenant,
    device_id: device,
    channel: name(fields.channel) ?? '',
    timestamp: new Date(eventMs).toISOString(),
    device_type: name(fields.device_type) ?? facts?.device_type ?? null,
    location: name(fields.location) ?? facts?.location ?? null,
    temperature: numberWithin(fields.temperature, TEMPERATURE_C),
    power_usage: numberWithin(fields.power_usage, POWER_W),
    energy_consumption_wh: numberWithin(fields.energy_consumption_wh, { min: 0, max: 9e8 }),
    status: name(fields.status),
    alert: name(fields.alert),
  }
  return { reading, user_id: name(fields.user_id), eventMs, receivedMs }
}

function name(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > LONGEST_NAME) return null
  const text = value.trim()
  return text === '' ? null : text
}

function numberWithin(value: unknown, limits: { min: number; max: number }): number | null {
  return typeof value === 'number' && value >= limits.min && value <= limits.max ? value : null
}

function instantMs(value: unknown): number | undefined {
  if (typeof value !== 'string' || !INSTANT.test(value)) return undefined
  const ms = Date.parse(value.replace(' ', 'T'))
  return Number.isNaN(ms) || ms < Date.UTC(2000) ? undefined : ms
}
