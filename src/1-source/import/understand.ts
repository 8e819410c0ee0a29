/** How a file is understood: as a whole, before any row of it is taken, by its content and by what a person said. */
import { basename } from 'node:path'
import { DEFAULT_TENANT } from '../../reading.ts'
import { fieldColumns, labelsIn, timeColumns, type Sample } from './columns.ts'
import { describe, deviceWords, notesOf } from './description.ts'
import { history, recorder } from './entities.ts'
import { nameWithoutEndings, readText, type SourceFile } from './files.ts'
import { findDelimiter, layoutOf } from './layout.ts'
import { fromPath, isNumberField, notTelemetry } from './options.ts'
import { openParquet } from './parquet.ts'
import { readRows, splitRow, type Format, type SourceRow } from './rows.ts'
import { surveyTimes } from './survey.ts'
import { tableReader, timeTextOf, widthOf, type Series, type TableForm } from './table.ts'
import { digestOf, type UnderstandOptions, type Understood } from './understood.ts'
import { wideSeries } from './wide.ts'

/** Throws `file_not_telemetry` where a file is none, or is not clear. */
export async function understand(file: SourceFile, options: UnderstandOptions): Promise<Understood> {
  if (file.kind === 'sqlite') return recorder(file, options)
  if (file.kind === 'parquet') return await parquet(file, options)
  return await text(file, options)
}

type Rows = Understood['rows']

async function text(file: SourceFile, options: UnderstandOptions): Promise<Understood> {
  const { path, sample } = file
  const start = sample.replace('\uFEFF', '').trimStart()
  if (start === '') throw notTelemetry(path, 'it is empty', 'Check the file.')
  if (sample.includes('\0'))
    throw notTelemetry(path, 'it is no text', 'Convert it to CSV, Parquet or JSON lines.')
  if (start.startsWith('['))
    throw notTelemetry(path, 'it begins like a JSON array', 'Write one JSON object a line instead.')
  if (start.startsWith('{')) {
    const format: Format = { kind: 'jsonl', delimiter: '', headerLine: 0, columns: 0 }
    return await jsonLines(file, textRows(file, format), options)
  }
  const delimiter = options.delimiter ?? findDelimiter(sample)
  if (delimiter === undefined)
    throw notTelemetry(
      path,
      'it is neither JSON lines nor has it columns',
      'Name the delimiter with --delimiter.',
    )
  const { format, names } = layoutOf(sample, delimiter, options.header)
  const lines = sample.replace('\uFEFF', '').split(/\r?\n/).slice(format.headerLine)
  const rows = lines
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => splitRow(line, delimiter) ?? [])
  const first = { path, names, rows, delimiter, timeColumns: [] }
  const kind = `CSV, columns parted by ${delimiter === '\t' ? 'tabs' : delimiter === ' ' ? 'spaces' : `"${delimiter}"`}, ${format.headerLine > 0 ? `header in line ${format.headerLine}` : 'no header'}`
  return await tableFile(file, first, textRows(file, format), kind, options)
}

function textRows({ path, bytes: size }: SourceFile, format: Format): Rows {
  return async function* (onShare) {
    const pieces = readText(path, (bytes) => onShare?.(bytes / Math.max(1, size)))
    yield* readRows(pieces, format)
  }
}

async function parquet(file: SourceFile, options: UnderstandOptions): Promise<Understood> {
  const { names, timeColumns: times, rows } = await openParquet(file.path)
  const first: (readonly unknown[])[] = []
  for await (const { cells } of rows(() => undefined)) {
    first.push(cells)
    if (first.length === 1000) break
  }
  const sample = { path: file.path, names, rows: first, delimiter: '', timeColumns: times }
  return await tableFile(file, sample, (onShare) => rows(onShare ?? (() => undefined)), 'Parquet', options)
}

async function tableFile(
  file: SourceFile,
  sample: Sample,
  rows: Rows,
  kind: string,
  options: UnderstandOptions,
): Promise<Understood> {
  const isMapped = options.field !== undefined || Object.keys(options.map ?? {}).some(isNumberField)
  const lower = sample.names.map((name) => name.toLowerCase())
  if (!options.wide && !isMapped && lower.includes('entity_id') && lower.includes('state'))
    return await history(file, sample, rows, options)
  const times = timeColumns(sample, options)
  const labels = options.labels ?? labelsIn(sample.names[times[0]!] ?? '')
  const device = options.device === undefined ? undefined : fromPath('device', options.device, file.path)
  const type = options.type === undefined ? undefined : fromPath('type', options.type, file.path)
  let series: Series[]
  if (options.wide) series = wideSeries(sample, times, options, { device, type })
  else {
    const fields = fieldColumns(sample, times, options)
    const isNamed = fields.some(({ field }) => field === 'device_id')
    series = [{ device: device ?? (isNamed ? undefined : nameWithoutEndings(file.path)), type, fields }]
  }
  return await table(file, { times, series }, rows, kind, { ...options, ...(labels && { labels }) })
}

async function jsonLines(file: SourceFile, rows: Rows, options: UnderstandOptions): Promise<Understood> {
  const { timestamp = 'timestamp', ...map } = options.map ?? {}
  const device = options.device === undefined ? undefined : fromPath('device', options.device, file.path)
  const type = options.type === undefined ? undefined : fromPath('type', options.type, file.path)
  const fields = Object.entries(map).map(([field, name]) => {
    const unit = (options.units ?? []).find((given) => !given.includes('='))
    return { field, name, index: -1, ...(unit !== undefined && isNumberField(field) && { unit }) }
  })
  return await table(
    file,
    { times: timestamp, series: [{ device, type, fields }] },
    rows,
    'JSON lines',
    options,
  )
}

async function table(
  file: SourceFile,
  columns: Pick<TableForm, 'times' | 'series'>,
  rows: Rows,
  kind: string,
  options: UnderstandOptions,
): Promise<Understood> {
  const { zone, labels } = options
  const { times, series } = columns
  const surveyed = {
    path: file.path,
    rows: () => rows(),
    timeText: (row: SourceRow) => timeTextOf(row, times),
    deviceOf: deviceColumn(columns),
  }
  const survey = await surveyTimes(surveyed, zone, options)
  const intervalMs = options.intervalMs ?? survey.stepMs
  if (labels !== undefined && intervalMs === 0)
    throw notTelemetry(
      file.path,
      'how long its intervals are is not clear',
      'Say it, for example --interval 1h.',
    )
  const tenant = options.tenant === undefined ? undefined : fromPath('tenant', options.tenant, file.path)
  const form: TableForm = {
    times,
    series,
    tenant,
    source: basename(file.path),
    timeForm: {
      zone,
      orders: survey.orders,
      descending: survey.descending,
      midnightEnds: survey.midnightEnds,
    },
    labels,
    intervalMs,
    missing: new Set(options.missing),
  }
  const understanding = [columns, tenant, labels, intervalMs, options.timeZone, survey, options.missing]
  return {
    file,
    digest: digestOf(understanding),
    device: series.length === 1 ? series[0]!.device : undefined,
    tenant: tenant ?? DEFAULT_TENANT,
    width: widthOf(columns),
    description: describe(kind, columns, form, survey, options),
    notes: notesOf(columns, survey, options),
    devices: deviceWords(columns, tenant, intervalMs, options),
    rows,
    reader: () => tableReader(form),
  }
}

function deviceColumn({ series }: Pick<TableForm, 'series'>): (row: SourceRow) => string {
  const column = series.length > 1 ? undefined : series[0]?.fields.find(({ field }) => field === 'device_id')
  if (series.length > 1 || series[0]?.device !== undefined) return () => ''
  return (row) => String((column ? row.cells[column.index] : row.json?.device_id) ?? '')
}
