/**
 * SmartThings: the status of a device, `components.<component>.<capability>.<attribute>` with value, unit and the time of its last
 * change. What changed at one time is one reading; one that is polled again is the same again. Documentation: Capabilities.
 */
import type { Context, Decoder, Outcome } from './decoder.ts'
import { Draft, putMetric, putQuantity, type Measures } from './draft.ts'
import { joinOutcomes } from './join.ts'
import { isObject, type JsonObject, type Message } from './message.ts'
import { putNamed, putSwitch } from './quantities.ts'
import { at, numberOf, slug, table, textOf } from './values.ts'

const PROTOCOL = 'smartthings'
const MAX_CAPABILITIES = 1000
/** Times at which something changed, in one status. */
const MAX_TIMES = 200

export const SMARTTHINGS: Decoder = {
  protocol: PROTOCOL,
  mayRead: (topic) => topic.startsWith('GET /') || topic.includes('smartthings'),
  decode(message, context) {
    const components = message.object()?.components
    if (!isObject(components)) return undefined
    const main = isObject(components.main) ? components.main : {}
    const device_id = context.device ?? textOf(at(main, 'ocf', 'di', 'value'))
    if (device_id === undefined) return { why: 'no_device', protocol: PROTOCOL }
    return readStatus(device_id, components, main, message, context)
  },
}

/** What measures: capability → attribute → quantity; all others are settings, lists and texts. */
const MEASURES = capabilities({
  powerMeter: { power: 'power' },
  energyMeter: { energy: 'energy' },
  temperatureMeasurement: { temperature: 'temperature' },
  relativeHumidityMeasurement: { humidity: 'humidity' },
  battery: { battery: 'battery' },
  voltageMeasurement: { voltage: 'voltage' },
  currentMeasurement: { current: 'current' },
  illuminanceMeasurement: { illuminance: 'illuminance' },
  atmosphericPressureMeasurement: { atmosphericPressure: 'pressure' },
  carbonDioxideMeasurement: { carbonDioxide: 'co2' },
  fineDustSensor: { fineDustLevel: 'pm2_5' },
  dustSensor: { dustLevel: 'pm10', fineDustLevel: 'pm2_5' },
  thermostatHeatingSetpoint: { heatingSetpoint: 'setpoint' },
  thermostatCoolingSetpoint: { coolingSetpoint: 'cooling_setpoint' },
  switchLevel: { level: 'level' },
  windowShadeLevel: { shadeLevel: 'position' },
  signalStrength: { rssi: 'rssi', lqi: 'link_quality' },
})

const SWITCHES = capabilities({
  switch: { switch: 'switch' },
  motionSensor: { motion: 'motion' },
  contactSensor: { contact: 'open' },
  waterSensor: { water: 'water_leak' },
  presenceSensor: { presence: 'presence' },
  lock: { lock: 'unlocked' },
  smokeDetector: { smoke: 'smoke' },
  accelerationSensor: { acceleration: 'vibration' },
  valve: { valve: 'open' },
})

/** Looked up by names out of messages, so without what every object has. */
function capabilities(
  of: Readonly<Record<string, Readonly<Record<string, string>>>>,
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  return new Map(Object.entries(of).map(([name, attributes]) => [name, new Map(Object.entries(attributes))]))
}

class Times {
  readonly drafts = new Map<string, Draft>()
  readonly #device_id: string
  constructor(device_id: string) {
    this.#device_id = device_id
  }
  /** What changed at a time. */
  at(time: unknown): Draft | undefined {
    const key = textOf(time) ?? ''
    let draft = this.drafts.get(key)
    if (draft === undefined && this.drafts.size < MAX_TIMES) {
      draft = new Draft({ protocol: PROTOCOL, device_id: this.#device_id, time: key || undefined })
      this.drafts.set(key, draft)
    }
    return draft
  }
}

function readStatus(
  device_id: string,
  components: JsonObject,
  main: JsonObject,
  message: Message,
  context: Context,
): Outcome {
  const times = new Times(device_id)
  let left = MAX_CAPABILITIES
  for (const component of Object.keys(components)) {
    const channel = component === 'main' ? '' : component
    const all = components[component]
    if (!isObject(all)) continue
    for (const capability of Object.keys(all)) {
      const attributes = all[capability]
      if (left-- > 0 && isObject(attributes)) readCapability(times, channel, capability, attributes)
    }
  }
  const facts = {
    name: textOf(at(main, 'ocf', 'n', 'value')),
    manufacturer: textOf(at(main, 'ocf', 'mnmn', 'value')),
    model: textOf(at(main, 'ocf', 'mnmo', 'value')),
  }
  const known = Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== undefined))
  if (Object.keys(known).length > 0) (times.drafts.values().next().value ?? times.at(undefined))?.tell(known)
  return joinOutcomes(
    PROTOCOL,
    Array.from(times.drafts.values(), (draft) => draft.finish(message, context)),
  )
}

function readCapability(times: Times, channel: string, capability: string, attributes: JsonObject): void {
  if (capability === 'powerConsumptionReport') {
    const report = attributes.powerConsumption
    if (isObject(report) && isObject(report.value))
      readConsumption(times.at(report.value.end ?? report.timestamp)?.channel(channel), report.value)
  } else if (capability === 'healthCheck') {
    const health = attributes['DeviceWatch-DeviceStatus']
    if (isObject(health) && (health.value === 'online' || health.value === 'offline'))
      times.at(health.timestamp)?.presence(health.value)
  }
  for (const [attribute, quantity] of MEASURES.get(capability) ?? []) {
    const state = attributes[attribute]
    if (!isObject(state) || numberOf(state.value) === undefined) continue
    const measures = times.at(state.timestamp)?.channel(channel)
    const unit = textOf(state.unit)
    // A temperature says C or F, an energy Wh or kWh; without a unit either may be meant.
    if (measures && (unit !== undefined || !/temperature|setpoint/.test(quantity)))
      putNamed(measures, quantity, state.value, unit)
    else if (measures) putMetric(measures, slug(quantity), numberOf(state.value))
  }
  for (const [attribute, name] of SWITCHES.get(capability) ?? []) {
    const state = attributes[attribute]
    if (!isObject(state) || state.value === null || state.value === undefined) continue
    const measures = times.at(state.timestamp)?.channel(channel)
    if (measures) putSwitch(measures, name, WORDS[String(state.value)] ?? state.value)
  }
}

/** Words of capabilities that mean yes or no beside the usual ones. */
const WORDS: Readonly<Record<string, boolean>> = table({
  present: true,
  'not present': false,
  inactive: false,
  tested: true,
})

/** Watts, and Wh counted by the appliance over the whole of its life; nothing where it says that it counts none. */
function readConsumption(measures: Measures | undefined, report: JsonObject): void {
  if (!measures) return
  const power = numberOf(report.power)
  if (power !== undefined) measures.power_usage = power
  const energy = numberOf(report.energy)
  if (energy !== undefined && energy > 0) measures.energy_total_wh = energy
  putQuantity(measures, 'energy_delta', report.deltaEnergy, 'Wh')
}
