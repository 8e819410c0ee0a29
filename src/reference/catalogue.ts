import { readFile } from 'node:fs/promises'
import { PlatformError } from '../errors.ts'
import { DEFAULT_TENANT } from '../reading.ts'
import { type CsvRecord, decimalField, fieldError, isDate, parseCsv } from './csv.ts'

/** One device as the catalogue tells it; the columns of `reference.catalogue`. */
export interface CatalogueRow {
  tenant_id: string
  device_id: string
  device_type: string | null
  user_id: string | null
  location: string | null
  /** `YYYY-MM-DD` */
  installation_date: string | null
  manufacturer: string | null
  model: string | null
  /** W */
  rated_power_w: number | null
  /** s */
  expected_interval_s: number | null
  energy_source: 'counter' | 'reported' | 'integrated' | null
  /** Meter of the same home that the device lies behind. */
  parent_device_id: string | null
}

/** What a device is from when to when; the columns of `reference.catalogue_periods`. */
export interface CataloguePeriod extends Pick<
  CatalogueRow,
  | 'tenant_id'
  | 'device_id'
  | 'device_type'
  | 'user_id'
  | 'location'
  | 'installation_date'
  | 'manufacturer'
  | 'model'
> {
  /** ISO instants; the end is exclusive, null: open. */
  valid_from: string
  valid_to: string | null
}

export interface Catalogue {
  /** One for each device: of one with periods the newest. */
  rows: CatalogueRow[]
  /** Of the devices that have a `valid_from` or a `valid_to`. */
  periods: CataloguePeriod[]
  /** Sentences for the person who wrote it. */
  notices: string[]
}

const COLUMNS = {
  required: ['device_id'],
  optional: [
    'device_type',
    'user_id',
    'location',
    'installation_date',
    'manufacturer',
    'model',
    'tenant_id',
    'rated_power_w',
    'expected_interval_s',
    'energy_source',
    'parent_device_id',
    'valid_from',
    'valid_to',
  ],
} as const

/** Reads `device_catalog.csv`; its dates are days of `timeZone`. */
export async function readCatalogueCsv(path: string, timeZone: string): Promise<Catalogue> {
  return parseCatalogueCsv(await readInput(path), path, timeZone)
}

/** The text of an input file; `file_missing` where there is none. */
export async function readInput(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new PlatformError(
      'file_missing',
      `${path} cannot be read`,
      'Create the file, or name another one in the configuration.',
      { cause },
    )
  }
}

/** As `readCatalogueCsv`, from text; `file` is the name that errors use. */
export function parseCatalogueCsv(text: string, file: string, timeZone = 'UTC'): Catalogue {
  const records = parseCsv(text, file, COLUMNS).map((record) => ({ record, row: catalogueRow(record, file) }))
  const lineOf = new Map<string, number>()
  const listed = [...Map.groupBy(records, ({ row }) => deviceKey(row.tenant_id, row.device_id))].map(
    ([key, lines]) => {
      const spans = spansOf(lines, file)
      lineOf.set(key, spans.at(-1)!.record.line)
      return spans
    },
  )
  const rows = listed.map((spans) => spans.at(-1)!.row)
  const periods = listed.filter(isByPeriod).flatMap((spans) => spans.map((span) => periodOf(span, timeZone)))
  return { rows, periods, notices: checkParents(rows, file, lineOf) }
}

interface Span {
  record: CsvRecord
  row: CatalogueRow
  /** Local dates; the end is exclusive, null: open. */
  from: string
  to: string | null
}

const ALWAYS = '0001-01-01'
const isByPeriod = ([first, ...more]: readonly Span[]): boolean =>
  more.length > 0 || first!.from !== ALWAYS || first!.to !== null

/** The lines of one device in the order of time; each ends where the next begins, unless it ends before. */
function spansOf(lines: readonly { record: CsvRecord; row: CatalogueRow }[], file: string): Span[] {
  const dateOf = (record: CsvRecord, column: string): string | null => {
    const text = record.values[column] || null
    if (text === null || isDate(text)) return text
    throw fieldError(
      file,
      record,
      column,
      `"${text}" is no date`,
      'Write it as YYYY-MM-DD, or leave it empty.',
    )
  }
  const spans = lines
    .map(({ record, row }) => ({
      record,
      row,
      from: dateOf(record, 'valid_from') ?? ALWAYS,
      to: dateOf(record, 'valid_to'),
    }))
    .toSorted((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : a.record.line - b.record.line))
  return spans.map((span, index) => {
    const next = spans[index + 1]
    const { device_id: device, tenant_id: home } = span.row
    if (next !== undefined && next.from === span.from)
      throw fieldError(
        file,
        next.record,
        'device_id',
        `device "${device}" of home "${home}" is listed already in line ${span.record.line}`,
        'Keep one line for each device, or say with valid_from from when on each line holds.',
      )
    if (span.to !== null && span.to <= span.from)
      throw fieldError(
        file,
        span.record,
        'valid_to',
        `${span.to} lies before it begins`,
        'Let it be a later date.',
      )
    if (next !== undefined && span.to !== null && span.to > next.from)
      throw fieldError(
        file,
        span.record,
        'valid_to',
        `the line ${next.record.line} of the same device begins on ${next.from}, before this one ends`,
        'Let each line of a device end where the next begins, or leave valid_to empty.',
      )
    return { ...span, to: span.to ?? next?.from ?? null }
  })
}

function periodOf({ row, from, to }: Span, timeZone: string): CataloguePeriod {
  const instant = (date: string): string =>
    Temporal.PlainDate.from(date).toZonedDateTime(timeZone).toInstant().toString()
  const { tenant_id, device_id, device_type, user_id, location, installation_date, manufacturer, model } = row
  return {
    tenant_id,
    device_id,
    valid_from: from === ALWAYS ? '1970-01-01T00:00:00Z' : instant(from),
    valid_to: to === null ? null : instant(to),
    device_type,
    user_id,
    location,
    installation_date,
    manufacturer,
    model,
  }
}

function catalogueRow(record: CsvRecord, file: string): CatalogueRow {
  const text = (column: string): string | null => record.values[column] || null
  const number = (column: string): number | null => {
    // In thousandths it is a whole number, which must not be 0.
    const value = decimalField(file, record, column, { min: 0.001 })
    return value === null ? null : Number(value)
  }
  const device = text('device_id')
  if (device === null) {
    throw fieldError(file, record, 'device_id', 'it is empty', 'Name the device as its readings do.')
  }
  const installed = text('installation_date')
  if (installed !== null && !isDate(installed)) {
    throw fieldError(
      file,
      record,
      'installation_date',
      `"${installed}" is no date`,
      'Write it as YYYY-MM-DD, or leave it empty.',
    )
  }
  const source = text('energy_source')
  if (source !== null && source !== 'counter' && source !== 'reported' && source !== 'integrated') {
    throw fieldError(
      file,
      record,
      'energy_source',
      `"${source}" is no source of energy`,
      'Write counter, reported or integrated, or leave it empty.',
    )
  }
  return {
    tenant_id: text('tenant_id') ?? DEFAULT_TENANT,
    device_id: device,
    device_type: text('device_type'),
    user_id: text('user_id'),
    location: text('location'),
    installation_date: installed,
    manufacturer: text('manufacturer'),
    model: text('model'),
    rated_power_w: number('rated_power_w'),
    expected_interval_s: number('expected_interval_s'),
    energy_source: source,
    parent_device_id: text('parent_device_id'),
  }
}

/** A parent that is not listed may still report: a notice. A cycle has no total: an error. */
function checkParents(rows: readonly CatalogueRow[], file: string, lineOf: Map<string, number>): string[] {
  const parentOf = new Map(
    rows.map((row) => [deviceKey(row.tenant_id, row.device_id), row.parent_device_id] as const),
  )
  const notices: string[] = []
  for (const row of rows) {
    const key = deviceKey(row.tenant_id, row.device_id)
    const where = `${file}, line ${lineOf.get(key)}, column parent_device_id`
    const passed = [row.device_id]
    let parent = row.parent_device_id
    if (parent !== null && !parentOf.has(deviceKey(row.tenant_id, parent))) {
      notices.push(`${where}: the parent "${parent}" of "${row.device_id}" is not in the catalogue.`)
    }
    while (parent !== null && parent !== undefined) {
      const known = passed.includes(parent)
      passed.push(parent)
      if (known) {
        throw new PlatformError(
          'config_invalid',
          `${where}: parents run in a circle: ${passed.join(' → ')}`,
          'A parent is the meter nearer to the mains; let the outermost one have none.',
        )
      }
      parent = parentOf.get(deviceKey(row.tenant_id, parent)) ?? null
    }
  }
  return notices
}

function deviceKey(tenant: string, device: string): string {
  return JSON.stringify([tenant, device])
}
