import { z } from 'zod'

const tariff = z.strictObject({
  tenant_id: z.string().optional().meta({ description: 'Only for this home.' }),
  user_id: z.string().optional().meta({ description: 'Only for this user.' }),
  valid_from: z.iso.date().default('1970-01-01').meta({ description: 'First local date on which it holds.' }),
  valid_to: z.iso.date().optional().meta({ description: 'First local date on which it holds no more.' }),
  band: z.string().optional().meta({ description: 'Name of the band on bills; default flat.' }),
  weekdays: z
    .string()
    .regex(/^[1-7]{1,7}$/)
    .optional()
    .meta({ description: 'ISO weekdays, 1 = Monday; default every day.' }),
  hour_from: z.int().min(0).max(23).optional().meta({ description: 'First local hour of the band.' }),
  hour_to: z.int().min(1).max(24).optional().meta({ description: 'First local hour after the band.' }),
  season_from: z
    .string()
    .regex(/^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, { error: 'must be a day of the year, MM-DD' })
    .optional()
    .meta({ description: 'First day of the season in which the band holds, MM-DD; default the whole year.' }),
  season_to: z
    .string()
    .regex(/^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, { error: 'must be a day of the year, MM-DD' })
    .optional()
    .meta({ description: 'First day after the season, MM-DD; before season_from: over the new year.' }),
  energy_rate_kwh: z.number().min(0).meta({ description: 'Price per kWh.', unit: 'currency/kWh' }),
  base_charge_month: z
    .number()
    .min(0)
    .optional()
    .meta({ description: 'Base charge per month.', unit: 'currency' }),
})

export const TARIFFS = z
  .array(tariff)
  .default([])
  .meta({ description: 'Flat and time-of-use tariffs; a list.' })
