/**
 * OpenMQTTGateway and Theengs Gateway: `<base>/<gateway>/BTtoMQTT/<address>`, one Bluetooth device a message, its keys and units
 * those of the Theengs decoder. `SYStoMQTT` and `LWT` tell of the gateway itself. Documentation: Theengs decoder, properties.
 */
import type { Context, Decoder, Outcome } from './decoder.ts'
import { Draft, putMetric, putQuantity, type Measures } from './draft.ts'
import type { JsonObject, Message } from './message.ts'
import { putSwitch } from './quantities.ts'
import { numberOf, slug, switchOf, table, textOf } from './values.ts'

const PROTOCOL = 'openmqttgateway'

/** Key → name and unit; `''` where the documentation gives the number no unit. */
const KEYS: Readonly<Record<string, readonly [name: string, unit: string]>> = table({
  hum: ['humidity', '%'],
  batt: ['battery', '%'],
  lux: ['illuminance', 'lx'],
  moi: ['moisture', '%'],
  fer: ['conductivity', 'µS/cm'],
  pres: ['pressure', 'hPa'],
  co2: ['co2', 'ppm'],
  for: ['formaldehyde', 'mg/m³'],
  pm25: ['pm2_5', 'µg/m³'],
  pm10: ['pm10', 'µg/m³'],
  rssi: ['rssi', 'dBm'],
  position: ['position', '%'],
  lvl_cm: ['level', 'cm'],
  distance: ['distance', 'm'],
  uptime: ['uptime', 's'],
  // Of the session, not of the device's life.
  energy: ['energy_session', 'kWh'],
  litres: ['water_session', 'L'],
  seconds: ['session', 's'],
  duration: ['duration', 's'],
  angle: ['angle', '°'],
  rot: ['rotation', '°'],
  direct: ['wind_direction', '°'],
  wind: ['wind_speed', 'm/s'],
})

/** What a message is made of, not what was measured; °F and inches are there a second time. */
const NO_MEASURE =
  /^(?:id|mac|mac_type|name|brand|model|model_id|type|cidc|acts|cont|track|prmac|ctrl|encr|cipher|ctr|mic|packet|seq|unit|avgu|sumu|time|txpower|tx|servicedata|servicedatauuid|manufacturerdata|lvl_in|tempf\d?)$/

const SWITCHES: Readonly<Record<string, string>> = table({
  open: 'open',
  lowbatt: 'battery_low',
  state: 'on',
})

/** Types of devices whose voltage is that of their own battery. */
const BATTERY_TYPES = /^(?:THBX?|BBQ|CTMO|ACEL|PLANT|AIR|UNIQ)$/

export const OPENMQTTGATEWAY: Decoder = {
  protocol: PROTOCOL,
  mayRead: (_topic, levels) => kindAt(levels) > 0,
  decode(message, context) {
    const { levels } = message
    const at = kindAt(levels)
    const json = message.object()
    if (!json) return { why: message.text()![0] === '{' ? 'broken_json' : 'no_telemetry', protocol: PROTOCOL }
    if (levels[at] === 'SYStoMQTT') return readGateway(levels.slice(0, at).join('/'), json, message, context)
    const address = textOf(levels[at + 1] ?? json.id ?? json.mac)
    if (address === undefined) return { why: 'no_device', protocol: PROTOCOL }
    return readDevice(address.replaceAll(':', '').toUpperCase(), json, message, context)
  },
}

/** Where a topic says what kind of message it is. */
function kindAt(levels: readonly string[]): number {
  return levels.findIndex((level) => level === 'BTtoMQTT' || level === 'SYStoMQTT')
}

function readGateway(device_id: string, json: JsonObject, message: Message, context: Context): Outcome {
  const draft = new Draft({ protocol: PROTOCOL, device_id, event_id: 'SYStoMQTT' })
  draft.tell({ device_type: 'gateway' })
  putQuantity(draft.channel(), 'uptime', json.uptime, 's')
  putQuantity(draft.channel(), 'rssi', json.rssi, 'dBm')
  return draft.finish(message, context)
}

function readDevice(device_id: string, json: JsonObject, message: Message, context: Context): Outcome {
  const draft = new Draft({ protocol: PROTOCOL, device_id })
  const [manufacturer, model, name] = [textOf(json.brand), textOf(json.model), textOf(json.name)]
  if (manufacturer !== undefined || model !== undefined || name !== undefined)
    draft.tell({
      ...(manufacturer !== undefined && { manufacturer }),
      ...(model !== undefined && { model }),
      ...(name !== undefined && { name }),
    })
  for (const key of Object.keys(json)) {
    // Probes are numbered from the second on, or from the first: each is an endpoint of its own.
    const probe = /^temp([cf])(\d?)$/.exec(key)
    if (probe) readTemperature(draft, json, probe[1]!, probe[2]!)
    else if (!NO_MEASURE.test(key)) readKey(draft.channel(), json, key)
  }
  return draft.finish(message, context)
}

function readTemperature(draft: Draft, json: JsonObject, unit: string, probe: string): void {
  if (unit === 'f' && `tempc${probe}` in json) return
  const whole: Measures = { metrics: {} }
  putQuantity(whole, 'temperature', json[`temp${unit}${probe}`], unit === 'f' ? '°F' : '°C')
  const celsius = whole.metrics.temperature_c
  if (celsius !== undefined) draft.channel(probe).temperature = celsius
}

function readKey(measures: Measures, json: JsonObject, key: string): void {
  const value = json[key]
  const known = KEYS[key]
  const number = numberOf(value)
  if (key === 'avg' || key === 'sum') readMeter(measures, key, number, json)
  else if (key === 'volt')
    putQuantity(measures, BATTERY_TYPES.test(String(json.type)) ? 'battery_voltage' : 'voltage', number, 'V')
  else if (key === 'weight') putQuantity(measures, 'weight', number, textOf(json.unit) ?? '')
  else if (key === 'pres' && json.type === 'TIRE') putMetric(measures, 'tyre_pressure', number)
  else if (known && number !== undefined) putQuantity(measures, known[0], number, known[1])
  // A contact that is `open` is open; one that is true is closed.
  else if (key === 'contact') putSwitch(measures, key, value)
  else {
    // Words are modes, but for those that are documented as on and off.
    const isSwitch = typeof value === 'boolean' || SWITCHES[key] !== undefined
    const on = number === undefined && isSwitch ? switchOf(value) : undefined
    putMetric(measures, SWITCHES[key] ?? slug(key), number ?? on)
    if (key === 'lowbatt' && on === 1) measures.alert = 'low_battery'
  }
}

/** A meter's mean power and its counter, each with its unit beside it; without one neither is guessed at. */
function readMeter(
  measures: Measures,
  key: 'avg' | 'sum',
  number: number | undefined,
  json: JsonObject,
): void {
  const whole: Measures = { metrics: {} }
  putQuantity(whole, key, number, textOf(json[`${key}u`]) ?? '')
  const { avg_w: watts, sum_wh: wattHours } = whole.metrics
  if (watts !== undefined) measures.power_usage = watts
  else if (wattHours !== undefined) measures.energy_total_wh = wattHours
  else for (const name in whole.metrics) putMetric(measures, name, whole.metrics[name])
}
