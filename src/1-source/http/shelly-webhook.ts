/**
 * What a Shelly calls when something happens: Gen1 "actions" (`?hum=55&temp=21.5&id=shellyht-1`), and Gen2+ webhooks, whose
 * address a person writes with `${ev.tC}`, `${status["switch:0"].apower}` and the like in it.
 */
import type { Reading } from '../../reading.ts'
import { isoOf } from '../arrivals.ts'

type Measured = readonly [name: string, toUnit: (value: number) => number]
const same = (value: number): number => value
const thousandfold = (value: number): number => value * 1000
const NUMBERS: Readonly<Record<string, Measured>> = {
  temp: ['temperature', same],
  tc: ['temperature', same],
  temperature: ['temperature', same],
  tf: ['temperature', (fahrenheit) => ((fahrenheit - 32) * 5) / 9],
  power: ['power_usage', same],
  apower: ['power_usage', same],
  act_power: ['power_usage', same],
  energy: ['energy_total_wh', same],
  aenergy: ['energy_total_wh', same],
  energy_kwh: ['energy_total_wh', thousandfold],
  hum: ['humidity_pct', same],
  rh: ['humidity_pct', same],
  humidity: ['humidity_pct', same],
  lux: ['illuminance_lx', same],
  bat: ['battery_pct', same],
  battery: ['battery_pct', same],
  voltage: ['voltage_v', same],
  current: ['current_a', same],
  flood: ['flood', same],
  smoke: ['smoke', same],
  motion: ['motion', same],
  tilt: ['tilt', same],
  vibration: ['vibration', same],
}
const MEASURED = new Set(['temperature', 'power_usage', 'energy_total_wh'])
const DEVICE_NAMES = ['id', 'device', 'device_id', 'mac'] as const

/** The reading of a call; null where it names no device. Its address stands in `raw`, since not all of it is understood. */
export function shellyReading(
  query: Readonly<Record<string, string | undefined>>,
  {
    device,
    raw,
    nowMs,
    tenant,
  }: { device: string | undefined; raw: string; nowMs: number; tenant: string | null },
): Reading | null {
  const named = device ?? DEVICE_NAMES.map((name) => query[name]).find((value) => value)
  if (named === undefined || named === '') return null
  const reading: Reading = {
    device_id: named,
    timestamp: isoOf(nowMs),
    manufacturer: 'Shelly',
    protocol: 'shelly',
    raw,
  }
  if (tenant !== null) reading.tenant_id = tenant
  if (query.channel !== undefined) reading.channel = query.channel
  // That it called is that it is there; a door sensor says no more than its event.
  reading.status = query.event ?? 'online'
  for (const [name, text] of Object.entries(query)) {
    const measured = NUMBERS[name.toLowerCase()]
    const sent = text === undefined || text.trim() === '' ? NaN : Number(text)
    if (measured === undefined || !Number.isFinite(sent)) continue
    const [field, toUnit] = measured
    if (MEASURED.has(field)) reading[field as 'temperature'] = toUnit(sent)
    else reading.metrics = { ...reading.metrics, [field]: toUnit(sent) }
  }
  return reading
}
