/** ESPurna `<root>/data`, and Tuya's cloud answers: numbers whose scale the message does not tell keep their own name. */
import type { Context, Decoder, Outcome } from './decoder.ts'
import { Draft, putMetric, type Measures } from './draft.ts'
import { isObject, type JsonObject, type Message } from './message.ts'
import { putNamed, putSwitch } from './quantities.ts'
import { numberOf, slug, switchOf, table, textOf } from './values.ts'

export const ESPURNA: Decoder = {
  protocol: 'espurna',
  mayRead: (_topic, levels) => levels.length > 1 && levels.at(-1) === 'data',
  decode(message, context) {
    const json = message.object()
    if (!json || !('host' in json && 'mac' in json)) return undefined
    const device_id = message.levels.slice(0, -1).join('/')
    const draft = new Draft({
      protocol: 'espurna',
      device_id,
      time: json.time ?? json.datetime,
      event_id: 'data',
    })
    const mac = textOf(json.mac)
    if (mac !== undefined) draft.tell({ aliases: [mac] })
    for (const key of Object.keys(json))
      if (!/^(?:time|datetime|mac|host|ip|id|version|desc|ssid|bssid)$/.test(key))
        readKey(draft.channel(), key, json[key])
    return draft.finish(message, context)
  },
}

/** What its 32-bit counter shows when it has none. */
const NO_COUNT = 2_147_483_647

function readKey(measures: Measures, key: string, value: unknown): void {
  const number = numberOf(value)
  const relay = /^relay\/?(\d)$/.exec(key)
  if (relay) putMetric(measures, `on_${relay[1]}`, number)
  // Older firmware counts joules, newer kWh, and neither says which.
  else if (key === 'energy' || key === 'energy_delta') {
    if (number !== NO_COUNT) putMetric(measures, key, number)
  } else if (number !== undefined) putNamed(measures, key, number)
  else if (switchOf(value) !== undefined) putSwitch(measures, key, value)
}

export const TUYA: Decoder = {
  protocol: 'tuya',
  mayRead: (topic) => topic.startsWith('GET /v1.0/') || topic.startsWith('GET /v2.0/'),
  decode(message, context) {
    const result = message.object()?.result
    const device = isObject(result) ? result : undefined
    const list = device ? device.status : result
    if (!Array.isArray(list)) return undefined
    const device_id = context.device ?? textOf(device?.id)
    if (device_id === undefined) return { why: 'no_device', protocol: 'tuya' }
    return readTuya(device_id, device ?? {}, list, message, context)
  },
}

/** Documented codes of the standard instruction set, with the scale that it gives them: tenths, milliamperes. */
const TENTHS: Readonly<Record<string, string>> = table({ cur_voltage: 'voltage', cur_power: 'power' })

function readTuya(
  device_id: string,
  device: JsonObject,
  list: readonly unknown[],
  message: Message,
  context: Context,
): Outcome {
  const draft = new Draft({ protocol: 'tuya', device_id, time: message.object()?.t, event_id: 'status' })
  const [name, model] = [textOf(device.name), textOf(device.product_name)]
  draft.tell({ ...(name !== undefined && { name }), ...(model !== undefined && { model }) })
  const values = new Map(
    list
      .slice(0, 200)
      .flatMap((one) =>
        isObject(one) && typeof one.code === 'string' ? [[one.code, one.value] as const] : [],
      ),
  )
  const volts = (numberOf(values.get('cur_voltage')) ?? 0) / 10
  // The scale is the maker's choice: it is the documented one where the mains' voltage comes out by it.
  const scaled = volts >= 80 && volts <= 280
  const measures = draft.channel()
  for (const [code, value] of values) {
    const number = numberOf(value)
    if (scaled && TENTHS[code] !== undefined && number !== undefined)
      putNamed(measures, TENTHS[code], number / 10)
    else if (scaled && code === 'cur_current') putNamed(measures, 'current', number, 'mA')
    else if (/^switch(?:_1)?$/.test(code)) putSwitch(measures, 'switch', value)
    else putMetric(measures, `${slug(code)}`, number ?? switchOf(value))
  }
  if (typeof device.online === 'boolean') draft.presence(device.online ? 'online' : 'offline')
  return draft.finish(message, context)
}
