/** A house of the fake API: every figure is a fixed function of the clock, in the shape of the contract. */
import type { AnswerOf, LiveReading, Overview } from '../../src/6-serve/contract.ts'

export const TYPES = ['thermostat', 'smart_bulb', 'smart_plug', 'security_camera', 'motion_sensor'] as const
const ROOMS = ['living_room', 'hallway', 'kitchen', 'entrance', 'bedroom']
/** W at rest, by type. */
const POWER = [1450, 8.5, 620, 6.2, 0.08]

export const DEVICES = TYPES.flatMap((device_type, i) =>
  [1, 2].map((n) => ({
    device_id: `${device_type}_${n}`,
    device_type,
    location: ROOMS[i]!,
    power: POWER[i]! * (n === 1 ? 1 : 0.45),
  })),
)

const instant = (ms: number) => new Date(ms).toISOString()

/** The reading of a device in a second; power swings by a fifth around its rest, temperature by half a degree. */
export function readingAt(device: (typeof DEVICES)[number], second: number, tenant = 'demo'): LiveReading {
  const phase = DEVICES.indexOf(device)
  const swing = Math.sin(second / (17 + phase) + phase)
  // A heating that switches, as heatings do.
  const on = device.device_type !== 'thermostat' || Math.floor(second / 40 + phase) % 2 === 0
  const power = Math.round((on ? device.power * (1 + 0.2 * swing) : 2) * 100) / 100
  const warm =
    device.device_type === 'motion_sensor' ? null : 20.5 + phase * 0.35 + 0.4 * Math.sin(second / 60 + phase)
  return {
    tenant_id: tenant,
    device_id: device.device_id,
    channel: '',
    timestamp: instant(second * 1000),
    device_type: device.device_type,
    location: device.location,
    temperature: warm === null ? null : Math.round(warm * 10) / 10,
    power_usage: power,
    energy_consumption_wh: power / 3600,
    status: 'online',
    alert: phase === 4 && second % 60 < 8 ? 'high_power' : 'none',
  }
}

export function recent(nowMs: number): LiveReading[] {
  const nowS = Math.floor(nowMs / 1000)
  return Array.from({ length: 10 }, (_, i) => DEVICES.map((device) => readingAt(device, nowS - i))).flat()
}

export function series(nowMs: number, minutes: number): AnswerOf<'series'> {
  const nowS = Math.floor(nowMs / 1000)
  const t = Array.from({ length: minutes * 60 }, (_, i) => nowS - minutes * 60 + i + 1)
  // Four minutes ago the devices were silent for half a minute: a gap that must be drawn as one.
  const silent = (s: number) => nowS - s > 55 && nowS - s < 75
  const column = (pick: (reading: LiveReading) => number | null) =>
    Object.fromEntries(
      DEVICES.map((device) => [
        device.device_id,
        t.map((s) => (silent(s) ? null : pick(readingAt(device, s)))),
      ]),
    )
  return {
    tenant: 'demo',
    bucket_s: 1,
    t,
    power: column((reading) => reading.power_usage),
    temperature: Object.fromEntries(
      Object.entries(column((reading) => reading.temperature)).filter(([id]) => !id.startsWith('motion')),
    ),
    devices: Object.fromEntries(
      DEVICES.map(({ device_id, device_type, location }) => [device_id, { device_type, location }]),
    ),
    omitted_devices: 0,
    reason: null,
  }
}

export const homes = (hasData: boolean): AnswerOf<'homes'> => ({
  homes: [
    { tenant: 'demo', simulated: true, has_data: hasData, devices: 10, last_reading_at: null },
    { tenant: 'home', simulated: false, has_data: false, devices: 0, last_reading_at: null },
  ],
  default: 'demo',
})

export function dataStatus(nowMs: number, state: 'ok' | 'stale' | 'error'): AnswerOf<'dataStatus'> {
  const layer = (name: string, rows: number, files: number, ageS: number, tables: string[]) => ({
    layer: name,
    state: name === 'gold' ? state : ('ok' as const),
    reason:
      name === 'gold' && state !== 'ok'
        ? 'Silver has 14 commits that Gold has not taken in.'
        : 'Its newest commit covers all input.',
    files,
    rows,
    bytes: rows * 9,
    updated_at: instant(nowMs - ageS * 1000),
    lag: null,
    tables: tables.map((table) => ({
      name: `${name}.${table}`,
      files,
      rows,
      bytes: rows * 9,
      version: 412,
      updated_at: instant(nowMs - ageS * 1000),
      problem: null,
    })),
    last_step_ms: 140,
  })
  return {
    generated_at: instant(nowMs),
    state,
    reason: state === 'ok' ? 'Every layer is up to date.' : 'Gold is behind Silver.',
    layers: [
      layer('bronze', 128_431, 14, 1, ['telemetry']),
      layer('silver', 127_902, 22, 2, ['readings', 'rejects', 'duplicates']),
      layer('gold', 9_874, 31, 6, ['quarter_hourly_energy', 'daily_energy_consumption']),
    ],
    stream: {
      topic: 'smart_home.telemetry',
      partitions: [{ partition: 0, start: 1, end: 9000, landed: 8990, lag: 10 }],
      dropped: 0,
    },
    parts: ['simulator', 'bronze', 'silver', 'gold'].map((name) => ({
      name,
      state: 'running',
      since: instant(nowMs - 9e6),
      restarts: 0,
      pending: 0,
      last_error: null,
      memory_bytes: 96_400_000,
      event_loop_delay_ms: 21.3,
      figures: {},
    })),
  }
}

type Kpi = Overview['kpis']['total_cost']

function kpi(
  value: number | null,
  previous: number,
  unit: string,
  course: (i: number) => number | null,
): Kpi {
  const day = Date.UTC(2026, 10, 23)
  return {
    value,
    unit,
    reason: value === null ? 'No day of the range has readings.' : null,
    delta:
      value === null
        ? null
        : {
            absolute: value - previous,
            ratio: (value - previous) / previous,
            previous,
            current: value,
            compared_to: { from: instant(day - 864e5), to: instant(day - 360e5) },
            text: 'yesterday until 14:30',
          },
    delta_reason: value === null ? 'There is nothing to compare.' : null,
    sparkline: {
      grain: 'hour',
      t: Array.from({ length: 15 }, (_, i) => instant(day + i * 36e5)),
      value: Array.from({ length: 15 }, (_, i) => (value === null ? null : course(i))),
    },
    coverage_ratio: value === null ? null : 0.97,
    partial: true,
    definition: {
      what: 'The sum over the devices without a parent.',
      formula: '31.4 kWh × $0.12/kWh = $3.77',
    },
  }
}

/** The overview; `empty` is that of a home from which nothing has been heard. */
export function overview(nowMs: number, empty: boolean, range: Overview['range']['name']): Overview {
  const day = Date.UTC(2026, 10, 23)
  const of = (value: number) => (empty ? null : value)
  const why = empty ? 'No reading has arrived yet.' : null
  const definition = { what: 'What this number says.', formula: 'a × b = c' }
  const wave = (base: number) => (i: number) => base * (1 + 0.5 * Math.sin(i / 2))
  return {
    tenant: 'demo',
    simulated: true,
    generated_at: instant(nowMs),
    time_zone: 'Europe/Berlin',
    currency: 'USD',
    refresh_s: 30,
    range: {
      name: range,
      from: '2026-11-23',
      to: '2026-11-23',
      start: instant(day - 36e5),
      end: instant(day + 828e5),
      total_s: 86400,
      elapsed_s: 52200,
      partial: true,
    },
    newest_day: null,
    built_from: { 'gold.daily_energy_consumption': 412 },
    kpis: {
      total_energy_kwh: kpi(of(31.42), 33.8, 'kWh', wave(2)),
      total_cost: kpi(of(3.77), 3.41, 'USD', wave(0.25)),
      active_devices: { ...kpi(of(9), 9, 'devices', () => 9), total: 10 },
      mean_health_score: kpi(of(0.942), 0.93, '', wave(0.03)),
    },
    power_now: {
      value_w: of(2143.7),
      reason: why,
      cost_per_hour: of(0.2572),
      devices: 10,
      as_of: empty ? null : instant(nowMs - 1000),
      within_s: 300,
      definition,
    },
    energy_by_type: {
      rows: empty
        ? []
        : [
            { device_type: 'thermostat', energy_kwh: 21.7, cost: 2.6, share: 0.69, devices: 2 },
            { device_type: 'smart_plug', energy_kwh: 8.9, cost: 1.07, share: 0.283, devices: 2 },
            { device_type: 'smart_bulb', energy_kwh: 0.6, cost: 0.072, share: 0.019, devices: 2 },
            { device_type: 'security_camera', energy_kwh: 0.21, cost: 0.025, share: 0.007, devices: 2 },
            { device_type: 'motion_sensor', energy_kwh: 0.01, cost: 0.001, share: 0.001, devices: 2 },
          ],
      untracked_kwh: null,
      reason: why,
      definition,
    },
    health_vs_risk: {
      devices: empty
        ? []
        : DEVICES.map(({ device_id, device_type, location }, i) => ({
            device_id,
            device_type,
            location,
            date: '2026-11-23',
            health_score: [0.64, 0.83, 0.91, 0.95, 0.97, 0.98, 0.985, 0.99, 0.99, 1][i]!,
            failure_probability: [0.46, 0.21, 0.12, 0.06, 0.04, 0.03, 0.02, 0.01, 0.01, 0][i]!,
            data_reliability: 0.98,
            main_cause: i < 3 ? 'alerts began 4.2 times an hour' : null,
          })),
      reason: why,
      definition,
    },
    system_health: {
      value: of(91.4),
      word: empty ? 'unknown' : 'good',
      reason: why,
      top_issue: empty
        ? null
        : { text: 'Thermostat 1: alerts began 4.2 times an hour.', device_id: 'thermostat_1' },
      definition,
    },
    insight: empty
      ? null
      : {
          text: 'Smart plug 1 used 38 % more than usual.',
          basis: '5.1 kWh until 14:30, against 3.7 kWh on the last 7 days.',
          device_id: 'smart_plug_1',
        },
    insight_reason: empty ? 'Needs 3 days; none so far.' : null,
    alerts: {
      open_count: empty ? 0 : 2,
      rows: empty
        ? []
        : [
            alert(nowMs, 'critical', 'high_power', 'Smart plug 1 draws 3,720 W; the limit is 3,500 W.'),
            alert(nowMs, 'warning', 'low_temperature', 'Thermostat 2 reports 4.6 °C; the limit is 5 °C.'),
          ],
      checked_at: instant(nowMs - 2000),
      reason: null,
    },
  }
}

function alert(
  nowMs: number,
  severity: 'warning' | 'critical',
  kind: 'high_power' | 'low_temperature',
  text: string,
): Overview['alerts']['rows'][number] {
  return {
    id: kind,
    tenant: 'demo',
    device_id: 'smart_plug_1',
    device_type: 'smart_plug',
    location: 'kitchen',
    kind,
    name: kind,
    severity,
    state: 'open',
    value: 3720,
    limit: 3500,
    unit: 'W',
    since: instant(nowMs - 754_000),
    updated_at: instant(nowMs),
    resolved_at: null,
    text,
    action: 'Check what is switched on there.',
  }
}
