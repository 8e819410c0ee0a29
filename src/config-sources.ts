/** The keys under `sources`: where readings come from besides the simulator. */
import { z } from 'zod'
import { DEFAULT_TENANT } from './reading.ts'

/** A section whose absence means all its defaults. */
export const section = <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape).prefault({} as never)

const tenant = z
  .string()
  .min(1)
  .default(DEFAULT_TENANT)
  .meta({ description: 'Home that its devices belong to.' })

const apiKey = z.strictObject({
  key: z.string().min(16).meta({ description: 'The key; at least 16 characters.' }),
  tenant_id: tenant,
})

const filters = z.array(z.string().min(1)).default(['#'])
const mqttUser = z.strictObject({
  user: z.string().min(1).meta({ description: 'Name.' }),
  password: z.string().min(8).meta({ description: 'Password; at least 8 characters.' }),
  tenant_id: tenant,
  publish: filters.meta({ description: 'Topic filters to which it may publish.' }),
  subscribe: filters.meta({ description: 'Topic filters to which it may subscribe.' }),
})

export const SOURCES = {
  mqtt: section({
    enabled: z.boolean().default(false).meta({ description: 'Whether `up` runs the embedded MQTT broker.' }),
    host: z
      .string()
      .default('127.0.0.1')
      .meta({ description: 'Address to listen on; anything but loopback needs users.' }),
    port: z
      .int()
      .min(0)
      .max(65535)
      .default(1883)
      .meta({ description: 'Port of the broker; 0 takes a free one.' }),
    users: z
      .array(mqttUser)
      .default([])
      .meta({ description: 'Who may connect; a list. None: anybody on this machine.' }),
  }),
  http: section({
    keys: z
      .array(apiKey)
      .default([])
      .meta({ description: 'API keys of devices; a list. None: whoever reaches the server may send.' }),
  }),
}
