import type { Column, TableDefinition } from '../lake/types.ts'
import { POSITION_COLUMNS, READING_COLUMNS } from '../3-bronze/tables.ts'

const POSITION_KEY = ['stream_topic', 'stream_partition', 'stream_offset', 'stream_index']

const EVENT_DATE: Column = {
  name: 'event_date',
  type: 'date',
  required: true,
  description: 'UTC date of the event time; partition.',
}

export const SILVER_READINGS: TableDefinition = {
  name: 'silver.readings',
  description:
    'One row per accepted arrival: validated, cleaned, enriched. Identity: tenant, device, channel, event time, event id.',
  columns: [
    ...POSITION_COLUMNS,
    ...READING_COLUMNS,
    {
      name: 'quality_score',
      type: 'decimal(9,6)',
      required: true,
      description: '0–1: 1 minus the penalties of the quality rules.',
    },
    {
      name: 'quality_reasons',
      type: 'array<string>',
      required: true,
      description: 'Rules that took points, nulled a field or marked the energy.',
    },
    { name: 'is_valid', type: 'boolean', required: true, description: 'quality_score of at least 0.5.' },
    {
      name: 'processing_delay_hours',
      type: 'double',
      required: true,
      description: 'Ingestion time minus event time, hours.',
    },
    {
      name: 'is_late_event',
      type: 'boolean',
      required: true,
      description: 'Live, and delayed by more than the watermark.',
    },
    {
      name: 'device_age_days',
      type: 'integer',
      description: "Days from the catalogue's installation date to the event date.",
    },
    {
      name: 'temp_1h_avg',
      type: 'double',
      description: "Mean temperature of the channel's last hour of event time, (t − 1 h, t], °C.",
    },
    {
      name: 'power_1h_avg',
      type: 'double',
      description: "Mean power of the channel's last hour of event time, (t − 1 h, t], W.",
    },
    {
      name: 'alert_frequency_1h',
      type: 'integer',
      required: true,
      description: 'Readings of the device with an alert in (t − 1 h, t].',
    },
    {
      name: 'energy_efficiency',
      type: 'double',
      description: 'energy_consumption_wh / power_usage where power is above zero, Wh/W.',
    },
    {
      name: 'energy_wh',
      type: 'decimal(18,9)',
      description:
        'Energy of (energy_from, energy_to], Wh; for a reported value, of the time that it covers.',
    },
    { name: 'energy_from', type: 'timestamp', description: 'Start of the energy interval (exclusive).' },
    {
      name: 'energy_to',
      type: 'timestamp',
      description: 'End of the energy interval (inclusive), at most the event time.',
    },
    {
      name: 'energy_method',
      type: 'string',
      required: true,
      description: 'reported, counter, integrated or none.',
    },
    {
      name: 'threshold_alerts',
      type: 'array<string>',
      description:
        "Alerts that the row's own values raise by the thresholds of the rules, beside the device's own in alert: high_temperature, low_temperature, high_power.",
    },
    EVENT_DATE,
  ],
  partitionBy: ['event_date'],
  sortBy: ['tenant_id', 'device_id', 'timestamp'],
  key: POSITION_KEY,
}

export const SILVER_REJECTS: TableDefinition = {
  name: 'silver.rejects',
  description: 'The quarantine: every rejected arrival, whole, with the first rule that rejected it.',
  columns: [
    ...POSITION_COLUMNS,
    ...READING_COLUMNS,
    {
      name: 'reject_reason',
      type: 'string',
      required: true,
      description: 'First rule that rejected the arrival.',
    },
    {
      name: 'reject_detail',
      type: 'string',
      required: true,
      description: 'The value and the limit, in words.',
    },
    {
      name: 'counted_date',
      type: 'date',
      required: true,
      description:
        'UTC event date; the ingestion date where the time is absent or was the reason; partition.',
    },
  ],
  partitionBy: ['counted_date'],
  sortBy: ['tenant_id', 'device_id', 'ingestion_time'],
  key: POSITION_KEY,
}

export const SILVER_DUPLICATES: TableDefinition = {
  name: 'silver.duplicates',
  description: 'Arrivals that brought nothing new, with the position of the row that each repeats.',
  columns: [
    ...POSITION_COLUMNS,
    { name: 'tenant_id', type: 'string', required: true, description: 'Home of the device.' },
    { name: 'device_id', type: 'string', required: true, description: 'Device.' },
    { name: 'channel', type: 'string', required: true, description: 'Endpoint.' },
    { name: 'timestamp', type: 'timestamp', required: true, description: 'Event time.' },
    {
      name: 'of_stream_topic',
      type: 'string',
      required: true,
      description: 'Topic of the row that it repeats.',
    },
    {
      name: 'of_stream_partition',
      type: 'integer',
      required: true,
      description: 'Partition of the row that it repeats.',
    },
    {
      name: 'of_stream_offset',
      type: 'long',
      required: true,
      description: 'Offset of the row that it repeats.',
    },
    {
      name: 'of_stream_index',
      type: 'integer',
      required: true,
      description: 'Index of the row that it repeats.',
    },
    EVENT_DATE,
  ],
  partitionBy: ['event_date'],
  sortBy: ['tenant_id', 'device_id', 'timestamp'],
  key: POSITION_KEY,
}

export const SILVER_TABLES = [SILVER_READINGS, SILVER_REJECTS, SILVER_DUPLICATES] as const
