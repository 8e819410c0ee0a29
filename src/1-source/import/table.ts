/** Rows of a table → readings: one device with several fields, or, in a wide file, a device in each column. */
import { DEFAULT_TENANT, NUMBER_FIELDS, TEXT_FIELDS } from '../../reading.ts'
import type { StreamMessage } from '../source.ts'
import type { FieldColumn } from './columns.ts'
import { isNumberField } from './options.ts'
import type { SourceRow } from './rows.ts'
import { EventTimes, isoTime, type EventTime, type TimeForm } from './times.ts'
import { isMissing, isRecord, parseNumber } from './values.ts'

export type RowFault = 'no_time' | 'no_value' | 'no_device' | 'bad_number'

/** What one device has in a row. */
export interface Series {
  device: string | undefined
  type: string | undefined
  fields: readonly FieldColumn[]
}

export interface TableForm {
  /** Columns of the time, from 0; of JSON lines the field. */
  times: readonly number[] | string
  series: readonly Series[]
  tenant: string | undefined
  /** Name of the file. */
  source: string
  timeForm: TimeForm
  labels: 'start' | 'end' | undefined
  /** ms; 0: not known, and not needed. */
  intervalMs: number
  missing: ReadonlySet<string>
}

/** What a row came to. Each message has a number of its own in its row. */
export interface RowResult {
  messages: { index: number; message: StreamMessage }[]
  /** Why it is no reading. */
  fault?: RowFault
  /** Cells that were left out since they are no number; the others of the row are taken. */
  badCells: number
}

export type RowReader = (row: SourceRow) => RowResult

type Fields = Record<string, unknown>

/** So many messages may a row become. */
export function widthOf({ series }: Pick<TableForm, 'series'>): number {
  return series.length * 2
}

export function timeTextOf(row: SourceRow, times: readonly number[] | string): string {
  if (typeof times === 'string') return textOf(row.json?.[times])
  return times.map((index) => textOf(row.cells[index])).join(' ')
}

function textOf(value: unknown): string {
  return typeof value === 'string'
    ? value.trim()
    : typeof value === 'number' || typeof value === 'bigint'
      ? String(value)
      : ''
}

/** Reads the rows of one file in their order. */
export function tableReader(form: TableForm): RowReader {
  const times = new EventTimes(form.timeForm)
  return (row) => {
    const time = times.read(timeTextOf(row, form.times), deviceKey(row, form))
    const read = form.series.map((series) => valuesOf(row, series, form, time))
    const badCells = read.reduce((sum, { bad }) => sum + bad, 0)
    const filled = read.filter(({ own, other }) => hasValue(own) || hasValue(other))
    const fault = faultOf(filled, badCells, time)
    if (fault !== undefined || !time) return { messages: [], badCells: 0, fault: fault ?? 'no_time' }
    const messages: RowResult['messages'] = []
    for (const { own, other, device, number } of filled) {
      const label = { device: String(device), time, form }
      if (hasValue(own)) messages.push({ index: number * 2, message: message(own, time.ms, label) })
      if (hasValue(other))
        messages.push({ index: number * 2 + 1, message: message(other, otherEnd(time, form), label) })
    }
    return { messages, badCells }
  }
}

function faultOf(
  filled: readonly Values[],
  badCells: number,
  time: EventTime | undefined,
): RowFault | undefined {
  if (filled.length === 0) return badCells > 0 ? 'bad_number' : 'no_value'
  if (filled.some(({ device }) => isMissing(device))) return 'no_device'
  return time ? undefined : 'no_time'
}

/** Whose times follow each other: in a wide file all devices' together. */
function deviceKey(row: SourceRow, { series }: TableForm): string {
  const [only] = series
  if (series.length > 1 || only?.device !== undefined) return ''
  const column = only?.fields.find(({ field }) => field === 'device_id')
  return String((column ? row.cells[column.index] : row.json?.device_id) ?? '')
}

interface Values {
  /** Fields at the row's time, and those at the other end of its interval. */
  own: Fields
  other: Fields
  device: unknown
  /** Place of the series among the others. */
  number: number
  bad: number
}

function valuesOf(row: SourceRow, series: Series, form: TableForm, time: EventTime | undefined): Values {
  const base: Fields = { protocol: 'import', source_topic: form.source, ...row.json }
  if (row.json) {
    delete base[String(form.times)]
    for (const { name } of series.fields) delete base[name]
  }
  const own: Fields = base
  const other: Fields = {}
  let bad = 0
  for (const column of series.fields) {
    const { field } = column
    const value = row.json ? row.json[column.name] : row.cells[column.index]
    if (isMissing(value, form.missing)) continue
    if (!isNumberField(field)) {
      base[field] = String(value)
      continue
    }
    const number = parseNumber(value, column)
    if (number === undefined) {
      bad++
      continue
    }
    const target = isAtOtherEnd(field, form.labels, time?.isDay ?? false) ? other : own
    if (field.startsWith('metrics.'))
      target.metrics = { ...(target.metrics as object | undefined), [field.slice('metrics.'.length)]: number }
    else target[field] = number
  }
  if (series.type !== undefined) base.device_type = series.type
  const device = series.device ?? base.device_id
  if (hasValue(other)) Object.assign(other, textFields(base))
  return { own, other, device, number: form.series.indexOf(series), bad }
}

function textFields(base: Fields): Fields {
  const names = ['protocol', 'source_topic', ...TEXT_FIELDS]
  return Object.fromEntries(names.flatMap((name) => (base[name] === undefined ? [] : [[name, base[name]]])))
}

/**
 * A power holds from its time on, an energy was used until its time: where the file labels them the other way, the other
 * end of the interval counts. A date alone is the day as a whole.
 */
function isAtOtherEnd(field: string, labels: TableForm['labels'], isDay: boolean): boolean {
  if (field === 'energy_consumption_wh') return labels === 'start' || (labels === undefined && isDay)
  return field === 'power_usage' && labels === 'end'
}

function message(
  fields: Fields,
  ms: number,
  { device, time, form }: { device: string; time: EventTime; form: TableForm },
): StreamMessage {
  const tenant = form.tenant ?? (isMissing(fields.tenant_id) ? DEFAULT_TENANT : String(fields.tenant_id))
  const complete = {
    ...fields,
    device_id: device,
    timestamp: isoTime(ms, time.fraction),
    // A time that spring leaves out falls on one of an hour later: it is no conflict with that one.
    ...(time.skipped !== undefined && fields.event_id === undefined && { event_id: time.skipped }),
    ...(tenant !== DEFAULT_TENANT && { tenant_id: tenant }),
    ingest_kind: 'backfill',
  }
  const key = tenant === DEFAULT_TENANT ? device : `${tenant}/${device}`
  return { key, value: Buffer.from(JSON.stringify(complete)) }
}

function otherEnd(time: EventTime, { labels, intervalMs }: TableForm): number {
  if (labels === 'end') return time.ms - intervalMs
  return time.isDay ? time.dayEndMs : time.ms + intervalMs
}

/** A status, an alert or any number: with none of them a reading says nothing. */
function hasValue(fields: Fields): boolean {
  if (isRecord(fields.metrics) && Object.keys(fields.metrics).length > 0) return true
  return [...NUMBER_FIELDS, 'status', 'alert'].some((field) => !isMissing(fields[field]))
}
