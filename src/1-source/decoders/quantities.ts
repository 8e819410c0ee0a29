/** What devices call what they measure, whatever their protocol. */
import { toPlatformUnit } from '../../units.ts'
import { putMetric, type Measures } from './draft.ts'
import { numberOf, slug, switchOf } from './values.ts'

/** Name in a message → name in the platform, and the unit where the message names none; '' where it must. */
const QUANTITIES: ReadonlyMap<string, readonly [name: string, unit: string]> = new Map([
  ...named('temperature', '°C', 'temperature', 'temp', 'tempc', 'local_temperature', 'current_temperature'),
  ...named(
    'device_temperature',
    '°C',
    'device_temperature',
    'chip_temperature',
    'cpu_temperature',
    'cputemp',
  ),
  ...named('external_temperature', '°C', 'external_temperature'),
  ...named('dew_point', '°C', 'dew_point', 'dewpoint'),
  ...named(
    'setpoint',
    '°C',
    'setpoint',
    'target_temperature',
    'occupied_heating_setpoint',
    'current_heating_setpoint',
  ),
  ...named('power', 'W', 'power', 'active_power', 'apower', 'instantaneous_power'),
  ...named('energy_total', '', 'energy', 'energy_total', 'total_energy', 'active_energy', 'energy_consumed'),
  ...named(
    'export_total',
    '',
    'produced_energy',
    'energy_produced',
    'energy_returned',
    'returned_energy',
    'export_energy',
  ),
  ...named('energy_today', '', 'energy_today', 'daily_energy', 'today_energy', 'total_daily_energy'),
  ...named('energy_yesterday', '', 'energy_yesterday', 'yesterday_energy'),
  ...named('energy_month', '', 'energy_month', 'energy_this_month', 'monthly_energy'),
  ...named('voltage', 'V', 'voltage', 'rms_voltage', 'vrms'),
  ...named('current', 'A', 'current', 'rms_current'),
  ...named('apparent_power', 'VA', 'apparent_power', 'power_apparent', 'apparent'),
  ...named('reactive_power', 'var', 'reactive_power', 'power_reactive', 'reactive'),
  ...named('power_factor', '', 'power_factor', 'factor', 'pf'),
  ...named('frequency', 'Hz', 'frequency', 'ac_frequency', 'freq'),
  ...named('humidity', '%', 'humidity', 'relative_humidity', 'hum', 'rh'),
  ...named('moisture', '%', 'moisture', 'soil_moisture', 'moi'),
  ...named('pressure', 'hPa', 'pressure', 'atmospheric_pressure', 'pres'),
  ...named('battery', '%', 'battery', 'battery_level', 'battery_percent', 'batt'),
  ...named('battery_voltage', 'V', 'battery_voltage'),
  ...named('illuminance', 'lx', 'illuminance', 'illuminance_lux', 'lux', 'light_level'),
  ...named('link_quality', '', 'linkquality', 'link_quality', 'lqi'),
  ...named('rssi', 'dBm', 'rssi', 'signal_strength', 'wifi_signal', 'wifi_rssi', 'signal'),
  ...named('co2', 'ppm', 'co2', 'carbon_dioxide'),
  ...named('eco2', 'ppm', 'eco2'),
  ...named('co', 'ppm', 'co', 'carbon_monoxide'),
  ...named('voc', 'ppb', 'voc', 'tvoc', 'volatile_organic_compounds'),
  ...named('pm1', 'µg/m³', 'pm1', 'pm1_0', 'pm10_0'),
  ...named('pm2_5', 'µg/m³', 'pm25', 'pm2_5'),
  ...named('pm10', 'µg/m³', 'pm10'),
  ...named('formaldehyde', 'mg/m³', 'formaldehyde', 'formaldehyd', 'hcho'),
  ...named('noise', 'dB', 'noise', 'sound_pressure'),
  ...named('uptime', 's', 'uptime', 'uptime_s'),
  ...named('distance', 'm', 'distance'),
  ...named('gas', '', 'gas'),
  ...named('water', '', 'water'),
  ...named('position', '%', 'position'),
  ...named('valve', '%', 'pi_heating_demand', 'valve_position'),
  ...named('brightness', '%', 'brightness_pct'),
])

function named(
  name: string,
  unit: string,
  ...words: string[]
): (readonly [string, readonly [string, string]])[] {
  return words.map((word) => [word, [name, unit]])
}

export function isQuantity(word: string): boolean {
  return QUANTITIES.has(word)
}

/**
 * Puts a number under what its name means. `unit` is the message's own; where neither it nor the platform knows one, the number
 * keeps its bare name. An energy without a unit is never guessed at. Whether it was a number.
 */
export function putNamed(measures: Measures, key: string, value: unknown, unit?: string): boolean {
  const number = numberOf(value)
  if (number === undefined) return false
  const word = slug(key)
  const [name, own] = QUANTITIES.get(word) ?? [word, '']
  const given = unit === undefined || unit === '' ? own : unit
  const measured = given === '' ? undefined : toPlatformUnit(number, given)
  const suffix = measured?.suffix
  if (name === 'temperature' && suffix === 'c') measures.temperature = measured!.value
  else if (name === 'power' && suffix === 'w') measures.power_usage = measured!.value
  else if (name === 'energy_total' && suffix === 'wh') measures.energy_total_wh = measured!.value
  else if (measured) putMetric(measures, withSuffix(name, suffix!), measured.value)
  else putMetric(measures, name, number)
  return true
}

/** The unit once: `illuminance_lx`, and no second one behind a name that ends with it. */
function withSuffix(name: string, suffix: string): string {
  return name.endsWith(`_${suffix}`) || name === suffix ? name : `${name}_${suffix}`
}

/** Names of things that are so or not, with the value that says yes; all are 1 for yes. */
const SWITCHES: ReadonlyMap<string, string> = new Map([
  ['state', 'on'],
  ['switch', 'on'],
  ['power_on', 'on'],
  ['output', 'on'],
  ['relay', 'on'],
  ['ison', 'on'],
  ['motion', 'motion'],
  ['occupancy', 'occupancy'],
  ['presence', 'presence'],
  ['open', 'open'],
  ['water_leak', 'water_leak'],
  ['smoke', 'smoke'],
  ['tamper', 'tamper'],
  ['vibration', 'vibration'],
])

/** Puts something that is so or not; a contact that is closed is not open. Whether it was one. */
export function putSwitch(measures: Measures, key: string, value: unknown): boolean {
  const on = switchOf(value)
  if (on === undefined) return false
  const word = slug(key)
  if (word === 'contact') putMetric(measures, 'open', typeof value === 'string' ? on : 1 - on)
  else if (word === 'battery_low' || word === 'low_battery' || word === 'lowbatt') {
    putMetric(measures, 'battery_low', on)
    if (on === 1) measures.alert = 'low_battery'
  } else putMetric(measures, SWITCHES.get(word) ?? word, on)
  return true
}

export interface NamedQuantity {
  /** What is measured; `''` where the name does not tell. */
  quantity: string
  /** What remains of the name: the endpoint. Power and energy of one endpoint share it. */
  endpoint: string
}

const MAX_WORDS = 12

/** `kitchen_plug_power` measures power of `kitchen_plug`; `temperature` of the device itself. The last quantity named counts. */
export function splitName(name: string): NamedQuantity {
  const words = slug(name).split('_').slice(0, MAX_WORDS)
  for (let length = Math.min(3, words.length); length > 0; length -= 1)
    for (let from = words.length - length; from >= 0; from -= 1) {
      const quantity = words.slice(from, from + length).join('_')
      if (!QUANTITIES.has(quantity)) continue
      return { quantity, endpoint: [...words.slice(0, from), ...words.slice(from + length)].join('_') }
    }
  return { quantity: '', endpoint: words.join('_') }
}
