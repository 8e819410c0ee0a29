/**
 * Shelly of the second and later generations: components (`switch:0`, `em:0`) by MQTT (`<prefix>/status/<component>`,
 * `<prefix>/events/rpc`), by HTTP (`/rpc/…GetStatus`), or in a full status. Documentation: "Gen2 Device API", components and RPC
 * channels. Counters are Wh. The prefix is the owner's choice, so it is the device's id, and `src` another name of it.
 */
import type { Context, Decoder, Outcome } from './decoder.ts'
import { Draft, putMetric, putQuantity, type Measures } from './draft.ts'
import { isObject, type JsonObject, type Message } from './message.ts'
import { SHELLY_VIRTUAL } from './native.ts'
import { at, numberOf, switchOf, textOf } from './values.ts'

const PROTOCOL = 'shelly-gen2'
/** Status topics of what the device has once; most of them measure nothing. */
const WHOLE = /^(?:sys|wifi|rpc|cloud|mqtt|ble|eth|ws|bthome|blugw|matter|knx|modbus|zigbee|[a-z_]*ui)$/
const COMPONENT = /^([a-z][a-z0-9]*):(\d{1,5})$/

export const SHELLY_GEN2: Decoder = {
  protocol: PROTOCOL,
  mayRead: (topic, levels) =>
    topic.startsWith('GET /') ||
    topic.endsWith('/events/rpc') ||
    levels.at(-2) === 'status' ||
    levels.at(-1) === 'online',
  decode(message, context) {
    const { topic, levels } = message
    if (topic.startsWith('GET /')) return readAnswer(message, context)
    if (topic.endsWith('/events/rpc')) return readEvent(message, context, topic.slice(0, -11))
    if (levels.length >= 3 && levels.at(-2) === 'status' && COMPONENT.test(levels.at(-1)!)) {
      // An announcement to Home Assistant says what the number of a virtual component is; the component itself does not.
      const isExplained = context.lessons.get(`homeassistant/${topic}`) !== undefined
      if (isExplained && SHELLY_VIRTUAL.test(topic)) return undefined
      const json = message.object()
      if (!json) return { why: 'broken_json', protocol: PROTOCOL }
      return readStatus({ [levels.at(-1)!]: json }, levels.slice(0, -2).join('/'), message, context)
    }
    if (levels.length >= 3 && levels.at(-2) === 'status' && WHOLE.test(levels.at(-1)!)) {
      const json = message.object()
      if (!json) return undefined
      const status = levels.at(-1) === 'rpc' ? json : { [levels.at(-1)!]: json }
      return readStatus(status, levels.slice(0, -2).join('/'), message, context)
    }
    return levels.length >= 2 && levels.at(-1) === 'online' && levels[0] !== 'shellies'
      ? readOnline(message, context)
      : undefined
  },
}

function readOnline(message: Message, context: Context): Outcome | undefined {
  const text = message.text()
  if (text !== 'true' && text !== 'false') return undefined
  const draft = new Draft({
    protocol: PROTOCOL,
    device_id: message.levels.slice(0, -1).join('/'),
    event_id: 'online',
  })
  draft.presence(text === 'true' ? 'online' : 'offline')
  return draft.finish(message, context)
}

/** `NotifyStatus` tells what changed, `NotifyFullStatus` all of it, `NotifyEvent` a button. */
function readEvent(message: Message, context: Context, prefix: string): Outcome | undefined {
  const json = message.object()
  if (!json) return { why: 'broken_json', protocol: PROTOCOL }
  if (!isObject(json.params)) return { why: 'no_telemetry', protocol: PROTOCOL }
  return readStatus(json.params, prefix, message, context, textOf(json.src))
}

function readStatus(
  status: JsonObject,
  device_id: string,
  message: Message,
  context: Context,
  alias?: string,
): Outcome {
  const time = status.ts ?? at(status, 'sys', 'unixtime')
  const draft = new Draft({ protocol: PROTOCOL, device_id, time, event_id: message.levels.at(-1)! })
  for (const key of Object.keys(status).slice(0, 500)) {
    const value = status[key]
    if (!isObject(value)) continue
    const component = COMPONENT.exec(key)
    if (component) readComponent(draft, component[1]!, component[2]!, value)
    else if (key === 'sys') putMetric(draft.channel(), 'uptime_s', numberOf(value.uptime))
    else if (key === 'wifi') putQuantity(draft.channel(), 'rssi', value.rssi, 'dBm')
  }
  if (alias !== undefined && alias !== device_id) draft.tell({ manufacturer: 'Shelly', aliases: [alias] })
  return draft.finish(message, context)
}

/** Components that belong to the device as a whole; every other one is a channel of its own. */
const OF_THE_DEVICE = /^(?:humidity|devicepower|illuminance|smoke|flood|presence|ht_ui|ui)$/

function readComponent(draft: Draft, kind: string, id: string, status: JsonObject): void {
  if (kind === 'input' && typeof status.state !== 'boolean' && numberOf(status.percent) === undefined) return
  if (kind === 'script' || kind === 'schedule') return
  // A counter component continues the meter of its number: `emdata:0` counts what `em:0` measures.
  const meter = kind === 'emdata' ? 'em' : kind === 'em1data' ? 'em1' : kind
  const whole = (OF_THE_DEVICE.test(kind) || kind === 'temperature') && id === '0'
  const measures = draft.channel(whole ? '' : `${meter}:${id}`)
  if (kind === 'temperature') measures.temperature = numberOf(status.tC)
  else if (kind === 'em' || kind === 'emdata') readPhases(measures, status)
  else readSingle(measures, kind, status)
  readErrors(measures, status.errors)
}

function readSingle(measures: Measures, kind: string, status: JsonObject): void {
  const power = numberOf(status.apower ?? status.act_power)
  if (power !== undefined) measures.power_usage = power
  const total = numberOf(at(status, 'aenergy', 'total') ?? status.total_act_energy)
  if (total !== undefined) measures.energy_total_wh = total
  putQuantity(
    measures,
    'export_total',
    at(status, 'ret_aenergy', 'total') ?? status.total_act_ret_energy,
    'Wh',
  )
  putQuantity(
    measures,
    'voltage',
    kind === 'voltmeter' ? (status.xvoltage ?? status.voltage) : status.voltage,
    'V',
  )
  putQuantity(measures, 'current', status.current, 'A')
  putQuantity(measures, 'frequency', status.freq, 'Hz')
  putMetric(measures, 'power_factor', numberOf(status.pf))
  putQuantity(measures, 'apparent_power', status.aprt_power, 'VA')
  putMetric(
    measures,
    kind === 'input' ? 'input' : 'on',
    switchOf(kind === 'input' ? status.state : status.output),
  )
  putQuantity(measures, 'brightness', status.brightness, '%')
  putQuantity(measures, 'position', status.current_pos, '%')
  putQuantity(measures, 'device_temperature', at(status, 'temperature', 'tC'), '°C')
  putQuantity(measures, 'humidity', status.rh, '%')
  putQuantity(measures, 'illuminance', status.lux, 'lx')
  putMetric(measures, 'count', numberOf(at(status, 'counts', 'total')))
  putQuantity(measures, 'input', status.percent, '%')
  putQuantity(measures, 'battery_voltage', at(status, 'battery', 'V'), 'V')
  putQuantity(
    measures,
    'battery',
    at(status, 'battery', 'percent') ?? (kind === 'blutrv' ? status.battery : undefined),
    '%',
  )
  if (kind === 'smoke' || kind === 'flood')
    putMetric(measures, kind === 'flood' ? 'water_leak' : 'smoke', switchOf(status.alarm))
  if (kind === 'blutrv' || kind === 'thermostat') {
    const room = numberOf(status.current_C)
    if (room !== undefined) measures.temperature = room
    putQuantity(measures, 'setpoint', status.target_C, '°C')
    putQuantity(measures, 'valve', status.pos, '%')
  }
  if (/^(?:number|bthomesensor|boolean)$/.test(kind))
    putMetric(measures, 'value', numberOf(status.value) ?? switchOf(status.value))
  if (/^(?:blutrv|bthomedevice)$/.test(kind)) putQuantity(measures, 'rssi', status.rssi, 'dBm')
}

/** A meter of three phases sends the total and its parts: the total is the reading, the parts are metrics. */
function readPhases(measures: Measures, status: JsonObject): void {
  const power = numberOf(status.total_act_power)
  if (power !== undefined) measures.power_usage = power
  const total = numberOf(status.total_act)
  if (total !== undefined) measures.energy_total_wh = total
  putQuantity(measures, 'export_total', status.total_act_ret, 'Wh')
  putQuantity(measures, 'current', status.total_current, 'A')
  putQuantity(measures, 'apparent_power', status.total_aprt_power, 'VA')
  for (const phase of ['a', 'b', 'c', 'n']) {
    putQuantity(measures, `power_${phase}`, status[`${phase}_act_power`], 'W')
    putQuantity(measures, `apparent_power_${phase}`, status[`${phase}_aprt_power`], 'VA')
    putQuantity(measures, `voltage_${phase}`, status[`${phase}_voltage`], 'V')
    putQuantity(measures, `current_${phase}`, status[`${phase}_current`], 'A')
    putQuantity(measures, `frequency_${phase}`, status[`${phase}_freq`], 'Hz')
    putMetric(measures, `power_factor_${phase}`, numberOf(status[`${phase}_pf`]))
    putQuantity(measures, `energy_total_${phase}`, status[`${phase}_total_act_energy`], 'Wh')
    putQuantity(measures, `export_total_${phase}`, status[`${phase}_total_act_ret_energy`], 'Wh')
  }
}

function readErrors(measures: Measures, errors: unknown): void {
  if (!Array.isArray(errors)) return
  if (errors.includes('overpower')) measures.alert = 'high_power'
  else if (errors.includes('overtemp')) measures.alert = 'high_temperature'
}

/** Answers to HTTP calls: `/shelly` names the device; `X.GetStatus` is one component, `Shelly.GetStatus` all. */
function readAnswer(message: Message, context: Context): Outcome | undefined {
  const json = message.object()
  if (!json) return undefined
  const status = isObject(json.result) ? json.result : json
  const src = textOf(json.src)
  if (typeof status.gen === 'number' && status.gen >= 2) return readInfo(status, message, context)
  if (Array.isArray(status.components)) return readList(status.components, src, message, context)
  const components = Object.keys(status).some((key) => COMPONENT.test(key))
  const device = context.device ?? src ?? textOf(at(status, 'sys', 'mac'))
  const single = components ? undefined : componentOf(message.topic, status)
  if (!components && single === undefined)
    return message.topic.startsWith('GET /rpc/') ? { why: 'no_telemetry', protocol: PROTOCOL } : undefined
  if (device === undefined) return { why: 'no_device', protocol: PROTOCOL }
  const named = single === undefined ? status : { [`${single}:${String(numberOf(status.id) ?? 0)}`]: status }
  return readStatus(named, device, message, context)
}

/** `Shelly.GetComponents`: each with its key and, where that was asked for, its status. */
function readList(
  list: readonly unknown[],
  src: string | undefined,
  message: Message,
  context: Context,
): Outcome {
  const device = context.device ?? src
  if (device === undefined) return { why: 'no_device', protocol: PROTOCOL }
  const status: Record<string, unknown> = Object.create(null)
  for (const one of list.slice(0, 100))
    if (isObject(one) && typeof one.key === 'string') status[one.key] = one.status
  return readStatus(status, device, message, context)
}

/** Which component an answer is of: by the call, else by its shape. */
function componentOf(topic: string, status: JsonObject): string | undefined {
  if ('code' in status && 'message' in status) return undefined
  const called = /\/rpc\/([A-Za-z0-9]+)\.GetStatus/.exec(topic)?.[1]?.toLowerCase()
  if (called !== undefined && called !== 'shelly') return called
  if ('a_act_power' in status) return 'em'
  if ('a_total_act_energy' in status) return 'emdata'
  if ('act_power' in status) return 'em1'
  if ('total_act_energy' in status) return 'em1data'
  if ('total_act' in status) return 'emdata'
  if ('apower' in status || 'aenergy' in status) return 'output' in status ? 'switch' : 'pm1'
  return 'output' in status && 'source' in status ? 'switch' : undefined
}

function readInfo(info: JsonObject, message: Message, context: Context): Outcome {
  const id = textOf(info.id)
  const device_id = context.device ?? id
  if (device_id === undefined) return { why: 'no_device', protocol: PROTOCOL }
  const draft = new Draft({ protocol: PROTOCOL, device_id })
  const [name, model] = [textOf(info.name), textOf(info.model)]
  const aliases = [id, textOf(info.mac)].filter(
    (alias) => alias !== undefined && alias !== device_id,
  ) as string[]
  draft.tell({
    manufacturer: 'Shelly',
    ...(name !== undefined && { name }),
    ...(model !== undefined && { model }),
    ...(aliases.length > 0 && { aliases }),
  })
  return draft.finish(message, context)
}
