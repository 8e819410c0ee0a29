/**
 * Tasmota: `tele/<topic>/SENSOR` and its like. The order of prefix and topic is the owner's choice (FullTopic), and so are
 * further levels; the last level says what it is. Documentation: "MQTT", "JSON Status Responses", "Zigbee".
 */
import type { Context, Decoder, Outcome } from './decoder.ts'
import { Draft, putMetric, putQuantity, type Measures } from './draft.ts'
import { isObject, type JsonObject, type Message } from './message.ts'
import { readSensors } from './tasmota-sensor.ts'
import { readTelegramLine } from './tasmota-systems.ts'
import { readZigbee } from './tasmota-zigbee.ts'
import { at, numberOf, slug, switchOf, textOf } from './values.ts'

const PROTOCOL = 'tasmota'
const PREFIXES = new Set(['tele', 'stat', 'cmnd'])
/** The last level says what it is: `SENSOR`, `LWT`, or the command that is answered. */
const KIND = /^[A-Z][A-Z_]*\d*$/

export const TASMOTA: Decoder = {
  protocol: PROTOCOL,
  decode(message, context) {
    const { topic, levels } = message
    if (topic.startsWith('tasmota/discovery/')) return readDiscovery(message, context)
    if (topic.startsWith('GET /cm?cmnd=')) return readStatus(message, context, context.device)
    const kind = levels.at(-1)!
    const named: string[] = []
    let isOwn = false
    for (let n = 0; n < levels.length; n += 1) {
      const level = levels[n]!
      if (PREFIXES.has(level)) isOwn = true
      else if (n < levels.length - 1) named.push(level)
    }
    if (!isOwn || levels.length < 2 || !KIND.test(kind))
      return looksLikeSensor(message) ? readJson('SENSOR', topic, message, context) : undefined
    if (levels.includes('cmnd')) return { why: 'no_telemetry', protocol: PROTOCOL }
    const name = named.join('/') || (context.device ?? PROTOCOL)
    if (kind === 'LWT') return readWill(name, message, context)
    if (kind.startsWith('STATUS')) return readStatus(message, context, name)
    return readJson(kind, name, message, context)
  },
}

/** A SENSOR message under a topic of the owner's own. */
function looksLikeSensor(message: Message): boolean {
  const json = message.object()
  return (
    json !== undefined && typeof json.Time === 'string' && isObject(json.ENERGY) && 'Total' in json.ENERGY
  )
}

function readWill(device_id: string, message: Message, context: Context): Outcome {
  const draft = new Draft({ protocol: PROTOCOL, device_id, event_id: 'LWT' })
  const word = message.text()?.toLowerCase()
  if (word !== 'online' && word !== 'offline') return { why: 'no_telemetry', protocol: PROTOCOL }
  draft.presence(word)
  return draft.finish(message, context)
}

function readJson(kind: string, device_id: string, message: Message, context: Context): Outcome {
  const draft = new Draft({ protocol: PROTOCOL, device_id, time: timeOf(message.object()), event_id: kind })
  if (/^POWER\d*$/.test(kind)) {
    const value = message.object()?.[kind] ?? message.text()
    putMetric(draft.channel(), powerName(kind), switchOf(value))
    return draft.finish(message, context)
  }
  const json = message.object()
  if (!json) return { why: message.text()?.[0] === '{' ? 'broken_json' : 'no_telemetry', protocol: PROTOCOL }
  if (isObject(json.ZbReceived)) return readZigbee(device_id, json.ZbReceived, message, context)
  if (kind === 'SENSOR' && !isObject(json.Wifi)) readSensors(draft, json)
  else if (kind === 'INFO1') readInfo(draft, json)
  else if (typeof json.SerialReceived === 'string') readTelegramLine(draft.channel(), json.SerialReceived)
  else readState(draft.channel(), json)
  return draft.finish(message, context)
}

/** Epoch is UTC whatever the device's zone; Time is local, with its zone only where the owner said so. */
function timeOf(json: JsonObject | undefined): unknown {
  return json?.Epoch ?? json?.Time
}

function powerName(kind: string): string {
  return kind === 'POWER' ? 'on' : `on_${kind.slice(5)}`
}

/** STATE, and the answers of commands that tell a state. RSSI is the quality in percent, Signal the dBm. */
function readState(measures: Measures, state: JsonObject): void {
  for (const key of Object.keys(state))
    if (/^POWER\d*$/.test(key)) {
      const on = state[key] === '1' ? 1 : state[key] === '0' ? 0 : switchOf(state[key])
      putMetric(measures, powerName(key), on)
    }
  putMetric(measures, 'uptime_s', numberOf(state.UptimeSec))
  putQuantity(measures, 'supply_voltage', state.Vcc, 'V')
  putQuantity(measures, 'brightness', state.Dimmer, '%')
  putMetric(measures, 'load_avg', numberOf(state.LoadAvg))
  putQuantity(measures, 'wifi_quality', at(state, 'Wifi', 'RSSI'), '%')
  putQuantity(measures, 'rssi', at(state, 'Wifi', 'Signal'), 'dBm')
  putMetric(measures, 'wifi_link_count', numberOf(at(state, 'Wifi', 'LinkCount')))
  putMetric(measures, 'mqtt_count', numberOf(state.MqttCount))
}

function readInfo(draft: Draft, info: JsonObject): void {
  const module = textOf(info.Module ?? at(info, 'Info1', 'Module'))
  if (module !== undefined) draft.tell({ model: module })
}

/** The answer to `Status 0` has them all; `STATUS8` and `STATUS10` have StatusSNS, `STATUS11` StatusSTS. */
function readStatus(message: Message, context: Context, device_id: string | undefined): Outcome {
  const json = message.object()
  if (!json) return { why: 'no_telemetry', protocol: PROTOCOL }
  const id = device_id ?? textOf(at(json, 'Status', 'Topic')) ?? textOf(at(json, 'StatusNET', 'Hostname'))
  if (id === undefined) return { why: 'no_device', protocol: PROTOCOL }
  const sensors = json.StatusSNS
  const time = timeOf(isObject(sensors) ? sensors : isObject(json.StatusSTS) ? json.StatusSTS : undefined)
  const draft = new Draft({ protocol: PROTOCOL, device_id: id, time, event_id: 'STATUS' })
  if (isObject(sensors)) readSensors(draft, sensors)
  if (isObject(json.StatusSTS)) readState(draft.channel(), json.StatusSTS)
  const name = textOf(at(json, 'Status', 'DeviceName'))
  if (name !== undefined) draft.tell({ name })
  return draft.finish(message, context)
}

/** `tasmota/discovery/<mac>/config` names the device; `/sensors` shows what it measures, and is retained. */
function readDiscovery(message: Message, context: Context): Outcome | undefined {
  const json = message.object()
  if (!json) return { why: message.text() === '' ? 'empty' : 'broken_json', protocol: PROTOCOL }
  const mac = message.levels[2] ?? ''
  const key = `tasmota/${slug(mac)}`
  if (isObject(json.sn)) {
    const device_id = textOf(context.lessons.get(key)) ?? mac
    const draft = new Draft({ protocol: PROTOCOL, device_id, time: timeOf(json.sn), event_id: 'discovery' })
    readSensors(draft, json.sn)
    return draft.finish(message, context)
  }
  const topic = textOf(json.t)
  if (topic === undefined) return { why: 'no_device', protocol: PROTOCOL }
  const draft = new Draft({ protocol: PROTOCOL, device_id: topic })
  const name = textOf(json.dn)
  const model = textOf(json.md)
  draft.tell({ ...(name !== undefined && { name }), ...(model !== undefined && { model }), aliases: [mac] })
  draft.lessons.push({ key, value: topic })
  return draft.finish(message, context)
}
