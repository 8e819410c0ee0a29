/**
 * What two engines must agree on about a table: per partition the rows, and of each column the values that are not null,
 * the smallest, the greatest, and a sum. One query per engine; they share the shape, not the functions.
 */
import assert from 'node:assert/strict'
import type { Column } from '../../../src/lake/types.ts'
import type { Row } from '../../servers/answering.ts'

/** How an engine says what the others say differently. The sums are exact. */
export interface Dialect {
  /** A column may be called like a word of SQL. */
  quoted(name: string): string
  text(value: string): string
  micros(timestamp: string): string
  days(date: string): string
  codePoints(text: string): string
  /** How many elements a list or map has; null or 0 for none. */
  size(nested: string, kind: 'list' | 'map'): string
  wide(integer: string): string
}

const decimal38 = (integer: string): string => `CAST(${integer} AS DECIMAL(38, 0))`
const inDoubleQuotes = (name: string): string => `"${name}"`
const castText = (value: string): string => `CAST(${value} AS VARCHAR)`

export const DUCKDB: Dialect = {
  quoted: inDoubleQuotes,
  text: castText,
  micros: (timestamp) => `epoch_us(${timestamp})`,
  days: (date) => `(${date} - DATE '1970-01-01')`,
  codePoints: (text) => `length(${text})`,
  size: (nested, kind) => `coalesce(${kind === 'map' ? 'cardinality' : 'len'}(${nested}), 0)`,
  wide: (integer) => `CAST(${integer} AS HUGEINT)`,
}
export const DATAFUSION: Dialect = {
  quoted: inDoubleQuotes,
  text: castText,
  micros: (timestamp) => `CAST(${timestamp} AS BIGINT)`,
  days: (date) => `CAST(${date} AS INT)`,
  codePoints: (text) => `character_length(${text})`,
  size: (nested) => `coalesce(cardinality(${nested}), 0)`,
  wide: decimal38,
}
export const CLICKHOUSE: Dialect = {
  quoted: inDoubleQuotes,
  text: (value) => `toString(${value})`,
  micros: (timestamp) => `toUnixTimestamp64Micro(${timestamp})`,
  days: (date) => `toInt32(${date})`,
  codePoints: (text) => `lengthUTF8(${text})`,
  size: (nested) => `length(${nested})`,
  wide: (integer) => `toInt128(${integer})`,
}
export const SPARK_SQL: Dialect = {
  quoted: (name) => `\`${name}\``,
  text: (value) => `CAST(${value} AS STRING)`,
  micros: (timestamp) => `unix_micros(${timestamp})`,
  days: (date) => `unix_date(${date})`,
  codePoints: (text) => `char_length(${text})`,
  size: (nested) => `CASE WHEN ${nested} IS NULL THEN 0 ELSE size(${nested}) END`,
  wide: decimal38,
}

/** The query of the figures; a table without rows gives no row. `from`: what stands behind FROM. */
export function figuresSql(
  columns: readonly Column[],
  partitionBy: readonly string[],
  dialect: Dialect,
  from: string,
): string {
  const keys = partitionBy.map((name) => dialect.text(dialect.quoted(name)))
  const select = [
    ...keys.map((key, index) => `${key} AS key_${index}`),
    `${dialect.text('count(*)')} AS row_count`,
    ...columns.flatMap((column, index) =>
      figuresOf(column, dialect).map(([figure, sql]) => `${sql} AS ${figure}_${index}`),
    ),
  ]
  const group = keys.length > 0 ? `GROUP BY ${keys.join(', ')}` : ''
  return `SELECT ${select.join(', ')} FROM ${from} ${group} HAVING count(*) > 0`
}

function figuresOf(column: Column, dialect: Dialect): [string, string][] {
  const { text, wide } = dialect
  const { type } = column
  const name = dialect.quoted(column.name)
  const bounds = (value: string): [string, string][] => [
    ['count', text(`count(${name})`)],
    ['min', text(`min(${value})`)],
    ['max', text(`max(${value})`)],
  ]
  const counted = (value: string): [string, string] => ['sum', text(`sum(${wide(value)})`)]
  switch (type) {
    case 'string':
      return [...bounds(name), counted(dialect.codePoints(name))]
    case 'integer':
    case 'long':
      return [...bounds(name), counted(name)]
    case 'date':
      return [...bounds(dialect.days(name)), counted(dialect.days(name))]
    case 'timestamp':
      return [...bounds(dialect.micros(name)), counted(dialect.micros(name))]
    case 'boolean':
      return [
        ['count', text(`count(${name})`)],
        ['sum', text(`sum(CASE WHEN ${name} THEN 1 ELSE 0 END)`)],
      ]
    case 'double':
      return [
        ['count', text(`count(${name})`)],
        ['double_min', `min(${name})`],
        ['double_max', `max(${name})`],
        ['double_sum', `sum(${name})`],
      ]
    case 'array<string>':
      return [counted(dialect.size(name, 'list'))]
    case 'map<string,double>':
      return [counted(dialect.size(name, 'map'))]
    default:
      return [...bounds(name), ['sum', text(`sum(${name})`)]]
  }
}

/** Sums of doubles depend on their order: nine digits must agree. Trailing zeros of decimals say nothing. */
function plain([figure, value]: [string, unknown]): [string, unknown] {
  if (value === undefined || value === null) return [figure, null]
  if (figure.startsWith('double_sum')) return [figure, Number(value).toPrecision(9)]
  if (figure.startsWith('double')) return [figure, Number(value)]
  const text = String(value)
  return [figure, /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, '') : text]
}

/** By partition; figures that are null are left out, as Spark's JSON leaves them out. */
export function comparable(rows: readonly Row[]): Record<string, unknown>[] {
  return rows
    .map((row) =>
      Object.fromEntries(
        Object.entries(row)
          .map(plain)
          .filter(([, value]) => value !== null)
          .toSorted(([a], [b]) => (a < b ? -1 : 1)),
      ),
    )
    .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
}

/** Fails with the columns' names where the figures differ. */
export function assertSameFigures(
  theirs: readonly Row[],
  ours: readonly Row[],
  columns: readonly Column[],
  what: string,
): void {
  const named = (rows: readonly Row[]) =>
    comparable(rows).map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([figure, value]) => {
          const column = /^(?!key)(\w+)_(\d+)$/.exec(figure)
          return [column ? `${columns[Number(column[2])]?.name} ${column[1]}` : figure, value]
        }),
      ),
    )
  assert.deepEqual(named(theirs), named(ours), what)
}
