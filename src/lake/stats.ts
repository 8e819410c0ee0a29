import type { Column, DataFile, FileStats, StatValue } from './types.ts'

/**
 * Column statistics of a file: from what the engine returned while writing, to and from the text in an `add`
 * action (PROTOCOL.md, Per-file Statistics). A bound may be wider than the data, never narrower: what cannot be
 * said exactly is left out or rounded outwards.
 */

/** What `COPY … RETURN_STATS` says of one column. */
export interface WrittenColumn {
  min?: string
  max?: string
  null_count?: string
  has_nan?: string
}

const MAX_TEXT = 32

/** Standard since ES2026, not yet in the compiler's library. */
const { rawJSON: rawJson } = JSON as unknown as { rawJSON: (text: string) => unknown }

export function statsOfWritten(
  rows: number,
  columns: readonly Column[],
  written: Readonly<Record<string, WrittenColumn>>,
): FileStats {
  const min: Record<string, StatValue> = {}
  const max: Record<string, StatValue> = {}
  const nulls: Record<string, number> = {}
  for (const column of columns) {
    const found = written[`"${column.name.replaceAll('"', '""')}"`]
    if (!found) continue
    if (found.null_count !== undefined) nulls[column.name] = Number(found.null_count)
    if (found.min === undefined || found.max === undefined || found.has_nan === 'true') continue
    const low = bound(column, found.min, 'min')
    const high = bound(column, found.max, 'max')
    if (low === undefined || high === undefined) continue
    min[column.name] = low
    max[column.name] = high
  }
  return { rows, min, max, nulls }
}

/** What the statistics say of these columns alone. */
export function statsOfColumns({ rows, min, max, nulls }: FileStats, columns: readonly Column[]): FileStats {
  const kept = new Set(columns.map(({ name }) => name))
  const only = <T>(values: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(values).filter(([name]) => kept.has(name)))
  return { rows, min: only(min), max: only(max), nulls: only(nulls) }
}

function bound(column: Column, text: string, side: 'min' | 'max'): StatValue | undefined {
  switch (column.type) {
    case 'string':
      return shortText(text, side)
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
      return Number.isSafeInteger(Number(text)) ? Number(text) : undefined
    case 'double':
      return Number.isFinite(Number(text)) ? Number(text) : undefined
    case 'float': {
      // The shortest text of a float is not the float: 0.1 lies below the float 0.1.
      const value = Math.fround(Number(text))
      return Number.isFinite(value) ? value : undefined
    }
    case 'date':
      return /^\d{4}-\d\d-\d\d$/.test(text) ? text : undefined
    case 'timestamp':
      return isoMillis(text, side)
    default:
      return column.type.startsWith('decimal') ? text : undefined
  }
}

/** Texts are cut; a cut maximum ends in the greatest code point, so that it still lies above every text it stands for. */
function shortText(text: string, side: 'min' | 'max'): string | undefined {
  const points = [...text]
  if (points.length <= MAX_TEXT) return text
  if (side === 'max' && points[MAX_TEXT] === '\u{10FFFF}') return undefined
  return points.slice(0, MAX_TEXT).join('') + (side === 'max' ? '\u{10FFFF}' : '')
}

/** From `2026-11-23 10:00:00.123456+00`; Delta keeps milliseconds, so a maximum is rounded up. */
function isoMillis(text: string, side: 'min' | 'max'): string | undefined {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00$/.exec(text)
  if (!match) return undefined
  const micros = Number((match[3] ?? '').padEnd(6, '0'))
  const millis = side === 'min' ? Math.floor(micros / 1000) : Math.ceil(micros / 1000)
  return new Date(Date.parse(`${match[1]}T${match[2]}Z`) + millis).toISOString()
}

/** The text for an `add` action: as the log has it already, or made; undefined where nothing is known. */
export function statsText(file: DataFile, columns: readonly Column[]): string | undefined {
  if (file.statsText !== undefined) return file.statsText
  return file.stats.rows < 0 ? undefined : statsToJson(file.stats, columns)
}

/** Decimals are text in memory and numbers in the log, digit for digit. */
function statsToJson(stats: FileStats, columns: readonly Column[]): string {
  const types = new Map(columns.map((column) => [column.name, column.type]))
  const exact = (values: Readonly<Record<string, StatValue>>): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        types.get(name)?.startsWith('decimal') ? rawJson(String(value)) : value,
      ]),
    )
  return JSON.stringify({
    numRecords: stats.rows,
    minValues: exact(stats.min),
    maxValues: exact(stats.max),
    nullCount: stats.nulls,
  })
}

/** `rows` is -1 where another writer left no statistics. Statistics of nested columns are passed over. */
export function statsFromJson(text: string | undefined, columns: readonly Column[]): FileStats {
  if (!text) return { rows: -1, min: {}, max: {}, nulls: {} }
  const types = new Map(columns.map((column) => [column.name, column.type]))
  // The exact text of a number costs a slower parse: only where there are decimals.
  const reviver = columns.some((column) => column.type.startsWith('decimal'))
    ? (key: string, value: unknown, context?: { source?: string }) =>
        typeof value === 'number' && types.get(key)?.startsWith('decimal')
          ? (context?.source ?? value)
          : value
    : undefined
  const parsed = JSON.parse(text, reviver) as {
    numRecords?: number
    minValues?: Record<string, unknown>
    maxValues?: Record<string, unknown>
    nullCount?: Record<string, unknown>
  }
  return {
    rows: parsed.numRecords ?? -1,
    min: primitives(parsed.minValues, types),
    max: primitives(parsed.maxValues, types),
    // The count of a decimal column went through the reviver, too.
    nulls: Object.fromEntries(
      Object.entries(parsed.nullCount ?? {})
        .filter(([, count]) => typeof count !== 'object')
        .map(([name, count]) => [name, Number(count)]),
    ),
  }
}

function primitives(
  raw: Record<string, unknown> | undefined,
  types: ReadonlyMap<string, string>,
): Record<string, StatValue> {
  const kept: Record<string, StatValue> = {}
  for (const [name, value] of Object.entries(raw ?? {})) {
    if (value === null || typeof value === 'object') continue
    // A whole number beyond 2^53 was rounded when it was parsed.
    if (types.get(name) === 'long' && !Number.isSafeInteger(value)) continue
    kept[name] = types.get(name)?.startsWith('decimal') ? String(value) : (value as StatValue)
  }
  return kept
}

/** Rows in the files, by their statistics. */
export function rowCount(files: readonly DataFile[]): number {
  return files.reduce((sum, file) => sum + file.stats.rows, 0)
}
