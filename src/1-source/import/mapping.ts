/** How the rows of one file become readings: which column is which field, in which unit, of which device. */
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { PlatformError } from '../../errors.ts'
import { DEFAULT_TENANT, NUMBER_FIELDS, TEXT_FIELDS, type Reading } from '../../reading.ts'
import type { StreamMessage } from '../source.ts'
import { nameWithoutEndings, portablePath, type SourceFile } from './files.ts'
import { findDelimiter, headerColumns, splitRow, type Format, type SourceRow } from './rows.ts'
import { EventTimes, findDateOrder, needsDateOrder, type DateOrder, type Zone } from './times.ts'
import { isMissing, isRecord, parseNumber } from './values.ts'

export type Unit = 'W' | 'kW' | 'Wh' | 'kWh'

export interface MappingOptions {
  /** Field → column: its name, or its number from 1. `metrics.<name>` maps a further number. */
  map?: Readonly<Record<string, string>>
  /** Device id; with a group in parentheses a pattern over the path, whose first group is taken. Default: the file's name. */
  device?: string
  /** Device type, likewise. */
  type?: string
  /** Of the mapped power (W, kW) or energies (Wh, kWh); default W and Wh. */
  unit?: Unit
  dateOrder?: DateOrder
  /** Whether the first row of a CSV file names the columns; default true. */
  header?: boolean
  /** Default: found in the file. */
  delimiter?: string
  tenant?: string
}

export type RowFault = 'no_time' | 'no_value' | 'no_device' | 'bad_number'

/** How one file is understood. */
export interface Mapping {
  format: Format
  /** Field → column, in the order of the reading's fields. */
  columns: ReadonlyMap<string, string>
  device: string | undefined
  type: string | undefined
  /** Name of the file. */
  source: string
  /** Distinguishes this understanding of a content from every other one. */
  digest: string
  times: () => EventTimes
}

const NUMBERS: ReadonlySet<string> = new Set(NUMBER_FIELDS)
const FIELDS: ReadonlySet<string> = new Set([...TEXT_FIELDS, ...NUMBER_FIELDS, 'timestamp'])
const ENERGIES = ['energy_consumption_wh', 'energy_total_wh']

function isNumberField(field: string): boolean {
  return NUMBERS.has(field) || field.startsWith('metrics.')
}

/** Refuses options that cannot be meant, before any file is looked at. */
export function checkMappingOptions(options: MappingOptions): void {
  const map = options.map ?? {}
  for (const field of Object.keys(map)) {
    if (FIELDS.has(field) || /^metrics\../.test(field)) continue
    throw new PlatformError(
      'usage',
      `--map ${field}=…: a reading has no field ${field}.`,
      `Use one of ${[...FIELDS].join(', ')}, or metrics.<name>.`,
    )
  }
  const energy = options.unit === 'Wh' || options.unit === 'kWh'
  if (options.unit !== undefined && options.map) {
    const measured = energy ? ENERGIES : ['power_usage']
    if (!measured.some((field) => field in map)) {
      throw new PlatformError(
        'usage',
        `--unit ${options.unit} is a unit of ${energy ? 'energy' : 'power'}, but no such field is mapped.`,
        energy
          ? 'Map energy_consumption_wh (energy per interval) or energy_total_wh (a cumulative counter).'
          : 'Map power_usage.',
      )
    }
  }
}

/** A fixed text, or the first group of a pattern over the path. */
function fromPath(option: string, given: string, path: string): string {
  if (!given.includes('(')) return given
  let pattern: RegExp
  try {
    pattern = new RegExp(given)
  } catch (error) {
    throw new PlatformError('usage', `--${option} ${given} is no valid pattern.`, 'Mend the pattern.', {
      cause: error,
    })
  }
  const found = pattern.exec(portablePath(path))?.[1]
  if (found !== undefined) return found
  throw new PlatformError(
    'usage',
    `--${option} ${given}: the pattern finds nothing in the path ${portablePath(path)}.`,
    'Mend the pattern, or import this file by itself.',
  )
}

/** How a file is understood by its sample and the options. Throws `file_not_telemetry` where it cannot be. */
export function understand(file: SourceFile, options: MappingOptions, zone: Zone, zoneName: string): Mapping {
  const { sample, path } = file
  const start = sample.replace('\uFEFF', '').trimStart()
  if (start === '') throw notTelemetry(path, 'it is empty', 'Check the file.')
  if (sample.includes('\0') || start.startsWith('PAR1')) {
    throw notTelemetry(path, 'it is no text', 'Convert it to CSV or JSON lines.')
  }
  if (start.startsWith('[')) {
    throw notTelemetry(path, 'it begins like a JSON array', 'Write one JSON object a line instead.')
  }
  const format = formatOf(path, start, options)
  const columns = format.kind === 'csv' ? csvColumns(path, start, format, options) : jsonColumns(options)
  const device = options.device === undefined ? undefined : fromPath('device', options.device, path)
  const type = options.type === undefined ? undefined : fromPath('type', options.type, path)
  const sampled = sampleTimes(start, format, columns)
  const order = options.dateOrder ?? findDateOrder(sampled)
  if (order === undefined && sampled.some(needsDateOrder)) {
    throw notTelemetry(
      path,
      `whether day or month comes first in its times (${sampled[0]?.trim()}) is not clear`,
      'Say it: --date-order dmy, mdy or ymd.',
    )
  }
  const named =
    device ?? (columns.has('device_id') || format.kind === 'jsonl' ? undefined : nameWithoutEndings(path))
  const [first, last] = bounds(sampled, new EventTimes(zone, order, false))
  const understanding = [format, [...columns], named, type, options.unit, order, zoneName, options.tenant]
  return {
    format,
    columns,
    device: named,
    type,
    source: basename(path),
    digest: createHash('sha256').update(JSON.stringify(understanding)).digest('hex'),
    times: () => new EventTimes(zone, order, first !== undefined && last !== undefined && last < first),
  }
}

function bounds(times: readonly string[], parse: EventTimes): [string | undefined, string | undefined] {
  const parsed = times.map((time) => parse.parse(time, '')).filter((time) => time !== undefined)
  return [parsed[0], parsed.at(-1)]
}

function formatOf(path: string, start: string, options: MappingOptions): Format {
  if (start.startsWith('{')) return { kind: 'jsonl', delimiter: '', header: false }
  const delimiter = options.delimiter ?? findDelimiter(start)
  if (delimiter === undefined) {
    throw notTelemetry(
      path,
      'it is neither JSON lines nor has it columns',
      'Name the delimiter with --delimiter.',
    )
  }
  return { kind: 'csv', delimiter, header: options.header ?? true }
}

/** Columns are those mapped, and besides them those whose header is the name of a field. */
function csvColumns(
  path: string,
  start: string,
  format: Format,
  options: MappingOptions,
): Map<string, string> {
  const map = options.map ?? {}
  const cells = splitRow(start.split(/\r?\n/, 1)[0]!, format.delimiter) ?? []
  const header = format.header ? headerColumns(cells) : new Map<string, number>()
  const columns = new Map<string, string>()
  const fields = [...FIELDS, ...Object.keys(map).filter((field) => field.startsWith('metrics.'))]
  for (const field of fields) {
    const column = map[field] ?? (header.has(field) ? field : undefined)
    if (column === undefined) continue
    const number = header.get(column.toLowerCase()) ?? (/^\d+$/.test(column) ? Number(column) : 0)
    if (number < 1 || number > cells.length) {
      const there = format.header ? `its columns are ${cells.join(', ')}` : `it has ${cells.length} columns`
      throw notTelemetry(
        path,
        `it has no column ${column} (${there})`,
        `Map ${field} to a column that is there.`,
      )
    }
    columns.set(field, column)
  }
  if (!columns.has('timestamp')) {
    throw notTelemetry(path, 'no column holds the time', 'Say which one: --map timestamp=COLUMN.')
  }
  if (![...columns.keys()].some((field) => isNumberField(field) || field === 'status' || field === 'alert')) {
    throw notTelemetry(
      path,
      'no column holds a value',
      'Say which one, for example --map power_usage=COLUMN.',
    )
  }
  return columns
}

function jsonColumns(options: MappingOptions): Map<string, string> {
  return new Map(Object.entries({ timestamp: 'timestamp', ...options.map }))
}

function sampleTimes(start: string, format: Format, columns: ReadonlyMap<string, string>): string[] {
  const lines = start.split(/\r?\n/).filter((line) => line.trim() !== '')
  const cells = lines.map((line) => (format.kind === 'csv' ? (splitRow(line, format.delimiter) ?? []) : []))
  const header = format.header ? headerColumns(cells[0] ?? []) : new Map<string, number>()
  const column = columns.get('timestamp')!
  if (format.kind === 'jsonl') return []
  const number = header.get(column.toLowerCase()) ?? Number(column)
  return cells.slice(format.header ? 1 : 0).flatMap((row) => row[number - 1] ?? [])
}

/** The message for one row, or why there is none. */
export function toMessage(
  row: SourceRow,
  mapping: Mapping,
  times: EventTimes,
  options: MappingOptions,
): StreamMessage | RowFault {
  const reading = readingSoFar(row, mapping)
  for (const [field, column] of mapping.columns) {
    if (field === 'timestamp') continue
    const value = row.value(column)
    if (isMissing(value)) continue
    if (!isNumberField(field)) {
      reading[field] = String(value)
      continue
    }
    const number = parseNumber(value, mapping.format.delimiter, isScaled(field, options.unit))
    if (number === undefined) return 'bad_number'
    if (NUMBERS.has(field)) reading[field] = number
    else
      reading.metrics = {
        ...(reading.metrics as object | undefined),
        [field.slice('metrics.'.length)]: number,
      }
  }
  if (!hasValue(reading)) return 'no_value'
  const device = mapping.device ?? reading.device_id
  if (isMissing(device)) return 'no_device'
  const tenant = options.tenant ?? reading.tenant_id ?? DEFAULT_TENANT
  const time = row.value(mapping.columns.get('timestamp')!)
  const timestamp = times.parse(
    typeof time === 'number' ? String(time) : typeof time === 'string' ? time : '',
    `${String(device)}`,
  )
  if (timestamp === undefined) return 'no_time'
  const complete: Partial<Reading> = {
    ...reading,
    device_id: String(device),
    ...(mapping.type !== undefined && { device_type: mapping.type }),
    timestamp,
    ...(tenant !== DEFAULT_TENANT && { tenant_id: String(tenant) }),
    ingest_kind: 'backfill',
  }
  const key = tenant === DEFAULT_TENANT ? String(device) : `${String(tenant)}/${String(device)}`
  return { key, value: Buffer.from(JSON.stringify(complete)) }
}

/** JSON lines have the fields of a reading already; what is mapped is taken out under its old name. */
function readingSoFar(row: SourceRow, mapping: Mapping): Record<string, unknown> {
  const reading: Record<string, unknown> = { protocol: 'import', source_topic: mapping.source, ...row.json }
  if (row.json) for (const column of mapping.columns.values()) delete reading[column]
  return reading
}

function isScaled(field: string, unit: Unit | undefined): boolean {
  return (unit === 'kW' && field === 'power_usage') || (unit === 'kWh' && ENERGIES.includes(field))
}

/** A status, an alert or any number: with none of them a reading says nothing. */
function hasValue(reading: Readonly<Record<string, unknown>>): boolean {
  if (isRecord(reading.metrics) && Object.keys(reading.metrics).length > 0) return true
  return [...NUMBER_FIELDS, 'status', 'alert'].some((field) => !isMissing(reading[field]))
}

export function notTelemetry(path: string, why: string, cure: string): PlatformError {
  return new PlatformError(
    'file_not_telemetry',
    `${path} cannot be read as telemetry: ${why}. Nothing was taken.`,
    cure,
  )
}
