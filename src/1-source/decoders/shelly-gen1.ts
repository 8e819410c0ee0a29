/**
 * Shelly of the first generation: `shellies/<id>/<component>/<n>/<value>`, one plain value a topic, and `/status` by HTTP.
 * Documentation: "Shelly Gen1 Device API", MQTT. A relay's, roller's and light's `energy` counts watt-minutes; an energy
 * meter's `total` counts Wh and is kept; its `energy`, in watt-minutes, is lost with the power and so is no counter here.
 * `sensor/temperature` is in the unit that its owner set; `info` tells which.
 */
import { celsiusOfFahrenheit, wattHoursOfWattMinutes } from '../../units.ts'
import type { Context, Decoder, Outcome } from './decoder.ts'
import { Draft, putMetric, putQuantity, type Measures } from './draft.ts'
import { isObject, type JsonObject, type Message } from './message.ts'
import { at, numberOf, switchOf, table, textOf } from './values.ts'

const PROTOCOL = 'shelly-gen1'

export const SHELLY_GEN1: Decoder = {
  protocol: PROTOCOL,
  mayRead: (topic, levels) => topic.startsWith('GET /') || levels.includes('shellies'),
  decode(message, context) {
    const { levels, topic } = message
    if (topic.startsWith('GET /')) return readAnswer(message, context)
    const from = levels.indexOf('shellies')
    const id = levels[from + 1]
    if (id === 'announce') return readInfo(undefined, message, context)
    if (id === undefined || id === 'command') return { why: 'no_telemetry', protocol: PROTOCOL }
    const path = levels.slice(from + 2)
    const last = path.at(-1)
    if (last === 'announce') return readInfo(id, message, context)
    if (last === 'info' || (last === 'status' && path.length === 1)) {
      const json = message.object()
      return json ? readStatus(id, json, message, context) : { why: 'broken_json', protocol: PROTOCOL }
    }
    return readValue(id, path, message, context)
  },
}

function readValue(device_id: string, path: readonly string[], message: Message, context: Context): Outcome {
  const draft = new Draft({ protocol: PROTOCOL, device_id, event_id: path.join('/') })
  const text = message.text()!
  const [component = '', index = '', ...rest] = path
  if (component === 'online') {
    const online = switchOf(text)
    if (online !== undefined) draft.presence(online === 1 ? 'online' : 'offline')
  } else if (component === 'sensor')
    readSensor(draft.channel(), index, text, context.lessons.get(unitKey(device_id)))
  else if (/^(?:relay|roller|light|white|color|emeter|meter)$/.test(component) && /^\d+$/.test(index))
    readChannel(draft.channel(index), component, rest[0], text, message)
  else if (/^ext_(?:temperature|humidity)$/.test(component))
    readProbe(draft.channel(`ext${index}`), component, text)
  else if (component === 'temperature') putQuantity(draft.channel(), 'device_temperature', text, '°C')
  else if (component === 'voltage') putQuantity(draft.channel(), 'voltage', text, 'V')
  else if (component === 'adc') putQuantity(draft.channel(`adc${index}`), 'voltage', text, 'V')
  else if (component === 'input')
    putMetric(draft.channel(index), 'input', text === '1' ? 1 : text === '0' ? 0 : undefined)
  else if (component === 'overtemperature') {
    if (text === '1') draft.channel().alert = 'high_temperature'
    else putMetric(draft.channel(), 'overtemperature', numberOf(text))
  }
  const outcome = draft.finish(message, context)
  return 'why' in outcome && /^(?:nan|null|unknown)$/i.test(text)
    ? { why: 'no_value', protocol: PROTOCOL }
    : outcome
}

function readChannel(
  measures: Measures,
  component: string,
  value: string | undefined,
  text: string,
  message: Message,
): void {
  const number = numberOf(text)
  if (value === undefined) {
    // A relay that saw too much power has switched itself off.
    if (text === 'overpower') measures.alert = 'high_power'
    putMetric(measures, 'on', text === 'overpower' ? 0 : switchOf(text))
  } else if (value === 'status') {
    putMetric(measures, 'on', switchOf(at(message.json(), 'ison')))
    putQuantity(measures, 'brightness', at(message.json(), 'brightness'), '%')
    const power = numberOf(at(message.json(), 'power'))
    if (power !== undefined) measures.power_usage = power
  } else if (number === undefined) return
  else if (value === 'power') measures.power_usage = number
  else if (value === 'energy') {
    if (component === 'emeter') putMetric(measures, 'energy_since_start_wh', wattHoursOfWattMinutes(number))
    else measures.energy_total_wh = wattHoursOfWattMinutes(number)
  } else if (value === 'total') measures.energy_total_wh = number
  else if (value === 'total_returned' || value === 'returned_energy')
    putMetric(
      measures,
      value === 'total_returned' ? 'export_total_wh' : 'export_since_start_wh',
      value === 'total_returned' ? number : wattHoursOfWattMinutes(number),
    )
  else if (value === 'pf') putMetric(measures, 'power_factor', number)
  else if (value === 'reactive_power') putMetric(measures, 'reactive_power_var', number)
  else if (value === 'voltage') putMetric(measures, 'voltage_v', number)
  else if (value === 'current') putMetric(measures, 'current_a', number)
  else if (value === 'pos') putMetric(measures, 'position_pct', number)
}

/** Names of `sensor/…` → metric and unit. */
const SENSORS: Readonly<Record<string, readonly [name: string, unit: string]>> = table({
  humidity: ['humidity', '%'],
  battery: ['battery', '%'],
  lux: ['illuminance', 'lx'],
  tilt: ['tilt', '°'],
  concentration: ['gas_concentration', 'ppm'],
})

/** Under which key the unit of a device's thermometer is remembered. */
function unitKey(device_id: string): string {
  return `${PROTOCOL}/${device_id}/temperature_unit`
}

function readSensor(measures: Measures, name: string, text: string, temperatureUnit: unknown): void {
  const known = SENSORS[name]
  if (name === 'temperature') {
    const number = numberOf(text)
    measures.temperature =
      number !== undefined && temperatureUnit === 'F' ? celsiusOfFahrenheit(number) : number
  } else if (known) putQuantity(measures, known[0], text, known[1])
  else if (name === 'state')
    putMetric(measures, 'open', text === 'open' ? 1 : text === 'close' ? 0 : undefined)
  else if (name === 'flood') putMetric(measures, 'water_leak', switchOf(text))
  else if (name === 'motion' || name === 'smoke' || name === 'vibration' || name === 'charger')
    putMetric(measures, name, switchOf(text) ?? (text === '1' ? 1 : text === '0' ? 0 : undefined))
}

function readProbe(measures: Measures, component: string, text: string): void {
  if (component === 'ext_temperature') measures.temperature = numberOf(text)
  else putQuantity(measures, 'humidity', text, '%')
}

/** What `/shelly` and `announce` say: `type` or `model`, and the MAC that ends every id. */
function readInfo(id: string | undefined, message: Message, context: Context): Outcome {
  const json = message.object()
  const device_id = id ?? textOf(json?.id) ?? context.device ?? textOf(json?.mac)
  if (!json || device_id === undefined) return { why: 'no_device', protocol: PROTOCOL }
  const draft = new Draft({ protocol: PROTOCOL, device_id })
  const [model, mac] = [textOf(json.model ?? json.type), textOf(json.mac)]
  draft.tell({
    manufacturer: 'Shelly',
    ...(model !== undefined && { model }),
    ...(mac !== undefined && mac !== device_id && { aliases: [mac] }),
  })
  return draft.finish(message, context)
}

function readAnswer(message: Message, context: Context): Outcome | undefined {
  const json = message.object()
  if (!json) return undefined
  if (message.topic.startsWith('GET /shelly') && 'type' in json && 'mac' in json)
    return readInfo(context.device, message, context)
  const part = PART_OF_TOPIC.exec(message.topic)
  // One relay, light or meter asked for by itself; without a number it is the first, as of devices that have one.
  const single = part ?? ('ison' in json && 'has_timer' in json ? ['', 'relay', '0'] : null)
  if (single) return readPart(single[1]!, Number(single[2]), json, message, context)
  if (!('wifi_sta' in json) && !('relays' in json) && !('emeters' in json) && !('meters' in json))
    return undefined
  const device = context.device ?? textOf(json.mac)
  if (device === undefined) return { why: 'no_device', protocol: PROTOCOL }
  return readStatus(device, json, message, context)
}

const PART_OF_TOPIC = /^GET \/(relay|light|roller|meter|emeter)\/(\d)(?:$|\?)/

/** Read as the whole status is: the part at its place in the list. */
function readPart(
  kind: string,
  index: number,
  json: JsonObject,
  message: Message,
  context: Context,
): Outcome {
  if (context.device === undefined) return { why: 'no_device', protocol: PROTOCOL }
  const list: (JsonObject | null)[] = Array.from({ length: index }, () => null)
  return readStatus(context.device, { [`${kind}s`]: [...list, json] }, message, context)
}

/** `/status`: relays, meters and lights of one number belong together. A meter whose `is_valid` is false has nothing to say. */
function readStatus(device_id: string, json: JsonObject, message: Message, context: Context): Outcome {
  const time = json.unixtime === 0 ? undefined : json.unixtime
  const draft = new Draft({ protocol: PROTOCOL, device_id, time, event_id: 'status' })
  each(json.relays, (relay, n) => {
    putMetric(draft.channel(n), 'on', switchOf(relay.ison))
    if (relay.overpower === true) draft.channel(n).alert = 'high_power'
  })
  each(json.lights, (light, n) => {
    const measures = draft.channel(n)
    putMetric(measures, 'on', switchOf(light.ison))
    putQuantity(measures, 'brightness', light.brightness ?? light.gain, '%')
    const power = numberOf(light.power)
    if (power !== undefined) measures.power_usage = power
  })
  each(json.rollers, (roller, n) => {
    putQuantity(draft.channel(n), 'position', roller.current_pos, '%')
    const power = numberOf(roller.power)
    if (power !== undefined) draft.channel(n).power_usage = power
  })
  each(json.meters, (meter, n) => readMeter(draft.channel(n), meter, true))
  each(json.emeters, (meter, n) => readMeter(draft.channel(n), meter, false))
  readWhole(draft, json)
  const unit = at(json, 'tmp', 'units')
  if (unit === 'F' || unit === 'C') draft.lessons.push({ key: unitKey(device_id), value: unit })
  return draft.finish(message, context)
}

function readMeter(measures: Measures, meter: JsonObject, wattMinutes: boolean): void {
  if (meter.is_valid === false) return
  const power = numberOf(meter.power)
  const total = numberOf(meter.total)
  if (power !== undefined) measures.power_usage = power
  if (total !== undefined) measures.energy_total_wh = wattMinutes ? wattHoursOfWattMinutes(total) : total
  putQuantity(measures, 'export_total', meter.total_returned, 'Wh')
  putQuantity(measures, 'voltage', meter.voltage, 'V')
  putQuantity(measures, 'current', meter.current, 'A')
  putQuantity(measures, 'reactive_power', meter.reactive, 'var')
  putMetric(measures, 'power_factor', numberOf(meter.pf))
}

/** What the device has once. `tmp` with a `value` is a thermometer's own; without one, and `temperature`, are those of the chip. */
function readWhole(draft: Draft, json: JsonObject): void {
  const measures = draft.channel()
  const tmp = isObject(json.tmp) ? json.tmp : undefined
  const room = tmp && tmp.is_valid !== false ? numberOf(tmp.value) : undefined
  if (room !== undefined) {
    const celsius = tmp!.units === 'F' ? celsiusOfFahrenheit(room) : room
    measures.temperature = numberOf(tmp!.tC) ?? celsius
  }
  const chip = tmp && 'value' in tmp ? undefined : (numberOf(json.temperature) ?? tmp?.tC)
  if (tmp?.is_valid !== false) putQuantity(measures, 'device_temperature', chip, '°C')
  for (const [n, probe] of Object.entries(isObject(json.ext_temperature) ? json.ext_temperature : {}).slice(
    0,
    16,
  ))
    draft.channel(`ext${n}`).temperature = numberOf(at(probe, 'tC'))
  putQuantity(measures, 'humidity', at(json, 'hum', 'value'), '%')
  putQuantity(measures, 'battery', at(json, 'bat', 'value'), '%')
  putQuantity(measures, 'battery_voltage', at(json, 'bat', 'voltage'), 'V')
  putQuantity(measures, 'illuminance', at(json, 'lux', 'value'), 'lx')
  putMetric(measures, 'motion', switchOf(at(json, 'sensor', 'motion')))
  const state = at(json, 'sensor', 'state')
  putMetric(measures, 'open', state === 'open' ? 1 : state === 'close' ? 0 : undefined)
  putMetric(measures, 'water_leak', switchOf(json.flood))
  putMetric(measures, 'smoke', switchOf(json.smoke))
  putQuantity(measures, 'voltage', json.voltage, 'V')
  putQuantity(measures, 'rssi', at(json, 'wifi_sta', 'rssi'), 'dBm')
  putMetric(measures, 'uptime_s', numberOf(json.uptime))
  each(json.thermostats, (thermostat, n) => {
    const valve = draft.channel(n)
    valve.temperature = numberOf(at(thermostat, 'tmp', 'value'))
    putQuantity(valve, 'setpoint', at(thermostat, 'target_t', 'value'), '°C')
    putQuantity(valve, 'valve', thermostat.pos, '%')
  })
}

function each(list: unknown, read: (item: JsonObject, index: string) => void): void {
  if (!Array.isArray(list)) return
  list.slice(0, 16).forEach((item, index) => isObject(item) && read(item, String(index)))
}
