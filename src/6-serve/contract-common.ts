/** What every route of the API shares: instants, dates, the query's home, and how an error is told. */
import { z } from 'zod'

// zod's own pattern for an instant has some 300 characters; the format says the same to a reader of the document.
export const Instant = z
  .string()
  .meta({ format: 'date-time', description: 'ISO 8601 instant, UTC, ending in Z.' })

export const LocalDate = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/)
  .meta({ format: 'date', description: "Date on the home's own calendar, YYYY-MM-DD." })

export const TenantId = z
  .string()
  .min(1)
  .max(128)
  .meta({ description: 'Home. Absent: the one that the dashboard opens.' })

export const TenantQuery = z.strictObject({ tenant: TenantId.optional() })

/** RFC 9457, with the code of the error and what the reader can do about it. */
export const Problem = z.object({
  type: z.string().meta({ description: 'Where the code is described: /problems/<code>.' }),
  title: z.string(),
  status: z.int(),
  code: z.string().meta({ description: 'Stable, for programs: bad_request, not_found, unknown_home, …' }),
  detail: z.string().meta({ description: 'What was wrong, one sentence.' }),
  cure: z.string().meta({ description: 'What to do about it, one sentence.' }),
  instance: z.string().meta({ description: 'Path of the request.' }),
  request_id: z.string(),
})
export type Problem = z.infer<typeof Problem>

/** How a number comes about, for the "how calculated" popover. */
export const Definition = z.object({
  what: z.string().meta({ description: 'What the number says, one sentence.' }),
  formula: z.string().meta({ description: 'The formula with its values filled in.' }),
})
export type Definition = z.infer<typeof Definition>

const ALERT_KINDS = ['high_temperature', 'low_temperature', 'high_power', 'offline', 'device'] as const

export const Alert = z.object({
  id: z.string(),
  tenant: z.string(),
  device_id: z.string(),
  device_type: z.string().nullable(),
  location: z.string().nullable(),
  kind: z.enum(ALERT_KINDS).meta({ description: '`device`: the device raised it itself.' }),
  name: z.string().meta({ description: "The kind; for `device` the device's own word, e.g. low_battery." }),
  severity: z.enum(['warning', 'critical']),
  state: z.enum(['open', 'resolved']),
  value: z.number().nullable().meta({ description: 'Newest value, in `unit`.' }),
  limit: z.number().nullable().meta({ description: 'Limit that the value crossed, in `unit`.' }),
  unit: z.string().nullable().meta({ description: '°C, W or s.' }),
  since: Instant,
  updated_at: Instant,
  resolved_at: Instant.nullable(),
  text: z.string().meta({ description: 'One sentence with value and limit.' }),
  action: z.string().meta({ description: 'What to do, one sentence.' }),
})
export type Alert = z.infer<typeof Alert>
