/**
 * Zigbee2MQTT: `<base>/<friendly name>` with one JSON object of all that is known of a device, whose keys may carry an endpoint
 * (`power_l1`, `state_left`). Documentation: "MQTT topics and messages", "Exposes". The base topic is the owner's choice;
 * `bridge/…` tells it, and a friendly name may have slashes and any letters.
 */
import type { Context, Decoder, Outcome } from './decoder.ts'
import { Draft, putMetric, type Measures } from './draft.ts'
import { isObject, type JsonObject, type Message } from './message.ts'
import { isQuantity, putNamed, putSwitch } from './quantities.ts'
import { at, numberOf, slug, textOf } from './values.ts'
import { readBridgeDevices, readBridgeState, type Taught } from './zigbee2mqtt-bridge.ts'

const PROTOCOL = 'zigbee2mqtt'

export const ZIGBEE2MQTT: Decoder = {
  protocol: PROTOCOL,
  decode(message, context) {
    const base = baseOf(message, context)
    if (base === undefined) return undefined
    const name = message.topic.slice(base.length + 1)
    if (name === 'bridge/devices') return readBridgeDevices(base, message, context)
    if (name === 'bridge/state') return readBridgeState(base, message, context)
    if (name.startsWith('bridge/') || /\/(?:set|get)(?:\/|$)/.test(name))
      return { why: 'no_telemetry', protocol: PROTOCOL }
    if (name.endsWith('/availability')) return readAvailability(name.slice(0, -13), message, context)
    const json = message.object()
    return json ? readDevice(base, name, json, message, context) : attribute(message)
  },
}

/** The first level is the base where it says so by its name, the first levels where a bridge has been seen under them; else the payload tells. */
function baseOf(message: Message, { lessons }: Context): string | undefined {
  const { topic, levels } = message
  const bridge = topic.search(
    /\/bridge\/(?:devices|state|info|groups|logging|event|response|request|health|extensions|converters|config|definitions)(?:\/|$)/,
  )
  if (bridge > 0) return topic.slice(0, bridge)
  if (levels.length < 2) return undefined
  const base = levels[0]!
  if (/^(?:zigbee2mqtt|z2m)/i.test(base)) return base
  for (let length = 1; length <= Math.min(3, levels.length - 1); length += 1) {
    const known = levels.slice(0, length).join('/')
    if (lessons.get(`zigbee2mqtt/${known}`) !== undefined) return known
  }
  const json = base.startsWith('GET ') ? undefined : message.object()
  return json !== undefined && 'linkquality' in json && !('ZbReceived' in json) ? base : undefined
}

/** `output: attribute` sends each attribute under a topic of its own; then nothing tells which device it is of. */
function attribute(message: Message): Outcome {
  return { why: message.text()![0] === '{' ? 'broken_json' : 'no_telemetry', protocol: PROTOCOL }
}

/** `online`, or `{"state":"online"}`. */
function readAvailability(device_id: string, message: Message, context: Context): Outcome {
  const word = String(at(message.json(), 'state') ?? message.text()).toLowerCase()
  if (word !== 'online' && word !== 'offline') return { why: 'no_value', protocol: PROTOCOL }
  const draft = new Draft({ protocol: PROTOCOL, device_id, event_id: 'availability' })
  draft.presence(word)
  return draft.finish(message, context)
}

function readDevice(
  base: string,
  name: string,
  json: JsonObject,
  message: Message,
  context: Context,
): Outcome {
  const taught = context.lessons.get(`zigbee2mqtt/${base}/${name}`) as Taught | undefined
  const draft = new Draft({ protocol: PROTOCOL, device_id: name, time: json.last_seen })
  const facts = { ...taught?.facts, ...deviceInformation(json.device) }
  if (Object.keys(facts).length > 0) draft.tell(facts)
  const units = taught?.units ?? {}
  const endpoints = new Endpoints(draft, json)
  for (const key of Object.keys(json)) readKey(endpoints, json, key, units)
  const outcome = draft.finish(message, context)
  const isEmpty = 'why' in outcome && Object.values(json).includes(null)
  return isEmpty ? { why: 'no_value', protocol: PROTOCOL } : outcome
}

/** `include_device_information` sends the device with every message. */
function deviceInformation(device: unknown): { manufacturer?: string; model?: string; aliases?: string[] } {
  if (!isObject(device)) return {}
  const manufacturer = textOf(device.manufacturerName)
  const model = textOf(device.model)
  const address = textOf(device.ieeeAddr)
  return {
    ...(manufacturer !== undefined && { manufacturer }),
    ...(model !== undefined && { model }),
    ...(address !== undefined && { aliases: [address] }),
  }
}

/** Settings, not measurements: how a device is to behave, and the state of its updates. */
const SETTING =
  /^(?:power_on_behavior.*|power_outage_memory.*|.*indicator.*|.*_led.*|led_.*|display_.*|.*lockout|.*child_lock|window_(?:detection|open_(?:feature|external|mode)).*|adaptation_run_.*|load_balancing_.*|mounted_mode_.*|radiator_covered|thermostat_.*orientation|trigger_time|.*_detect_level|.*_hold|helper|valve_detection|auto_.*|inverted.*|flip_.*|backlight_.*|do_not_disturb|update|update_available|last_seen|device|color.*|.*_startup(?:_.*)?|.*_calibration|.*_offset|.*_timeout|.*_hysteresis|.*(?:_|^)(?:min|max)(?:_.*)?|.*_threshold.*|.*_sensitivity|.*_interval|.*_sync|.*_duration|.*_scale_factor|detection_.*|transition.*|.*(?:brightness|ontime|on_duration)$|day_of_week|effect.*|schedule.*|.*_setpoint|.*_preset.*|countdown.*|installed_version|latest_version)$/

/** What a key says by itself. */
interface Key {
  name: string
  endpoint: string
  isSetting: boolean
}

/** Keys are few and come with every message; what devices could invent beyond them is not remembered. */
const keys = new Map<string, Key>()
const MAX_REMEMBERED = 10_000

function keyOf(text: string): Key {
  let key = keys.get(text)
  if (key === undefined) {
    key = { ...split(text), isSetting: SETTING.test(text) && text !== 'occupied_heating_setpoint' }
    if (keys.size < MAX_REMEMBERED && text.length <= 80) keys.set(text, key)
  }
  return key
}

/** Ends of a key that name an endpoint, as converters call them. */
const ENDPOINT =
  /^(.+?)_(l[1-9]|[1-9]|left|right|center|top|bottom|top_left|top_right|bottom_left|bottom_right|[abc]|phase_[abc]|front|back|inner|outer|wan|usb)$/

function split(key: string): { name: string; endpoint: string } {
  if (isQuantity(slug(key))) return { name: slug(key), endpoint: '' }
  const match = ENDPOINT.exec(key)
  if (!match || (!isQuantity(match[1]!) && !/^(?:state|brightness|contact|occupancy)$/.test(match[1]!)))
    return { name: key, endpoint: '' }
  return { name: match[1]!, endpoint: match[2]! }
}

const SENTINEL_NO_SENSOR = -8000
const KILOWATT_HOURS = new Set(['produced_energy', 'energy_today', 'energy_yesterday', 'energy_month'])

function readKey(
  endpoints: Endpoints,
  json: JsonObject,
  key: string,
  units: Readonly<Record<string, string>>,
): void {
  const value = json[key]
  const unit = Object.hasOwn(units, key) ? units[key] : undefined
  if (value === null || (typeof value === 'object' && !Array.isArray(value))) return
  const { name, endpoint, isSetting } = keyOf(key)
  const measures = endpoints.of(name, endpoint)
  const part = endpoints.isPart(name, endpoint) ? `_${slug(endpoint)}` : ''
  if (name === 'brightness') {
    const level = numberOf(value)
    if (level !== undefined)
      putMetric(measures, `brightness${part}_pct`, Math.round((level / 254) * 1e4) / 100)
  } else if (isSetting) return
  else if (value === SENTINEL_NO_SENSOR) return
  else if (name === 'voltage') readVoltage(measures, json, value, unit, part)
  else if (name === 'illuminance' && 'illuminance_lux' in json)
    putMetric(measures, 'illuminance_raw', numberOf(value))
  else if (name === 'energy') putPart(measures, name, value, unit ?? 'kWh', part)
  else if (KILOWATT_HOURS.has(name)) putPart(measures, name, value, unit ?? 'kWh', part)
  // The converters write µg/m³ or ppb and say which in `exposes` only.
  else if (name === 'voc' && unit === undefined) putMetric(measures, `voc${part}`, numberOf(value))
  else if (unit === undefined && name.endsWith('_temperature') && !isQuantity(name))
    putPart(measures, name, value, '°C', part)
  else if (
    name === 'power' &&
    at(json, `energy_flow${endpoint === '' ? '' : `_${endpoint}`}`) === 'producing'
  )
    putPart(measures, name, -Math.abs(numberOf(value) ?? NaN), unit, part)
  else if (typeof value === 'number' || (typeof value === 'string' && isQuantity(name)))
    putPart(measures, name, value, unit, part)
  else if (typeof value === 'boolean' || (typeof value === 'string' && isBinary(name, value)))
    putSwitch(measures, name + part, value)
}

/** What is on or off says so in capitals (`value_on`, `value_off` of `exposes`); other words are choices of a list. */
function isBinary(name: string, value: string): boolean {
  return name === 'state' || name === 'contact' || value === 'ON' || value === 'OFF'
}

/** A part of a total is a metric; all else is what its name says. */
function putPart(
  measures: Measures,
  name: string,
  value: unknown,
  unit: string | undefined,
  part: string,
): void {
  if (part === '') putNamed(measures, name, value, unit)
  else {
    const whole: Measures = { metrics: {} }
    putNamed(whole, name, value, unit)
    putMetric(measures, `power${part}_w`, whole.power_usage)
    putMetric(measures, `energy_total${part}_wh`, whole.energy_total_wh)
    putMetric(measures, `temperature${part}_c`, whole.temperature)
    for (const metric in whole.metrics) putMetric(measures, insert(metric, part), whole.metrics[metric])
  }
}

/** `voltage_v` of part `_b` is `voltage_b_v`. */
function insert(metric: string, part: string): string {
  const end = metric.lastIndexOf('_')
  return end < 0 ? metric + part : metric.slice(0, end) + part + metric.slice(end)
}

/** Battery devices tell millivolts of their cell, mains devices the volts of the mains; the unit is in `exposes`. */
function readVoltage(
  measures: Measures,
  json: JsonObject,
  value: unknown,
  unit: string | undefined,
  part: string,
): void {
  const cell = 'battery' in json && !('power' in json)
  const volts = unit ?? ((numberOf(value) ?? 0) > 1000 ? 'mV' : 'V')
  putPart(measures, cell ? 'battery_voltage' : 'voltage', value, volts, part)
}

/**
 * Endpoints of a message. A quantity that is there for the whole is the whole's and its parts are metrics; where power or
 * energy is there only by endpoint, each endpoint is a channel.
 */
class Endpoints {
  readonly #draft: Draft
  readonly #json: JsonObject
  readonly #whole: boolean

  constructor(draft: Draft, json: JsonObject) {
    this.#draft = draft
    this.#json = json
    this.#whole = typeof json.power === 'number' || typeof json.energy === 'number'
  }

  isPart(name: string, endpoint: string): boolean {
    return endpoint !== '' && (this.#whole || name in this.#json)
  }

  of(name: string, endpoint: string): Measures {
    return this.#draft.channel(this.isPart(name, endpoint) ? '' : endpoint)
  }
}
