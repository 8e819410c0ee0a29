/** A user's bill of one local month; what is rounded, and when: docs/billing.md. */
import { z } from 'zod'
import { LocalDate, TenantId } from './contract-common.ts'

const Exact = z.string().meta({ description: 'Exact, with nine decimals.' })
const Amount = z
  .string()
  .meta({ description: "Rounded half up to the currency's smallest unit, from the exact value." })

export const BillQuery = z.strictObject({
  tenant: TenantId.optional(),
  user: z.string().min(1).max(128).meta({ description: 'Whose bill.' }),
  month: z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])$/)
    .meta({ description: 'Local month, YYYY-MM.' }),
})

const EnergyLine = z.object({
  band: z.string(),
  tariff_version: z.int(),
  valid_from: LocalDate.meta({ description: 'First day of the tariff.' }),
  rate_kwh: Exact,
  energy_kwh: z.string().meta({ description: 'Exact, with twelve decimals.' }),
  cost: Exact.meta({ description: "Sum of Gold's cost of the quarter-hours of this line." }),
  amount: Amount,
})

const BaseLine = z.object({
  tariff_version: z.int(),
  valid_from: LocalDate.meta({ description: 'First day of the tariff.' }),
  charge_month: Exact,
  days: z.int().meta({ description: 'Days of the month on which this tariff held.' }),
  days_of_month: z.int(),
  cost: Exact.meta({ description: 'charge_month × days / days_of_month, rounded half up to nine decimals.' }),
  amount: Amount,
})

export const Bill = z.object({
  tenant: z.string(),
  user: z.string(),
  month: z.string(),
  time_zone: z.string(),
  currency: z.string(),
  complete: z.boolean().meta({ description: 'The month is over. Else the days that have begun are billed.' }),
  energy: z.array(EnergyLine),
  fed_in_kwh: z.string().meta({ description: 'Energy given back, kWh, which is neither paid nor charged.' }),
  base: z.array(BaseLine),
  energy_cost: Exact,
  base_cost: Exact,
  total_cost: Exact,
  rounding: Amount.meta({ description: 'What the total differs by from the sum of the rounded lines.' }),
  total: Amount,
})
export type Bill = z.infer<typeof Bill>
