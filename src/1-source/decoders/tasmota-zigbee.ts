/** Zigbee devices behind a Tasmota bridge: `ZbReceived`, one object per device. Documentation: "Zigbee". */
import type { Context, Outcome } from './decoder.ts'
import { Draft, putMetric, putQuantity, type Measures } from './draft.ts'
import { joinOutcomes } from './join.ts'
import { isObject, type JsonObject, type Message } from './message.ts'
import { numberOf, slug, switchOf, table, textOf } from './values.ts'

const KEYS: Readonly<Record<string, readonly [name: string, unit: string]>> = table({
  Humidity: ['humidity', '%'],
  Pressure: ['pressure', 'hPa'],
  BatteryPercentage: ['battery', '%'],
  BatteryVoltage: ['battery_voltage', 'V'],
  RMSVoltage: ['voltage', 'V'],
  LinkQuality: ['link_quality', ''],
  CO2: ['co2', 'ppm'],
})

/** What addresses a message or answers a command. */
const NO_MEASURE = /^(?:Device|Name|Endpoint|Group|IEEEAddr|.*Group.*|[0-9A-F]{4}[!<]\w+)$/

export function readZigbee(
  bridge: string,
  received: JsonObject,
  message: Message,
  context: Context,
): Outcome {
  const outcomes = Object.entries(received)
    .slice(0, 64)
    .map(([name, device]) =>
      isObject(device) ? readDevice(bridge, name, device, message, context) : undefined,
    )
  return joinOutcomes('tasmota', outcomes)
}

function readDevice(
  bridge: string,
  name: string,
  device: JsonObject,
  message: Message,
  context: Context,
): Outcome {
  const address = textOf(device.Device) ?? name
  // With a topic for each device (SetOption89) its address or name stands in the topic too.
  const own = [address.replace(/^0x/i, ''), address, textOf(device.Name) ?? name]
  const last = bridge.slice(bridge.lastIndexOf('/') + 1)
  if (last !== bridge && own.includes(last)) bridge = bridge.slice(0, bridge.length - last.length - 1)
  const draft = new Draft({ protocol: 'tasmota', device_id: `${bridge}/${address}`, event_id: 'ZbReceived' })
  const measures = draft.channel()
  for (const key of Object.keys(device)) readAttribute(measures, key, device[key])
  const manufacturer = textOf(device.Manufacturer)
  const model = textOf(device.ModelId)
  const friendly = textOf(device.Name) ?? (name === address ? undefined : name)
  draft.tell({
    parent_device_id: bridge,
    ...(friendly !== undefined && { name: friendly }),
    ...(manufacturer !== undefined && { manufacturer }),
    ...(model !== undefined && { model }),
  })
  return draft.finish(message, context)
}

function readAttribute(measures: Measures, key: string, value: unknown): void {
  if (NO_MEASURE.test(key) || key === 'Manufacturer' || key === 'ModelId') return
  const number = numberOf(value)
  const known = KEYS[key]
  if (key === 'Temperature') measures.temperature = number
  else if (key === 'ActivePower') measures.power_usage = number
  else if (key === 'Power')
    putMetric(measures, 'on', switchOf(value) ?? (number === 0 || number === 1 ? number : undefined))
  else if (key === 'Dimmer' && number !== undefined)
    putMetric(measures, 'brightness_pct', Math.round((number / 254) * 1e4) / 100)
  else if (known) putQuantity(measures, known[0], value, known[1])
  else putMetric(measures, slug(key), number ?? switchOf(value))
}
