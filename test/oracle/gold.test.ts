import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_TARIFF, arrivals, catalogued, house } from './arrivals.ts'
import { oracle } from './oracle.ts'
import { parseUs } from './exact.ts'
import { openZone, quarterHolding } from './zone.ts'
import type { Row } from './types.ts'

const T = (time: string): string => `2024-06-03T${time}Z`
const pick = (rows: Row[], ...names: string[]): unknown[][] =>
  rows.map((row) => names.map((name) => row[name]))

const every = (minute: number): string => T(`10:${String(minute).padStart(2, '0')}:00`)
const at = (device_id: string, time: string, wh: number) => ({
  device_id,
  timestamp: T(time),
  energy_consumption_wh: wh,
})

test('energy is split at quarter-hours in proportion to time; the last part takes the remainder', () => {
  const tables = oracle(
    arrivals(
      { timestamp: T('10:10:00'), energy_total_wh: 0 },
      { timestamp: T('10:31:00'), energy_total_wh: 0.000001 },
    ),
    house(),
  )
  // 1,000 nWh over 21 min: 5/21 = 238, 15/21 = 714, the rest 48.
  assert.deepEqual(
    pick(tables['gold.quarter_hourly_energy'], 'quarter_hour', 'energy_wh', 'covered_s', 'readings'),
    [
      ['2024-06-03T10:00:00.000000Z', '0.000000238', 0, 1],
      ['2024-06-03T10:15:00.000000Z', '0.000000714', 0, 0],
      ['2024-06-03T10:30:00.000000Z', '0.000000048', 0, 1],
    ],
  )
})

test('energy at 00:00:00 belongs to the day that ends there, the reading to the day that begins', () => {
  const tables = oracle(
    arrivals(
      { timestamp: T('23:50:00'), energy_consumption_wh: 1 },
      { timestamp: '2024-06-04T00:00:00Z', energy_consumption_wh: 2.5 },
    ),
    house(),
  )
  // 3.5 Wh × 0.12 / 1000 = 0.00042; the second value covers the ten minutes before it, the first nothing.
  assert.deepEqual(
    pick(
      tables['gold.daily_energy_consumption'],
      'date',
      'total_energy_wh',
      'cost',
      'covered_s',
      'reading_count',
    ),
    [
      ['2024-06-03', '3.500000000', '0.000420000', 600, 1],
      ['2024-06-04', null, null, 0, 1],
    ],
  )
})

test('coverage: the smallest of the channels that have energy', () => {
  const tables = oracle(
    arrivals(
      { timestamp: T('10:00:00'), power_usage: 6, channel: 'a' },
      { timestamp: T('10:00:00'), power_usage: 6, channel: 'b' },
      { timestamp: T('10:05:00'), power_usage: 6, channel: 'b' },
      { timestamp: T('10:10:00'), power_usage: 6, channel: 'a' },
      { timestamp: T('10:11:00'), power_usage: 6, channel: 'c' },
    ),
    house(),
  )
  assert.deepEqual(
    pick(tables['gold.quarter_hourly_energy'], 'energy_wh', 'covered_s', 'power_sum_mw', 'power_count'),
    [['1.500000000', 300, 30_000n, 5]],
  )
})

for (const [zone, date, hours] of [
  ['Europe/Berlin', '2024-03-31', 23],
  ['Europe/Berlin', '2024-10-27', 25],
  ['America/New_York', '2024-03-10', 23],
  ['Asia/Kathmandu', '2024-06-03', 24],
] as const)
  test(`${date} in ${zone} has ${hours} hours`, () => {
    const day = openZone(zone).day(quarterHolding(parseUs(`${date}T12:00:00Z`)))
    assert.equal(day.end - day.start, BigInt(hours) * 3_600_000_000n)
  })

test('the repeated hour of a 25-hour day is two rows, and coverage is of 25 hours', () => {
  const tables = oracle(
    arrivals(
      { timestamp: '2024-10-27T00:30:00Z', power_usage: 1 },
      { timestamp: '2024-10-27T00:45:00Z', power_usage: 1 },
      { timestamp: '2024-10-27T01:30:00Z', power_usage: 1 },
    ),
    house({ timeZone: 'Europe/Berlin' }),
  )
  // 02:30 CEST and 02:30 CET. Both holds last 15 min (the second is cut): 0.25 Wh each.
  assert.deepEqual(pick(tables['gold.hourly_energy'], 'hour_start', 'energy_wh', 'covered_s', 'readings'), [
    ['2024-10-27T00:00:00.000000Z', '0.500000000', 1800, 2],
    ['2024-10-27T01:00:00.000000Z', null, 0, 1],
  ])
  // 1,800 s of 90,000 s.
  assert.equal(tables['gold.daily_energy_consumption'][0]?.['coverage_ratio'], '0.020000')
})

test('the repeated hour begins where the clock was set back', () => {
  const zone = openZone('Europe/Berlin')
  assert.equal(zone.hourStart(parseUs('2024-10-27T01:15:00Z')), parseUs('2024-10-27T01:00:00Z'))
  assert.equal(
    openZone('Asia/Kathmandu').hourStart(parseUs('2024-06-03T00:00:00Z')),
    parseUs('2024-06-02T23:15:00Z'),
  )
})

test('a tariff of the user goes before one of everybody, of the home before every home; bands by local hour', () => {
  const tariffs = [
    DEFAULT_TARIFF,
    { ...DEFAULT_TARIFF, tariff_version: 9, tenant_id: 'home', energy_rate_kwh: '0.500000000' },
    {
      ...DEFAULT_TARIFF,
      tariff_version: 2,
      user_id: 'u',
      hour_from: 12,
      hour_to: 13,
      energy_rate_kwh: '1.000000001',
    },
  ]
  const tables = oracle(
    arrivals(
      { timestamp: T('09:59:00'), energy_consumption_wh: 1 },
      { timestamp: T('10:00:00'), energy_consumption_wh: 0.000001 },
      { timestamp: T('10:15:00'), energy_consumption_wh: 1500 },
    ),
    house({ tariffs, timeZone: 'Europe/Berlin' }),
  )
  // Berlin is at UTC+2: the first two values lie in 11:45–12:00 (the home's 0.5), the third in 12:00–12:15 (the user's).
  // 1.000001 Wh × 0.5 / 1000 = 0.0005000005 → 0.000500001 half up; 1.5 kWh × 1.000000001 = 1.5000000015 → 1.500000002.
  assert.deepEqual(
    pick(tables['gold.quarter_hourly_energy'], 'cost', 'tariff_version').filter(([cost]) => cost !== null),
    [
      ['0.000500001', 9],
      ['1.500000002', 2],
    ],
  )
})

test('health of a day with an outage, an alert and a reject', () => {
  const tables = oracle(
    arrivals(
      ...[0, 1, 2, 3].map((minute) => ({ timestamp: every(minute), temperature: 20, alert: 'none' })),
      { timestamp: every(33), temperature: 20, alert: 'smoke' },
      { timestamp: every(34), temperature: 20, alert: 'smoke' },
      { timestamp: every(35), temperature: 20, alert: null, status: 'offline' },
      { timestamp: every(36), temperature: 200 },
    ),
    house(),
  )
  // valid 7 / 8; quality 1; 1 episode in 24 h. Health = 0.4 + 0.3 × 0.875 + 0.2 + 0.1 × (1 − 1/240) = 0.962083333.
  // Risk = 0.7 × (1 − 0.962083) + 1/480 = 0.0265419 + 0.00208333 = 0.028625233. Reliability = 0.6 × 0.875 + 0.4.
  // Median distance 60 s: 1,440 slots; 6 of 7 are not offline: 0.416667 %. Outages: 10:03–10:33, and offline at the
  // end (0 long). Reporting 35 − 30 = 5 min: 5 / 60 / 2 h.
  const [row] = tables['gold.device_health_metrics']
  const { mtbf_hours: mtbfHours, ...rest } = row as Row
  assert.ok(Math.abs(Number(mtbfHours) - 5 / 120) < 1e-15)
  assert.deepEqual(rest, {
    tenant_id: 'home',
    device_id: 'd',
    date: '2024-06-03',
    health_score: '0.962083',
    failure_probability: '0.028625',
    data_reliability: '0.925000',
    mean_quality_score: '1.000000',
    valid_share: '0.875000',
    late_share: '0.000000',
    alert_count: 2,
    alert_episodes: 1,
    uptime_percentage: '0.416667',
    reading_count: 7,
    quality_sum: '7.000000',
    month: '2024-06-01',
  })
  assert.equal(tables['gold.daily_energy_consumption'][0]?.['data_completeness'], '0.004861') // 7 / 1,440
})

test('a day with rejects only has a health row and nothing else', () => {
  const tables = oracle(arrivals({ timestamp: T('10:00:00'), temperature: 200 }), house())
  assert.deepEqual(tables['gold.daily_energy_consumption'], [])
  assert.deepEqual(tables['gold.daily_business_summary'], [])
  assert.deepEqual(
    pick(
      tables['gold.device_health_metrics'],
      'mean_quality_score',
      'valid_share',
      'health_score',
      'reading_count',
    ),
    [['0.000000', '0.000000', null, null]],
  )
})

test('the house sums devices without a parent; untracked is the parent minus its children', () => {
  const tables = oracle(
    arrivals(
      at('mains', '10:10:00', 100),
      at('plug', '10:10:00', 30),
      at('plug', '10:40:00', 50),
      at('lamp', '10:10:00', 8),
      { ...at('roof', '10:10:00', 1000), device_type: 'solar' },
    ),
    house({
      catalogue: [
        catalogued({ device_id: 'plug', parent_device_id: 'mains' }),
        catalogued({ device_id: 'lamp' }),
      ],
    }),
  )
  // 100 + 8; untracked only where the mains has energy: 100 − 30.
  assert.deepEqual(
    pick(
      tables['gold.daily_business_summary'],
      'total_energy_wh',
      'total_energy_kwh',
      'untracked_energy_wh',
      'active_devices',
      'active_users',
      'data_points',
    ),
    [['108.000000000', '0.108000000', '70.000000000', 4, 1, 5]],
  )
  // 108 Wh × 0.12 / 1000
  assert.equal(tables['gold.daily_business_summary'][0]?.['total_cost'], '0.012960000')
})
