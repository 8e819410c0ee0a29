/**
 * OpenEnergyMonitor: `emon/<node>/<input>` with one number, or JSON of a node; `/input/post` by HTTP. Documentation: Emoncms, "Posting
 * data"; the firmware's names of inputs: `power1` W and `e1` or `E1` Wh of one clamp, `vrms` V.
 */
import type { Context, Decoder, Outcome } from './decoder.ts'
import { Draft, putMetric } from './draft.ts'
import type { Message } from './message.ts'
import { isQuantity, putNamed } from './quantities.ts'
import { numberOf, slug } from './values.ts'

const PROTOCOL = 'emon'

export const EMON: Decoder = {
  protocol: PROTOCOL,
  mayRead: (topic, levels) => topic.startsWith('GET /input/') || (levels[0] === 'emon' && levels.length > 1),
  decode(message, context) {
    const { levels, topic } = message
    if (topic.startsWith('GET /input/')) return readPost(message, context)
    const json = message.object()
    const node = levels[1]!
    if (json) return read(node, Object.entries(json), json.time, message, context)
    if (levels.length < 3) return { why: 'no_telemetry', protocol: PROTOCOL }
    return read(node, [[levels.slice(2).join('/'), message.text()]], undefined, message, context)
  },
}

function readPost(message: Message, context: Context): Outcome | undefined {
  const query = new URLSearchParams(message.topic.slice(message.topic.indexOf('?') + 1))
  const node = query.get('node') ?? context.device
  const json = message.object()
  if (node === undefined) return { why: 'no_device', protocol: PROTOCOL }
  if (json) return read(node, Object.entries(json), query.get('time') ?? json.time, message, context)
  // Values without names are numbered from 1.
  const values = message.text()!.split(',').slice(0, 200)
  return read(
    node,
    values.map((value, n) => [`input_${n + 1}`, value]),
    query.get('time') ?? undefined,
    message,
    context,
  )
}

function read(
  node: string,
  inputs: readonly (readonly [string, unknown])[],
  time: unknown,
  message: Message,
  context: Context,
): Outcome {
  const single = inputs.length === 1 ? inputs[0]![0] : undefined
  const draft = new Draft({
    protocol: PROTOCOL,
    device_id: node,
    time,
    ...(single !== undefined && { event_id: single }),
  })
  for (const [name, value] of inputs.slice(0, 500)) {
    const number = numberOf(value)
    if (name === 'time' || number === undefined) continue
    const clamp = /^(power|e|p)(\d{1,2})$/i.exec(name)
    const kind = clamp?.[1]!.toLowerCase()
    const probe = /^temp(\d)$/i.exec(name)?.[1]
    if (kind === 'e') draft.channel(clamp![2]).energy_total_wh = number
    else if (kind === 'power' || kind === 'p') draft.channel(clamp![2]).power_usage = number
    // Probes are counted for themselves; 300 stands for one that is not there.
    else if (probe !== undefined) {
      if (number !== 300) draft.channel(`temp${probe}`).temperature = number
    }
    // A radio node's battery is two cells: volts, not percent.
    else if (name === 'battery')
      putMetric(draft.channel(), number > 5 ? 'battery' : 'battery_voltage_v', number)
    else if (isQuantity(slug(name))) putNamed(draft.channel(), name, number)
    else putMetric(draft.channel(), slug(name), number)
  }
  return draft.finish(message, context)
}
