/** Exact arithmetic of the oracle: integers only, one small function per rule of rounding. */

export const SECOND_US = 1_000_000n
export const MINUTE_US = 60n * SECOND_US
export const HOUR_US = 60n * MINUTE_US
export const QUARTER_US = 15n * MINUTE_US

/** `2024-01-15T10:30:00.123456Z` (any number of decimals up to six) → microseconds since 1970. */
export function parseUs(text: string): bigint {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:Z|\+00(?::00)?)$/.exec(text)
  if (!match) throw new Error(`not a UTC instant: ${text}`)
  const seconds = Date.parse(`${match[1]}T${match[2]}Z`) / 1000
  return BigInt(seconds) * SECOND_US + BigInt((match[3] ?? '').padEnd(6, '0'))
}

/** Microseconds since 1970 → `2024-01-15T10:30:00.123456Z`. */
export function formatUs(us: bigint): string {
  const seconds = floorDiv(us, SECOND_US)
  const micros = us - seconds * SECOND_US
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${micros.toString().padStart(6, '0')}Z`
}

/** UTC date of an instant, `YYYY-MM-DD`. */
export function utcDate(us: bigint): string {
  return formatUs(us).slice(0, 10)
}

export function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient
}

/** a / b rounded half away from zero; b > 0. */
export function roundDiv(a: bigint, b: bigint): bigint {
  const magnitude = a < 0n ? -a : a
  const rounded = (2n * magnitude + b) / (2n * b)
  return a < 0n ? -rounded : rounded
}

/** round(value × scale), half away from zero on the IEEE double product. */
export function toInteger(value: number, scale: number): bigint {
  const product = Math.abs(value * scale)
  const whole = Math.floor(product)
  const rounded = BigInt(product - whole >= 0.5 ? whole + 1 : whole)
  return value < 0 ? -rounded : rounded
}

/** n / 10^digits as decimal text with exactly that many digits. */
export function decimal(n: bigint, digits: number): string {
  const text = (n < 0n ? -n : n).toString().padStart(digits + 1, '0')
  return `${n < 0n ? '-' : ''}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/** Decimal text → integer of 10^-digits; never loses a digit. */
export function parseDecimal(text: string, digits: number): bigint {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text)
  if (!match || (match[3] ?? '').length > digits)
    throw new Error(`not a decimal of ${digits} digits: ${text}`)
  const magnitude = BigInt(match[2] + (match[3] ?? '').padEnd(digits, '0'))
  return match[1] ? -magnitude : magnitude
}

export const lesser = (a: bigint, b: bigint): bigint => (a < b ? a : b)
export const greater = (a: bigint, b: bigint): bigint => (a > b ? a : b)
export const sum = (values: readonly bigint[]): bigint => values.reduce((a, b) => a + b, 0n)
