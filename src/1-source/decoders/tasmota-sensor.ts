/**
 * What stands in a Tasmota SENSOR message (`StatusSNS` of a status answer): one object per sensor, ENERGY, and the units of
 * the whole message. Documentation: "JSON Status Responses", "Power Monitoring Calibration", and the pages of the sensors.
 */
import { celsiusOfFahrenheit } from '../../units.ts'
import { putMetric, putQuantity, type Draft, type Measures } from './draft.ts'
import { isObject, type JsonObject } from './message.ts'
import { readEnergy, setCounter } from './tasmota-energy.ts'
import { readBeacon, readOpenTherm, readTeleinfo } from './tasmota-systems.ts'
import { numberOf, slug, switchOf, table } from './values.ts'

/** Key of a sensor → name and unit. `temperature` is the reading's own field. */
const SENSOR_KEYS: Readonly<Record<string, readonly [name: string, unit: string]>> = table({
  Humidity: ['humidity', '%'],
  Illuminance: ['illuminance', 'lx'],
  CarbonDioxide: ['co2', 'ppm'],
  eCO2: ['eco2', 'ppm'],
  TVOC: ['voc', 'ppb'],
  PM1: ['pm1', 'µg/m³'],
  'PM2.5': ['pm2_5', 'µg/m³'],
  PM10: ['pm10', 'µg/m³'],
  Battery: ['battery', '%'],
  RSSI: ['rssi', 'dBm'],
  Moisture: ['moisture', '%'],
  // The Sonoff SC shows all three in percent.
  Light: ['light', '%'],
  Noise: ['noise', '%'],
  AirQuality: ['air_quality', '%'],
})

/** What single sensors call what they measure; `''` where nothing says in what. */
const OWN_KEYS: Readonly<Record<string, Readonly<Record<string, readonly [name: string, unit: string]>>>> =
  table({
    BME680: table({ Gas: ['gas_resistance', 'kΩ'] }),
    IAQ: table({ Resistance: ['gas_resistance', 'Ω'] }),
    'RG-15': table({
      Active: ['rain', 'mm'],
      Event: ['rain_event', 'mm'],
      Total: ['rain_total', 'mm'],
      FlowRate: ['rain_rate', 'mm/h'],
    }),
  })

/** Where a distance is counted in what. */
const DISTANCE_UNITS: Readonly<Record<string, string>> = table({
  SR04: 'cm',
  LD2410: 'cm',
  LD2410S: 'cm',
  VL53L0X: 'mm',
  VL53L1X: 'mm',
  AS3935: 'km',
})

/** Not measurements: what the units are, counters of tags and codes. */
const NO_SENSOR =
  /^(?:IrReceived|RfReceived|RfRaw|SerialReceived|SSerialReceived|PN532|RC522|RDM6300|MtrReceived|Mtr\w+|Zb\w+)$/

export function readSensors(draft: Draft, sensors: JsonObject): void {
  const probes: [name: string, sensor: JsonObject][] = []
  for (const key of Object.keys(sensors)) {
    const value = sensors[key]
    if (isObject(value)) {
      if (key === 'ENERGY') readEnergy(draft, value)
      else if (key === 'TIC') readTeleinfo(draft.channel(), value)
      else if (key === 'OPENTHERM') readOpenTherm(draft.channel(), value)
      else if (key === 'IBEACON') readBeacon(draft, value)
      else if (key === 'ESP32')
        putTemperature(draft.channel(), value.Temperature, sensors, 'chip_temperature')
      else if (!NO_SENSOR.test(key)) probes.push([key, value])
    } else readPlain(draft.channel(), key, value, sensors)
  }
  const shared = sharedKeys(probes)
  for (const [name, sensor] of probes) {
    const apart = probes.length > 1 && Object.keys(sensor).some((key) => shared.has(key))
    readProbe(draft.channel(apart ? name : ''), name, sensor, sensors)
  }
}

/** What several sensors of one message measure: each of them is a channel then, or the last would hide the others. */
function sharedKeys(probes: readonly (readonly [name: string, sensor: JsonObject])[]): ReadonlySet<string> {
  const shared = new Set<string>()
  if (probes.length < 2) return shared
  const seen = new Set<string>()
  for (const [, sensor] of probes)
    for (const key of Object.keys(sensor)) {
      const isMeasured = key === 'Temperature' || key === 'Distance' || SENSOR_KEYS[key] !== undefined
      if (isMeasured && seen.has(key)) shared.add(key)
      seen.add(key)
    }
  return shared
}

/** Single numbers and switches: `Switch1`, and the sensors of Sonoff SC that stand without an object of their own. */
function readPlain(measures: Measures, key: string, value: unknown, units: JsonObject): void {
  if (key === 'Time' || key === 'Epoch' || key.endsWith('Unit')) return
  if (key === 'Temperature') putTemperature(measures, value, units)
  else if (SENSOR_KEYS[key]) putQuantity(measures, SENSOR_KEYS[key][0], value, SENSOR_KEYS[key][1])
  else putMetric(measures, slug(key), numberOf(value) ?? switchOf(value))
}

function readProbe(measures: Measures, name: string, sensor: JsonObject, units: JsonObject): void {
  const type = INDEXED.exec(name)?.[1] ?? name
  for (const key of Object.keys(sensor)) {
    const value = sensor[key]
    const known = (OWN_KEYS[name] ?? OWN_KEYS[type])?.[key] ?? SENSOR_KEYS[key]
    if (key === 'Temperature' && Array.isArray(value))
      value.slice(0, 64).forEach((one, n) => putTemperature(measures, one, units, `temperature_${n + 1}`))
    else if (key === 'Temperature' || key === 'OBJTMP') putTemperature(measures, value, units)
    else if (key === 'DewPoint') putTemperature(measures, value, units, 'dew_point')
    else if (key === 'AMBTMP') putTemperature(measures, value, units, 'ambient_temperature')
    else if (key === 'Pressure' || key === 'SeaPressure')
      putQuantity(
        measures,
        slug(key),
        value,
        typeof units.PressureUnit === 'string' ? units.PressureUnit : 'hPa',
      )
    else if (key === 'Distance') putDistance(measures, value, DISTANCE_UNITS[type] ?? '')
    else if (known) putQuantity(measures, known[0], value, known[1])
    // Flower Care: conductivity of the soil.
    else if (key === 'Fertility') putQuantity(measures, 'conductivity', value, 'µS/cm')
    else if (key === 'Speed' && isObject(value)) readWind(measures, value, units)
    else if (readMeter(measures, name, key, value)) continue
    else if (key !== 'Id') putFlat(measures, slug(`${name}_${key}`), value, 0)
  }
}

/** `VL53L0X_2`, `DS18B20-1`: one of several sensors of a type. */
const INDEXED = /^(.+?)[_-]\d{1,2}$/

/** One, or one for each target. */
function putDistance(measures: Measures, value: unknown, unit: string): void {
  if (!Array.isArray(value)) putQuantity(measures, 'distance', value, unit)
  else value.slice(0, 16).forEach((one, n) => putQuantity(measures, `distance_${n + 1}`, one, unit))
}

/** Smart-meter scripts (SML, OBIS) name what they read themselves; these are the names of the documentation's examples. */
const METER = /^(?:SML|MT\d+|P1|meter|OBIS|Main|Power)\w*$/i

function readMeter(measures: Measures, name: string, key: string, value: unknown): boolean {
  if (!METER.test(name)) return false
  const number = numberOf(value)
  if (number === undefined) return false
  const word = key.toLowerCase()
  if (/^(?:total_in|e_in|total|energy_in|bezug|enrg_imp)$/.test(word)) setCounter(measures, number)
  else if (/^(?:total_out|e_out|energy_out|einspeisung|enrg_exp)$/.test(word))
    putQuantity(measures, 'export_total', number, 'kWh')
  else if (/^(?:power_curr|power|power_total|power_in|leistung|p_curr|curr_w)$/.test(word))
    measures.power_usage = number
  else if (/^power_[lp]\d$/.test(word)) putMetric(measures, `${word}_w`, number)
  else if (/^(?:voltage|volts)_[lp]\d$/.test(word)) putMetric(measures, `${word}_v`, number)
  else if (/^current_[lp]\d$/.test(word)) putMetric(measures, `${word}_a`, number)
  else if (/^(?:frequenz|freq|frequency)$/.test(word)) putMetric(measures, 'frequency_hz', number)
  else return false
  return true
}

function readWind(measures: Measures, speed: JsonObject, units: JsonObject): void {
  const unit = typeof units.SpeedUnit === 'string' ? units.SpeedUnit : 'km/h'
  for (const [key, name] of [
    ['Act', 'wind_speed'],
    ['Avg', 'wind_speed_avg'],
    ['Min', 'wind_speed_min'],
    ['Max', 'wind_speed_max'],
  ] as const)
    putQuantity(measures, name, speed[key], unit)
}

/** What the documentation gives no unit for keeps its own name and number. */
function putFlat(measures: Measures, name: string, value: unknown, depth: number): void {
  const number = numberOf(value) ?? switchOf(value)
  if (number !== undefined) putMetric(measures, name, number)
  else if (depth < 3 && typeof value === 'object' && value !== null)
    for (const [key, inner] of Object.entries(value).slice(0, 64))
      putFlat(measures, `${name}_${slug(key)}`, inner, depth + 1)
}

function putTemperature(measures: Measures, value: unknown, units: JsonObject, name?: string): void {
  const number = numberOf(value)
  if (number === undefined) return
  const celsius = units.TempUnit === 'F' ? celsiusOfFahrenheit(number) : number
  if (name === undefined) measures.temperature = celsius
  else putMetric(measures, `${name}_c`, celsius)
}
