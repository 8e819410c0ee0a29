import { PlatformError } from './errors.ts'

/** Milliseconds per unit of a written duration. */
const DURATION_UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `90s`, `2m`, `6h`, `7d`, `250ms`, or several after each other (`1h30m`), in milliseconds; undefined if it is none. */
export function durationMs(text: string): number | undefined {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)]
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text.trim().replaceAll(' ', ''))
    return undefined
  return parts.reduce(
    (sum, part) => sum + Number(part[1]) * DURATION_UNIT_MS[part[2] as keyof typeof DURATION_UNIT_MS],
    0,
  )
}

/** As `durationMs`, but a text that is no duration is the caller's mistake. */
export function requireDurationMs(option: string, text: string): number {
  const ms = durationMs(text)
  if (ms === undefined)
    throw new PlatformError(
      'usage',
      `${option} is no duration: "${text}"`,
      'Write for example 90s, 15m, 6h or 7d.',
    )
  return ms
}

/** 1536 → `1.5 kB`; powers of 1000. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** How far a word is from another: insertions, deletions, replacements and neighbour swaps (Damerau, optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows: number[][] = Array.from({ length: a.length + 1 }, (_, i) => [i])
  for (let j = 0; j <= b.length; j += 1) rows[0]![j] = j
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1)
      rows[i]![j] = best
    }
  }
  return rows[a.length]![b.length]!
}

/** The word of a list that was most likely meant; undefined where none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)
  const best = ranked[0]
  return best && best.distance <= Math.max(2, Math.floor(best.candidate.length / 3))
    ? best.candidate
    : undefined
}

/** How a written unit becomes the one in which the platform keeps the quantity: value × factor + offset. */
interface UnitRule {
  /** As it stands in the names of metrics: `power_w`, `total_wh`. */
  suffix: string
  factor: number
  offset: number
}

const rule = (suffix: string, factor = 1, offset = 0): UnitRule => ({ suffix, factor, offset })

/** Every unit that devices write, each way in which they write it. A watt-minute is 60 Ws, so 1/60 Wh. */
const UNIT_RULES: ReadonlyMap<string, UnitRule> = new Map([
  ...written(rule('w'), 'W', 'watt', 'watts'),
  ...written(rule('w', 1e3), 'kW', 'KW', 'kilowatt'),
  ...written(rule('w', 1e6), 'MW'),
  ...written(rule('w', 1e-3), 'mW'),
  ...written(rule('va'), 'VA'),
  ...written(rule('va', 1e3), 'kVA'),
  ...written(rule('var'), 'var', 'VAr', 'VAR'),
  ...written(rule('var', 1e3), 'kvar', 'kVAr', 'kVAR'),
  ...written(rule('wh'), 'Wh', 'WH', 'wh'),
  ...written(rule('wh', 1e3), 'kWh', 'KWh', 'KWH', 'kwh'),
  ...written(rule('wh', 1e6), 'MWh'),
  ...written(rule('wh', 1e-3), 'mWh'),
  ...written(rule('wh', 1 / 60), 'Wmin', 'W-min', 'Watt-minute'),
  ...written(rule('wh', 1e3 / 60), 'kWmin', 'kW-min'),
  ...written(rule('wh', 1 / 3600), 'Ws', 'J'),
  ...written(rule('wh', 1 / 3.6), 'kJ'),
  ...written(rule('wh', 1e3 / 3.6), 'MJ'),
  ...written(rule('wh', 1e6 / 3.6), 'GJ'),
  ...written(rule('varh', 1e3), 'kvarh', 'kVArh', 'kVARh'),
  ...written(rule('varh'), 'varh'),
  ...written(rule('vah', 1e3), 'kVAh'),
  ...written(rule('vah'), 'VAh'),
  ...written(rule('c'), '°C', 'C', 'celsius', 'Celsius', 'º C', 'ºC', '℃'),
  ...written(rule('c', 5 / 9, -160 / 9), '°F', 'F', 'fahrenheit', 'Fahrenheit', 'ºF', '℉'),
  ...written(rule('c', 1, -273.15), 'K', 'kelvin'),
  ...written(rule('v'), 'V', 'volt', 'volts'),
  ...written(rule('v', 1e-3), 'mV'),
  ...written(rule('v', 1e3), 'kV'),
  ...written(rule('a'), 'A', 'amp', 'amps'),
  ...written(rule('a', 1e-3), 'mA'),
  ...written(rule('hz'), 'Hz'),
  ...written(rule('pct'), '%', 'pct', 'percent', '%RH', '% RH'),
  ...written(rule('hpa'), 'hPa', 'mbar', 'mBar'),
  ...written(rule('hpa', 0.01), 'Pa'),
  ...written(rule('hpa', 10), 'kPa'),
  ...written(rule('hpa', 1e3), 'bar', 'Bar'),
  ...written(rule('hpa', 33.863886), 'inHg'),
  ...written(rule('hpa', 1.33322387), 'mmHg'),
  ...written(rule('hpa', 68.9475729), 'psi'),
  ...written(rule('lx'), 'lx', 'lux', 'Lux', 'lm'),
  ...written(rule('ppm'), 'ppm'),
  ...written(rule('ppb'), 'ppb'),
  ...written(rule('ug_m3'), 'µg/m³', 'μg/m³', 'ug/m3', 'µg/m3'),
  ...written(rule('ug_m3', 1e3), 'mg/m³', 'mg/m3'),
  ...written(rule('dbm'), 'dBm'),
  ...written(rule('db'), 'dB', 'dBA'),
  ...written(rule('s'), 's', 'sec', 'seconds', 'second'),
  ...written(rule('s', 1e-3), 'ms'),
  ...written(rule('s', 60), 'min', 'minutes', 'minute'),
  ...written(rule('s', 3600), 'h', 'hours', 'hour'),
  ...written(rule('s', 86_400), 'd', 'days', 'day'),
  ...written(rule('m'), 'm'),
  ...written(rule('m', 0.01), 'cm'),
  ...written(rule('m', 1e-3), 'mm'),
  ...written(rule('m', 1e3), 'km'),
  ...written(rule('m', 0.0254), 'in'),
  ...written(rule('m', 0.3048), 'ft'),
  ...written(rule('m', 1609.344), 'mi'),
  ...written(rule('m3'), 'm³', 'm3'),
  ...written(rule('m3', 1e-3), 'L', 'l'),
  ...written(rule('m3', 0.003785411784), 'gal'),
  ...written(rule('m3', 0.028316846592), 'ft³', 'ft3'),
  ...written(rule('m3_h'), 'm³/h', 'm3/h'),
  ...written(rule('m3_h', 0.06), 'L/min', 'l/min', 'lpm', 'LPM'),
  ...written(rule('m3_h', 1e-3), 'L/h', 'l/h'),
  ...written(rule('m_s'), 'm/s'),
  ...written(rule('m_s', 1 / 3.6), 'km/h'),
  ...written(rule('m_s', 0.44704), 'mph'),
  ...written(rule('mm_h'), 'mm/h'),
  ...written(rule('mm_h', 25.4), 'in/h'),
  ...written(rule('kg'), 'kg'),
  ...written(rule('kg', 1e-3), 'g'),
  ...written(rule('kg', 0.45359237), 'lb'),
  ...written(rule('deg'), '°', 'deg', 'degrees'),
  ...written(rule('us_cm'), 'µS/cm', 'μS/cm', 'uS/cm'),
  ...written(rule('ohm'), 'Ω', 'ohm', 'Ohm'),
  ...written(rule('ohm', 1e3), 'kΩ', 'kOhm'),
  ...written(rule('lqi'), 'lqi', 'LQI'),
  ...written(rule('b'), 'B', 'bytes'),
  ...written(rule('b', 1e3), 'kB', 'KB'),
])

function written(unit: UnitRule, ...names: string[]): (readonly [string, UnitRule])[] {
  return names.map((name) => [name, unit])
}

/** A quantity in the platform's unit; `suffix` names that. */
export interface Measured {
  value: number
  suffix: string
}

/**
 * A value in a written unit, in the platform's; undefined where the unit is not known. What arithmetic adds beyond the
 * ninth decimal is rounded away: 0.1 kWh are 100 Wh.
 */
export function toPlatformUnit(value: number, unit: string): Measured | undefined {
  const found = UNIT_RULES.get(unit) ?? UNIT_RULES.get(unit.trim())
  if (!found) return undefined
  if (found.factor === 1 && found.offset === 0) return { value, suffix: found.suffix }
  return { value: tidy(value * found.factor + found.offset), suffix: found.suffix }
}

/** Without what binary arithmetic adds beyond the ninth decimal. */
function tidy(value: number): number {
  return Math.abs(value) < 4e6 ? Math.round(value * 1e9) / 1e9 : Number(value.toPrecision(15))
}

/** The suffix of the platform's unit for a written one; undefined where it is not known. */
export function unitSuffix(unit: string): string | undefined {
  return UNIT_RULES.get(unit)?.suffix
}

export const wattsOfKilowatts = (kW: number): number => tidy(kW * 1e3)
export const wattHoursOfKilowattHours = (kWh: number): number => tidy(kWh * 1e3)
/** Shelly's first generation counts relays in watt-minutes. */
export const wattHoursOfWattMinutes = (wattMinutes: number): number => tidy(wattMinutes / 60)
export const celsiusOfFahrenheit = (fahrenheit: number): number => tidy(((fahrenheit - 32) * 5) / 9)
export const voltsOfMillivolts = (mV: number): number => tidy(mV / 1e3)

/**
 * Milliseconds since 1970 of a number of seconds, milliseconds, microseconds or nanoseconds since 1970, told by its size: a count of
 * seconds of the years 1973 to 5138 is below 10¹¹. Undefined for what is no such number.
 */
export function epochMs(count: number): number | undefined {
  if (!(count >= 0 && count < 1e20)) return undefined
  if (count < 1e11) return count * 1e3
  if (count < 1e14) return count
  return count < 1e17 ? count / 1e3 : count / 1e6
}
