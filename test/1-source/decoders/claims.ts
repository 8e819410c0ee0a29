/**
 * What a message must say, read from the protocol's documentation field by field and sharing nothing with the decoders: of a real
 * message nobody wrote down the whole answer, but its power, counter, temperature, humidity and battery can be read off it.
 * A claim is every value of one field in all readings of the message; a message whose readings differ is decoded wrongly.
 */
import { isKept, type Outcome } from '../../../src/1-source/decoders/decoder.ts'
import type { Reading } from '../../../src/reading.ts'

/** Field or metric of readings → all its values, in any order. */
type Claims = Record<string, number[]>
// oxlint-disable-next-line typescript/no-explicit-any -- JSON as it came: what is read and is not there is no claim
type Json = Record<string, any>

const celsius = (fahrenheit: number): number => ((fahrenheit - 32) * 5) / 9
const list = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value]
const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

class Book {
  readonly claims: Claims = {}
  say(field: string, value: unknown, factor = 1): void {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
    if (typeof number !== 'number' || !Number.isFinite(number)) return
    // More than all the water that air holds is what a sensor shows that is not there.
    if (field === 'humidity_pct' && number > 105) return
    ;(this.claims[field] ??= []).push(number * factor)
  }
}

type Reader = (say: Book['say'], topic: string, payload: unknown) => void

/** ENERGY: Power W, Total kWh; lists are phases with a Total of the whole, or sockets with a list of Totals. */
function tasmota(say: Book['say'], _topic: string, payload: unknown): void {
  if (!isObject(payload)) return
  const sensors: Json = isObject(payload.StatusSNS)
    ? payload.StatusSNS
    : isObject(payload.sn)
      ? payload.sn
      : payload
  const energy = sensors.ENERGY
  if (isObject(energy)) {
    const totals = list(energy.Total)
    const powers = list(energy.Power)
    if (totals.length > 1) for (const watts of powers) say('power_usage', watts)
    else if (powers.length > 0)
      say(
        'power_usage',
        powers.reduce<number>((sum, watts) => sum + Number(watts), 0),
      )
    for (const kWh of totals) say('energy_total_wh', kWh, 1000)
  }
  for (const [name, sensor] of Object.entries(sensors))
    if (
      isObject(sensor) &&
      /^(?:AM2301|DHT\d+|SI7021|HTU21|SHT3X.*|BME280|BMP280|DS18B20.*|AHT2X)$/.test(name)
    ) {
      const warmth = sensor.Temperature
      if (typeof warmth === 'number') say('temperature', sensors.TempUnit === 'F' ? celsius(warmth) : warmth)
      say('humidity_pct', sensor.Humidity)
    }
}

/** Devices with one endpoint; kWh unless `exposes` says otherwise, %, °C. */
function zigbee2mqtt(say: Book['say'], topic: string, payload: unknown): void {
  if (!isObject(payload) || topic.includes('/bridge/')) return
  say('power_usage', payload.power)
  say('energy_total_wh', payload.energy, 1000)
  say('temperature', payload.temperature ?? payload.local_temperature)
  say('humidity_pct', payload.humidity)
  say('battery_pct', payload.battery)
  say('link_quality', payload.linkquality)
}

/** `meters` count watt-minutes, `emeters` Wh. */
function shellyGen1(say: Book['say'], _topic: string, payload: unknown): void {
  if (!isObject(payload) || !('wifi_sta' in payload)) return shellyGen2(say, _topic, payload)
  for (const meter of list(payload.meters) as Json[])
    if (meter.is_valid !== false) {
      say('power_usage', meter.power)
      say('energy_total_wh', meter.total, 1 / 60)
    }
  for (const meter of list(payload.emeters) as Json[]) {
    if (meter.is_valid === false) continue
    say('power_usage', meter.power)
    say('energy_total_wh', meter.total)
  }
}

/** Wh, W, °C. A three-phase meter's total is the reading. */
function shellyGen2(say: Book['say'], topic: string, payload: unknown): void {
  if (!isObject(payload)) return
  const result: Json = isObject(payload.result)
    ? payload.result
    : isObject(payload.params)
      ? payload.params
      : payload
  const single = !Object.keys(result).some((key) => /^[a-z0-9]+:\d+$/.test(key))
  const parts = single ? (topic.includes('Shelly.') ? [] : [['', result] as const]) : Object.entries(result)
  for (const [key, part] of parts) {
    if (!isObject(part)) continue
    if ('total_act_power' in part) say('power_usage', part.total_act_power)
    else say('power_usage', part.apower ?? (key.startsWith('em:') ? undefined : part.act_power))
    say('energy_total_wh', part.aenergy?.total ?? part.total_act ?? part.total_act_energy)
    if (key.startsWith('temperature:')) say('temperature', part.tC)
    if (/^(?:thermostat|blutrv):/.test(key)) say('temperature', part.current_C)
    say('humidity_pct', part.rh)
  }
}

/** `shellies/<id>/<component>/<n>/<value>`: relays count watt-minutes, energy meters' `total` Wh. */
function shellyTopics(say: Book['say'], topic: string, payload: unknown): void {
  const [component, , value] = topic.split('/').slice(2)
  if (value === 'power') say('power_usage', payload)
  if (value === 'energy' && component === 'relay') say('energy_total_wh', payload, 1 / 60)
  if (value === 'total') say('energy_total_wh', payload)
  if (value === 'total_returned') say('export_total_wh', payload)
  if (value === 'voltage') say('voltage_v', payload)
}

function theengs(say: Book['say'], _topic: string, payload: unknown): void {
  if (!isObject(payload)) return
  for (const [key, value] of Object.entries(payload)) if (/^tempc\d?$/.test(key)) say('temperature', value)
  say('humidity_pct', payload.hum)
  say('battery_pct', payload.batt)
}

/** Version 1 and 2 of the API; where there is no total, the tariffs are it. */
function homewizard(say: Book['say'], _topic: string, payload: unknown): void {
  if (!isObject(payload)) return
  const { total_power_import_kwh: one, energy_import_kwh: two } = payload
  const tariffs = Object.entries(payload).filter(([key]) =>
    /^(?:total_power|energy)_import_t\d_kwh$/.test(key),
  )
  const sum = tariffs.reduce((kWh, [, value]) => kWh + Number(value), 0)
  say('energy_total_wh', one ?? two ?? (tariffs.length > 0 ? sum : undefined), 1000)
  say('power_usage', payload.active_power_w ?? payload.power_w)
}

/** Every component of a status has the capabilities powerMeter (W) and temperatureMeasurement (unit C or F) at most once. */
function smartthings(say: Book['say'], _topic: string, payload: unknown): void {
  if (!isObject(payload) || !isObject(payload.components)) return
  for (const component of Object.values(payload.components) as Json[]) {
    const report = component.powerConsumptionReport?.powerConsumption?.value
    say('power_usage', component.powerMeter?.power?.value)
    if (isObject(report)) say('power_usage', report.power)
    const { value, unit } = component.temperatureMeasurement?.temperature ?? {}
    if (typeof value === 'number' && (unit === 'C' || unit === 'F'))
      say('temperature', unit === 'F' ? celsius(value) : value)
    say('humidity_pct', component.relativeHumidityMeasurement?.humidity?.value)
  }
}

function emon(say: Book['say'], topic: string, payload: unknown): void {
  const name = topic.split('/').at(-1)!
  if (/^power\d$/.test(name)) say('power_usage', payload)
  if (/^e\d$/i.test(name)) say('energy_total_wh', payload)
  if (name === 'temperature') say('temperature', payload)
  if (name === 'humidity') say('humidity_pct', payload)
}

function openzwave(say: Book['say'], _topic: string, payload: unknown): void {
  if (!isObject(payload) || typeof payload.Value !== 'number') return
  if (payload.Units === 'kWh') say('energy_total_wh', payload.Value, 1000)
  if (payload.Units === 'W') say('power_usage', payload.Value)
  if (payload.Label === 'Air Temperature')
    say('temperature', payload.Units === 'F' ? celsius(payload.Value) : payload.Value)
}

const READERS: Readonly<Record<string, Reader>> = {
  tasmota,
  'tasmota-http': tasmota,
  zigbee2mqtt,
  'shelly-gen1-http': shellyGen1,
  'shelly-http': shellyGen1,
  'shelly-gen2-http': shellyGen2,
  'shelly-gen2': shellyGen2,
  'shelly-gen1': shellyTopics,
  'openmqttgateway-ble': theengs,
  homewizard,
  smartthings,
  emon,
  'openzwave-mqtt': openzwave,
}

/** What a message of a protocol must say; empty where it claims nothing that is checked here. */
export function claimsOf(protocol: string, topic: string, payload: unknown): Claims {
  const book = new Book()
  let read = payload
  if (typeof payload === 'string')
    try {
      read = JSON.parse(payload)
    } catch {
      // A bare word, or broken.
    }
  READERS[protocol]?.(book.say.bind(book), topic, read)
  return book.claims
}

function valuesOf(outcome: Outcome, field: string): number[] {
  const readings = isKept(outcome) ? [] : [...outcome.readings, ...(outcome.state ?? [])]
  const value = (reading: Reading): number | undefined =>
    field === 'power_usage' || field === 'temperature' || field === 'energy_total_wh'
      ? reading[field]
      : reading.metrics?.[field]
  return readings.flatMap((reading) => value(reading) ?? [])
}

/** The claims that an outcome does not meet, as text; empty where all are met. */
export function unmet(claims: Claims, outcome: Outcome): string[] {
  return Object.entries(claims).flatMap(([field, claimed]) => {
    const order = (numbers: number[]): number[] => numbers.toSorted((a, b) => a - b)
    const [wanted, found] = [order(claimed), order(valuesOf(outcome, field))]
    const same =
      wanted.length === found.length &&
      wanted.every((value, n) => Math.abs(value - found[n]!) <= 1e-6 * Math.max(1, Math.abs(value)))
    return same ? [] : [`${field}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`]
  })
}
