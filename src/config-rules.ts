import { z } from 'zod'

/** How the quality rules differ from the published ones (docs/quality-rules.md); put in force by `smarthouse rules apply`. */
export const RULE_CHANGES = z
  .array(
    z.strictObject({
      rule: z.string().min(1).meta({ description: 'Rule, as quality_reasons names it.' }),
      device_type: z.string().min(1).default('*').meta({ description: 'Kind of device; default every one.' }),
      enabled: z.boolean().default(true).meta({ description: 'Whether it is looked at.' }),
      points: z
        .int()
        .min(0)
        .max(100)
        .optional()
        .meta({ description: 'Penalties: points of 100 that it takes.' }),
      limit: z.number().optional().meta({ description: 'Alerts: threshold, °C or W.' }),
    }),
  )
  .default([])
  .meta({
    description: 'Quality rules that are switched off, or weigh otherwise, by kind of device; a list.',
  })
