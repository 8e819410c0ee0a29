/**
 * Z-Wave by OpenZWave (`OpenZWave/<instance>/node/<n>/instance/<i>/commandclass/<c>/value/<id>/`) and by Z-Wave JS UI
 * (`zwave/<location>/<node>/<command class>/<endpoint>/<property>`). Documentation: qt-openzwave MQTT, Z-Wave JS UI "MQTT".
 */
import type { Context, Decoder, Outcome } from './decoder.ts'
import { Draft, putMetric, type Measures } from './draft.ts'
import { isObject, type JsonObject, type Message } from './message.ts'
import { putNamed, putSwitch } from './quantities.ts'
import { at, numberOf, slug, switchOf, table, textOf } from './values.ts'

const OPENZWAVE = 'openzwave'
const ZWAVE_JS = 'zwave-js-ui'

export const ZWAVE: Decoder = {
  protocol: OPENZWAVE,
  mayRead: (_topic, levels) => levels.includes('OpenZWave') || levels[0] === 'zwave',
  decode(message, context) {
    const { levels } = message
    const base = levels.indexOf('OpenZWave')
    if (base >= 0) return ofOpenZwave(message, levels.slice(base + 1), context)
    return levels[0] === 'zwave' && levels.length >= 3 ? ofZwaveJs(message, context) : undefined
  },
}

function ofOpenZwave(message: Message, path: readonly string[], context: Context): Outcome {
  const node = path.indexOf('node')
  const json = message.object()
  if (node < 0 || path[node + 1] === undefined) return { why: 'no_telemetry', protocol: OPENZWAVE }
  if (!json) return { why: 'broken_json', protocol: OPENZWAVE }
  const device_id = `openzwave-${path.slice(0, node).join('-') || '1'}-node-${path[node + 1]}`
  const time = numberOf(json.TimeStamp)
  if (!('Label' in json)) return readNode(device_id, json, message, context)
  if (json.Genre === 'Config' || json.Genre === 'System') return { why: 'no_telemetry', protocol: OPENZWAVE }
  const draft = new Draft({ protocol: OPENZWAVE, device_id, time, event_id: String(json.ValueIDKey ?? '') })
  const instance = numberOf(json.Instance) ?? 1
  const measures = draft.channel(instance > 1 ? String(instance) : '')
  const label = (textOf(json.Label) ?? '').replace(/^Instance \d+: /, '')
  readValue(measures, String(json.CommandClass), label, json.Value, textOf(json.Units))
  return draft.finish(message, context)
}

function readNode(device_id: string, json: JsonObject, message: Message, context: Context): Outcome {
  const name = textOf(json.NodeName) ?? textOf(at(json, 'MetaData', 'Name'))
  const manufacturer = textOf(json.NodeManufacturerName)
  const model = textOf(json.NodeProductName)
  if (name === undefined && manufacturer === undefined && model === undefined)
    return { why: 'no_telemetry', protocol: OPENZWAVE }
  const draft = new Draft({ protocol: OPENZWAVE, device_id, event_id: 'node' })
  draft.tell({
    ...(name !== undefined && { name }),
    ...(manufacturer !== undefined && { manufacturer }),
    ...(model !== undefined && { model }),
  })
  return draft.finish(message, context)
}

/** Labels of meters and sensors that are not the platform's words. */
const LABELS: Readonly<Record<string, string>> = table({
  'Electric - kWh': 'energy',
  'Electric - W': 'power',
  'Electric - V': 'voltage',
  'Electric - A': 'current',
  'Electric - Power Factor': 'power_factor',
  'Air Temperature': 'temperature',
  'Heating 1': 'setpoint',
  'Relative Humidity': 'humidity',
  Luminance: 'illuminance',
  'Battery Level': 'battery',
})

/** By command class: a number with its unit, or what is so or not. A list's number is that of the chosen line. */
function readValue(
  measures: Measures,
  commandClass: string,
  label: string,
  value: unknown,
  unit?: string,
): void {
  if (commandClass === 'COMMAND_CLASS_SWITCH_BINARY') putSwitch(measures, 'switch', value)
  else if (commandClass === 'COMMAND_CLASS_DOOR_LOCK') putMetric(measures, 'locked', switchOf(value))
  else if (isObject(value)) {
    const chosen = numberOf(value.Selected_id)
    putMetric(measures, slug(label), chosen)
    if (String(value.Selected).startsWith('Motion')) putMetric(measures, 'motion', 1)
  } else if (typeof value === 'boolean') putSwitch(measures, label, value)
  else if (numberOf(value) !== undefined) {
    const quantity = LABELS[label]
    // °C or °F: without a unit nothing says which.
    if (quantity === undefined || (unit === undefined && /temperature|setpoint/.test(quantity)))
      putMetric(measures, slug(label), numberOf(value))
    else putNamed(measures, quantity, value, unit === 'Lux' ? 'lx' : unit)
  }
}

/** Meter: type, scale and rate in one number. Electric meters' scales are kWh, kVAh, W, pulses, V, A, power factor. */
const METER_SCALES: Readonly<Record<number, readonly [name: string, unit: string]>> = {
  0: ['energy', 'kWh'],
  2: ['power', 'W'],
  4: ['voltage', 'V'],
  5: ['current', 'A'],
  6: ['power_factor', ''],
}
const ELECTRIC = 1
const PRODUCED = 2

/** Named topics write command classes and endpoints as words. */
const CLASSES: Readonly<Record<string, number>> = table({
  switch_binary: 37,
  switch_multilevel: 38,
  sensor_binary: 48,
  sensor_multilevel: 49,
  meter: 50,
  battery: 128,
})
const ENDPOINT = /^(?:endpoint_)?(\d+)$/

function classOf(level: string): number | undefined {
  return /^\d{1,3}$/.test(level) ? Number(level) : CLASSES[level]
}

function ofZwaveJs(message: Message, context: Context): Outcome {
  const path = message.levels.slice(1)
  const json = message.object()
  const from = path.findIndex(
    (level, index) => index > 0 && classOf(level) !== undefined && ENDPOINT.test(path[index + 1] ?? ''),
  )
  if (path.at(-1) === 'status' && json) return readStatus(path.slice(0, -1), json, message, context)
  if (from < 1 || path[from + 2] === undefined) return { why: 'no_telemetry', protocol: ZWAVE_JS }
  if (!json && message.text()![0] === '{') return { why: 'broken_json', protocol: ZWAVE_JS }
  const [commandClass, level, property, key] = path.slice(from)
  const endpoint = ENDPOINT.exec(level!)![1]!
  const draft = new Draft({
    protocol: ZWAVE_JS,
    device_id: path.slice(0, from).join('/'),
    time: json?.time,
    event_id: path.slice(from).join('/'),
  })
  const measures = draft.channel(endpoint === '0' ? '' : endpoint)
  const value = json ? json.value : message.text()
  readProperty(
    measures,
    classOf(commandClass!)!,
    property!.replaceAll('_', ' '),
    key,
    value,
    textOf(json?.unit),
  )
  return draft.finish(message, context)
}

function readStatus(path: readonly string[], json: JsonObject, message: Message, context: Context): Outcome {
  const draft = new Draft({
    protocol: ZWAVE_JS,
    device_id: path.join('/'),
    time: json.time,
    event_id: 'status',
  })
  if (json.status === 'Dead') draft.presence('offline')
  else if (/^(?:Alive|Awake|Asleep)$/.test(String(json.status))) draft.presence('online')
  return draft.finish(message, context)
}

function readProperty(
  measures: Measures,
  commandClass: number,
  property: string,
  key: string | undefined,
  value: unknown,
  unit: string | undefined,
): void {
  const number = numberOf(value)
  if (commandClass === 50 && key !== undefined) {
    const code = Number(key)
    const scale = METER_SCALES[(code >> 8) & 0xff]
    if (code >> 16 !== ELECTRIC || !scale) return putMetric(measures, `meter_${slug(key)}`, number)
    const [name, ownUnit] = scale
    const produced = (code & 0xff) === PRODUCED && name === 'energy'
    putNamed(measures, produced ? 'produced_energy' : name, value, ownUnit)
  } else if (commandClass === 37 && property === 'currentValue') putSwitch(measures, 'switch', value)
  else if (commandClass === 38 && property === 'currentValue') putMetric(measures, 'level', number)
  else if (commandClass === 128 && property === 'level') putNamed(measures, 'battery', value, '%')
  else if (commandClass === 49 && unit !== undefined)
    putNamed(measures, property === 'Air temperature' ? 'temperature' : property, value, unit)
  else if (property.startsWith('target')) return
  else putMetric(measures, slug(property), number ?? switchOf(value))
}
