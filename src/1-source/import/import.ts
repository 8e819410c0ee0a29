/**
 * `smarthouse import`: files of readings go the way of live ones, marked as backfill, each row once however often the
 * import is run or killed. All files are read through and understood before anything of any of them is appended.
 */
import { createHash } from 'node:crypto'
import { PlatformError } from '../../errors.ts'
import type { ReadableSink, StreamMessage } from '../source.ts'
import { expandPaths, inspectFile, readText, type SourceFile } from './files.ts'
import { IMPORT_HEADER, linesInStream, openLedger, type Ledger } from './ledger.ts'
import {
  checkMappingOptions,
  notTelemetry,
  toMessage,
  understand,
  type Mapping,
  type MappingOptions,
  type RowFault,
} from './mapping.ts'
import { readRows, type BrokenRow } from './rows.ts'
import { openZone, type Zone } from './times.ts'

const BATCH_ROWS = 2_000
const EXAMPLES = 3

export type UnreadableReason = RowFault | BrokenRow['reason']

export interface UnreadableRows {
  count: number
  /** The first of them. */
  examples: { path: string; line: number; text: string }[]
}

export interface FileReport {
  path: string
  /** The device, where the whole file is of one. */
  device: string | undefined
  /** Rows read, the header and blank lines not counted. */
  rows: number
  /** Rows that are readings. */
  taken: number
  /** Of those, appended now; the others were appended by an earlier import. */
  appended: number
}

export interface ImportReport {
  rows: number
  taken: number
  appended: number
  unreadable: Partial<Record<UnreadableReason, UnreadableRows>>
  files: FileReport[]
}

export interface ImportProgress {
  path: string
  /** Files done, of how many. */
  filesDone: number
  files: number
  /** Bytes read of all files, as they lie on disk, of how many. */
  bytesDone: number
  bytes: number
  rows: number
  /** First the files are checked, then they are appended. */
  phase: 'check' | 'append'
}

export interface ImportOptions extends MappingOptions {
  /** Files, folders, patterns. */
  paths: readonly string[]
  log: ReadableSink
  /** Folder of the ledger, `imports.sqlite`: beside the stream. */
  ledgerDir: string
  /** IANA zone of times that name none. */
  timeZone: string
  onProgress?: (progress: ImportProgress) => void
  /** Stops between two batches; the next import goes on from there. */
  signal?: AbortSignal
}

/**
 * Imports files. Throws before anything is appended: `usage`, `file_missing`, `file_truncated`, `file_not_telemetry`;
 * `already_running` where another import is at work. Rows that cannot be read are counted by reason.
 */
export async function importFiles(options: ImportOptions): Promise<ImportReport> {
  checkMappingOptions(options)
  const zone = zoneOf(options.timeZone)
  const paths = await expandPaths(options.paths)
  const progress = { path: '', filesDone: 0, files: paths.length, bytesDone: 0, bytes: 0, rows: 0 }
  const understood: { file: SourceFile; mapping: Mapping }[] = []
  for (const path of paths) {
    options.onProgress?.({ ...progress, path, phase: 'check' })
    const file = await inspectFile(path)
    const mapping = understand(file, options, zone, options.timeZone)
    await checkSample(file, mapping, options)
    understood.push({ file, mapping })
    progress.filesDone++
    progress.bytes += file.bytes
  }
  progress.filesDone = 0
  const report: ImportReport = { rows: 0, taken: 0, appended: 0, unreadable: {}, files: [] }
  const ledger = openLedger(options.ledgerDir)
  try {
    for (const { file, mapping } of understood) {
      if (options.signal?.aborted) break
      const fileReport = await importFile(file, mapping, ledger, options, report, (bytes, rows) => {
        options.onProgress?.({
          ...progress,
          path: file.path,
          bytesDone: progress.bytesDone + bytes,
          rows: progress.rows + rows,
          phase: 'append',
        })
      })
      report.files.push(fileReport)
      for (const count of ['rows', 'taken', 'appended'] as const) report[count] += fileReport[count]
      progress.filesDone++
      progress.bytesDone += file.bytes
      progress.rows += fileReport.rows
    }
  } finally {
    ledger.close()
  }
  return report
}

function zoneOf(name: string): Zone {
  try {
    return openZone(name)
  } catch (error) {
    throw new PlatformError(
      'usage',
      `There is no time zone ${name}.`,
      'Use an IANA name such as Europe/Berlin.',
      {
        cause: error,
      },
    )
  }
}

/** A file none of whose first rows is a reading is not understood: better said than counted row by row. */
async function checkSample(file: SourceFile, mapping: Mapping, options: ImportOptions): Promise<void> {
  const times = mapping.times()
  let fault: { reason: UnreadableReason; line: number } | undefined
  async function* sample(): AsyncGenerator<string> {
    yield file.sample
  }
  for await (const row of readRows(sample(), mapping.format)) {
    const result = 'reason' in row ? row.reason : toMessage(row, mapping, times, options)
    if (typeof result !== 'string') return
    fault ??= { reason: result, line: row.line }
  }
  if (!fault) throw notTelemetry(file.path, 'it holds no row', 'Check the file.')
  throw notTelemetry(
    file.path,
    `none of its first rows is a reading (line ${fault.line}: ${REASONS[fault.reason]})`,
    'Say which column is which with --map, --no-header, --delimiter and --date-order.',
  )
}

/** What each reason means, for people. */
export const REASONS: Readonly<Record<UnreadableReason, string>> = {
  no_time: 'no time that can be read',
  no_value: 'no value',
  no_device: 'no device',
  bad_number: 'a value that is no number',
  not_json: 'no JSON object',
  quote_not_closed: 'a quotation that is not closed',
  too_long: 'longer than a row can be',
}

async function importFile(
  file: SourceFile,
  mapping: Mapping,
  ledger: Ledger,
  options: ImportOptions,
  report: ImportReport,
  onProgress: (bytes: number, rows: number) => void,
): Promise<FileReport> {
  const key = createHash('sha256').update(`${file.digest} ${mapping.digest}`).digest('hex').slice(0, 32)
  const before = ledger.find(key)
  const isAppended = await appendedLines(options.log, key, before)
  const times = mapping.times()
  const counts: FileReport = { path: file.path, device: mapping.device, rows: 0, taken: 0, appended: 0 }
  let bytes = 0
  let messages: StreamMessage[] = []
  let nextLine = 1
  let fromLine = before?.fromLine ?? 1
  // Part of a batch that was announced before may lie further back in the stream: it is looked for from there again.
  let ends = before && before.fromLine < before.nextLine ? before.ends : undefined
  const append = async (): Promise<void> => {
    ledger.announce(key, file.path, { nextLine, fromLine, ends: ends ?? (await options.log.bounds()) })
    await options.log.append(messages)
    counts.appended += messages.length
    messages = []
    fromLine = nextLine
    ends = undefined
    onProgress(bytes, counts.rows)
  }
  for await (const row of readRows(
    readText(file.path, (read) => (bytes = read)),
    mapping.format,
  )) {
    counts.rows++
    nextLine = row.line + 1
    const result = 'reason' in row ? row.reason : toMessage(row, mapping, times, options)
    if (typeof result === 'string') {
      const text = 'reason' in row ? row.text : ''
      countUnreadable(report, result, { path: file.path, line: row.line, text })
      continue
    }
    counts.taken++
    if (isAppended(row.line)) continue
    messages.push({ ...result, headers: { [IMPORT_HEADER]: `${key}/${row.line}` } })
    if (messages.length < BATCH_ROWS || nextLine < (before?.nextLine ?? 0)) continue
    await append()
    if (options.signal?.aborted) break
  }
  if (messages.length > 0) await append()
  // All announced is appended now: nothing is left to be looked for, however long ago the stream has been trimmed.
  fromLine = Math.max(fromLine, nextLine)
  ledger.announce(key, file.path, { nextLine: fromLine, fromLine, ends: [] })
  onProgress(bytes, counts.rows)
  return counts
}

/** Which lines an earlier import has appended: all before its last batch, and of that what the stream holds. */
async function appendedLines(
  log: ReadableSink,
  key: string,
  before: ReturnType<Ledger['find']>,
): Promise<(line: number) => boolean> {
  if (!before) return () => false
  // Where nothing is announced that may not have arrived, there is nothing to look for in the stream.
  const isUnsure = before.fromLine < before.nextLine
  const found = isUnsure ? await linesInStream(log, key, before) : new Set<number>()
  return (line) => line < before.fromLine || (line < before.nextLine && found.has(line))
}

function countUnreadable(
  report: ImportReport,
  reason: UnreadableReason,
  example: UnreadableRows['examples'][number],
): void {
  const rows = (report.unreadable[reason] ??= { count: 0, examples: [] })
  rows.count++
  if (rows.examples.length < EXAMPLES) rows.examples.push(example)
}
