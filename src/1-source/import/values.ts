/** What stands in a cell: numbers in the ways in which people and programs write them, and marks for a missing value. */
import { toPlatformUnit, unitSuffix } from '../../units.ts'

const MISSING = new Set(
  '|?|-|--|—|.|na|n/a|#n/a|<na>|nan|-nan|null|\\n|none|nil|unavailable|unknown|missing|#value!|#div/0!'.split(
    '|',
  ),
)

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a cell says that there is no value; `marks` are further ones that a person named. */
export function isMissing(value: unknown, marks?: ReadonlySet<string>): boolean {
  if (value === undefined || value === null) return true
  if (typeof value === 'number') return Number.isNaN(value) || (marks?.has(String(value)) ?? false)
  if (typeof value !== 'string') return false
  const text = value.trim()
  return MISSING.has(text.toLowerCase()) || (marks?.has(text) ?? false)
}

/** Which mark parts whole from fraction in a column: seen in its cells, or said by a person. */
export type DecimalMark = 'point' | 'comma'

const PLAIN = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/
/** Thousands parted by commas, points, apostrophes or spaces, also narrow ones that do not break. */
const GROUPED_BY_COMMA = /^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?$/
const GROUPED_BY_POINT = /^[+-]?\d{1,3}(?:\.\d{3})+(?:,\d*)?$/
const GROUPED_APART = /^[+-]?\d{1,3}(?:[ '’\u00A0\u202F]\d{3})+(?:[.,]\d*)?$/
const COMMA_DECIMAL = /^[+-]?(?:\d+,\d*|,\d+)(?:[eE][+-]?\d+)?$/
const WITH_UNIT = /^([+-]?[\d.,'’ \u00A0\u202F]*\d(?:[eE][+-]?\d+)?)\s*([^\d\s.,'’+-].*)$/

/** The mark that a cell shows beyond doubt: `0,5` and `1.234,5` a comma, `0.5` and `1,234.5` a point; `1,234` shows none. */
export function decimalMarkOf(text: string): DecimalMark | undefined {
  const cell = text.trim()
  if (/^[+-]?\d{1,3}(?:,\d{3})+\.\d*$/.test(cell)) return 'point'
  if (/^[+-]?\d{1,3}(?:\.\d{3})+,\d*$/.test(cell)) return 'comma'
  if (/^[+-]?\d{1,3}(?:\.\d{3}){2,}$/.test(cell)) return 'comma'
  if (/^[+-]?\d{1,3}(?:,\d{3}){2,}$/.test(cell)) return 'point'
  if (COMMA_DECIMAL.test(cell) && !isMaybeGrouped(cell)) return 'comma'
  if (PLAIN.test(cell) && cell.includes('.') && !isMaybeGrouped(cell)) return 'point'
  return undefined
}

/** `1,234` and `1.234`: a fraction or thousands. */
export function isMaybeGrouped(text: string): boolean {
  return /^[+-]?[1-9]\d{0,2}[.,]\d{3}$/.test(text.trim())
}

export interface NumberForm {
  mark?: DecimalMark | undefined
  /** The unit as written, for example `kWh`; the number is returned in the platform's unit of it. */
  unit?: string | undefined
}

/** The number in a cell, in the platform's unit; undefined where it is none, or not clear. A unit in the cell itself wins over the given one. */
export function parseNumber(value: unknown, form: NumberForm = {}): number | undefined {
  if (typeof value === 'number' || typeof value === 'bigint')
    return Number.isFinite(Number(value)) ? inUnit(String(value), form.unit) : undefined
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  const plain = plainDecimal(text, form.mark)
  if (plain !== undefined) return inUnit(plain, form.unit)
  const parts = WITH_UNIT.exec(text)
  if (!parts) return undefined
  const [, digits, own] = parts as unknown as [string, string, string]
  const number = plainDecimal(digits.trim(), form.mark)
  const suffix = unitSuffix(own)
  // A unit of something else than the column's is no value of this column.
  if (number === undefined || suffix === undefined) return undefined
  if (form.unit !== undefined && unitSuffix(form.unit) !== suffix) return undefined
  return inUnit(number, own)
}

/** The number as digits with a point. */
function plainDecimal(text: string, mark: DecimalMark | undefined): string | undefined {
  if (PLAIN.test(text)) {
    if (mark !== 'comma' || !text.includes('.')) return text
    // Where a comma parts the fraction, a point parts thousands, and nothing else.
    return GROUPED_BY_POINT.test(text) ? text.replaceAll('.', '') : undefined
  }
  if (GROUPED_BY_COMMA.test(text) && (mark === 'point' || text.includes('.')))
    return mark === 'comma' ? undefined : text.replaceAll(',', '')
  if (GROUPED_BY_POINT.test(text) && text.includes(','))
    return mark === 'point' ? undefined : text.replaceAll('.', '').replace(',', '.')
  if (GROUPED_APART.test(text)) return plainDecimal(text.replaceAll(/[ '’\u00A0\u202F]/g, ''), mark)
  if (mark === 'comma' && /^[+-]?\d{1,3}(?:\.\d{3})+$/.test(text)) return text.replaceAll('.', '')
  if (mark === 'point' && /^[+-]?\d{1,3}(?:,\d{3})+$/.test(text)) return text.replaceAll(',', '')
  const isClear = mark === 'comma' || (mark === undefined && !isMaybeGrouped(text))
  return COMMA_DECIMAL.test(text) && isClear ? text.replace(',', '.') : undefined
}

/** Powers of ten are taken in decimal: 0.1234 kWh are 123.4 Wh exactly. */
function inUnit(text: string, unit: string | undefined): number | undefined {
  const power = unit === undefined ? 0 : tenPower(unit)
  if (power === undefined) return toPlatformUnit(Number(text), unit!)?.value
  const [digits, exponent = '0'] = text.toLowerCase().split('e') as [string, string?]
  const number = Number(power === 0 ? text : `${digits}e${Number(exponent) + power}`)
  return Number.isFinite(number) ? number : undefined
}

const powers = new Map<string, number | undefined>()

/** By which power of ten the platform's unit is smaller; undefined where it is none, or the scale has another zero. */
function tenPower(unit: string): number | undefined {
  if (!powers.has(unit)) {
    const zero = toPlatformUnit(0, unit)?.value
    const power = Math.log10(toPlatformUnit(1, unit)?.value ?? Number.NaN)
    powers.set(unit, zero === 0 && Number.isInteger(power) ? power : undefined)
  }
  return powers.get(unit)
}
