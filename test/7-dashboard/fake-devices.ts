/** Devices of the fake API: one of each state that a page must show, in the shape of the contract. */
import type { AnswerOf, BodyOf, DeviceRow } from '../../src/6-serve/contract.ts'
import { DEVICES } from './fake-data.ts'

const instant = (ms: number) => new Date(ms).toISOString()
const ZONE = 'Europe/Berlin'

/** What was said of devices since the start of the fake. */
export const said: BodyOf<'deviceChange'>[] = []

function rows(nowMs: number): DeviceRow[] {
  const all = DEVICES.map(({ device_id, device_type, location, power }, i): DeviceRow => {
    const name = said.findLast((change) => change.device === device_id && change.name)?.name
    return {
      device_id,
      name: name ?? (i === 0 ? 'Radiator, living room' : null),
      device_type,
      location,
      user_id: 'user_1',
      manufacturer: 'Nordtherm',
      model: `M${i}`,
      protocol: 'zigbee2mqtt',
      origin: 'discovered',
      presence: i === 2 ? 'offline' : i === 3 ? 'silent' : 'online',
      merged_into: null,
      retired_on: null,
      last_seen: instant(nowMs - i * 40_000),
      power_w: i === 2 ? null : power,
      temperature_c: device_type === 'motion_sensor' ? null : 20 + i / 10,
      today_kwh: power / 100,
      health_score: 0.99 - i * 0.04,
      failure_probability: i * 0.03,
      main_cause: i === 0 ? null : '4 % of its readings late',
      battery_pct: i === 4 ? 9 : null,
      link_quality: 120,
      rssi_dbm: null,
      clock_offset_s: i === 5 ? 7200 : 0.2,
      sparkline: Array.from({ length: 24 }, (_, h) => (h === 7 ? null : (power / 1000) * (1 + (h % 5) / 5))),
    }
  })
  return all.toSorted((a, b) => (a.name ?? a.device_id).localeCompare(b.name ?? b.device_id))
}

export function devices(nowMs: number, empty: boolean): AnswerOf<'devices'> {
  return {
    tenant: 'demo',
    time_zone: ZONE,
    generated_at: instant(nowMs),
    devices: empty ? [] : rows(nowMs),
    can_change: true,
    unknown_messages: empty ? 0 : 1234,
  }
}

export function oneDevice(nowMs: number, id: string): AnswerOf<'device'> | null {
  const row = rows(nowMs).find(({ device_id }) => device_id === id)
  if (!row) return null
  return {
    tenant: 'demo',
    time_zone: ZONE,
    currency: 'USD',
    generated_at: instant(nowMs),
    can_change: true,
    device: row,
    facts: {
      first_seen: instant(nowMs - 86_400_000),
      messages: 86_400,
      usual_interval_s: 10,
      expected_interval_s: null,
      time_rules: { message: 80_000, ahead: 6_400 },
      aliases: ['0x00158d00045ab3c1'],
      gateway: 'zigbee2mqtt/bridge',
      parent_device_id: null,
      installation_date: '2024-01-15',
      rated_power_w: 2000,
      units: { power: 'W' },
      merged_ids: [],
    },
    health: {
      date: instant(nowMs).slice(0, 10),
      score: 0.91,
      risk: 0.06,
      uptime: 0.98,
      alert_episodes: 2,
      parts: [
        { name: 'quality', share: 0.8, weight: 0.4, lost: 0.08, text: 'quality of its readings 80 %' },
        { name: 'calm', share: 0.9, weight: 0.1, lost: 0.01, text: '2 alerts' },
        { name: 'valid', share: 1, weight: 0.3, lost: 0, text: '0 % of its readings not valid or rejected' },
        { name: 'in_time', share: 1, weight: 0.2, lost: 0, text: '0 % of its readings late' },
      ],
    },
  }
}

/** Up to now, or to the end of a date in UTC. */
export function deviceHistory(clockMs: number, range: string, end: string | null): AnswerOf<'deviceHistory'> {
  const nowMs = end === null ? clockMs : Date.parse(`${end}T23:59:59Z`)
  const [grain, step, slots] =
    range === '1d'
      ? (['quarter_hour', 900, 96] as const)
      : range === '365d'
        ? (['day', 86_400, 365] as const)
        : (['hour', 3600, range === '7d' ? 168 : 720] as const)
  const last = Math.floor(nowMs / 1000 / step) * step
  const t = Array.from({ length: slots }, (_, i) => last - (slots - 1 - i) * step)
  // A gap that must be drawn as one.
  const column = (of: (i: number) => number) => t.map((_, i) => (i > 20 && i < 30 ? null : of(i)))
  return {
    tenant: 'demo',
    time_zone: ZONE,
    from: instant(t[0]! * 1000).slice(0, 10),
    to: instant(nowMs).slice(0, 10),
    is_open: end === null,
    grain,
    t,
    power_w: column((i) => 800 + 600 * Math.sin(i / 6)),
    power_max_w: column((i) => 1000 + 600 * Math.sin(i / 6)),
    energy_kwh: column((i) => 0.2 + 0.15 * Math.sin(i / 6)),
    temperature_c: column((i) => 20 + Math.sin(i / 9)),
    total_kwh: 18.4,
    coverage_ratio: 0.9,
    reason: null,
  }
}

export function deviceMessages(nowMs: number): AnswerOf<'deviceMessages'> {
  return {
    tenant: 'demo',
    time_zone: ZONE,
    messages: Array.from({ length: 20 }, (_, i) => ({
      arrived_at: instant(nowMs - i * 10_000),
      timestamp: instant(nowMs - i * 10_000),
      channel: '',
      topic: 'zigbee2mqtt/radiator',
      protocol: 'zigbee2mqtt',
      position: `0/${1000 - i}/0`,
      text: '{"power":1450,"temperature":20.4,"linkquality":120}',
    })),
    rejects: [
      {
        arrived_at: instant(nowMs - 3_600_000),
        timestamp: instant(nowMs - 3_600_000),
        reason: 'temperature_out_of_range',
        detail: '140 °C, outside −50…100 °C',
        position: '0/12/0',
        text: '{"temperature":140}',
      },
    ],
    reject_count: 1,
    reason: null,
  }
}

export function unknownMessages(nowMs: number): AnswerOf<'unknownMessages'> {
  return {
    tenant: 'demo',
    patterns: [
      {
        pattern: 'heating/boiler/state',
        why: 'unknown',
        count: 1234,
        first_seen: instant(nowMs - 86_400_000),
        last_seen: instant(nowMs - 5_000),
        topic: 'heating/boiler/state',
        sample: '{"flow":{"temp":48.5},"meter":1234}',
        proposal: '- topic: heating/{device}/state\n  fields:\n    - from: flow.temp\n      to: temperature',
      },
    ],
  }
}
