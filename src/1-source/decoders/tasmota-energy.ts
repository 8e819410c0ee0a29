/** ENERGY of a Tasmota SENSOR message. Documentation: "Power Monitoring Calibration", "JSON Status Responses". */
import { wattHoursOfKilowattHours } from '../../units.ts'
import { putQuantity, type Draft, type Measures } from './draft.ts'
import type { JsonObject } from './message.ts'
import { numberOf, table } from './values.ts'

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

/** kWh, as Tasmota and the meters behind it count. */
export function setCounter(measures: Measures, kWh: unknown): void {
  const number = numberOf(kWh)
  if (number !== undefined) measures.energy_total_wh = wattHoursOfKilowattHours(number)
}

/**
 * One meter or several: a list has one number per phase or socket. A counter of the whole makes the whole the reading and
 * the parts metrics; where the counters are a list too, each endpoint is a channel of its own.
 */
export function readEnergy(draft: Draft, energy: JsonObject): void {
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
