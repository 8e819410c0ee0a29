/**
 * What stands in a Tasmota SENSOR message (`StatusSNS` of a status answer): one object per sensor, ENERGY, and the units of
 * the whole message. Documentation: "JSON Status Responses", "Power Monitoring Calibration", and the pages of the sensors.
 */
import { celsiusOfFahrenheit, wattHoursOfKilowattHours } from '../../units.ts'
import { putMetric, putQuantity, type Draft, type Measures } from './draft.ts'
import { isObject, type JsonObject } from './message.ts'
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

/** ENERGY: key → name and unit of the metric. Yesterday and today end at the device's midnight and are no counters. */
const ENERGY_KEYS: Readonly<Record<string, readonly [name: string, unit: string]>> = table({
  Voltage: ['voltage', 'V'],
  Current: ['current', 'A'],
  ApparentPower: ['apparent_power', 'VA'],
  ReactivePower: ['reactive_power', 'var'],
  Factor: ['power_factor', ''],
  Frequency: ['frequency', 'Hz'],
  Today: ['energy_today', 'kWh'],
  Yesterday: ['energy_yesterday', 'kWh'],
  Period: ['energy_period', 'Wh'],
  ExportActive: ['export_total', 'kWh'],
  ExportReactive: ['export_reactive_total', 'kvarh'],
  ImportActive: ['import_active_total', 'kWh'],
  ImportReactive: ['import_reactive_total', 'kvarh'],
  Load: ['load', '%'],
  PhaseAngle: ['phase_angle', '°'],
})

/** Not measurements: what the units are, counters of tags and codes. */
const NO_SENSOR =
  /^(?:IrReceived|RfReceived|RfRaw|SerialReceived|SSerialReceived|PN532|RC522|RDM6300|MtrReceived|Mtr\w+)$/

export function readSensors(draft: Draft, sensors: JsonObject): void {
  const probes: [name: string, sensor: JsonObject][] = []
  for (const key of Object.keys(sensors)) {
    const value = sensors[key]
    if (isObject(value)) {
      if (key === 'ENERGY') readEnergy(draft, value)
      else if (key === 'ESP32')
        putTemperature(draft.channel(), value.Temperature, sensors, 'chip_temperature')
      else if (!NO_SENSOR.test(key)) probes.push([key, value])
    } else readPlain(draft.channel(), key, value, sensors)
  }
  const warm = probes.filter(([, sensor]) => numberOf(sensor.Temperature) !== undefined).length
  const many = probes.filter(([, sensor]) => 'Temperature' in sensor).length > 1
  for (const [name, sensor] of probes) {
    const apart = many && 'Temperature' in sensor
    const measures = draft.channel(apart ? name : '')
    readProbe(measures, name, sensor, sensors, apart || warm <= 1)
  }
}

/** Single numbers and switches: `Switch1`, and the sensors of Sonoff SC that stand without an object of their own. */
function readPlain(measures: Measures, key: string, value: unknown, units: JsonObject): void {
  if (key === 'Time' || key === 'Epoch' || key.endsWith('Unit')) return
  if (key === 'Temperature') putTemperature(measures, value, units)
  else if (SENSOR_KEYS[key]) putQuantity(measures, SENSOR_KEYS[key][0], value, SENSOR_KEYS[key][1])
  else putMetric(measures, slug(key), numberOf(value) ?? switchOf(value))
}

function readProbe(
  measures: Measures,
  name: string,
  sensor: JsonObject,
  units: JsonObject,
  own: boolean,
): void {
  for (const key of Object.keys(sensor)) {
    const value = sensor[key]
    const known = SENSOR_KEYS[key]
    if (key === 'Temperature' || key === 'OBJTMP') putTemperature(measures, value, units)
    else if (key === 'DewPoint') putTemperature(measures, value, units, 'dew_point')
    else if (key === 'AMBTMP') putTemperature(measures, value, units, 'ambient_temperature')
    else if (key === 'Pressure' || key === 'SeaPressure')
      putQuantity(
        measures,
        slug(key),
        value,
        typeof units.PressureUnit === 'string' ? units.PressureUnit : 'hPa',
      )
    else if (key === 'Distance') putQuantity(measures, 'distance', value, DISTANCE_UNITS[name] ?? '')
    else if (known && own) putQuantity(measures, known[0], value, known[1])
    else if (key === 'Speed' && isObject(value)) readWind(measures, value, units)
    else if (readMeter(measures, name, key, value)) continue
    else if (key !== 'Id') putFlat(measures, slug(`${name}_${key}`), value, 0)
  }
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

function setCounter(measures: Measures, kWh: unknown): void {
  const number = numberOf(kWh)
  if (number !== undefined) measures.energy_total_wh = wattHoursOfKilowattHours(number)
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

/**
 * One meter or several: a list has one number per phase or socket. A counter of the whole makes the whole the reading and
 * the parts metrics; where the counters are a list too, each endpoint is a channel of its own.
 */
function readEnergy(draft: Draft, energy: JsonObject): void {
  const powers = list(energy.Power)
  const totals = list(energy.Total)
  const parts = Math.max(powers.length, totals.length)
  const each = parts > 1 && totals.length !== 1 && !('TotalTariff' in energy && totals.length === 0)
  if (each) {
    for (let n = 0; n < Math.min(parts, 16); n += 1) {
      const measures = draft.channel(String(n + 1))
      setPower(measures, powers[n])
      setCounter(measures, totals[n])
      for (const key of Object.keys(ENERGY_KEYS)) {
        const values = list(energy[key])
        putEnergy(measures, key, values.length === 1 ? values[0] : values[n])
      }
    }
    return
  }
  const measures = draft.channel()
  setCounter(measures, totals[0])
  if (powers.length > 0)
    setPower(
      measures,
      powers.reduce<number>((sum, power) => sum + (numberOf(power) ?? 0), 0),
    )
  if (powers.length > 1) powers.forEach((power, n) => putQuantity(measures, `power_${n + 1}`, power, 'W'))
  for (const key of Object.keys(ENERGY_KEYS)) {
    const values = list(energy[key])
    values.forEach((value, n) => putEnergy(measures, key, value, values.length > 1 ? `_${n + 1}` : ''))
  }
  putTariffs(measures, energy)
}

/** Counters of each tariff are parts of the total; where there is no total, they are it. */
function putTariffs(measures: Measures, energy: JsonObject): void {
  const tariffs = list(energy.TotalTariff).map(numberOf)
  tariffs.forEach((kWh, n) => putQuantity(measures, `energy_total_tariff_${n + 1}`, kWh, 'kWh'))
  list(energy.ExportTariff).forEach((kWh, n) =>
    putQuantity(measures, `export_total_tariff_${n + 1}`, kWh, 'kWh'),
  )
  if (energy.Total === undefined && tariffs.length > 0 && tariffs.every((kWh) => kWh !== undefined))
    setCounter(
      measures,
      tariffs.reduce((sum, kWh) => sum + kWh!, 0),
    )
}

function putEnergy(measures: Measures, key: string, value: unknown, part = ''): void {
  const [name, unit] = ENERGY_KEYS[key]!
  putQuantity(measures, name + part, value, unit)
}

function setPower(measures: Measures, watts: unknown): void {
  const number = numberOf(watts)
  if (number !== undefined) measures.power_usage = number
}

function list(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value.slice(0, 16) : [value]
}
