/** Where a figure of Gold comes from, down to the messages in Bronze. */
import { z } from 'zod'
import { Instant, LocalDate, TenantId } from './contract-common.ts'

const Exact = z.string().meta({ description: 'Exact, with nine decimals.' })

export const WHY_FIGURES = ['daily_energy', 'daily_cost', 'health_score'] as const

export const WhyQuery = z.strictObject({
  figure: z.enum(WHY_FIGURES).default('daily_energy').meta({ description: 'What is asked after.' }),
  device: z.string().min(1).max(256).meta({ description: 'Device.' }),
  day: LocalDate.meta({ description: 'Local day of the home.' }),
  tenant: TenantId.optional(),
  at: z
    .string()
    .regex(/^([01]\d|2[0-3]):(00|15|30|45)$/)
    .optional()
    .meta({ description: 'Only the readings of the quarter-hour that begins at this local time, HH:MM.' }),
})
export type WhyQuery = z.output<typeof WhyQuery>

const Origin = z.object({
  topic: z.string(),
  partition: z.int(),
  offset: z.int(),
  index: z.int().meta({ description: 'Place in an array that was sent as one message.' }),
  file: z
    .string()
    .nullable()
    .meta({ description: 'Data file of bronze.telemetry; null: no longer kept there.' }),
  ingestion_time: Instant,
})
export type Origin = z.infer<typeof Origin>

const Part = z.object({
  reading: z.string().meta({ description: 'topic/partition/offset/index of the reading that carries it.' }),
  energy_wh: Exact,
  formula: z.string().meta({ description: 'Its share of the interval, filled in.' }),
})

const QuarterHour = z.object({
  start: Instant,
  local: z.string().meta({ description: 'Local time of its start, HH:MM.' }),
  energy_wh: Exact.nullable(),
  energy_method: z.string().nullable(),
  covered_s: z.int(),
  readings: z.int().meta({ description: 'Readings whose event time lies in it.' }),
  cost: Exact.nullable(),
  cost_formula: z.string().nullable(),
  parts: z.array(Part).meta({ description: 'Of the intervals that lie in it; together its energy.' }),
})

const ReadingOf = z.object({
  id: z.string().meta({ description: 'topic/partition/offset/index.' }),
  bronze: Origin,
  timestamp: Instant,
  channel: z.string(),
  temperature: z.number().nullable(),
  power_usage: z.number().nullable(),
  energy_consumption_wh: z.number().nullable(),
  energy_total_wh: z.number().nullable(),
  status: z.string().nullable(),
  alert: z.string().nullable(),
  quality_score: z.string(),
  quality_reasons: z.array(z.string()),
  energy_wh: Exact.nullable(),
  energy_from: Instant.nullable(),
  energy_to: Instant.nullable(),
  energy_method: z.string(),
  formula: z.string().meta({ description: 'How its energy comes about, filled in.' }),
})
export type ReadingOf = z.infer<typeof ReadingOf>

export const Why = z.object({
  tenant: z.string(),
  device_id: z.string(),
  day: LocalDate,
  time_zone: z.string(),
  start: Instant,
  end: Instant,
  figure: z.enum(WHY_FIGURES),
  table: z.string(),
  column: z.string(),
  unit: z.string(),
  value: z.string().nullable().meta({ description: 'As Gold has it, exact.' }),
  formula: z.string().meta({ description: 'The figure from what stands below it, filled in.' }),
  derived: z
    .string()
    .nullable()
    .meta({ description: 'The figure worked out anew from what is listed here.' }),
  adds_up: z.boolean().meta({ description: 'Whether the two are equal, to the last digit, on every level.' }),
  versions: z
    .record(z.string(), z.int())
    .meta({ description: 'Version of each table that the figure is made from.' }),
  quarter_hours: z.array(QuarterHour),
  readings: z.array(ReadingOf),
  duplicates: z.array(
    z.object({
      bronze: Origin,
      timestamp: Instant,
      channel: z.string(),
      of: z.string().meta({ description: 'topic/partition/offset/index of the reading that it repeats.' }),
    }),
  ),
  rejects: z.array(
    z.object({ bronze: Origin, timestamp: Instant.nullable(), reason: z.string(), detail: z.string() }),
  ),
  omitted: z
    .object({ readings: z.int(), parts: z.int(), duplicates: z.int(), rejects: z.int() })
    .meta({ description: 'Left out to keep the answer short; `at` shows a quarter-hour whole.' }),
})
export type Why = z.infer<typeof Why>
