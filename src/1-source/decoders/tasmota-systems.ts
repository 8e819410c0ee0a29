/**
 * What stands behind a Tasmota device and has a language of its own: the French meter's Teleinfo, an OpenTherm boiler, a Bluetooth
 * beacon, the telegrams of a smart meter's P1 port. Documentation: "Teleinfo" (Enedis-NOI-CPT_54E gives the units), "OpenTherm" (°C), "Bluetooth".
 */
import { putMetric, putQuantity, type Draft, type Measures } from './draft.ts'
import { isObject, type JsonObject } from './message.ts'
import { at, numberOf, slug, switchOf, table, textOf } from './values.ts'

/** Labels of historic and standard mode → name and unit. Indexes are Wh, one for each period of the tariff. */
const TELEINFO: Readonly<Record<string, readonly [name: string, unit: string]>> = table({
  PAPP: ['apparent_power', 'VA'],
  SINSTS: ['apparent_power', 'VA'],
  SINSTI: ['export_apparent_power', 'VA'],
  IINST: ['current', 'A'],
  IINST1: ['current_1', 'A'],
  IINST2: ['current_2', 'A'],
  IINST3: ['current_3', 'A'],
  IMAX: ['current_max', 'A'],
  ISOUSC: ['current_subscribed', 'A'],
  URMS1: ['voltage', 'V'],
  BASE: ['energy_index_base', 'Wh'],
  HCHC: ['energy_index_hchc', 'Wh'],
  HCHP: ['energy_index_hchp', 'Wh'],
  EJPHN: ['energy_index_ejphn', 'Wh'],
  EJPHPM: ['energy_index_ejphpm', 'Wh'],
  BBRHCJB: ['energy_index_bbrhcjb', 'Wh'],
  BBRHPJB: ['energy_index_bbrhpjb', 'Wh'],
  BBRHCJW: ['energy_index_bbrhcjw', 'Wh'],
  BBRHPJW: ['energy_index_bbrhpjw', 'Wh'],
  BBRHCJR: ['energy_index_bbrhcjr', 'Wh'],
  BBRHPJR: ['energy_index_bbrhpjr', 'Wh'],
  EAST: ['energy_index', 'Wh'],
  EAIT: ['export_total', 'Wh'],
})

/** The counter of the whole is ENERGY's, which stands beside it; the meter's own indexes are metrics. */
export function readTeleinfo(measures: Measures, labels: JsonObject): void {
  for (const label of Object.keys(labels)) {
    const known = TELEINFO[label]
    if (known) putQuantity(measures, known[0], labels[label], known[1])
  }
}

const OPENTHERM: readonly (readonly [path: readonly string[], name: string])[] = [
  [['BTMP', 'REQ'], 'boiler_setpoint'],
  [['BTMP', 'ACT'], 'boiler_setpoint_accepted'],
  [['HWTMP', 'REQ'], 'hot_water_setpoint'],
  [['HWTMP', 'ACT'], 'hot_water_setpoint_accepted'],
  [['TB'], 'boiler_temperature'],
  [['TDHW'], 'hot_water_temperature'],
  [['TOUT'], 'outdoor_temperature'],
  [['TRET'], 'return_temperature'],
]

/** Temperatures, the flame's modulation in percent, and the slave's flags, which are 0 or 1. */
export function readOpenTherm(measures: Measures, boiler: JsonObject): void {
  for (const [path, name] of OPENTHERM) putQuantity(measures, name, at(boiler, ...path), '°C')
  putQuantity(measures, 'flame_modulation', boiler.FLM, '%')
  if (!isObject(boiler.SLAVE)) return
  for (const flag of Object.keys(boiler.SLAVE).slice(0, 16)) {
    const set = numberOf(boiler.SLAVE[flag])
    if (set === 0 || set === 1) putMetric(measures, `opentherm_${slug(flag)}`, set)
  }
}

/** OBIS code without its medium and channel → name and unit; what nobody asked of a meter stays raw. */
const OBIS: Readonly<Record<string, string>> = table({
  '1.8.0': 'energy_total',
  '1.8.1': 'energy_total_tariff_1',
  '1.8.2': 'energy_total_tariff_2',
  '2.8.0': 'export_total',
  '2.8.1': 'export_total_tariff_1',
  '2.8.2': 'export_total_tariff_2',
  '1.7.0': 'power',
  '2.7.0': 'export',
  '21.7.0': 'power_l1',
  '41.7.0': 'power_l2',
  '61.7.0': 'power_l3',
  '22.7.0': 'export_l1',
  '42.7.0': 'export_l2',
  '62.7.0': 'export_l3',
  '31.7.0': 'current_l1',
  '51.7.0': 'current_l2',
  '71.7.0': 'current_l3',
  '32.7.0': 'voltage_l1',
  '52.7.0': 'voltage_l2',
  '72.7.0': 'voltage_l3',
  '24.2.1': 'gas_total',
})
/** `1-0:1.7.0(00.498*kW)`; behind a clock in parentheses where the meter is another one that is read now and then. */
const TELEGRAM_LINE =
  /^\d-\d:(\d{1,2}\.\d{1,2}\.\d)(?:\(\d{12}[SW]\))?\((\d{1,8}(?:\.\d{1,3})?)\*(k?Wh|k?W|V|A|m3)\)$/

/** One line of a P1 telegram (DSMR 5) as the serial port hands it on. The counters of tariffs are parts of a whole that it does not send. */
export function readTelegramLine(measures: Measures, line: string): void {
  const [, code = '', value, unit = ''] = line.length <= 80 ? (TELEGRAM_LINE.exec(line.trim()) ?? []) : []
  const name = OBIS[code]
  if (name === undefined) return
  const whole: Measures = { metrics: {} }
  putQuantity(whole, name, value, unit)
  const { power_w: watts, energy_total_wh: wattHours } = whole.metrics
  if (watts !== undefined) measures.power_usage = watts
  else if (wattHours !== undefined) measures.energy_total_wh = wattHours
  else for (const metric in whole.metrics) putMetric(measures, metric, whole.metrics[metric])
}

/** The signal is that of the beacon, not of the device that hears it. */
export function readBeacon(draft: Draft, beacon: JsonObject): void {
  const address = textOf(beacon.MAC) ?? textOf(beacon.UID)
  if (address === undefined) return
  const measures = draft.channel(address)
  putQuantity(measures, 'rssi', beacon.RSSI, 'dBm')
  putMetric(measures, 'presence', switchOf(beacon.STATE))
}
