/** `import --dry-run`: how each file would be understood, with its first rows as readings; nothing is appended. */
import type { Reading } from '../../reading.ts'
import {
  resultOf,
  understandFiles,
  type CheckOptions,
  type RefusedFile,
  type UnreadableReason,
} from './check.ts'
import type { DeviceWord } from './understood.ts'

const ROWS_SHOWN = 5

export interface RowPreview {
  line: number
  readings: Reading[]
  /** Why it is none. */
  fault?: UnreadableReason
}

export interface FilePreview {
  path: string
  description: string[]
  notes: string[]
  devices: DeviceWord[]
  rows: RowPreview[]
}

export interface Preview {
  files: FilePreview[]
  refused: RefusedFile[]
}

/** Throws as the import itself does. */
export async function previewFiles(options: CheckOptions): Promise<Preview> {
  const { understood: all, refused } = await understandFiles(options)
  const files: FilePreview[] = []
  for (const understood of all) {
    const { file, description, notes, devices } = understood
    const read = understood.reader()
    const rows: RowPreview[] = []
    for await (const row of understood.rows()) {
      const { messages, fault } = resultOf(row, read)
      const readings = messages.map(
        ({ message }) => JSON.parse(Buffer.from(message.value).toString()) as Reading,
      )
      rows.push({ line: row.line, readings, ...(fault !== undefined && { fault }) })
      if (rows.length === ROWS_SHOWN) break
    }
    files.push({ path: file.path, description, notes, devices, rows })
  }
  return { files, refused }
}
