/**
 * Home Assistant discovery: `<prefix>/<component>/[<node>/]<object>/config` says what stands under which other topic, in which
 * unit and of which device; the messages there are read by it. Documentation: Home Assistant, MQTT, "Discovery".
 */
import type { Context, Decoder, Lesson, Outcome } from './decoder.ts'
import { deviceOf, listenersOf, type Listener } from './homeassistant-config.ts'
import { valueAt } from './homeassistant-template.ts'
import { Draft, putMetric, type Measures } from './draft.ts'
import { joinOutcomes } from './join.ts'
import { isObject, type Message } from './message.ts'
import { nativeDevice, type NativeDevice } from './native.ts'
import { putNamed } from './quantities.ts'
import { numberOf, switchOf } from './values.ts'

const PROTOCOL = 'homeassistant'
/** What one topic may be read for. */
const MAX_LISTENERS = 100
const COMPONENTS =
  /^(?:alarm_control_panel|binary_sensor|button|camera|climate|cover|device|device_automation|device_tracker|event|fan|humidifier|image|lawn_mower|light|lock|notify|number|scene|select|sensor|siren|switch|tag|text|update|vacuum|valve|water_heater)$/

export const HOMEASSISTANT_DISCOVERY: Decoder = {
  protocol: PROTOCOL,
  mayRead: (_topic, levels) => levels.at(-1) === 'config',
  decode(message, context) {
    const { levels } = message
    const node = levels.length - 3
    const from = COMPONENTS.test(levels[node] ?? '') ? node : node - 1
    return from >= 1 && COMPONENTS.test(levels[from]!) ? readConfig(message, from, context) : undefined
  },
}

/** What a discovery message announced. */
export const HOMEASSISTANT: Decoder = {
  protocol: PROTOCOL,
  decode(message, context) {
    const listeners = context.lessons.get(key(message.topic))
    return Array.isArray(listeners) ? readState(listeners as Listener[], message, context) : undefined
  },
}

function key(topic: string): string {
  return `homeassistant/${topic}`
}

function readConfig(message: Message, from: number, context: Context): Outcome {
  const config = message.object()
  if (!config) return { why: 'broken_json', protocol: PROTOCOL }
  const object = message.levels.slice(from + 1, -1).join('/')
  const told = deviceOf(config, object)
  const all = listenersOf(message.levels[from]!, object, config, told.device_id)
  const states = all.filter(({ kind }) => kind !== 'availability')
  const native = states.map(({ topic }) => nativeDevice(topic, context.lessons)).find(Boolean)
  if (native?.reads) return readNative(native, told, message, context)
  const device_id = native?.device_id ?? told.device_id
  const draft = new Draft({ protocol: PROTOCOL, device_id })
  draft.tell({ ...told.facts, ...(native && { aliases: [told.device_id, ...(told.facts.aliases ?? [])] }) })
  const learned = new Map<string, Listener[]>()
  for (const { device_id: _, ...one } of all) {
    const listener: Listener = { ...one, device_id }
    const { topic } = listener
    const known = learned.get(topic) ?? context.lessons.get(key(topic))
    // A message that comes again replaces what it said before.
    const others = Array.isArray(known) ? (known as Listener[]).filter(({ id }) => id !== listener.id) : []
    if (others.length < MAX_LISTENERS) learned.set(topic, [...others, listener])
  }
  for (const [topic, value] of learned) draft.lessons.push({ key: key(topic), value } satisfies Lesson)
  return draft.finish(message, context)
}

/** The device's own protocol reads its topics: here it only says what it is, and what Home Assistant calls it. */
function readNative(
  { protocol, device_id }: NativeDevice,
  { device_id: alias, facts }: ReturnType<typeof deviceOf>,
  message: Message,
  context: Context,
): Outcome {
  const draft = new Draft({ protocol: PROTOCOL, device_id })
  const { parent_device_id: _, ...rest } = facts
  draft.tell({ ...rest, aliases: [...new Set([alias, ...(facts.aliases ?? [])])] })
  const outcome = draft.finish(message, context)
  if ('devices' in outcome) outcome.devices = outcome.devices?.map((fact) => ({ ...fact, protocol }))
  return outcome
}

function readState(listeners: readonly Listener[], message: Message, context: Context): Outcome {
  const drafts = new Map<string, Draft>()
  const text = message.text()!
  const json = message.json() ?? text
  let empty = false
  for (const listener of listeners) {
    const { device_id, path, channel } = listener
    const found = path.length === 0 ? (isObject(json) ? undefined : text) : valueAt(json, path)
    const value = listener.words && isObject(json) ? listener.words[isSo(found) ? 0 : 1] : found
    let draft = drafts.get(device_id)
    if (!draft) {
      draft = new Draft({ protocol: PROTOCOL, device_id, event_id: message.topic.slice(-200) })
      drafts.set(device_id, draft)
    }
    if (listener.kind === 'availability') {
      if (String(value) === listener.on) draft.presence('online')
      else if (String(value) === listener.off) draft.presence('offline')
    } else if (NO_VALUE.test(String(value))) empty = true
    else put(draft.channel(channel), listener, value)
  }
  const outcomes = Array.from(drafts.values(), (draft) => draft.finish(message, context))
  if (outcomes.every((outcome) => 'why' in outcome))
    return { why: empty ? 'no_value' : 'no_telemetry', protocol: PROTOCOL }
  return joinOutcomes(PROTOCOL, outcomes)
}

/** As a template asks: nothing, no, none, 0 and what is empty are not so. */
function isSo(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value)
}

const NO_VALUE = /^(?:unknown|unavailable|none|null|nan|[-+]?inf|)$/i

function put(measures: Measures, listener: Listener, value: unknown): void {
  if (listener.kind === 'switch') {
    const word = String(value)
    const on = word === listener.on ? 1 : word === listener.off ? 0 : switchOf(value)
    putMetric(measures, listener.name, on)
    if (listener.name === 'battery_low' && on === 1) measures.alert = 'low_battery'
    return
  }
  const number = numberOf(value)
  if (number === undefined) return
  const whole: Measures = { metrics: {} }
  putNamed(whole, listener.name, tidy(number * listener.factor), listener.unit)
  if (listener.isCounter) {
    if (whole.energy_total_wh !== undefined) measures.energy_total_wh = whole.energy_total_wh
  } else putMetric(measures, 'energy_wh', whole.energy_total_wh)
  if (whole.temperature !== undefined) measures.temperature = whole.temperature
  if (whole.power_usage !== undefined) measures.power_usage = whole.power_usage
  for (const name in whole.metrics) putMetric(measures, name, whole.metrics[name])
}

/** Without what binary arithmetic adds beyond the ninth decimal. */
function tidy(value: number): number {
  return Math.abs(value) < 4e6 ? Math.round(value * 1e9) / 1e9 : value
}
