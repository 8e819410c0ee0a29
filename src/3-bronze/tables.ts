import type { Column, TableDefinition } from '../lake/types.ts'

/** Where an arrival lies in the stream; with `ingestion_time` in front this is the total order of arrivals. */
export const POSITION_COLUMNS: readonly Column[] = [
  {
    name: 'ingestion_time',
    type: 'timestamp',
    required: true,
    description: 'When the stream accepted the message; stamped once.',
  },
  { name: 'stream_topic', type: 'string', required: true, description: 'Topic of the message.' },
  { name: 'stream_partition', type: 'integer', required: true, description: 'Partition of the message.' },
  {
    name: 'stream_offset',
    type: 'long',
    required: true,
    description: 'Offset of the message in its partition.',
  },
  {
    name: 'stream_index',
    type: 'integer',
    required: true,
    description: 'Index of the reading within the message; 0 unless the message is an array.',
  },
]

/** The fields of a reading, typed, as received. */
export const READING_COLUMNS: readonly Column[] = [
  {
    name: 'tenant_id',
    type: 'string',
    description: 'Home that the device belongs to; `home` where the sender named none.',
  },
  { name: 'device_id', type: 'string', description: 'Device, unique within its tenant.' },
  {
    name: 'channel',
    type: 'string',
    required: true,
    description: "Endpoint that measures by itself (phase, socket, probe); '' for the device itself.",
  },
  { name: 'timestamp', type: 'timestamp', description: 'Event time.' },
  { name: 'event_id', type: 'string', description: "The sender's own id of this reading." },
  {
    name: 'device_type',
    type: 'string',
    description: 'Kind of device, an open set: thermostat, smart_plug, …',
  },
  { name: 'user_id', type: 'string', description: 'Owner.' },
  { name: 'temperature', type: 'double', description: 'Temperature, °C.' },
  { name: 'power_usage', type: 'double', description: 'Power, W; greater than zero consumes.' },
  {
    name: 'energy_consumption_wh',
    type: 'double',
    description: "Energy used since this device's previous reading, Wh.",
  },
  { name: 'energy_total_wh', type: 'double', description: 'Cumulative energy counter, Wh.' },
  { name: 'status', type: 'string', description: 'online, offline, maintenance, …' },
  { name: 'alert', type: 'string', description: 'Alert named by the device; none, high_temperature, …' },
  { name: 'location', type: 'string', description: 'Where the device stands.' },
  { name: 'manufacturer', type: 'string', description: 'Who made the device.' },
  { name: 'model', type: 'string', description: 'Model of the device.' },
  {
    name: 'metrics',
    type: 'map<string,double>',
    description: 'Other numbers by name; the name ends in the unit.',
  },
  {
    name: 'ingest_kind',
    type: 'string',
    required: true,
    description: 'live, or backfill for imports and generated history.',
  },
  { name: 'protocol', type: 'string', description: 'Protocol that the reading came by.' },
  { name: 'source_topic', type: 'string', description: 'Topic or path that the reading came by.' },
  {
    name: 'raw',
    type: 'string',
    description: 'The untouched text, wherever the typed columns do not hold all of it.',
  },
  {
    name: 'faults',
    type: 'array<string>',
    description:
      'What could not be typed: not_json, not_object, or the names of fields with a value of the wrong kind.',
  },
]

export const BRONZE_TELEMETRY: TableDefinition = {
  name: 'bronze.telemetry',
  description: 'Every reading that arrived, as received. Append-only; grain: one reading of one message.',
  columns: [
    ...POSITION_COLUMNS,
    ...READING_COLUMNS,
    {
      name: 'ingestion_date',
      type: 'date',
      required: true,
      description: 'UTC date of the ingestion time; partition.',
    },
  ],
  partitionBy: ['ingestion_date'],
  sortBy: ['ingestion_time', 'stream_partition', 'stream_offset', 'stream_index'],
  key: ['stream_topic', 'stream_partition', 'stream_offset', 'stream_index'],
  properties: { 'delta.appendOnly': 'true' },
}

export const BRONZE_GAPS: TableDefinition = {
  name: 'bronze.stream_gaps',
  description:
    'Offsets of the stream that no message had when Bronze came to them. Grain: partition, landing and reason.',
  columns: [
    {
      name: 'stream_topic',
      type: 'string',
      required: true,
      description: 'The stream, as in bronze.telemetry.',
    },
    { name: 'stream_partition', type: 'integer', required: true, description: 'Partition.' },
    { name: 'first_offset', type: 'long', required: true, description: 'First offset that was missing.' },
    {
      name: 'end_offset',
      type: 'long',
      required: true,
      description: 'First offset behind the last gap.',
    },
    {
      name: 'missing_offsets',
      type: 'long',
      required: true,
      description: 'Offsets without a message between the two.',
    },
    { name: 'gaps', type: 'long', required: true, description: 'In so many pieces.' },
    {
      name: 'reason',
      type: 'string',
      required: true,
      description:
        'retention: the broker had deleted messages before they were landed. hole: compaction or a transaction, nothing is lost.',
    },
  ],
  partitionBy: [],
  sortBy: ['stream_partition', 'first_offset'],
  key: ['stream_topic', 'stream_partition', 'first_offset', 'reason'],
  properties: { 'delta.appendOnly': 'true' },
}
