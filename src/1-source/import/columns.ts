/** Which column of a table is the time, which ones are values, of what and in which unit. What is not clear is refused. */
import { unitSuffix } from '../../units.ts'
import { allOrders, parseClock } from './clock.ts'
import {
  FIELDS,
  isNumberField,
  kindOf,
  matchesName,
  notTelemetry,
  unitOptions,
  type MappingOptions,
} from './options.ts'
import { decimalMarkOf, isMaybeGrouped, isMissing, parseNumber, type DecimalMark } from './values.ts'

/** The beginning of a table. */
export interface Sample {
  path: string
  /** '' where the file names none. */
  names: readonly string[]
  rows: readonly (readonly unknown[])[]
  /** What parts the columns of a text file. */
  delimiter: string
  /** Columns that hold instants by their type. */
  timeColumns: readonly number[]
}

export interface FieldColumn {
  field: string
  /** From 0. */
  index: number
  name: string
  /** As written; undefined: the platform's, or as the cell says. */
  unit?: string
  mark?: DecimalMark
}

/** Ways in which programs call the time of a row, the likeliest first. */
const TIME_NAMES = (
  'timestamp|datetime|date_time|date time|date/time|date and time|time|_time|ts|last_changed' +
  '|last_updated|timestamp_utc|utc_timestamp|time_utc|utc|local_time|end|start|unix|unixtime' +
  '|unix_time|epoch|date|day|zeit|zeitstempel|zeitpunkt|datum|datum/zeit|fecha|heure|horodate'
).split('|')

export function columnLabel({ names }: Pick<Sample, 'names'>, index: number): string {
  return names[index] === '' || names[index] === undefined ? String(index + 1) : names[index]
}

/** The place of a column by its name or its number from 1. */
export function findColumn(sample: Sample, column: string, field: string): number {
  const { names, path } = sample
  const exact = names.flatMap((name, index) => (name === column ? [index] : []))
  const same = names.flatMap((name, index) => (name.toLowerCase() === column.toLowerCase() ? [index] : []))
  const found = exact.length > 0 ? exact : same
  if (found.length > 1)
    throw notTelemetry(
      path,
      `the column ${column} stands ${found.length} times`,
      `Name it by its number: ${found.map((index) => index + 1).join(' or ')}.`,
    )
  if (found.length === 1) return found[0]!
  const number = /^\d+$/.test(column) ? Number(column) : 0
  if (number >= 1 && number <= names.length) return number - 1
  const there = names.some((name) => name !== '')
    ? `its columns are ${names.join(', ')}`
    : `it has ${names.length} columns and no header`
  throw notTelemetry(path, `it has no column ${column} (${there})`, `Map ${field} to a column that is there.`)
}

const ANY_ORDER = [allOrders('dmy'), allOrders('mdy'), allOrders('ymd')]

function looksLikeTime(value: unknown): boolean {
  const text = String(value ?? '').trim()
  return ANY_ORDER.some((orders) => parseClock(text, orders) !== undefined)
}

/** Which end of an interval a column names by its own name: `interval_start`, `End time`. */
export function labelsIn(name: string): 'start' | 'end' | undefined {
  const words = name.toLowerCase().split(/[^a-z]+/)
  const has = (known: readonly string[]): boolean => words.some((word) => known.includes(word))
  const [isStart, isEnd] = [
    has(['start', 'begin', 'from', 'von', 'beginn']),
    has(['end', 'to', 'until', 'bis', 'ende']),
  ]
  return isStart === isEnd ? undefined : isStart ? 'start' : 'end'
}

/** One column that holds the time, or one for the date and one for the clock. */
export function timeColumns(sample: Sample, options: MappingOptions): number[] {
  const mapped = options.map?.timestamp
  if (mapped !== undefined) {
    const parts = mapped.split('+')
    if (parts.length !== 2 || sample.names.includes(mapped)) return [findColumn(sample, mapped, 'timestamp')]
    return parts.map((part) => findColumn(sample, part.trim(), 'timestamp'))
  }
  const lower = sample.names.map((name) => name.toLowerCase())
  const [date, clock] = [
    ['date', 'datum'],
    ['time', 'zeit', 'uhrzeit', 'hour'],
  ].map((words) => lower.findIndex((name) => words.includes(name))) as [number, number]
  const isClock = (value: unknown): boolean => /^\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?$/.test(String(value).trim())
  if (date >= 0 && clock >= 0 && sample.rows.some((row) => isClock(row[clock]))) return [date, clock]
  if (sample.timeColumns.length === 1) return [sample.timeColumns[0]!]
  const named = TIME_NAMES.map((name) => lower.indexOf(name)).find(
    (index) => index >= 0 && sample.rows.some((row) => looksLikeTime(row[index])),
  )
  if (named !== undefined) return [named]
  const rows = sample.rows.slice(0, 50)
  const looking = sample.names.flatMap((_, index) => {
    const times = rows.filter((row) => looksLikeTime(row[index])).length
    return times > 0 && times * 10 >= rows.length * 9 ? [index] : []
  })
  if (looking.length === 1) return looking
  const ends = looking.filter((index) => labelsIn(sample.names[index] ?? '') === 'end')
  if (ends.length === 1) return ends
  const which = looking.map((index) => columnLabel(sample, index)).join(', ')
  throw notTelemetry(
    sample.path,
    looking.length === 0 ? 'no column holds the time' : `several columns hold times (${which})`,
    'Say which one: --map timestamp=COLUMN, or --map timestamp=DATE+CLOCK for two.',
  )
}

/** The unit that a header names: `Power (kW)`, `Consumption kWh`, `energy_wh`. */
export function unitInHeader(name: string): string | undefined {
  const bracketed = /[[(]\s*([^\])]+?)\s*[\])]/.exec(name)?.[1]
  if (bracketed !== undefined && unitSuffix(bracketed) !== undefined) return bracketed
  const last = name.split(/[\s_,/.-]+/).at(-1) ?? ''
  const known: Record<string, string> = {
    w: 'W',
    kw: 'kW',
    wh: 'Wh',
    kwh: 'kWh',
    mwh: 'MWh',
    '°c': '°C',
    '°f': '°F',
  }
  return name === last ? undefined : known[last.toLowerCase()]
}

/** The unit of a column as a field: said of it, said of all, or in its header. */
export function unitOf(
  name: string,
  index: number,
  field: string | undefined,
  options: MappingOptions,
): string | undefined {
  const units = unitOptions(options)
  const own = units.find(
    ({ of }) => of !== undefined && (of === field || of === String(index + 1) || matchesName(of, name)),
  )
  if (own) return own.unit
  const all = units.find(({ of, unit }) => of === undefined && canBe(field, unit))
  if (all) return all.unit
  const header = unitInHeader(name)
  return header !== undefined && canBe(field, header) ? header : undefined
}

/** A metric is of the unit that its name ends with; a field that is not known yet may be of any. */
function canBe(field: string | undefined, unit: string): boolean {
  if (field === undefined) return true
  const suffix = unitSuffix(unit)
  return kindOf(field) === undefined ? field.endsWith(`_${suffix}`) : kindOf(field) === suffix
}

/** Columns that hold numbers, other than those given. */
export function numericColumns(sample: Sample, others: readonly number[]): number[] {
  return sample.names.flatMap((_, index) => {
    if (others.includes(index)) return []
    const cells = sample.rows.map((row) => row[index]).filter((cell) => !isMissing(cell))
    const numbers = cells.filter((cell) => isNumberLike(cell)).length
    return numbers > 0 && numbers * 2 >= cells.length ? [index] : []
  })
}

function isNumberLike(cell: unknown): boolean {
  if (parseNumber(cell) !== undefined) return true
  return (
    typeof cell === 'string' && (isMaybeGrouped(cell) || parseNumber(cell, { mark: 'comma' }) !== undefined)
  )
}

/** What parts the fraction in a column, by its cells, then by those of the other columns; refused where neither tells. */
export function decimalMark(sample: Sample, index: number, options: MappingOptions): DecimalMark | undefined {
  if (options.decimal) return options.decimal
  const marks = (column: number): Set<DecimalMark> =>
    new Set(
      sample.rows.flatMap((row) => {
        const cell = row[column]
        return typeof cell === 'string' ? (decimalMarkOf(cell) ?? []) : []
      }),
    )
  const own = marks(index)
  if (own.size === 1) return [...own][0]
  const open = sample.rows
    .map((row) => row[index])
    .find((cell) => typeof cell === 'string' && isMaybeGrouped(cell))
  if (own.size > 1 || typeof open !== 'string') return undefined
  const file = new Set(sample.names.flatMap((_, column) => (column === index ? [] : [...marks(column)])))
  const only = file.size === 1 ? [...file][0] : undefined
  if (open.includes(',')) {
    if (only) return only
    // Columns are parted by semicolons where the comma is taken for the fraction.
    if (sample.delimiter !== ',' && file.size === 0) return 'comma'
  } else if (only !== 'comma') return undefined
  throw notTelemetry(
    sample.path,
    `whether ${open} in column ${columnLabel(sample, index)} is a fraction or has thousands is not clear`,
    'Say what parts the fraction: --decimal comma or --decimal point.',
  )
}

/** The columns of one device: those mapped, those whose header is the name of a field, or the only one that can be meant. */
export function fieldColumns(
  sample: Sample,
  times: readonly number[],
  options: MappingOptions,
): FieldColumn[] {
  const map = options.map ?? {}
  const lower = sample.names.map((name) => name.toLowerCase())
  const fields = [...FIELDS, ...Object.keys(map).filter((field) => field.startsWith('metrics.'))]
  const columns: { field: string; index: number }[] = []
  for (const field of fields) {
    if (field === 'timestamp') continue
    const mapped = map[field]
    // What Home Assistant calls an entity is a device.
    const own = field === 'device_id' && !lower.includes(field) ? 'entity_id' : field
    const index = mapped === undefined ? lower.indexOf(own) : findColumn(sample, mapped, field)
    if (index >= 0 && !times.includes(index)) columns.push({ field, index })
  }
  const hasValue = columns.some(
    ({ field }) => isNumberField(field) || field === 'status' || field === 'alert',
  )
  if (!hasValue) columns.push(guessedValue(sample, [...times, ...columns.map(({ index }) => index)], options))
  return columns.map((column) => described(sample, column, options))
}

export function described(
  sample: Sample,
  { field, index }: { field: string; index: number },
  options: MappingOptions,
): FieldColumn {
  const name = columnLabel(sample, index)
  if (!isNumberField(field)) return { field, index, name }
  const unit = unitOf(sample.names[index] ?? '', index, field, options)
  const mark = decimalMark(sample, index, options)
  return { field, index, name, ...(unit !== undefined && { unit }), ...(mark && { mark }) }
}

function guessedValue(sample: Sample, others: readonly number[], options: MappingOptions) {
  const numeric = numericColumns(sample, others)
  const labels = numeric.map((index) => columnLabel(sample, index))
  if (numeric.length === 0)
    throw notTelemetry(
      sample.path,
      'no column holds a value',
      'Say which one, for example --map power_usage=COLUMN.',
    )
  const field = options.field ?? (options.cumulative ? 'energy_total_wh' : undefined)
  if (field !== undefined && numeric.length === 1) return { field, index: numeric[0]! }
  const kinds = numeric.map((index) =>
    unitSuffix(unitOf(sample.names[index] ?? '', index, undefined, options) ?? ''),
  )
  const [power, energy, warmth] = ['w', 'wh', 'c'].map((kind) =>
    numeric.filter((_, at) => kinds[at] === kind),
  )
  if (field === undefined && energy!.length === 0) {
    if (power!.length === 1) return { field: 'power_usage', index: power![0]! }
    if (power!.length === 0 && warmth!.length === 1) return { field: 'temperature', index: warmth![0]! }
  }
  if (field === undefined && energy!.length === 1 && numeric.length === 1)
    throw notTelemetry(
      sample.path,
      `whether the energy in ${labels[0]} is that of each interval or a counter is not clear`,
      'Say it: --field energy_consumption_wh (of the interval) or --field energy_total_wh (a counter).',
    )
  throw notTelemetry(
    sample.path,
    numeric.length === 1
      ? `what ${labels[0]} measures is not clear`
      : `which of its columns ${labels.join(', ')} holds the value, and of what, is not clear`,
    numeric.length === 1
      ? 'Say it: --field power_usage, energy_consumption_wh (of each interval), energy_total_wh (a counter), temperature or metrics.NAME; and --unit.'
      : 'Say it: --map power_usage=COLUMN (or energy_consumption_wh, energy_total_wh, temperature, metrics.NAME); or --wide where each column is a device.',
  )
}
