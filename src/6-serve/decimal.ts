/** Exact decimals from the engine (text) summed as integers, and turned into numbers once, at the edge. */

/** 10⁻⁹ of the unit: nWh, or 10⁻⁹ of the currency. */
export type Nano = bigint

const DIGITS = 9
const NINE_DIGITS = /^-?\d+\.\d{9}$/

/** `12.5` → 12_500_000_000n; null stays null. Digits beyond the ninth do not occur in the lake's columns. */
export function nano(text: string | null): Nano | null {
  if (text === null) return null
  // As the engine writes them, with all nine digits.
  if (NINE_DIGITS.test(text)) return BigInt(text.slice(0, -DIGITS - 1) + text.slice(-DIGITS))
  const match = /^(-?)(\d*)(?:\.(\d*))?$/.exec(text)
  if (!match) throw new TypeError(`not a decimal: ${text}`)
  const [, sign, whole = '', fraction = ''] = match
  const value = BigInt((whole || '0') + fraction.padEnd(DIGITS, '0').slice(0, DIGITS))
  return sign === '-' ? -value : value
}

/** Sum of what is not null; null where all are. */
export function sumNano(values: Iterable<Nano | null>): Nano | null {
  let sum: Nano | null = null
  for (const value of values) if (value !== null) sum = (sum ?? 0n) + value
  return sum
}

/** A nano value divided by `per`, as a number with so many decimals, half away from zero. */
export function rounded(value: Nano, decimals: number, per = 1n): number {
  const divisor = 10n ** BigInt(DIGITS - decimals) * per
  const half = value < 0n ? -divisor / 2n : divisor / 2n
  return Number((value + half) / divisor) / 10 ** decimals
}

/** Wh in nano to kWh with six decimals, that is whole mWh: a motion sensor's day is some tens of mWh. */
export const kwh = (wh: Nano): number => rounded(wh, 6, 1000n)

/** Money with four decimals: prices of single hours are fractions of a cent. */
export const money = (value: Nano): number => rounded(value, 4)

/** A ratio with four decimals. */
export const ratio = (value: number): number => Math.round(value * 10_000) / 10_000

/** A whole number of 10⁻ᵈ as a decimal. */
export function decimalText(value: bigint, digits: number): string {
  const sign = value < 0n ? '-' : ''
  const text = String(value < 0n ? -value : value).padStart(digits + 1, '0')
  return digits === 0 ? `${sign}${text}` : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`
}
