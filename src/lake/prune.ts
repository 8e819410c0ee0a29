import type { Column, DataFile, Predicate, StatValue } from './types.ts'

/**
 * The files that may hold a row which meets all predicates, by their partition and statistics. A file of which
 * nothing is known stays: what goes holds no such row (PROTOCOL.md, Per-file Statistics: bounds may be wide).
 */
export function pruneFiles(
  files: readonly DataFile[],
  columns: readonly Column[],
  predicates: readonly Predicate[],
): DataFile[] {
  const known = predicates.flatMap((predicate) => {
    const column = columns.find(({ name }) => name === predicate.column)
    return column ? [{ predicate, column }] : []
  })
  return files.filter((file) => known.every(({ predicate, column }) => mayMeet(file, column, predicate)))
}

function mayMeet(file: DataFile, column: Column, predicate: Predicate): boolean {
  const { name } = column
  if (Object.hasOwn(file.partition, name)) {
    const value = file.partition[name] ?? null
    return value === null ? predicate.is === 'null' : within(column, predicate, value, value)
  }
  const { rows, nulls, min, max } = file.stats
  const noNulls = nulls[name] === 0
  const onlyNulls = rows >= 0 && nulls[name] === rows
  if (predicate.is === 'null') return !noNulls
  if (onlyNulls) return false
  return within(column, predicate, min[name], max[name])
}

/** Whether some value from `low` to `high` may meet it; what is unknown or cannot be compared may. */
function within(
  column: Column,
  predicate: Predicate,
  low: StatValue | undefined,
  high: StatValue | undefined,
): boolean {
  const may = (
    bound: StatValue | undefined,
    value: StatValue,
    holds: (order: number) => boolean,
  ): boolean => {
    const order = bound === undefined ? undefined : compare(column, bound, value)
    return order === undefined || holds(order)
  }
  const contains = (value: StatValue): boolean =>
    may(low, value, (order) => order <= 0) && may(high, value, (order) => order >= 0)
  // NaN is above every number, and the bounds of other writers may leave it out.
  const top = column.type === 'double' || column.type === 'float' ? undefined : high
  switch (predicate.is) {
    case 'null':
      return false
    case 'not null':
      return true
    case '=':
      return contains(predicate.value)
    case 'in':
      return predicate.values.some(contains)
    case '<':
      return may(low, predicate.value, (order) => order < 0)
    case '<=':
      return may(low, predicate.value, (order) => order <= 0)
    case '>':
      return may(top, predicate.value, (order) => order > 0)
    case '>=':
      return may(top, predicate.value, (order) => order >= 0)
  }
}

/** Less than 0: `a` lies before `b`. Undefined where that cannot be said. */
function compare({ type }: Column, a: StatValue, b: StatValue): number | undefined {
  if (type === 'string') return compareCodePoints(String(a), String(b))
  if (type === 'date') return String(a) < String(b) ? -1 : Number(a !== b)
  if (type === 'timestamp') return compareTimes(String(a), String(b))
  if (type.startsWith('decimal')) return compareDecimals(String(a), String(b))
  const [x, y] = [numberOf(a), numberOf(b)]
  return Number.isNaN(x) || Number.isNaN(y) ? undefined : x - y
}

function numberOf(value: StatValue): number {
  return value === 'true' ? 1 : value === 'false' ? 0 : Number(value)
}

/** In the order of their UTF-8 bytes, which is not that of JavaScript's `<`: a surrogate stands for more than U+FFFF. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index += 1) {
    const [x, y] = [a.charCodeAt(index), b.charCodeAt(index)]
    if (x === y) continue
    const [highX, highY] = [isSurrogate(x), isSurrogate(y)]
    return highX === highY ? x - y : Number(highX) - Number(highY)
  }
  return a.length - b.length
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}

/** A bound says milliseconds, and other writers cut a maximum (PROTOCOL.md, Per-file Statistics): equal to the ms is not comparable. */
function compareTimes(bound: string, value: string): number | undefined {
  const [x, y] = [timeMs(bound), timeMs(value)]
  return Number.isNaN(x) || Number.isNaN(y) || x === y ? undefined : x - y
}

/** NaN where the text names no zone: whose it would be is not known. */
function timeMs(text: string): number {
  return /(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : NaN
}

function compareDecimals(a: string, b: string): number | undefined {
  const [x, y] = [/^(-?)(\d+)(?:\.(\d+))?$/.exec(a), /^(-?)(\d+)(?:\.(\d+))?$/.exec(b)]
  if (!x || !y) return undefined
  const places = Math.max(x[3]?.length ?? 0, y[3]?.length ?? 0)
  const scaled = ([, sign, whole, fraction = '']: RegExpExecArray): bigint =>
    BigInt(`${sign}${whole}${fraction.padEnd(places, '0')}`)
  const difference = scaled(x) - scaled(y)
  return difference < 0n ? -1 : Number(difference > 0n)
}
