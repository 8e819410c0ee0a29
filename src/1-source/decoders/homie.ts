/**
 * Homie 3, 4 and 5: `<base>/<device>/<node>/<property>` with values, `$…` with what they are. Documentation: the convention.
 * Version 5 adds its number after the base and describes a device in one `$description`. Units come from `$unit`.
 */
import type { Context, Decoder, Lesson, Outcome } from './decoder.ts'
import { Draft } from './draft.ts'
import { isObject, type Message } from './message.ts'
import { isQuantity, putNamed, putSwitch, splitName } from './quantities.ts'
import { at, table, textOf } from './values.ts'

/** `$state` → presence; while it starts or is updated a device is there, `sleeping` too. */
const STATES: Readonly<Record<string, 'online' | 'offline'>> = table({
  init: 'online',
  ready: 'online',
  sleeping: 'online',
  alert: 'online',
  disconnected: 'offline',
  lost: 'offline',
})

interface Property {
  unit?: string
  name?: string
}

export const HOMIE: Decoder = {
  protocol: 'homie',
  decode(message, context) {
    const { levels } = message
    const start = levels.indexOf('homie')
    const base = start >= 0 ? start : context.lessons.get(`homie/base/${levels[0]}`) === true ? 0 : -1
    if (base < 0 || levels.length < base + 3) return undefined
    const five = levels[base + 1] === '5'
    const [device, ...path] = levels.slice(base + (five ? 2 : 1))
    if (device === undefined || device.startsWith('$')) return { why: 'no_telemetry', protocol: 'homie' }
    const protocol = five ? 'homie5' : 'homie3'
    if (path[0]?.startsWith('$')) return ofDevice(protocol, device, path, message, context)
    if (path.some((level) => level.startsWith('$'))) return ofProperty(protocol, device, path, message)
    return path.length === 2
      ? readValue(protocol, device, path, message, context)
      : { why: 'no_telemetry', protocol }
  },
}

function key(device: string, path: readonly string[]): string {
  return `homie/${device}/${path.join('/')}`
}

function ofDevice(
  protocol: string,
  device: string,
  path: readonly string[],
  message: Message,
  context: Context,
): Outcome {
  if (path[0] === '$description' && !message.object()) return { why: 'broken_json', protocol }
  const draft = new Draft({ protocol, device_id: device, event_id: path.join('/') })
  const text = message.text()!
  const state = path[0] === '$state' ? STATES[text] : undefined
  if (state !== undefined) draft.presence(state)
  else if (path[0] === '$name') draft.tell({ name: text.slice(0, 200) })
  else if (path[0] === '$description') readDescription(draft, device, message)
  else if (path[0] === '$stats' && path.length === 2 && path[1] !== 'interval')
    readStat(draft, path[1]!, text)
  if (path[0] === '$state' && text === 'alert') draft.channel().alert = 'maintenance_required'
  // Version 5: an alert has a name of its own; an empty message takes it back.
  if (path[0] === '$alert' && path[1] !== undefined)
    draft.channel().alert = /^batt/i.test(path[1]) ? 'low_battery' : 'maintenance_required'
  return draft.finish(message, context)
}

const STATS: Readonly<Record<string, string>> = table({
  uptime: 's',
  signal: '%',
  cputemp: '°C',
  battery: '%',
  supply: 'V',
  cpuload: '%',
})

/** Statistics of the device itself: `uptime` s, `signal` %, `cputemp` °C, `battery` %, `supply` V. */
function readStat(draft: Draft, name: string, text: string): void {
  const unit = STATS[name]
  if (unit !== undefined) putNamed(draft.channel(), name === 'signal' ? 'wifi_quality' : name, text, unit)
}

/** Version 5: all nodes and properties at once. */
function readDescription(draft: Draft, device: string, message: Message): void {
  const description = message.object()
  if (!description) return
  const name = textOf(description.name)
  const parent = textOf(description.parent)
  draft.tell({
    ...(name !== undefined && { name }),
    ...(parent !== undefined && { parent_device_id: parent }),
  })
  let left = 500
  for (const [node, { properties }] of entries(description.nodes) as [string, { properties?: unknown }][])
    for (const [property, facts] of entries(properties)) {
      if (left-- <= 0) return
      const unit = textOf(at(facts, 'unit'))
      const value: Property = unit === undefined ? {} : { unit }
      draft.lessons.push({ key: key(device, [node, property]), value })
    }
}

function entries(value: unknown): [string, Record<string, unknown>][] {
  return isObject(value)
    ? (Object.entries(value).filter(([, inner]) => isObject(inner)) as [string, Record<string, unknown>][])
    : []
}

/** `<node>/<property>/$unit` tells how to read the value that follows, all else is for people. */
function ofProperty(protocol: string, device: string, path: readonly string[], message: Message): Outcome {
  const attribute = path.at(-1)
  if (attribute !== '$unit') return { why: 'no_telemetry', protocol }
  const lesson: Lesson = { key: key(device, path.slice(0, -1)), value: { unit: message.text()! } }
  return { protocol, readings: [], lessons: [lesson] }
}

/** A node is an endpoint where it is one of several; a node or property named like what it measures is none. */
function readValue(
  protocol: string,
  device: string,
  path: readonly string[],
  message: Message,
  context: Context,
): Outcome {
  const [node, property] = path as [string, string]
  const taught = (context.lessons.get(key(device, path)) ??
    // Version 3: `lights_0` is one of the array `lights`, which is described once.
    context.lessons.get(key(device, [node.replace(/_\d+$/, ''), property]))) as Property | undefined
  const draft = new Draft({ protocol, device_id: device, event_id: path.join('/') })
  const { quantity, endpoint } = splitName(property)
  const measures = draft.channel(isQuantity(node) ? endpoint && '' : node)
  const text = message.text()!
  if (!putNamed(measures, quantity === '' ? property : quantity, text, taught?.unit))
    putSwitch(measures, property, text)
  const outcome = draft.finish(message, context)
  return 'why' in outcome ? { why: 'no_telemetry', protocol } : outcome
}
