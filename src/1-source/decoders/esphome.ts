/**
 * ESPHome: `<prefix>/<component>/<object>/state`, and Home Assistant's statestream, which has the same form and further topics for
 * the attributes of an entity. ESPHome sends no unit: only quantities with one usual unit are read. Documentation: ESPHome, MQTT; statestream.
 */
import type { Context, Decoder, Lesson, Outcome } from './decoder.ts'
import { Draft, putMetric } from './draft.ts'
import type { Message } from './message.ts'
import { isQuantity, putNamed, splitName } from './quantities.ts'
import { numberOf, switchOf } from './values.ts'

const COMPONENTS = /^(?:sensor|binary_sensor|switch|light|fan|number|climate|cover|lock|text_sensor)$/
const ATTRIBUTES =
  /^(?:friendly_name|unit_of_measurement|device_class|state_class|last_updated|last_changed|icon|supported_features|attribution|entity_picture)$/

export const ESPHOME: Decoder = {
  protocol: 'esphome',
  mayRead: (topic, levels) =>
    (levels.length > 1 && levels.at(-1) === 'status') || (levels.length > 3 && !topic.startsWith('GET ')),
  decode(message, context) {
    const { levels } = message
    if (levels.at(-1) === 'status') return readStatus(message, context)
    const [component, object, last] = levels.slice(-3) as [string, string, string]
    const base = levels.slice(0, -3).join('/')
    if (ATTRIBUTES.test(last)) return readAttribute(`${base}/${component}/${object}`, base, last, message)
    if (last !== 'state') return undefined
    const stream = context.lessons.get(`statestream/${base}`) === true
    if (!stream && !COMPONENTS.test(component)) return undefined
    return readState(stream, base, component, object, message, context)
  },
}

/** Birth and will. Before its first state nothing tells it from another's; one that announces itself is known by that. */
function readStatus(message: Message, context: Context): Outcome | undefined {
  const status = message.text()
  if (status !== 'online' && status !== 'offline') return undefined
  const device_id = message.levels.slice(0, -1).join('/')
  if (context.lessons.get(`esphome/${device_id}`) !== true)
    return { why: 'no_telemetry', protocol: 'esphome' }
  const draft = new Draft({ protocol: 'esphome', device_id, event_id: 'status' })
  draft.presence(status)
  return draft.finish(message, context)
}

/** Attributes are JSON; the unit and what sends them are remembered. */
function readAttribute(entity: string, base: string, name: string, message: Message): Outcome {
  const lessons: Lesson[] = [{ key: `statestream/${base}`, value: true }]
  const text = message.text()!.replace(/^"|"$/g, '')
  if (name === 'unit_of_measurement' || name === 'device_class' || name === 'state_class')
    lessons.push({ key: `statestream/${entity}/${name}`, value: text.slice(0, 40) })
  return { protocol: 'homeassistant-statestream', readings: [], lessons }
}

const NO_VALUE = /^(?:unknown|unavailable|none|nan)$/i

function readState(
  stream: boolean,
  base: string,
  component: string,
  object: string,
  message: Message,
  context: Context,
): Outcome {
  const protocol = stream ? 'homeassistant-statestream' : 'esphome'
  const text = message.text()!
  if (NO_VALUE.test(text)) return { why: 'no_value', protocol }
  const device_id = stream ? `${component}.${object}` : base
  const draft = new Draft({ protocol, device_id, event_id: `${component}/${object}` })
  if (!stream && context.lessons.get(`esphome/${base}`) !== true)
    draft.lessons.push({ key: `esphome/${base}`, value: true })
  const learned = (name: string): string | undefined => {
    const value = context.lessons.get(`statestream/${base}/${component}/${object}/${name}`)
    return typeof value === 'string' ? value : undefined
  }
  const number = numberOf(text)
  const { quantity, endpoint } = splitName(object)
  const known = learned('device_class') ?? quantity
  const channel =
    stream || !/^(?:power|energy|temperature|humidity|voltage|current)/.test(quantity) ? '' : endpoint
  if (number === undefined)
    putMetric(
      draft.channel(),
      component === 'binary_sensor' ? object : stream ? 'on' : `on_${object}`,
      switchOf(text),
    )
  else if (isQuantity(known)) putNamed(draft.channel(channel), known, number, learned('unit_of_measurement'))
  else putMetric(draft.channel(), object, number)
  return draft.finish(message, context)
}
