/** All files of an import, read through and understood before anything of any of them is appended. */
import { isPlatformError, PlatformError } from '../../errors.ts'
import { expandPaths, inspectFile } from './files.ts'
import { checkMappingOptions, notTelemetry, type MappingOptions } from './options.ts'
import type { BrokenRow, SourceRow } from './rows.ts'
import type { RowFault, RowReader, RowResult } from './table.ts'
import { openZone, type Zone } from './times.ts'
import { understand } from './understand.ts'
import type { Understood } from './understood.ts'

export type UnreadableReason = RowFault | BrokenRow['reason']

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

export interface CheckOptions extends MappingOptions {
  /** Files, folders, patterns. */
  paths: readonly string[]
  /** IANA zone of times that name none. */
  timeZone: string
  onProgress?: (progress: ImportProgress) => void
}

/** A file of a folder or a pattern that is no telemetry: the others are taken all the same. */
export interface RefusedFile {
  path: string
  why: string
  cure: string
}

export interface CheckedFiles {
  understood: Understood[]
  refused: RefusedFile[]
}

/**
 * How all files are understood. Throws where one that was named itself is not, or none of those that a folder or pattern gave:
 * `usage`, `file_missing`, `file_truncated`, `file_not_telemetry`.
 */
export async function understandFiles(options: CheckOptions): Promise<CheckedFiles> {
  checkMappingOptions(options)
  const zone = zoneOf(options.timeZone)
  const paths = await expandPaths(options.paths)
  const understood: Understood[] = []
  const refused: RefusedFile[] = []
  let first: PlatformError | undefined
  for (const [filesDone, { path, isNamed }] of paths.entries()) {
    options.onProgress?.({
      path,
      filesDone,
      files: paths.length,
      bytesDone: 0,
      bytes: 0,
      rows: 0,
      phase: 'check',
    })
    try {
      const file = await inspectFile(path)
      const one = await understand(file, { ...options, zone })
      await checkFirstRows(one)
      understood.push(one)
    } catch (error) {
      if (isNamed || !isPlatformError(error) || !REFUSALS.has(error.code)) throw error
      first ??= error
      refused.push({ path, why: error.message, cure: error.cure })
    }
  }
  if (understood.length === 0 && first) throw first
  return { understood, refused }
}

/** What says that a file is the wrong one, and not that the import cannot go on. */
const REFUSALS: ReadonlySet<string> = new Set(['file_not_telemetry', 'file_truncated'])

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

/** So many rows without a reading in them are no telemetry. */
const FIRST_ROWS = 1_000

/** A file none of whose first rows is a reading is not understood: better said than counted row by row. */
async function checkFirstRows(understood: Understood): Promise<void> {
  const read = understood.reader()
  let fault: { reason: UnreadableReason; line: number } | undefined
  let rows = 0
  for await (const row of understood.rows()) {
    const result = resultOf(row, read)
    if (result.messages.length > 0) return
    fault ??= { reason: result.fault!, line: row.line }
    if (++rows === FIRST_ROWS) break
  }
  const { path } = understood.file
  if (!fault) throw notTelemetry(path, 'it holds no row', 'Check the file.')
  throw notTelemetry(
    path,
    `none of its first rows is a reading (line ${fault.line}: ${REASONS[fault.reason]})`,
    'Say which column is which with --map, --no-header, --delimiter and --date-order; --dry-run shows how it is understood.',
  )
}

/** A row that cannot be taken apart has no reading in it either. */
export function resultOf(
  row: SourceRow | BrokenRow,
  read: RowReader,
): Omit<RowResult, 'fault'> & { fault?: UnreadableReason } {
  return 'reason' in row ? { messages: [], badCells: 0, fault: row.reason } : read(row)
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
  cut_off: 'a last row that is cut off',
}
