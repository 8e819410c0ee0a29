/**
 * `smarthouse import`: files of readings go the way of live ones, marked as backfill, each row once however often the
 * import is run or killed. All files are read through and understood before anything of any of them is appended.
 */
import { createHash } from 'node:crypto'
import type { ReadableSink, StreamMessage } from '../source.ts'
import {
  resultOf,
  type CheckedFiles,
  type CheckOptions,
  type RefusedFile,
  type UnreadableReason,
} from './check.ts'
import { IMPORT_HEADER, linesInStream, openLedger, type Ledger } from './ledger.ts'
import type { DeviceWord, Understood } from './understood.ts'

/** Messages that are appended at once, at least. */
const BATCH_MESSAGES = 2_000
const EXAMPLES = 3

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
  /** Readings appended now; the others were appended by an earlier import. A row of a wide file is several. */
  appended: number
  /** Readings that the rows taken are. */
  readings: number
}

export interface ImportReport {
  rows: number
  taken: number
  readings: number
  appended: number
  unreadable: Partial<Record<UnreadableReason, UnreadableRows>>
  /** Cells of rows that were taken all the same: they are no number, and only they are left out. */
  cells: number
  /** What was taken for granted. */
  notes: string[]
  /** Homes that the files are of; rows that name one of their own are not asked. */
  tenants: string[]
  files: FileReport[]
  /** Files of folders and patterns that were left out. */
  refused: RefusedFile[]
}

export interface ImportOptions extends Pick<CheckOptions, 'onProgress'> {
  log: ReadableSink
  /** Folder of the ledger, `imports.sqlite`: beside the stream. */
  ledgerDir: string
  /** Hears what the import knows of devices, before the first of their readings is appended. */
  onDevices?: (devices: readonly DeviceWord[]) => Promise<void>
  /** Stops between two batches; the next import goes on from there. */
  signal?: AbortSignal
}

/**
 * Imports files that are understood. Throws `already_running` where another import is at work. Rows that cannot be read are
 * counted by reason.
 */
export async function importFiles(
  { understood, refused }: CheckedFiles,
  options: ImportOptions,
): Promise<ImportReport> {
  const bytes = understood.reduce((sum, { file }) => sum + file.bytes, 0)
  const progress = { path: '', filesDone: 0, files: understood.length, bytesDone: 0, bytes, rows: 0 }
  const notes = understood.flatMap(({ file, notes: own }) => own.map((note) => `${file.path}: ${note}`))
  const tenants = [...new Set(understood.map(({ tenant }) => tenant))]
  const report: ImportReport = {
    rows: 0,
    taken: 0,
    readings: 0,
    appended: 0,
    unreadable: {},
    cells: 0,
    notes,
    tenants,
    files: [],
    refused,
  }
  const devices = distinctDevices(understood)
  const ledger = openLedger(options.ledgerDir)
  try {
    if (devices.length > 0) await options.onDevices?.(devices)
    for (const one of understood) {
      if (options.signal?.aborted) break
      const { file } = one
      const fileReport = await importFile(one, ledger, options, report, (share, rows) => {
        options.onProgress?.({
          ...progress,
          path: file.path,
          bytesDone: progress.bytesDone + Math.floor(share * file.bytes),
          rows: progress.rows + rows,
          phase: 'append',
        })
      })
      report.files.push(fileReport)
      for (const count of ['rows', 'taken', 'readings', 'appended'] as const)
        report[count] += fileReport[count]
      progress.filesDone++
      progress.bytesDone += file.bytes
      progress.rows += fileReport.rows
    }
  } finally {
    ledger.close()
  }
  return report
}

/** The word of the last file on each device. */
function distinctDevices(understood: readonly Understood[]): DeviceWord[] {
  const words = understood.flatMap(({ devices }) => devices)
  return [...new Map(words.map((word) => [JSON.stringify([word.tenant_id, word.device_id]), word])).values()]
}

async function importFile(
  understood: Understood,
  ledger: Ledger,
  options: ImportOptions,
  report: ImportReport,
  onProgress: (share: number, rows: number) => void,
): Promise<FileReport> {
  const { file, width, device } = understood
  const key = createHash('sha256').update(`${file.digest} ${understood.digest}`).digest('hex').slice(0, 32)
  const before = ledger.find(key)
  const isAppended = await appendedNumbers(options.log, key, before)
  const read = understood.reader()
  const counts: FileReport = { path: file.path, device, rows: 0, taken: 0, readings: 0, appended: 0 }
  let share = 0
  let messages: StreamMessage[] = []
  let next = 1
  let from = before?.fromLine ?? 1
  // Part of a batch that was announced before may lie further back in the stream: it is looked for from there again.
  let ends = before && before.fromLine < before.nextLine ? before.ends : undefined
  const append = async (): Promise<void> => {
    const announced = { nextLine: next, fromLine: from, ends: ends ?? (await options.log.bounds()) }
    ledger.announce(key, file.path, announced)
    await options.log.append(messages)
    counts.appended += messages.length
    messages = []
    from = next
    ends = undefined
    onProgress(share, counts.rows)
  }
  for await (const row of understood.rows((now) => (share = now))) {
    counts.rows++
    // Every message of a file has a number: those of a row follow each other.
    next = (row.line + 1) * width
    const result = resultOf(row, read)
    report.cells += result.badCells
    if (result.fault !== undefined) {
      const text = 'reason' in row ? row.text : ''
      countUnreadable(report, result.fault, { path: file.path, line: row.line, text })
      continue
    }
    counts.taken++
    counts.readings += result.messages.length
    for (const { index, message } of result.messages) {
      const number = row.line * width + index
      if (isAppended(number)) continue
      messages.push({ ...message, headers: { [IMPORT_HEADER]: `${key}/${number}` } })
    }
    if (messages.length < BATCH_MESSAGES || next < (before?.nextLine ?? 0)) continue
    await append()
    if (options.signal?.aborted) break
  }
  if (messages.length > 0) await append()
  // All announced is appended now: nothing is left to be looked for, however long ago the stream has been trimmed.
  from = Math.max(from, next)
  ledger.announce(key, file.path, { nextLine: from, fromLine: from, ends: [] })
  onProgress(1, counts.rows)
  return counts
}

/** Which messages, by number, an earlier import has appended: all before its last batch, and of that what the stream holds. */
async function appendedNumbers(
  log: ReadableSink,
  key: string,
  before: ReturnType<Ledger['find']>,
): Promise<(number: number) => boolean> {
  if (!before) return () => false
  // Where nothing is announced that may not have arrived, there is nothing to look for in the stream.
  const isUnsure = before.fromLine < before.nextLine
  const found = isUnsure ? await linesInStream(log, key, before) : new Set<number>()
  return (number) => number < before.fromLine || (number < before.nextLine && found.has(number))
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
