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
  ],
} as const

/** Reads `device_catalog.csv`; `notices` are sentences for the person who wrote it. */
export async function readCatalogueCsv(path: string): Promise<{ rows: CatalogueRow[]; notices: string[] }> {
  return parseCatalogueCsv(await readInput(path), path)
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
export function parseCatalogueCsv(text: string, file: string): { rows: CatalogueRow[]; notices: string[] } {
  const records = parseCsv(text, file, COLUMNS)
  const lineOf = new Map<string, number>()
  const rows = records.map((record) => {
    const row = catalogueRow(record, file)
    const key = deviceKey(row.tenant_id, row.device_id)
    const before = lineOf.get(key)
    if (before !== undefined) {
      throw fieldError(
        file,
        record,
        'device_id',
        `device "${row.device_id}" of home "${row.tenant_id}" is listed already in line ${before}`,
        'Keep one line for each device.',
      )
    }
    lineOf.set(key, record.line)
    return row
  })
  return { rows, notices: checkParents(rows, file, lineOf) }
}

function catalogueRow(record: CsvRecord, file: string): CatalogueRow {
  const text = (column: string): string | null => record.values[column] || null
  const number = (column: string): number | null => {
    const value = decimalField(file, record, column, { min: 0, exclusive: true })
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
