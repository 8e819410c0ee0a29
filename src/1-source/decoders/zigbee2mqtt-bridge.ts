/** What the bridge says of its devices: `bridge/devices`, with what each of them exposes and in which unit. */
import type { Context, Decoded, DeviceFact, Lesson, Outcome } from './decoder.ts'
import { Draft } from './draft.ts'
import { isObject, type JsonObject, type Message } from './message.ts'
import { at, textOf } from './values.ts'

const PROTOCOL = 'zigbee2mqtt'
const MAX_DEVICES = 2000
const MAX_EXPOSES = 500

/** What is remembered of a device by its friendly name. */
export interface Taught {
  facts: Omit<DeviceFact, 'device_id' | 'protocol' | 'units'>
  units: Record<string, string>
}

export function readBridgeState(base: string, message: Message, context: Context): Outcome {
  const word = String(at(message.json(), 'state') ?? message.text()).toLowerCase()
  if (word !== 'online' && word !== 'offline') return { why: 'no_telemetry', protocol: PROTOCOL }
  const draft = new Draft({ protocol: PROTOCOL, device_id: `${base}/bridge`, event_id: 'state' })
  draft.tell({ device_type: 'gateway', name: base })
  draft.presence(word)
  draft.lessons.push({ key: `zigbee2mqtt/${base}`, value: true })
  return draft.finish(message, context)
}

export function readBridgeDevices(base: string, message: Message, _context: Context): Outcome {
  const list = message.json()
  if (!Array.isArray(list)) return { why: 'broken_json', protocol: PROTOCOL }
  const devices: DeviceFact[] = []
  const lessons: Lesson[] = [{ key: `zigbee2mqtt/${base}`, value: true }]
  for (const device of list.slice(0, MAX_DEVICES)) {
    const name = textOf(at(device, 'friendly_name'))
    if (!isObject(device) || name === undefined || device.type === 'Coordinator') continue
    const taught = readDevice(base, device)
    devices.push({ device_id: name, protocol: PROTOCOL, ...taught.facts, units: taught.units })
    lessons.push({ key: `zigbee2mqtt/${base}/${name}`, value: taught })
  }
  const decoded: Decoded = { protocol: PROTOCOL, readings: [], lessons }
  if (devices.length > 0) decoded.devices = devices
  return decoded
}

function readDevice(base: string, device: JsonObject): Taught {
  const definition = isObject(device.definition) ? device.definition : {}
  const units: Record<string, string> = {}
  const names = new Set<string>()
  let left = MAX_EXPOSES
  const read = (exposes: unknown): void => {
    for (const expose of Array.isArray(exposes) ? exposes : []) {
      if (!isObject(expose) || left-- <= 0) continue
      names.add(String(expose.name ?? expose.type))
      names.add(String(expose.type))
      const [key, unit] = [textOf(expose.property), textOf(expose.unit)]
      if (key !== undefined && unit !== undefined) units[key] = unit
      // Features stand one level deep: a light's brightness, a thermostat's local temperature.
      for (const feature of Array.isArray(expose.features) ? expose.features : []) {
        if (!isObject(feature) || left-- <= 0) continue
        names.add(String(feature.name))
        const [featureKey, featureUnit] = [textOf(feature.property), textOf(feature.unit)]
        if (featureKey !== undefined && featureUnit !== undefined) units[featureKey] = featureUnit
      }
    }
  }
  read(definition.exposes)
  const manufacturer = textOf(definition.vendor) ?? textOf(device.manufacturer)
  const model = textOf(definition.model) ?? textOf(device.model_id)
  const address = textOf(device.ieee_address)
  const type = typeOf(names)
  return {
    units,
    facts: {
      ...(address !== undefined && { aliases: [address] }),
      ...(manufacturer !== undefined && { manufacturer }),
      ...(model !== undefined && { model }),
      ...(type !== undefined && { device_type: type }),
    },
  }
}

/** The kind of device by what it exposes; undefined where that does not tell. */
function typeOf(names: ReadonlySet<string>): string | undefined {
  const has = (...some: string[]): boolean => some.some((name) => names.has(name))
  if (has('produced_energy')) return 'grid'
  if (has('light')) return 'smart_bulb'
  if (has('climate')) return 'thermostat'
  if (has('lock')) return 'lock'
  if (has('cover')) return 'cover'
  if (has('switch')) return has('power', 'energy') ? 'smart_plug' : 'switch'
  if (has('water_leak')) return 'water_leak_sensor'
  if (has('smoke')) return 'smoke_detector'
  if (has('occupancy')) return 'motion_sensor'
  if (has('contact')) return 'contact_sensor'
  if (has('power', 'energy')) return 'power_meter'
  if (has('co2', 'voc', 'pm25')) return 'air_quality_sensor'
  return has('temperature', 'humidity') ? 'temperature_sensor' : undefined
}
