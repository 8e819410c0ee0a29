/** One discovery message: the device, and what stands under which topic. Abbreviations as in Home Assistant's list of them. */
import type { DeviceFact } from './decoder.ts'
import { readTemplate } from './homeassistant-template.ts'
import { isObject, type JsonObject } from './message.ts'
import { isQuantity, splitName } from './quantities.ts'
import { unitSuffix } from '../../units.ts'
import { slug, table, textOf } from './values.ts'

/** One value under a topic. JSON, since it is kept as a lesson. */
export interface Listener {
  /** Of the entity; what is said again under it replaces what was said before. */
  id: string
  topic: string
  device_id: string
  kind: 'number' | 'switch' | 'availability'
  name: string
  channel: string
  path: readonly string[]
  factor: number
  /** What the template makes of a value that is so, and of one that is not. */
  words?: readonly [yes: string, no: string]
  unit?: string
  isCounter?: boolean
  on?: string
  off?: string
}

const MAX_COMPONENTS = 200

/** The long name of what is read here, by its abbreviation. */
function of(config: JsonObject, long: string, short: string): unknown {
  return config[long] ?? config[short]
}

/** The device by its first identifier, else by its first connection, else by the object of the topic. */
export function deviceOf(
  config: JsonObject,
  object: string,
): { device_id: string; facts: Omit<DeviceFact, 'device_id' | 'protocol'> } {
  const device = of(config, 'device', 'dev')
  if (!isObject(device)) {
    const name = textOf(config.name)
    return { device_id: slug(object) || object, facts: { ...(name !== undefined && { name }) } }
  }
  const identifiers = texts(of(device, 'identifiers', 'ids'))
  const connections = list(of(device, 'connections', 'cns')).flatMap((pair) => texts(list(pair)[1]))
  const [device_id = slug(object) || object, ...aliases] = [...new Set([...identifiers, ...connections])]
  const facts = {
    name: textOf(device.name),
    manufacturer: textOf(of(device, 'manufacturer', 'mf')),
    model: textOf(of(device, 'model', 'mdl')),
    location: textOf(of(device, 'suggested_area', 'sa')),
    parent_device_id: textOf(device.via_device),
    aliases: aliases.length > 0 ? aliases : undefined,
  }
  const known = Object.entries(facts).filter(([, fact]) => fact !== undefined)
  return { device_id, facts: Object.fromEntries(known) }
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, 20) : value === undefined || value === null ? [] : [value]
}

function texts(value: unknown): string[] {
  return list(value).flatMap((one) => textOf(one) ?? [])
}

/** What a message lets us read: of one entity, or of all of a device (`components`). */
export function listenersOf(
  component: string,
  object: string,
  config: JsonObject,
  device_id: string,
): Listener[] {
  if (component !== 'device') return ofEntity(component, object, config, device_id)
  const components = of(config, 'components', 'cmps')
  if (!isObject(components)) return []
  return Object.entries(components)
    .slice(0, MAX_COMPONENTS)
    .flatMap(([name, entity]) => {
      const platform = isObject(entity) ? textOf(of(entity, 'platform', 'p')) : undefined
      return platform === undefined
        ? []
        : ofEntity(platform, `${object}/${name}`, { ...config, ...(entity as JsonObject) }, device_id)
    })
}

function ofEntity(component: string, object: string, config: JsonObject, device_id: string): Listener[] {
  const base = textOf(config['~']) ?? ''
  const id = `${component}/${object}`
  const listeners: Listener[] = []
  const listen = (
    topic: unknown,
    template: unknown,
    rest: Partial<Listener> & Pick<Listener, 'kind' | 'name'>,
  ): void => {
    const value = readTemplate(template)
    const full = textOf(topic)?.replace(/^~|~$/, () => base)
    if (full === undefined || !value || (value.words && rest.kind === 'number')) return
    listeners.push({
      // All entities of a device name the same availability: it is one.
      id: rest.kind === 'availability' ? `availability/${device_id}` : `${id}/${listeners.length}`,
      topic: full,
      device_id,
      channel: '',
      ...value,
      ...rest,
    })
  }
  const state = of(config, 'state_topic', 'stat_t')
  const template = of(config, 'value_template', 'val_tpl')
  if (component === 'sensor' || component === 'number') listen(state, template, numberEntity(config, object))
  else if (component === 'binary_sensor')
    listen(state, template, {
      kind: 'switch',
      name: CLASSES[String(of(config, 'device_class', 'dev_cla'))] ?? slug(nameOf(config, object)),
      on: String(of(config, 'payload_on', 'pl_on') ?? 'ON'),
      off: String(of(config, 'payload_off', 'pl_off') ?? 'OFF'),
    })
  else if (component === 'switch' || component === 'light' || component === 'fan' || component === 'siren')
    listen(state, template ?? of(config, 'state_value_template', 'stat_val_tpl') ?? stateOf(config), {
      kind: 'switch',
      name: 'on',
      channel: GANG.exec(slug(nameOf(config, object)))?.[1] ?? '',
      on: String(of(config, 'state_on', 'stat_on') ?? of(config, 'payload_on', 'pl_on') ?? 'ON'),
      off: String(of(config, 'state_off', 'stat_off') ?? of(config, 'payload_off', 'pl_off') ?? 'OFF'),
    })
  else if (component === 'climate') listenClimate(config, listen)
  else if (component === 'cover' || component === 'valve')
    listen(of(config, 'position_topic', 'pos_t'), of(config, 'position_template', 'pos_tpl'), {
      kind: 'number',
      name: 'position',
      unit: '%',
    })
  listenAvailability(config, listen)
  return listeners
}

type Listen = (
  topic: unknown,
  template: unknown,
  rest: Partial<Listener> & Pick<Listener, 'kind' | 'name'>,
) => void

function listenClimate(config: JsonObject, listen: Listen): void {
  const unit = of(config, 'temperature_unit', 'temp_unit') === 'F' ? '°F' : '°C'
  listen(
    of(config, 'current_temperature_topic', 'curr_temp_t'),
    of(config, 'current_temperature_template', 'curr_temp_tpl'),
    { kind: 'number', name: 'temperature', unit },
  )
  listen(
    of(config, 'temperature_state_topic', 'temp_stat_t'),
    of(config, 'temperature_state_template', 'temp_stat_tpl'),
    { kind: 'number', name: 'setpoint', unit },
  )
  listen(
    of(config, 'current_humidity_topic', 'curr_hum_t'),
    of(config, 'current_humidity_template', 'curr_hum_tpl'),
    { kind: 'number', name: 'humidity', unit: '%' },
  )
}

/** One topic, or a list of them with their own words and templates. */
function listenAvailability(config: JsonObject, listen: Listen): void {
  const single = of(config, 'availability_topic', 'avty_t')
  const all = single === undefined ? list(of(config, 'availability', 'avty')) : [config]
  for (const one of all) {
    if (!isObject(one)) continue
    listen(
      one === config ? single : of(one, 'topic', 't'),
      one === config ? of(config, 'availability_template', 'avty_tpl') : of(one, 'value_template', 'val_tpl'),
      {
        kind: 'availability',
        name: '',
        on: String(of(one, 'payload_available', 'pl_avail') ?? 'online'),
        off: String(of(one, 'payload_not_available', 'pl_not_avail') ?? 'offline'),
      },
    )
  }
}

/** A light of the JSON schema says `{"state":"ON"}`. */
function stateOf(config: JsonObject): unknown {
  return config.schema === 'json' ? '{{ value_json.state }}' : undefined
}

/** Device classes of what is so or not. */
const CLASSES: Readonly<Record<string, string>> = table({
  door: 'open',
  window: 'open',
  opening: 'open',
  garage_door: 'open',
  moisture: 'water_leak',
  battery: 'battery_low',
  motion: 'motion',
  occupancy: 'occupancy',
  presence: 'presence',
  smoke: 'smoke',
  vibration: 'vibration',
  lock: 'unlocked',
})

function nameOf(config: JsonObject, object: string): string {
  return ownName(config) ?? textOf(of(config, 'object_id', 'obj_id')) ?? object.split('/').at(-1)!
}

/** The entity's name without that of its device, which many senders put before it. */
function ownName(config: JsonObject): string | undefined {
  const name = textOf(config.name)
  const device = of(config, 'device', 'dev')
  const whole = isObject(device) ? textOf(device.name) : undefined
  if (name === undefined || whole === undefined || !name.toLowerCase().startsWith(whole.toLowerCase()))
    return name
  return textOf(name.slice(whole.length)) ?? name
}

/** `Relay 2`, `Left l1`: one of several switches of a device. */
const GANG = /(?:^|_)(l?\d{1,2})$/

/** A part of a whole: its own reading would count twice beside that of the whole. */
const PART = /^(?:(?:l|phase_?)(?:[123]|[abc])|[abc])$/

/** What an endpoint measures for itself; everything else is of the device. */
const OF_ENDPOINT =
  /^(?:power|energy|temperature|humidity|produced_energy|active_power|total_energy|energy_total|voltage|current|power_factor|frequency|apparent_power|reactive_power)$/

/** Device class, unit and state class say what a number is; the entity's name says of which endpoint. */
function numberEntity(
  config: JsonObject,
  object: string,
): Partial<Listener> & Pick<Listener, 'kind' | 'name'> {
  const unit = textOf(of(config, 'unit_of_measurement', 'unit_of_meas'))
  const suffix = unit === undefined ? undefined : unitSuffix(unit)
  const name = nameOf(config, object)
  const named = splitName(name)
  const quantity = quantityOf(config, name, named.quantity, suffix)
  // An identifier that stands for a name says nothing of endpoints: it has the device's name in it.
  const endpoint = ownName(config) === undefined ? '' : endpointOf(name, named.endpoint)
  const stateClass = of(config, 'state_class', 'stat_cla')
  const isCounter = stateClass === 'total_increasing' || stateClass === 'total'
  const rest = { kind: 'number' as const, isCounter, ...(unit !== undefined && { unit }) }
  // kWh/m² is no energy: what is in a unit that nobody knows keeps its own name.
  if (quantity === '' || (unit !== undefined && suffix === undefined)) return { ...rest, name: slug(name) }
  if (OF_ENDPOINT.test(quantity) && PART.test(endpoint)) return { ...rest, name: `${quantity}_${endpoint}` }
  return { ...rest, name: quantity, channel: OF_ENDPOINT.test(quantity) ? endpoint : '' }
}

/** The unit outranks a device class that cannot have it: makers declare kWh as `power`. */
function quantityOf(config: JsonObject, name: string, named: string, suffix: string | undefined): string {
  const given = slug(textOf(of(config, 'device_class', 'dev_cla')) ?? '')
  const deviceClass =
    given === 'power' && suffix === 'wh' ? 'energy' : given === 'energy' && suffix === 'w' ? 'power' : given
  if (deviceClass === 'energy' && /export|return|produc|feed|yield/i.test(name)) return 'produced_energy'
  if (!isQuantity(deviceClass)) return named
  // What a device tells for its own diagnosis is the warmth of its chip, not of a room.
  if (deviceClass === 'temperature' && of(config, 'entity_category', 'ent_cat') === 'diagnostic')
    return 'device_temperature'
  return ofClass(deviceClass, named)
}

/** A counter of today, of a month, is no counter of the device's life, whatever its class says. */
function ofClass(deviceClass: string, named: string): string {
  return deviceClass === 'energy' && /today|yesterday|month|daily/.test(named) ? named : deviceClass
}

/** `Total power` is the device's; `Dryer power` that of the dryer. */
function endpointOf(name: string, endpoint: string): string {
  const rest = endpoint.replace(/(?:^|_)(?:total|active|current|sensor)(?=_|$)/g, '').replace(/^_+|_+$/g, '')
  return rest === slug(name) ? '' : rest
}
