import { z } from 'zod'
import { RULE_CHANGES } from './config-rules.ts'
import { section, SOURCES } from './config-sources.ts'
import { TARIFFS } from './config-tariffs.ts'
import { durationMs } from './units.ts'

/**
 * Every key of the configuration, once: type, default, unit and description. The file, the environment, the
 * reference page and `--help` all follow this schema; nothing else knows a default.
 */

const duration = (text: string, description: string) =>
  z
    .string()
    .refine((value) => durationMs(value) !== undefined, {
      error: 'must be a duration such as 30s, 5m, 1h or 7d',
    })
    .default(text)
    .transform((value) => durationMs(value)!)
    .meta({ description, unit: 'duration' })

/** `continuous`, `5m` (every five minutes), or `1h full` (a rebuild every hour). */
export interface Schedule {
  everyMs: number | null
  full: boolean
}
const SCHEDULE = /^(?:continuous|(?:interval:?\s+)?(\S+?)(\s+full)?)$/
function parseSchedule(text: string): Schedule | undefined {
  if (text === 'continuous') return { everyMs: null, full: false }
  const match = SCHEDULE.exec(text.trim())
  const everyMs = match?.[1] === undefined ? undefined : durationMs(match[1])
  return everyMs === undefined ? undefined : { everyMs, full: match?.[2] !== undefined }
}
const schedule = (description: string, fullAllowed: boolean) =>
  z
    .preprocess(
      // YAML reads `schedule: { interval: 5m }` and `interval: 1h full` as a map.
      (value) =>
        typeof value === 'object' && value !== null && 'interval' in value ? String(value.interval) : value,
      z.string().refine(
        (text) => {
          const parsed = parseSchedule(text)
          return parsed !== undefined && (fullAllowed || !parsed.full)
        },
        { error: `must be continuous or an interval such as 2m${fullAllowed ? ' or 1h full' : ''}` },
      ),
    )
    .default('continuous')
    .transform((text) => parseSchedule(text)!)
    .meta({ description, unit: 'schedule' })

/** Asked of Temporal, here and for the default: the first format that `Intl` makes takes twenty milliseconds of every process. */
export const isZone = (zone: string): boolean => {
  try {
    return new Temporal.ZonedDateTime(0n, zone).timeZoneId !== ''
  } catch {
    return false
  }
}

const fileKey = (description: string) => z.string().min(1).optional().meta({ description, unit: 'path' })

/** What counts where `stream.type` is `kafka`; see docs/kafka.md. */
const KAFKA_KEYS = {
  brokers: z
    .array(z.string().regex(/^[^\s/]+:\d{1,5}$/, { error: 'must be host:port' }))
    .default(['127.0.0.1:9092'])
    .meta({ description: 'Kafka: brokers of the cluster to begin with; a list of host:port.' }),
  create_topics: z
    .boolean()
    .default(true)
    .meta({ description: 'Kafka: whether topics that are absent are created.' }),
  partitions: z
    .int()
    .min(1)
    .max(10_000)
    .default(6)
    .meta({ description: 'Kafka: partitions of each topic, at the least.' }),
  replication: z
    .int()
    .min(1)
    .max(99)
    .default(1)
    .meta({ description: 'Kafka: replicas of each topic, at the least; 3 where there are three brokers.' }),
  topic_retention: duration('7d', 'Kafka: how long each topic keeps messages, at the least.'),
  tls: section({
    enabled: z.boolean().default(false).meta({ description: 'Kafka: encrypt the connection.' }),
    ca_file: fileKey("Kafka: the broker's certificate authority, PEM; default: the system's."),
    cert_file: fileKey("Kafka: this client's certificate, PEM."),
    key_file: fileKey("Kafka: this client's key, PEM."),
    key_passphrase: z.string().optional().meta({ description: "Kafka: the key's passphrase." }),
  }),
  sasl: section({
    mechanism: z
      .enum(['none', 'PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])
      .default('none')
      .meta({ description: 'Kafka: how the user is authenticated.' }),
    username: z.string().default('').meta({ description: 'Kafka: the user.' }),
    password: z
      .string()
      .optional()
      .meta({ description: 'Kafka: the password; better in the environment or in password_file.' }),
    password_file: fileKey('Kafka: a file that holds the password alone.'),
  }),
}

/** Files that may be absent as long as nobody has named others. */
export const OPTIONAL_FILES = { catalogue: 'device_catalog.csv', billing: 'billing_data.csv' } as const

export const CONFIG_SCHEMA = section({
  time_zone: z
    .string()
    .refine(isZone, { error: 'must be an IANA time zone such as Europe/Berlin' })
    .default(() => Temporal.Now.timeZoneId())
    .meta({
      description: "The house's IANA time zone; fixed in the data folder at the first start.",
      unit: 'IANA zone',
    }),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .default('USD')
    .meta({ description: 'Currency of the prices.', unit: 'ISO 4217' }),
  server: section({
    host: z.enum(['127.0.0.1', 'localhost', '::1']).default('127.0.0.1').meta({
      description: 'Address to listen on: loopback only, since anything wider needs authentication.',
    }),
    port: z
      .int()
      .min(0)
      .max(65535)
      .default(8501)
      .meta({ description: 'Port of the dashboard and the API; 0 takes a free one.' }),
  }),
  dashboard: section({
    refresh: duration('30s', 'How often the figures are refreshed.'),
    live_readings: z.int().min(1).max(1000).default(100).meta({ description: 'Readings in the live table.' }),
  }),
  simulator: section({
    enabled: z
      .boolean()
      .default(true)
      .meta({ description: 'Whether `up` runs the simulated house (home `demo`).' }),
    devices: z.int().min(1).max(100_000).default(10).meta({ description: 'Number of devices.' }),
    rate: z.string().default('1/s').meta({ description: 'Readings per device: 1/s, 1/min, …' }),
    seed: z.int().default(7).meta({ description: 'The same seed gives the same readings.' }),
    faults: z
      .string()
      .default('harmless')
      .meta({ description: 'none, harmless, default, or a list of faults.' }),
    history: duration('7d', 'History made at the first start; 0s for none.'),
    history_interval: duration('60s', 'Time between readings of that history.'),
  }),
  stream: section({
    type: z
      .enum(['embedded', 'kafka'])
      .default('embedded')
      .meta({ description: 'The stream: a log in the data folder, or Apache Kafka.' }),
    ui_port: z.int().min(0).max(65535).default(8080).meta({
      description:
        'Where the Streams page answers as well, as users of Kafka look for it there; 0: not. A port that is taken is left alone.',
    }),
    retention: duration('1h', 'How long the embedded log keeps what has landed in Bronze.'),
    ...KAFKA_KEYS,
  }),
  sources: section(SOURCES),
  schedules: section({
    bronze: schedule('When the stream is landed in Bronze.', false),
    silver: schedule('When Bronze is refined to Silver.', true),
    gold: schedule('When Silver is aggregated to Gold.', true),
  }),
  bronze: section({
    flush: duration(
      '2s',
      'Longest time that a reading waits for its commit to Bronze while running continuously.',
    ),
  }),
  silver: section({
    late_watermark_hours: z
      .number()
      .min(0)
      .default(48)
      .meta({ description: 'Delay above which a live reading is late.', unit: 'h' }),
    late_pass: duration('60s', 'How often arrivals that are out of order are worked in.'),
  }),
  gold: section({
    every: duration('5s', 'Shortest time between two runs while running continuously.'),
  }),
  alerts: section({
    high_temperature_c: z.number().default(35).meta({ description: 'Alert above.', unit: '°C' }),
    low_temperature_c: z.number().default(5).meta({ description: 'Alert below.', unit: '°C' }),
    high_power_w: z.number().default(3500).meta({ description: 'Alert above.', unit: 'W' }),
    offline_s: z
      .number()
      .min(1)
      .default(300)
      .meta({ description: 'Alert when a device is silent for longer.', unit: 's' }),
  }),
  rules: RULE_CHANGES,
  catalogue: z.string().default(OPTIONAL_FILES.catalogue).meta({
    description: 'The device catalogue, relative to this file; the default one may be absent.',
    unit: 'path',
  }),
  billing: z.string().default(OPTIONAL_FILES.billing).meta({
    description: 'The billing data, relative to this file; the default ones may be absent.',
    unit: 'path',
  }),
  price: section({
    energy_rate_kwh: z
      .number()
      .min(0)
      .default(0.12)
      .meta({ description: 'Price where no tariff says otherwise.', unit: 'currency/kWh' }),
    base_charge_month: z
      .number()
      .min(0)
      .default(15)
      .meta({ description: 'Base charge per month; on bills only.', unit: 'currency' }),
  }),
  tariffs: TARIFFS,
  logs: section({
    level: z
      .enum(['error', 'warn', 'info', 'debug'])
      .default('info')
      .meta({ description: 'The least serious that is logged; what readings say is told at debug only.' }),
    max_mb: z
      .int()
      .min(1)
      .max(10_000)
      .default(10)
      .meta({ description: 'Space of the log of each part, in all its files; the oldest go.', unit: 'MB' }),
  }),
  engine: section({
    memory_limit_mb: z.int().min(64).default(640).meta({
      description: 'Memory of the SQL engine, each process; what does not fit goes through the disk.',
      unit: 'MB',
    }),
    threads: z
      .int()
      .min(1)
      .max(256)
      .default(2)
      .meta({ description: 'Threads of the SQL engine, each process.' }),
  }),
})

export type Config = z.output<typeof CONFIG_SCHEMA>

export interface ConfigKey {
  path: string[]
  env: string
  description: string
  unit: string
  defaultText: string
}

function isObjectSchema(schema: z.ZodType): schema is z.ZodObject {
  return schema instanceof z.ZodObject
}
const unwrap = (schema: z.ZodType): z.ZodType => {
  const inner = (schema.def as { innerType?: z.ZodType }).innerType
  return inner && !isObjectSchema(schema) && 'innerType' in schema.def ? unwrap(inner) : schema
}

/** Every leaf of the schema, in the order of the schema. */
export function configKeys(schema: z.ZodType = CONFIG_SCHEMA, path: string[] = []): ConfigKey[] {
  const inner = unwrap(schema)
  if (isObjectSchema(inner))
    return Object.entries(inner.shape).flatMap(([name, child]) =>
      configKeys(child as z.ZodType, [...path, name]),
    )
  const meta = z.globalRegistry.get(schema) ?? {}
  return [
    {
      path,
      env: `SMARTHOUSE_${path.join('_').toUpperCase()}`,
      description: String(meta.description ?? ''),
      unit: String(meta['unit'] ?? ''),
      defaultText: defaultText(schema),
    },
  ]
}

function defaultText(schema: z.ZodType): string {
  const def = schema.def as { type: string; defaultValue?: unknown; in?: z.ZodType; innerType?: z.ZodType }
  if (def.type === 'default') return JSON.stringify(def.defaultValue)
  const inner = def.in ?? def.innerType
  return inner ? defaultText(inner) : ''
}

/** The names that may stand at a place of the configuration; for the "did you mean" of an unknown key. */
export function knownNames(path: readonly PropertyKey[]): string[] {
  let schema: z.ZodType = unwrap(CONFIG_SCHEMA)
  for (const step of path) {
    if (isObjectSchema(schema))
      schema = unwrap((schema.shape as Record<string, z.ZodType>)[String(step)] ?? z.never())
    else if (schema instanceof z.ZodArray) schema = unwrap(schema.element as z.ZodType)
  }
  return isObjectSchema(schema) ? Object.keys(schema.shape) : []
}
