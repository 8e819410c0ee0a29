/** The stream as it is seen from outside: topics, consumer groups and their lag, messages, dead letters. */
import { z } from 'zod'
import { Instant } from './contract-common.ts'

const Trend = z
  .number()
  .nullable()
  .meta({ description: 'Messages a second by which the lag grows (below 0: shrinks); null: not known yet.' })

export const StreamPartition = z.object({
  partition: z.int(),
  start: z.int().meta({ description: 'Oldest kept offset.' }),
  end: z.int().meta({ description: 'Offset that the next message will get.' }),
  rate_per_s: z.number().nullable().meta({ description: 'Messages taken in the last minute, per second.' }),
  leader: z.int().nullable().meta({ description: 'Node; null on the embedded log, or where there is none.' }),
  replicas: z.array(z.int()),
  in_sync: z.array(z.int()),
})

export const StreamTopic = z.object({
  topic: z.string(),
  kind: z.enum(['telemetry', 'dead_letter', 'other']),
  partitions: z.array(StreamPartition),
  messages: z.int().meta({ description: 'Offsets that are kept; marks of transactions are among them.' }),
  rate_per_s: z.number().nullable(),
  bytes: z.int().nullable().meta({ description: 'On the disk, without the copies of other replicas.' }),
  retention_ms: z.int().nullable().meta({
    description: 'How long messages are kept, on the embedded log after Bronze has them; null: for ever.',
  }),
  replication: z.int(),
})

export const StreamGroup = z.object({
  group: z.string(),
  state: z.string().meta({ description: "The adapter's own word: stable, empty, embedded, …" }),
  members: z.array(z.object({ client: z.string(), host: z.string(), partitions: z.array(z.string()) })),
  lag: z.int().meta({ description: 'Offsets taken and not yet read, of all its partitions.' }),
  lag_trend_per_s: Trend,
  lag_history: z
    .array(z.int())
    .meta({ description: 'The lag every `sample_s` seconds while somebody looks, oldest first.' }),
  partitions: z.array(
    z.object({
      topic: z.string(),
      partition: z.int(),
      committed: z.int().meta({ description: 'The offset that the group reads next.' }),
      end: z.int(),
      lag: z.int(),
      lag_trend_per_s: Trend,
    }),
  ),
})

export const Streams = z.object({
  adapter: z.enum(['embedded', 'kafka']),
  where: z.string().meta({ description: 'The brokers, or the folder of the embedded log.' }),
  generated_at: Instant,
  sample_s: z.number(),
  topics: z.array(StreamTopic),
  groups: z.array(StreamGroup),
})
export type Streams = z.infer<typeof Streams>
export type StreamTopic = z.infer<typeof StreamTopic>
export type StreamGroup = z.infer<typeof StreamGroup>

const CURSOR = /^\d{1,6}:\d{1,16}(?:,\d{1,6}:\d{1,16})*$/

export const StreamMessagesQuery = z.strictObject({
  topic: z.string().min(1).max(249),
  partition: z.coerce.number().int().min(0).max(999_999).optional(),
  offset: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional().meta({
    description: 'From this offset on, in each partition.',
  }),
  since: z.iso.datetime({ offset: true }).optional().meta({
    format: 'date-time',
    pattern: undefined,
    description: 'From this time on: when the stream took the message.',
  }),
  after: z.string().regex(CURSOR).optional().meta({
    description: '`next` of an answer: what has come since.',
  }),
  key: z.string().max(1000).optional().meta({ description: 'Only messages of this key.' }),
  text: z.string().min(1).max(1000).optional().meta({
    description: 'Only messages in whose key, value or headers this stands.',
  }),
  path: z.string().min(1).max(1000).optional().meta({
    description: 'Only JSON with this, for example `$.device_id=plug-1` or `$.alert`.',
  }),
  limit: z.coerce.number().int().min(1).max(500).default(50).meta({
    description: 'Messages of each partition.',
  }),
  full: z.enum(['true', 'false']).default('false').meta({
    description: 'Values whole; otherwise each is cut after 2,000 bytes. Only with `limit` 1.',
  }),
})

export const StreamMessage = z.object({
  partition: z.int(),
  offset: z.int(),
  time: Instant.meta({ description: 'When the stream took it.' }),
  key: z.string().nullable(),
  headers: z.record(z.string(), z.string()),
  kind: z.enum(['json', 'registry_json', 'text', 'binary', 'tombstone']).meta({
    description: '`registry_json`: behind the prefix of a schema registry; `tombstone`: without a value.',
  }),
  text: z.string().nullable().meta({ description: 'The value as text; null where it is none.' }),
  raw: z.string().meta({ description: 'The value as it came, base64.' }),
  bytes: z.int().meta({ description: 'Length of the whole value.' }),
  cut: z.boolean().meta({ description: 'Whether `text` and `raw` are only its beginning.' }),
})
export type StreamMessage = z.infer<typeof StreamMessage>

export const StreamMessages = z.object({
  topic: z.string(),
  messages: z.array(StreamMessage).meta({ description: 'In the order in which the stream took them.' }),
  next: z.string().meta({ description: 'For `after`; empty where the topic has no such partition.' }),
  scanned: z
    .int()
    .meta({ description: 'Messages looked at; at most some 50,000, or 32 MiB, for one answer.' }),
})
export type StreamMessages = z.infer<typeof StreamMessages>

export const ReplayRequest = z.union([
  z.strictObject({ partition: z.int().min(0), offset: z.int().min(0) }),
  z.strictObject({ all: z.literal(true) }),
])
export type ReplayRequest = z.infer<typeof ReplayRequest>

export const Replayed = z.object({ replayed: z.int().meta({ description: 'Messages put back.' }) })
export type Replayed = z.infer<typeof Replayed>
