/** What the Overview shows, in one answer. A number that is not known is null, beside the reason; never 0. */
import { z } from 'zod'
import { Alert, Definition, Instant, LocalDate, TenantId } from './contract-common.ts'

export const RANGES = ['today', 'yesterday', '7d', '30d', 'month', 'custom'] as const

export const OverviewQuery = z.strictObject({
  tenant: TenantId.optional(),
  range: z.enum(RANGES).default('today').meta({
    description:
      "The home's local days: today, yesterday, the last 7 or 30 days with today, this calendar month, or custom with from and to.",
  }),
  from: LocalDate.optional().meta({ description: 'First local day; with range=custom only.' }),
  to: LocalDate.optional().meta({ description: 'Last local day, inclusive; with range=custom only.' }),
})
export type OverviewQuery = z.input<typeof OverviewQuery>

const Sparkline = z.object({
  grain: z.enum(['hour', 'day']),
  t: z.array(Instant).meta({ description: 'Start of each local hour or day.' }),
  value: z.array(z.number().nullable()).meta({ description: 'In the unit of the figure; null: no data.' }),
})

const Delta = z.object({
  absolute: z.number(),
  ratio: z.number().nullable().meta({ description: '0.1 = 10 % more; null where it was 0 before.' }),
  previous: z.number(),
  current: z.number().meta({ description: 'The part of the value that is compared: up to compared_to.' }),
  compared_to: z
    .object({ from: Instant, to: Instant })
    .meta({ description: 'The same elapsed part of the period before.' }),
  text: z.string().meta({ description: 'With what it is compared, for example "yesterday until 14:30".' }),
})

const kpi = {
  value: z.number().nullable(),
  unit: z.string(),
  reason: z.string().nullable().meta({ description: 'Why there is no value.' }),
  delta: Delta.nullable(),
  delta_reason: z.string().nullable().meta({ description: 'Why there is nothing to compare with.' }),
  sparkline: Sparkline,
  coverage_ratio: z
    .number()
    .nullable()
    .meta({ description: '0–1: how much of the elapsed time the value rests on.' }),
  partial: z.boolean().meta({ description: 'The range holds the open day.' }),
  definition: Definition,
}
export const Kpi = z.object(kpi)
export type Kpi = z.infer<typeof Kpi>

export const PowerNow = z.object({
  value_w: z.number().nullable(),
  reason: z.string().nullable(),
  cost_per_hour: z.number().nullable().meta({ description: "In the house's currency." }),
  devices: z.int().meta({ description: 'Devices whose power is in the sum.' }),
  as_of: Instant.nullable().meta({ description: 'Event time of the newest value in the sum.' }),
  within_s: z
    .number()
    .meta({ description: 'Silence after which a last value is not "now" any more (alerts.offline_s), s.' }),
  definition: Definition,
})

export const EnergyByType = z.object({
  rows: z
    .array(
      z.object({
        device_type: z.string(),
        energy_kwh: z.number(),
        cost: z.number().nullable(),
        share: z.number().meta({ description: '0–1 of the total.' }),
        devices: z.int(),
      }),
    )
    .meta({ description: 'Largest first; types without energy are left out.' }),
  untracked_kwh: z
    .number()
    .nullable()
    .meta({ description: 'What meters counted and no device behind them; null without such meters.' }),
  reason: z.string().nullable(),
  definition: Definition,
})

export const DeviceHealth = z.object({
  device_id: z.string(),
  device_type: z.string().nullable(),
  location: z.string().nullable(),
  date: LocalDate.meta({ description: "The device's newest day in the range." }),
  health_score: z.number(),
  failure_probability: z.number(),
  data_reliability: z.number().nullable(),
  main_cause: z
    .string()
    .nullable()
    .meta({ description: 'What takes most from the health, one phrase; null at full health.' }),
})

export const HealthVsRisk = z.object({
  devices: z.array(DeviceHealth).meta({ description: 'Highest risk first.' }),
  reason: z.string().nullable(),
  definition: Definition,
})

export const SystemHealth = z.object({
  value: z.number().nullable().meta({ description: '0–100.' }),
  word: z.enum(['good', 'fair', 'poor', 'unknown']),
  reason: z.string().nullable(),
  top_issue: z
    .object({ text: z.string(), device_id: z.string().nullable() })
    .nullable()
    .meta({ description: 'What to look at first; null: nothing.' }),
  definition: Definition,
})

export const Insight = z.object({
  text: z.string().meta({ description: 'One sentence.' }),
  basis: z.string().meta({ description: 'The values and the window that it rests on.' }),
  device_id: z.string(),
})

export const Overview = z.object({
  tenant: z.string(),
  simulated: z.boolean(),
  generated_at: Instant,
  time_zone: z.string(),
  currency: z.string(),
  refresh_s: z.number(),
  range: z.object({
    name: z.enum(RANGES),
    from: LocalDate,
    to: LocalDate.meta({ description: 'Inclusive.' }),
    start: Instant,
    end: Instant.meta({ description: 'Exclusive: the midnight after the last day.' }),
    total_s: z.number(),
    elapsed_s: z.number(),
    partial: z.boolean().meta({ description: 'It holds the open day: denominators count its elapsed part.' }),
  }),
  newest_day: LocalDate.nullable().meta({
    description:
      'Where no reading lies in the range: the last local day that has one. Else, or where there is none, null.',
  }),
  built_from: z
    .record(z.string(), z.int())
    .meta({ description: 'Version of each table that the figures were computed from.' }),
  kpis: z.object({
    total_energy_kwh: Kpi,
    total_cost: Kpi,
    active_devices: z.object({ ...kpi, total: z.int().meta({ description: 'Devices known to the home.' }) }),
    mean_health_score: Kpi,
  }),
  power_now: PowerNow,
  energy_by_type: EnergyByType,
  health_vs_risk: HealthVsRisk,
  system_health: SystemHealth,
  insight: Insight.nullable(),
  insight_reason: z.string().nullable().meta({ description: 'Why there is no insight.' }),
  alerts: z.object({
    open_count: z.int(),
    rows: z.array(Alert).meta({ description: 'At most three: critical first, then newest.' }),
    checked_at: Instant.nullable(),
    reason: z.string().nullable().meta({ description: 'Why alerts are not watched.' }),
  }),
})
export type Overview = z.infer<typeof Overview>
