/** Tables row for row. */
import type { Column, TableDefinition } from '../../src/lake/types.ts'

type AnyRow = Record<string, unknown>

/** Doubles whose formula leaves the order of its divisions open, so that the last digit may differ. */
const APPROXIMATE = [
  'mean_energy_wh',
  'mean_power_w',
  'mean_temperature_c',
  'energy_efficiency',
  'cost_per_kwh',
  'mtbf_hours',
]

export interface CompareOptions {
  /** Columns that are prose. */
  ignore?: readonly string[]
  /** Whether those doubles must be equal to the last digit all the same. */
  exactly?: boolean
  /** What the two sides are called. */
  names: readonly [actual: string, expected: string]
}

/** Differences of two sets of rows, as sentences; empty where there is none. */
export function differences(
  table: TableDefinition,
  actual: readonly AnyRow[],
  expected: readonly AnyRow[],
  { ignore = [], exactly = false, names }: CompareOptions,
): string[] {
  const keyOf = (row: AnyRow): string => table.key.map((name) => String(row[name])).join(' ')
  const byKey = (rows: readonly AnyRow[]): Map<string, AnyRow> =>
    new Map(rows.map((row) => [keyOf(row), row]))
  const [left, right] = [byKey(actual), byKey(expected)]
  const found: string[] = []
  if (left.size !== actual.length) found.push(`${table.name}: ${names[0]} has a key twice`)
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [a, e] = [left.get(key), right.get(key)]
    if (!a || !e) {
      found.push(`${table.name} [${key}]: only in ${a ? names[0] : names[1]}: ${show(a ?? e)}`)
      continue
    }
    for (const column of table.columns) {
      if (ignore.includes(column.name) || same(column, a[column.name], e[column.name], exactly)) continue
      found.push(
        `${table.name} [${key}] ${column.name}: ${names[0]} ${show(a[column.name])}, ${names[1]} ${show(e[column.name])}`,
      )
    }
  }
  return found
}

function same(column: Column, a: unknown, b: unknown, exactly: boolean): boolean {
  if (a === null || b === null || a === undefined || b === undefined) return a === b
  if (column.type === 'long' || column.type === 'integer') return String(a) === String(b)
  if (column.type === 'double') {
    const [x, y] = [Number(a), Number(b)]
    if (x === y) return true
    return (
      !exactly &&
      APPROXIMATE.includes(column.name) &&
      Math.abs(x - y) <= 1e-12 * Math.max(Math.abs(x), Math.abs(y))
    )
  }
  return show(a) === show(b)
}

function show(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'bigint') return String(item)
    if (item !== null && typeof item === 'object' && !Array.isArray(item))
      return Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    return item
  })
}
