/** Messages that the configuration says how to read, and a proposal for those that nobody does. */
import { toPlatformUnit } from '../../units.ts'
import type { Context, Decoder, Outcome } from './decoder.ts'
import { Draft, putMetric } from './draft.ts'
import type { FieldMapping, Mapping, MappingProposal } from './mapping.ts'
import { isObject, type Message } from './message.ts'
import { splitName } from './quantities.ts'
import { at, numberOf, slug, table, textOf } from './values.ts'

const PROTOCOL = 'mapped'

export const MAPPED: Decoder = {
  protocol: PROTOCOL,
  decode(message, context) {
    for (const mapping of context.mappings ?? []) {
      const named = matchTopic(mapping.topic, message.levels)
      if (named !== undefined) return read(mapping, named, message, context)
    }
    return undefined
  },
}

/** Whether a topic fits a filter, with the device that `{device}` stands for; `''` where it stands nowhere. */
function matchTopic(filter: string, levels: readonly string[]): string | undefined {
  const wanted = filter.split('/')
  let device = ''
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return device
    const actual = levels[index]
    if (actual === undefined) return undefined
    if (level === '{device}') device = actual
    else if (level !== '+' && level !== actual) return undefined
  }
  return wanted.length === levels.length ? device : undefined
}

/** The value at a path of members parted by points; `''` is the whole message. */
function valueOf(message: Message, path: string): unknown {
  return path === '' ? message.text() : at(message.json(), ...path.split('.'))
}

function read(mapping: Mapping, named: string, message: Message, context: Context): Outcome {
  const { device, fields } = mapping
  const told = device?.startsWith('json:') ? valueOf(message, device.slice(5)) : device
  const device_id = textOf(told) ?? (named || context.device)
  if (device_id === undefined) return { why: 'no_device', protocol: PROTOCOL }
  const clock = fields.find(({ to }) => to === 'timestamp')
  const time = clock && valueOf(message, clock.from)
  const draft = new Draft({ protocol: PROTOCOL, device_id, time, event_id: message.topic.slice(-200) })
  const { device_type, manufacturer, model } = mapping
  if (device_type !== undefined || manufacturer !== undefined || model !== undefined)
    draft.tell({
      ...(device_type !== undefined && { device_type }),
      ...(manufacturer !== undefined && { manufacturer }),
      ...(model !== undefined && { model }),
    })
  const faults = fields.flatMap((field) => readField(draft, field, valueOf(message, field.from)) ?? [])
  const outcome = draft.finish(message, context)
  if (faults.length > 0 && !('why' in outcome)) outcome.faults = [...(outcome.faults ?? []), ...faults]
  return outcome
}

/** Fields of a reading → the unit that they are kept in. */
const FIELD_UNITS: Readonly<Record<string, string>> = table({
  temperature: 'c',
  power_usage: 'w',
  energy_total_wh: 'wh',
})

/** What was wrong, where something was: a unit that is none of the field's is never taken for it. */
function readField(draft: Draft, field: FieldMapping, value: unknown): string | undefined {
  const { to, unit, sign = 1, channel } = field
  if (to === 'timestamp') return undefined
  if (to === 'status') {
    const word = String(value).toLowerCase()
    if (word === 'online' || word === 'offline') draft.presence(word)
    return undefined
  }
  const number = numberOf(value)
  if (number === undefined) return undefined
  const measures = draft.channel(channel)
  const measured = unit === undefined ? undefined : toPlatformUnit(number, unit)
  if (unit !== undefined && !measured) return `unit:${field.from}`
  const signed = sign * (measured?.value ?? number)
  const wanted = FIELD_UNITS[to]
  if (wanted === undefined) {
    putMetric(measures, to.replace(/^metrics\./, ''), signed)
    return undefined
  }
  if (measured && measured.suffix !== wanted) return `unit:${field.from}`
  if (to === 'temperature') measures.temperature = signed
  else if (to === 'power_usage') measures.power_usage = signed
  else measures.energy_total_wh = signed
  return undefined
}

const MAX_PROPOSED = 50
const FIELDS: Readonly<Record<string, string>> = table({ temperature: 'temperature', power: 'power_usage' })

/** `power` is the power; `max_power` is not. */
function fieldOf(name: string): string | undefined {
  const { quantity, endpoint } = splitName(name)
  return endpoint === '' ? FIELDS[quantity] : undefined
}

/** How a message that nobody knows could be read: its numbers by their names. Undefined where it has none. */
export function propose(message: Message): MappingProposal | undefined {
  const fields: FieldMapping[] = []
  const sample: Record<string, number | string> = Object.create(null)
  const visit = (value: unknown, path: readonly string[]): void => {
    const number = numberOf(value)
    if (number !== undefined && fields.length < MAX_PROPOSED) {
      const from = path.join('.')
      const name = slug(path.at(-1) ?? message.levels.at(-1)!)
      if (name === '') return
      fields.push({ from, to: fieldOf(name) ?? `metrics.${name}` })
      sample[from] = number
    } else if (isObject(value) && path.length < 4)
      for (const [key, inner] of Object.entries(value).slice(0, MAX_PROPOSED))
        if (!key.includes('.')) visit(inner, [...path, key])
  }
  visit(message.object() ?? message.text(), [])
  if (fields.length === 0) return undefined
  const { levels } = message
  // The level before the last names the device where there is more than one.
  const device = Math.max(0, levels.length - 2)
  const topic = levels.map((level, index) => (index === device ? '{device}' : level)).join('/')
  return { mapping: { topic, fields }, sample: { ...sample } }
}
