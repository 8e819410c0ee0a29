/**
 * The reading: what a device says once, as it travels on the stream (topic `smart_home.telemetry`) and as it
 * lies in Bronze. Names, units and meanings are the contract of the whole platform.
 */

export const TELEMETRY_TOPIC = 'smart_home.telemetry'
/** Copies of messages that held no reading, with where they stood in `dead_` headers. */
export const DEAD_LETTER_TOPIC = 'smart_home.telemetry.dead-letter'
/** Consumer group of the workers that land the stream in Bronze. */
export const BRONZE_GROUP = 'smarthouse-bronze'

/** Readings without a tenant belong to the person's own house. */
export const DEFAULT_TENANT = 'home'
export const DEMO_TENANT = 'demo'

export interface Reading {
  device_id: string
  device_type?: string
  user_id?: string
  /** ISO 8601 with zone; event time. */
  timestamp: string
  /** °C */
  temperature?: number
  /** W; greater than zero consumes */
  power_usage?: number
  /** Wh used since this device's previous reading */
  energy_consumption_wh?: number
  status?: string
  alert?: string
  location?: string
  manufacturer?: string
  model?: string
  tenant_id?: string
  /** The endpoint that measures by itself (phase, socket, probe); default ''. */
  channel?: string
  /** The sender's own id of this reading. */
  event_id?: string
  /** Wh, a cumulative counter. */
  energy_total_wh?: number
  /** Other numbers, each named with its unit: `humidity_pct`, `voltage_v`, … */
  metrics?: Record<string, number>
  /** `backfill` marks an import or generated history; absent = `live`. */
  ingest_kind?: 'live' | 'backfill'
  protocol?: string
  source_topic?: string
  raw?: string
}

/** The text fields, in the order of the contract. */
export const TEXT_FIELDS = [
  'device_id',
  'device_type',
  'user_id',
  'status',
  'alert',
  'location',
  'manufacturer',
  'model',
  'tenant_id',
  'channel',
  'event_id',
  'ingest_kind',
  'protocol',
  'source_topic',
  'raw',
] as const

/** The measured numbers. */
export const NUMBER_FIELDS = [
  'temperature',
  'power_usage',
  'energy_consumption_wh',
  'energy_total_wh',
] as const
