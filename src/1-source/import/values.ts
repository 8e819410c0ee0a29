/** What stands in a cell: numbers in the ways in which people and programs write them, and marks for a missing value. */

const MISSING = new Set(['', '?', '-', 'na', 'n/a', 'nan', 'null', 'none', 'unavailable', 'unknown'])

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a cell says that there is no value. */
export function isMissing(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    (typeof value === 'string' && MISSING.has(value.trim().toLowerCase()))
  )
}

const PLAIN = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
const GROUPED_POINT_DECIMAL = /^[+-]?\d{1,3}(?:,\d{3})+\.\d+$/
const GROUPED_COMMA_DECIMAL = /^[+-]?\d{1,3}(?:\.\d{3})+,\d+$/
const COMMA_DECIMAL = /^[+-]?\d+,\d+$/
const MAYBE_GROUPED = /^[+-]?\d{1,3},\d{3}$/

/**
 * The number in a cell, times 1 or 1,000 in decimal (0.1234 kWh are 123.4 Wh exactly); undefined where it is none.
 * A comma is a decimal comma where that is clear: in a file whose columns are not parted by commas, or where it
 * cannot part thousands.
 */
export function parseNumber(value: unknown, delimiter: string, thousand: boolean): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? scale(String(value), thousand) : undefined
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (PLAIN.test(text)) return scale(text, thousand)
  if (GROUPED_POINT_DECIMAL.test(text)) return scale(text.replaceAll(',', ''), thousand)
  if (GROUPED_COMMA_DECIMAL.test(text)) return scale(text.replaceAll('.', '').replace(',', '.'), thousand)
  const clear = delimiter !== ',' || !MAYBE_GROUPED.test(text)
  return COMMA_DECIMAL.test(text) && clear ? scale(text.replace(',', '.'), thousand) : undefined
}

function scale(text: string, thousand: boolean): number | undefined {
  const [digits, exponent = '0'] = text.toLowerCase().split('e')
  const number = Number(thousand ? `${digits}e${Number(exponent) + 3}` : text)
  return Number.isFinite(number) ? number : undefined
}
