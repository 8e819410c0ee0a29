/**
 * What registers show when they have nothing: all bits of 16 or 32 set (unsigned), or all but the sign (signed), at whatever scale the
 * device writes them. They are no measurements. Temperatures are judged in Silver, whose rules a person can read beside the others.
 */
import type { Measures } from './draft.ts'

/** Digits of 2³¹ − 1, 2³¹ and 2³² − 1, whatever the decimal point. */
const ALL_BITS_32 = /^-?(?:2147483647|2147483648|4294967295)$/
/** 2¹⁶ − 1 as it stands, in tenths, hundredths, thousandths. */
const ALL_BITS_16: ReadonlySet<number> = new Set([65_535, 6_553.5, 655.35, 65.535])
/** The smallest at which 32 bits are looked for: in thousandths. */
const LEAST_32 = 2_147_483
/** A sensor that is saturated shows a little more than 100 %. */
const MAX_HUMIDITY_PCT = 105

function isAllBits32(value: number): boolean {
  if (Math.abs(value) < LEAST_32) return false
  const digits = String(value).replace('.', '').replace(/0+$/, '')
  return ALL_BITS_32.test(digits)
}

const WITH_ALL_BITS = ['voltage_v', 'battery_voltage_v', 'current_a'] as const

/** Takes them out, and adds the names of what was taken to `dropped`. */
export function dropSentinels(measures: Measures, dropped: string[]): void {
  const { power_usage: power, energy_total_wh: total, metrics } = measures
  if (power !== undefined && (power === 65_535 || power === 6_553.5 || isAllBits32(power))) {
    delete measures.power_usage
    dropped.push('sentinel:power_usage')
  }
  if (total !== undefined && isAllBits32(total)) {
    delete measures.energy_total_wh
    dropped.push('sentinel:energy_total_wh')
  }
  for (const name of WITH_ALL_BITS)
    if (metrics[name] !== undefined && ALL_BITS_16.has(metrics[name])) {
      delete metrics[name]
      dropped.push(`sentinel:${name}`)
    }
  const humidity = metrics.humidity_pct
  if (humidity !== undefined && (humidity > MAX_HUMIDITY_PCT || humidity < 0)) {
    delete metrics.humidity_pct
    dropped.push('sentinel:humidity_pct')
  }
}
