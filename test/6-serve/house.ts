/**
 * A house made by hand, in a lake of its own. It is 2026-03-10, 14:37 in Berlin (UTC+1), so comparisons count up to
 * 14:30. Home `home`: a washing machine, a fridge and a sensor without power; behind no meter.
 *
 * | Wh             | 03-08 | 03-09 whole | 03-09 to 14:30 | 03-10 to 14:30 | 03-10 whole so far |
 * | washer         |   500 |        1000 |            400 |            900 |                910 |
 * | fridge         |   960 |         960 |            580 |            580 |                584 |
 * | house          |  1460 |        1960 |            980 |           1480 |               1494 |
 * The price is 0.25 EUR/kWh throughout. The sensor spoke on the 10th only; a lamp of the catalogue never did.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { StreamLog } from '../../src/2-stream/log.ts'
import { BRONZE_TELEMETRY } from '../../src/3-bronze/tables.ts'
import { SILVER_TABLES } from '../../src/4-silver/tables.ts'
import { GOLD_CALENDAR, GOLD_TABLES } from '../../src/5-gold/tables.ts'
import { buildApp, type AppOptions } from '../../src/6-serve/app.ts'
import { openDuckDb, openLake, type Engine, type Lake, type TableDefinition } from '../../src/lake/index.ts'
import { REFERENCE_TABLES } from '../../src/reference/tables.ts'

export const NOW_MS = Date.parse('2026-03-10T13:37:00Z')

export interface House {
  lake: Lake
  engine: Engine
  insert(table: string, rows: readonly Record<string, unknown>[]): Promise<void>
  app(options?: Partial<AppOptions>): Promise<FastifyInstance>
  close(): Promise<void>
}

const TABLES: readonly TableDefinition[] = [
  BRONZE_TELEMETRY,
  ...SILVER_TABLES,
  GOLD_CALENDAR,
  ...GOLD_TABLES,
  ...REFERENCE_TABLES,
]

export async function emptyHouse(): Promise<House> {
  const root = await mkdtemp(join(tmpdir(), 'smarthouse-serve-'))
  const engine = await openDuckDb({ threads: 1, memoryLimitMb: 256 })
  const lake = await openLake({ root: join(root, 'lake'), engine })
  for (const table of TABLES) await lake.define(table)
  const apps: FastifyInstance[] = []

  return {
    lake,
    engine,
    insert: async (name, rows) => {
      const { columns } = TABLES.find((table) => table.name === name)!
      const session = await engine.session()
      const selects = rows.map((row) =>
        columns.map(
          (column) => `CAST(${sqlValue(row[column.name])} AS ${sqlType(column.type)}) AS ${column.name}`,
        ),
      )
      const add = await lake.write(
        session,
        name,
        selects.map((select) => `SELECT ${select.join(', ')}`).join(' UNION ALL '),
      )
      await lake.commit(name, { operation: 'WRITE', add })
      await session.close()
    },
    app: async (options = {}) => {
      const app = await buildApp({
        lake,
        engine,
        log: null as StreamLog | null,
        dashboardDir: null,
        timeZone: 'Europe/Berlin',
        currency: 'EUR',
        alertThresholds: { high_temperature_c: 35, low_temperature_c: 5, high_power_w: 3500, offline_s: 300 },
        refreshS: 30,
        liveReadings: 100,
        demo: true,
        version: '0.0.0',
        clock: () => NOW_MS,
        ...options,
      })
      apps.push(app)
      return app
    },
    close: async () => {
      for (const app of apps) await app.close()
      await lake.close()
      await engine.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}

function sqlValue(value: unknown): string {
  if (value === undefined || value === null) return 'NULL'
  if (Array.isArray(value)) return `[${value.map(sqlValue).join(', ')}]`
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return `'${String(value).replaceAll("'", "''")}'`
}

function sqlType(type: string): string {
  const names: Record<string, string> = {
    string: 'VARCHAR',
    integer: 'INTEGER',
    long: 'BIGINT',
    timestamp: 'TIMESTAMPTZ',
    'array<string>': 'VARCHAR[]',
    'map<string,double>': 'MAP(VARCHAR, DOUBLE)',
  }
  return names[type] ?? type
}

const RATE = 0.25
const cost = (wh: number | null) => (wh === null ? null : (wh / 1000) * RATE)
const NO_SUMS = { power_count: 0, temperature_count: 0, month: '2026-03-01', tenant_id: 'home' }

/** Midnight in Berlin before the clocks change, in UTC. */
const midnight = (date: string): number => Date.parse(`${date}T00:00:00+01:00`)

const DEVICES = {
  washer: { device_type: 'washing_machine', location: 'bathroom', user_id: 'u1' },
  fridge: { device_type: 'fridge', location: 'kitchen', user_id: 'u2' },
  sensor: { device_type: 'motion_sensor', location: 'hall', user_id: 'u1' },
} as const
type DeviceId = keyof typeof DEVICES

/** `early`: Wh to 14:30, put into the quarter-hour from 14:00 local; the rest lies in the one from 14:30. */
const ENERGY: Record<
  string,
  Partial<Record<DeviceId, { whole: number; early: number; covered_s: number }>>
> = {
  '2026-03-08': {
    washer: { whole: 500, early: 500, covered_s: 86_400 },
    fridge: { whole: 960, early: 580, covered_s: 86_400 },
  },
  '2026-03-09': {
    washer: { whole: 1000, early: 400, covered_s: 86_400 },
    fridge: { whole: 960, early: 580, covered_s: 86_400 },
  },
  '2026-03-10': {
    washer: { whole: 910, early: 900, covered_s: 52_620 },
    fridge: { whole: 584, early: 580, covered_s: 26_310 },
  },
}

/** The house of the table above. */
export async function handmadeHouse(): Promise<House> {
  const house = await emptyHouse()
  for (const [date, devices] of Object.entries(ENERGY)) {
    const entries = Object.entries(devices) as [
      DeviceId,
      { whole: number; early: number; covered_s: number },
    ][]
    await house.insert(
      'gold.daily_energy_consumption',
      [
        ...entries.map(([device_id, { whole, covered_s }]) => ({
          device_id,
          total_energy_wh: whole,
          cost: cost(whole),
          covered_s,
          coverage_ratio: covered_s / 86_400,
          reading_count: 1000,
        })),
        ...(date === '2026-03-10'
          ? [{ device_id: 'sensor' as const, covered_s: 0, coverage_ratio: 0, reading_count: 3 }]
          : []),
      ].map((row) => ({ ...NO_SUMS, date, ...DEVICES[row.device_id], ...row })),
    )
    const total = entries.reduce((sum, [, { whole }]) => sum + whole, 0)
    await house.insert('gold.daily_business_summary', [
      {
        ...NO_SUMS,
        date,
        total_energy_wh: total,
        total_energy_kwh: total / 1000,
        total_cost: cost(total),
        active_devices: date === '2026-03-10' ? 3 : 2,
        active_users: 2,
        data_points: 2000,
        alert_count: 0,
      },
    ])
    const slots = entries.flatMap(([device_id, { whole, early, covered_s }]) => {
      const early_s = Math.min(covered_s, 52_200)
      return [
        { device_id, at: 14 * 3600, energy_wh: early, covered_s: early_s, readings: 900 },
        {
          device_id,
          at: 14.5 * 3600,
          energy_wh: whole - early,
          covered_s: covered_s - early_s,
          readings: 100,
        },
      ].map(({ at, ...row }) => ({ ...row, startMs: midnight(date) + at * 1000, cost: cost(row.energy_wh) }))
    })
    await house.insert(
      'gold.quarter_hourly_energy',
      slots.map((slot) => ({
        ...NO_SUMS,
        date,
        ...slot,
        quarter_hour: new Date(slot.startMs).toISOString(),
      })),
    )
    await house.insert(
      'gold.hourly_energy',
      entries.map(([device_id, { whole }]) => ({
        ...NO_SUMS,
        date,
        device_id,
        energy_wh: whole,
        cost: cost(whole),
        covered_s: 3600,
        readings: 1000,
        hour_start: new Date(midnight(date) + 14 * 3_600_000).toISOString(),
      })),
    )
  }
  await house.insert(
    'gold.monthly_energy',
    (Object.keys(DEVICES) as DeviceId[]).map((device_id) => ({
      ...NO_SUMS,
      device_id,
      covered_s: 0,
      readings: 1,
      year: 2026,
    })),
  )
  await house.insert(
    'gold.device_health_metrics',
    HEALTH.map((row) => ({
      ...NO_SUMS,
      valid_share: 1,
      late_share: 0,
      alert_count: 0,
      reading_count: 1000,
      ...row,
    })),
  )
  await house.insert('reference.catalogue', [
    ...(Object.keys(DEVICES) as DeviceId[]).map((device_id) => ({
      tenant_id: 'home',
      device_id,
      ...DEVICES[device_id],
    })),
    { tenant_id: 'home', device_id: 'lamp', device_type: 'smart_bulb', location: 'hall' },
  ])
  await house.insert('reference.tariffs', [
    {
      tariff_version: 1,
      valid_from: '1970-01-01',
      band: 'flat',
      weekdays: '1234567',
      season_from: null,
      season_to: null,
      hour_from: 0,
      hour_to: 24,
      energy_rate_kwh: RATE,
      base_charge_month: 15,
      currency: 'EUR',
    },
  ])
  return house
}

/**
 * Yesterday: washer 0.99, fridge 0.95. Today, by Gold over 24 h: the washer with quality 1 and 12 alert episodes has
 * 0.4 + 0.3 + 0.2 + 0.1 × (1 − 12/24/10) = 0.995; the fridge with quality 0.8 has 0.92; the sensor 1.
 */
const HEALTH = [
  {
    date: '2026-03-09',
    device_id: 'washer',
    health_score: 0.99,
    failure_probability: 0.02,
    data_reliability: 1,
    mean_quality_score: 1,
    alert_episodes: 0,
  },
  {
    date: '2026-03-09',
    device_id: 'fridge',
    health_score: 0.95,
    failure_probability: 0.05,
    data_reliability: 1,
    mean_quality_score: 0.9,
    alert_episodes: 0,
  },
  {
    date: '2026-03-10',
    device_id: 'washer',
    health_score: 0.995,
    failure_probability: 0.0285,
    data_reliability: 1,
    mean_quality_score: 1,
    alert_episodes: 12,
  },
  {
    date: '2026-03-10',
    device_id: 'fridge',
    health_score: 0.92,
    failure_probability: 0.056,
    data_reliability: 1,
    mean_quality_score: 0.8,
    alert_episodes: 0,
  },
  {
    date: '2026-03-10',
    device_id: 'sensor',
    health_score: 1,
    failure_probability: 0,
    data_reliability: 1,
    mean_quality_score: 1,
    alert_episodes: 0,
  },
]
