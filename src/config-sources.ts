/** The keys under `sources`: where readings come from besides the simulator. */
import { z } from 'zod'
import { DEFAULT_TENANT } from './reading.ts'
import { durationMs } from './units.ts'

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

const mapping = z.strictObject({
  topic: z
    .string()
    .min(1)
    .meta({ description: 'MQTT topic filter; `{device}` is the level that names the device.' }),
  device: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Device id where the topic has none; `json:PATH` takes it from the message.' }),
  device_type: z.string().optional().meta({ description: 'Kind of device.' }),
  manufacturer: z.string().optional().meta({ description: 'Who made it.' }),
  model: z.string().optional().meta({ description: 'Model.' }),
  fields: z
    .array(
      z.strictObject({
        from: z
          .string()
          .meta({ description: "Path in the JSON, levels parted by points; '' is the message." }),
        to: z
          .string()
          .regex(/^(?:temperature|power_usage|energy_total_wh|timestamp|status|metrics\.[a-z0-9_]+)$/, {
            error:
              'must be temperature, power_usage, energy_total_wh, timestamp, status or metrics.NAME_WITH_UNIT',
          })
          .meta({
            description: 'temperature, power_usage, energy_total_wh, timestamp, status, metrics.NAME.',
          }),
        unit: z
          .string()
          .optional()
          .meta({ description: 'As the device writes it; default: the field’s own.' }),
        sign: z
          .union([z.literal(1), z.literal(-1)])
          .optional()
          .meta({ description: '-1 where the device counts the other way round.' }),
        channel: z.string().optional().meta({ description: 'Endpoint: phase, socket, probe.' }),
      }),
    )
    .min(1)
    .meta({ description: 'Its values; a list.' }),
})

const file = (description: string) => z.string().min(1).optional().meta({ description, unit: 'path' })
const broker = z.strictObject({
  url: z
    .string()
    .regex(/^mqtts?:\/\/[^\s/@]+$/, { error: 'must be mqtt://HOST:PORT or mqtts://HOST:PORT' })
    .meta({ description: 'mqtt://HOST:PORT, or mqtts:// with TLS.' }),
  version: z.enum(['5', '3.1.1']).default('5').meta({ description: 'MQTT 5 or 3.1.1.' }),
  username: z.string().optional().meta({ description: 'User.' }),
  password: z.string().optional().meta({ description: 'Password.' }),
  client_id: z
    .string()
    .min(1)
    .default('smarthouse')
    .meta({ description: 'Under which the broker keeps our session: one for each platform.' }),
  topics: z.array(z.string().min(1)).min(1).default(['#']).meta({ description: 'Topic filters; a list.' }),
  tenant_id: tenant,
  ca_file: file("The broker's certificate authority, PEM; default: the system's."),
  cert_file: file('Certificate of this client, PEM.'),
  key_file: file('Key of this client, PEM.'),
})

const polled = z.strictObject({
  kind: z
    .enum(['shelly_gen1', 'shelly_gen2', 'tasmota', 'homewizard', 'json'])
    .meta({ description: 'What answers; json: anything that a mapping of topic poll/{device} reads.' }),
  url: z
    .string()
    .regex(/^https?:\/\/[^\s@]+$/, { error: 'must be http://HOST, without a password in it' })
    .meta({ description: 'http://HOST; of json the whole address.' }),
  device_id: z.string().min(1).meta({ description: 'Device.' }),
  tenant_id: tenant,
  interval: z
    .string()
    .refine((text) => (durationMs(text) ?? 0) >= 1000, { error: 'must be a duration of at least 1s' })
    .default('10s')
    .transform((text) => durationMs(text)!)
    .meta({ description: 'How often it is asked.', unit: 'duration' }),
  username: z.string().optional().meta({ description: 'User (Basic).' }),
  password: z.string().optional().meta({ description: 'Password.' }),
})

export const SOURCES = {
  poll: z
    .array(polled)
    .default([])
    .meta({ description: 'Devices that only answer, asked by HTTP; a list. No other address is asked.' }),
  brokers: z
    .array(broker)
    .default([])
    .meta({ description: 'Other MQTT brokers whose devices are taken in; a list.' }),
  mappings: z
    .array(mapping)
    .default([])
    .meta({ description: 'How to read messages that no decoder knows; a list, the first that fits counts.' }),
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
    messages_per_s: z
      .number()
      .positive()
      .default(200)
      .meta({ description: 'What one client may send for long; more has to wait.', unit: '1/s' }),
    burst: z.int().min(1).default(2000).meta({ description: 'What one client may send at once.' }),
    users: z
      .array(mqttUser)
      .default([])
      .meta({ description: 'Who may connect; a list. None: anybody on this machine.' }),
  }),
  http: section({
    host: z
      .string()
      .optional()
      .meta({ description: 'Further address for devices, besides that of the server; only with keys.' }),
    port: z.int().min(0).max(65535).default(8502).meta({ description: 'Port of that address.' }),
    keys: z
      .array(apiKey)
      .default([])
      .meta({ description: 'API keys of devices; a list. None: whoever reaches the server may send.' }),
  }),
}
