/**
 * InfluxDB line protocol (`measurement,tag=value field=1.5,other="text" 1700000000`): lines of one device and one time are
 * one reading. Written from the reference of the protocol (v1 and v2, which agree but for the `i` and `u` suffixes).
 */
import { NUMBER_FIELDS, type Reading } from '../../reading.ts'
import { isoOf } from '../arrivals.ts'

export interface InfluxPoint {
  measurement: string
  tags: ReadonlyMap<string, string>
  fields: ReadonlyMap<string, number | string | boolean>
  /** ms since 1970 with a fraction; null: the line has no time. */
  atMs: number | null
  line: string
}

/** ms per unit of the parameter `precision`, of both versions. */
const PRECISION_MS: Readonly<Record<string, number>> = {
  n: 1e-6,
  ns: 1e-6,
  u: 1e-3,
  µ: 1e-3,
  us: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

export function precisionMs(text: string | undefined): number | undefined {
  return PRECISION_MS[text ?? 'ns']
}

/** Cuts at a separator outside of quotes and escapes, at most into so many parts. */
function cut(text: string, separator: string, options: { quotes: boolean; parts?: number }): string[] {
  const parts: string[] = []
  let from = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]
    if (sign === '\\') at++
    else if (sign === '"' && options.quotes) quoted = !quoted
    else if (sign === separator && !quoted) {
      parts.push(text.slice(from, at))
      from = at + 1
      if (parts.length + 1 === options.parts) break
    }
  }
  parts.push(text.slice(from))
  return parts
}

const unescape = (text: string): string => text.replace(/\\([,= "\\])/g, '$1')

/** One line; undefined where it is none. */
export function parsePoint(line: string, unitMs: number): InfluxPoint | undefined {
  const [series, fieldSet, stamp, ...more] = cut(line.trim(), ' ', { quotes: true }).filter(
    (part) => part !== '',
  )
  if (series === undefined || fieldSet === undefined || more.length > 0) return undefined
  const [name, ...tagTexts] = cut(series, ',', { quotes: false })
  const tags = pairs(tagTexts)
  const texts = pairs(cut(fieldSet, ',', { quotes: true }), true)
  if (!tags || !texts || name === '' || (stamp !== undefined && !/^-?\d{1,19}$/.test(stamp))) return undefined
  const fields = new Map<string, number | string | boolean>()
  for (const [field, text] of texts) {
    const value = fieldValue(text)
    if (value === undefined) return undefined
    fields.set(field, value)
  }
  const atMs = stamp === undefined ? null : Number(stamp) * unitMs
  return { measurement: unescape(name!), tags, fields, atMs, line }
}

function pairs(texts: readonly string[], quotes = false): Map<string, string> | undefined {
  const found = new Map<string, string>()
  for (const text of texts) {
    const [name, value] = cut(text, '=', { quotes, parts: 2 })
    if (!name || !value) return undefined
    found.set(unescape(name), quotes ? value : unescape(value))
  }
  return found
}

function fieldValue(text: string): number | string | boolean | undefined {
  if (/^".*"$/s.test(text)) return text.slice(1, -1).replace(/\\(["\\])/g, '$1')
  if (/^(?:t|true)$/i.test(text)) return true
  if (/^(?:f|false)$/i.test(text)) return false
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?[iu]?$/i.test(text)) {
    const number = Number(text.replace(/[iu]$/i, ''))
    return Number.isFinite(number) ? number : undefined
  }
  return undefined
}

/** Tags that name the device, the first that is there. */
const DEVICE_TAGS = ['device_id', 'device', 'entity_id', 'sensor', 'id', 'host', 'friendly_name'] as const
const TEXT_TAGS = [
  'device_type',
  'user_id',
  'location',
  'manufacturer',
  'model',
  'status',
  'alert',
  'event_id',
] as const
const SAME_TEXT: Readonly<Record<string, (typeof TEXT_TAGS)[number]>> = { room: 'location', area: 'location' }

/** What a name, of a field or of the measurement that holds a field `value`, measures: a field of the reading or a metric. */
const NAMES: Readonly<Record<string, readonly [name: string, factor: number]>> = {
  power: ['power_usage', 1],
  watts: ['power_usage', 1],
  w: ['power_usage', 1],
  kw: ['power_usage', 1000],
  energy_wh: ['energy_consumption_wh', 1],
  wh: ['energy_total_wh', 1],
  kwh: ['energy_total_wh', 1000],
  energy_total_kwh: ['energy_total_wh', 1000],
  '°c': ['temperature', 1],
  temp: ['temperature', 1],
  temperature_c: ['temperature', 1],
  humidity: ['humidity_pct', 1],
  battery: ['battery_pct', 1],
  voltage: ['voltage_v', 1],
  v: ['voltage_v', 1],
  current: ['current_a', 1],
  a: ['current_a', 1],
  lx: ['illuminance_lx', 1],
  ppm: ['co2_ppm', 1],
}
const NUMBERS = new Set<string>(NUMBER_FIELDS)

/** One reading for each device, channel and time, in the order of their first lines. */
export function readingsOf(points: readonly InfluxPoint[], nowMs: number, tenant: string | null): Reading[] {
  const readings = new Map<string, Reading>()
  for (const point of points) {
    const device = DEVICE_TAGS.map((tag) => point.tags.get(tag)).find((value) => value) ?? point.measurement
    const home = tenant ?? point.tags.get('tenant_id')
    const channel = point.tags.get('channel') ?? point.tags.get('phase')
    // Whole microseconds, as the lake keeps them; ISO text has milliseconds, the rest is written behind.
    const timestamp = isoOf(point.atMs ?? nowMs)
    const key = JSON.stringify([home, device, channel, timestamp])
    const reading = readings.get(key) ?? { device_id: device, timestamp, protocol: 'influx' }
    if (home !== undefined) reading.tenant_id = home
    if (channel !== undefined) reading.channel = channel
    reading.raw = reading.raw === undefined ? point.line : `${reading.raw}\n${point.line}`
    addTexts(reading, point)
    for (const [field, value] of point.fields) addField(reading, point, field, value)
    readings.set(key, reading)
  }
  return [...readings.values()]
}

function addTexts(reading: Reading, { tags }: InfluxPoint): void {
  for (const [tag, value] of tags) {
    const name = SAME_TEXT[tag] ?? TEXT_TAGS.find((known) => known === tag)
    if (name !== undefined) reading[name] = value
  }
}

function addField(
  reading: Reading,
  { measurement }: InfluxPoint,
  field: string,
  sent: number | string | boolean,
): void {
  if (typeof sent === 'string') {
    const name = TEXT_TAGS.find((known) => known === field)
    if (name !== undefined) reading[name] = sent
    return
  }
  // Home Assistant writes the unit as the measurement and the number as `value`.
  const called = field === 'value' ? measurement : field
  const [name, factor] = NAMES[called.toLowerCase()] ?? [called, 1]
  const value = Number(sent) * factor
  if (NUMBERS.has(name)) reading[name as (typeof NUMBER_FIELDS)[number]] = value
  else reading.metrics = { ...reading.metrics, [name]: value }
}
