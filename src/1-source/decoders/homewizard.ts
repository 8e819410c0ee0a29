/**
 * HomeWizard: the local API, version 1 (`/api/v1/data`) and 2 (`/api/measurement`). Keys carry their unit. A meter's total is the
 * reading, its phases and tariffs are metrics. Documentation: HomeWizard Energy API.
 */
import type { Context, Decoder, Outcome } from './decoder.ts'
import { Draft, putMetric, putQuantity } from './draft.ts'
import { unitSuffix, wattHoursOfKilowattHours } from '../../units.ts'
import { isObject, type JsonObject, type Message } from './message.ts'
import { numberOf, switchOf, table, textOf } from './values.ts'

const PROTOCOL = 'homewizard'
const TOPIC = /^GET \/api(?:\/v1|\/v2)?(?:\/(?:data|state|system|measurement))?(?:$|\?)/

export const HOMEWIZARD: Decoder = {
  protocol: PROTOCOL,
  mayRead: (topic) => TOPIC.test(topic),
  decode(message, context) {
    const json = message.object()
    if (!json) return undefined
    const device_id = context.device ?? textOf(json.serial)
    if (device_id === undefined) return { why: 'no_device', protocol: PROTOCOL }
    return read(device_id, json, message, context)
  },
}

/** Beginnings of keys that are named differently elsewhere in the platform. */
const NAMES: readonly (readonly [start: RegExp, name: string])[] = [
  [/^total_power_import_(t\d)_kwh$/, 'energy_total_$1_kwh'],
  [/^total_power_export_(t\d)_kwh$/, 'export_total_$1_kwh'],
  [/^energy_import_(t\d)_kwh$/, 'energy_total_$1_kwh'],
  [/^energy_export_(t\d)_kwh$/, 'export_total_$1_kwh'],
  [/^total_gas_m3$/, 'gas_total_m3'],
  [/^total_liter_m3$/, 'water_total_m3'],
  [/^active_liter_lpm$/, 'water_flow_lpm'],
  [/^state_of_charge_pct$/, 'battery_pct'],
  [/^wifi_strength$/, 'wifi_quality_pct'],
  [/^wifi_rssi_db$/, 'rssi_dBm'],
  [/^active_(.+)$/, '$1'],
]
/** Endings of keys → unit. */
const UNITS: Readonly<Record<string, string>> = table({
  w: 'W',
  kwh: 'kWh',
  v: 'V',
  a: 'A',
  hz: 'Hz',
  va: 'VA',
  var: 'var',
  pct: '%',
  m3: 'm³',
  lpm: 'L/min',
  s: 's',
  dBm: 'dBm',
})

const NO_MEASURE =
  /^(?:active_tariff|tariff|smr_version|meter_model|protocol_version|firmware_version|api_version|serial|product_.*|.*unique_id|.*timestamp|external|.*(?:sag|swell)_.*|any_power_fail_count|long_power_fail_count|monthly_.*|average_.*|total_power_(?:import|export)_kwh|energy_(?:import|export)_kwh|active_power_w|power_w)$/

function read(device_id: string, json: JsonObject, message: Message, context: Context): Outcome {
  const draft = new Draft({
    protocol: PROTOCOL,
    device_id,
    time: textOf(json.timestamp),
    event_id: message.levels.at(-1)!,
  })
  const model = textOf(json.product_type) ?? textOf(json.meter_model)
  const name = textOf(json.product_name)
  if (model !== undefined || name !== undefined)
    draft.tell({
      manufacturer: 'HomeWizard',
      ...(model !== undefined && { model }),
      ...(name !== undefined && { name }),
      ...(json.product_type === 'HWE-BAT' && { device_type: 'battery' }),
    })
  if ('state_of_charge_pct' in json) draft.tell({ device_type: 'battery' })
  const measures = draft.channel()
  const power = numberOf(json.active_power_w ?? json.power_w)
  if (power !== undefined) measures.power_usage = power
  const imported = total(json, 'import')
  if (imported !== undefined) measures.energy_total_wh = imported
  putMetric(measures, 'export_total_wh', total(json, 'export'))
  putMetric(measures, 'on', switchOf(json.power_on))
  readExternal(draft, json.external)
  for (const key of Object.keys(json)) if (!NO_MEASURE.test(key)) readKey(draft, key, json[key])
  return draft.finish(message, context)
}

/** Meters behind the P1 meter, by their kind. Those that say no kind, no number or no unit are left as they are. */
const EXTERNAL: Readonly<Record<string, string>> = table({
  gas_meter: 'gas_total',
  heat_meter: 'heat_total',
  warm_water_meter: 'warm_water_total',
  water_meter: 'water_total',
  inlet_heat_meter: 'inlet_heat_total',
})

function readExternal(draft: Draft, external: unknown): void {
  if (!Array.isArray(external)) return
  const seen = new Set<string>()
  for (const meter of external.slice(0, 20)) {
    if (!isObject(meter)) continue
    const name = EXTERNAL[String(meter.type)]
    const unit = textOf(meter.unit)
    if (name === undefined || unit === undefined || unitSuffix(unit) === undefined || seen.has(name)) continue
    seen.add(name)
    putQuantity(draft.channel(), name, meter.value, unit)
  }
}

/** The counter of the whole; where there are only those of the tariffs, their sum. */
function total(json: JsonObject, way: 'import' | 'export'): number | undefined {
  const whole = numberOf(json[`total_power_${way}_kwh`] ?? json[`energy_${way}_kwh`])
  if (whole !== undefined) return wattHoursOfKilowattHours(whole)
  const tariffs = [1, 2, 3, 4].flatMap(
    (n) => numberOf(json[`total_power_${way}_t${n}_kwh`] ?? json[`energy_${way}_t${n}_kwh`]) ?? [],
  )
  return tariffs.length === 0
    ? undefined
    : wattHoursOfKilowattHours(tariffs.reduce((sum, kWh) => sum + kWh, 0))
}

function readKey(draft: Draft, key: string, value: unknown): void {
  const number = numberOf(value)
  if (number === undefined) return
  let named = key
  for (const [start, name] of NAMES)
    if (start.test(key)) {
      named = key.replace(start, name)
      break
    }
  const end = named.lastIndexOf('_')
  const unit = UNITS[named.slice(end + 1)]
  if (end > 0 && unit !== undefined) putQuantity(draft.channel(), named.slice(0, end), number, unit)
  else putMetric(draft.channel(), named, number)
}
