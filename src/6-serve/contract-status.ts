/** How the platform itself is: the tables, the stages, the stream, the homes. */
import { z } from 'zod'
import { Instant } from './contract-common.ts'

export const Home = z.object({
  tenant: z.string(),
  simulated: z.boolean(),
  has_data: z.boolean(),
  devices: z.int().meta({ description: 'Devices known: by the catalogue or by a reading.' }),
  last_reading_at: Instant.nullable().meta({
    description: 'Newest live reading since the start of the server.',
  }),
})
export const Homes = z.object({
  homes: z.array(Home),
  default: z.string().meta({ description: 'Which one to open: a real one as soon as it has data.' }),
})
export type Homes = z.infer<typeof Homes>

const STATES = ['ok', 'stale', 'empty', 'error'] as const

export const TableStatus = z.object({
  name: z.string().meta({ description: 'layer.table' }),
  files: z.int(),
  rows: z.int(),
  bytes: z.int(),
  version: z.int().meta({ description: '-1: the table does not exist yet.' }),
  updated_at: Instant.nullable(),
  problem: z.string().nullable().meta({
    description: 'Why it cannot be read, or why the version before its newest entry is; null: nothing.',
  }),
})

export const LayerStatus = z.object({
  layer: z.string().meta({ description: 'bronze, silver, gold, reference, …' }),
  state: z.enum(STATES),
  reason: z.string().meta({ description: 'What the state is derived from, one sentence.' }),
  files: z.int(),
  rows: z.int(),
  bytes: z.int(),
  updated_at: Instant.nullable(),
  lag: z
    .object({
      unit: z.enum(['messages', 'commits']),
      value: z.int().meta({ description: 'Input that is there and not yet worked off.' }),
    })
    .nullable(),
  last_step_ms: z.number().nullable().meta({
    description: 'How long the stage that fills it worked when it last found something, ms; null: not known.',
  }),
  tables: z.array(TableStatus),
})

/** What the supervisor knows of a part that it runs. */
export const PartStatus = z.object({
  name: z.string().meta({ description: 'simulator, bronze, silver, gold, …' }),
  state: z.enum(['running', 'waiting', 'restarting', 'failed', 'stopped']),
  since: Instant,
  restarts: z.int(),
  pending: z.int().nullable().meta({ description: 'Arrivals taken note of, not yet in a table.' }),
  last_error: z.string().nullable(),
  memory_bytes: z.int().nullable().meta({ description: 'Resident memory, bytes.' }),
  event_loop_delay_ms: z.number().nullable().meta({
    description: 'How late its timers fired in the seconds before, 99th percentile, ms.',
  }),
  figures: z.record(z.string(), z.number()).meta({
    description:
      'What the part counts since it was started: rows and steps of a stage, their milliseconds, …',
  }),
})
export type PartStatus = z.infer<typeof PartStatus>

export const StreamStatus = z.object({
  topic: z.string(),
  partitions: z.array(
    z.object({
      partition: z.int(),
      start: z.int().meta({ description: 'Oldest kept offset.' }),
      end: z.int().meta({ description: 'Offset that the next message will get.' }),
      landed: z.int().meta({ description: 'Next offset that Bronze will read.' }),
      lag: z.int().meta({ description: 'Messages accepted, not yet in Bronze.' }),
    }),
  ),
  dropped: z
    .int()
    .meta({ description: 'Messages that were accepted and are gone before Bronze had them; 0.' }),
})

export const DataStatus = z.object({
  generated_at: Instant,
  state: z.enum(STATES).meta({ description: 'The worst of the layers and of the parts.' }),
  reason: z.string(),
  layers: z.array(LayerStatus),
  stream: StreamStatus.nullable().meta({
    description: 'null: this server reads the lake only, or the stream does not answer (`reason`).',
  }),
  parts: z.array(PartStatus),
})
export type DataStatus = z.infer<typeof DataStatus>
export type LayerStatus = z.infer<typeof LayerStatus>

export const Health = z.object({
  status: z.enum(['ok', 'degraded']),
  reason: z.string().nullable(),
  version: z.string(),
  uptime_s: z.number(),
})
