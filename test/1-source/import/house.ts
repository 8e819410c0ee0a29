/** A stream and a folder of files to import, in a temporary folder. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { understandFiles, type CheckOptions } from '../../../src/1-source/import/check.ts'
import { importFiles, type ImportOptions, type ImportReport } from '../../../src/1-source/import/import.ts'
import { openEmbeddedLog } from '../../../src/2-stream/embedded.ts'
import type { StreamLog } from '../../../src/2-stream/log.ts'
import { readAll } from '../../2-stream/log.contract.ts'

export interface ImportHouse {
  dir: string
  log: StreamLog
  /** Writes a file and returns its path. */
  file(name: string, content: string | Uint8Array): string
  import(path: string | string[], options?: Partial<CheckOptions & ImportOptions>): Promise<ImportReport>
  /** All readings in the stream, in order. */
  readings(): Promise<Record<string, unknown>[]>
  remove(): Promise<void>
}

export async function openImportHouse(): Promise<ImportHouse> {
  const dir = mkdtempSync(join(tmpdir(), 'smarthouse-import-'))
  const log = await openEmbeddedLog({ dir: join(dir, 'stream') })
  return {
    dir,
    log,
    file(name, content) {
      const path = join(dir, 'files', name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
      return path
    },
    async import(path, options) {
      const files = await understandFiles({ paths: [path].flat(), timeZone: 'Europe/Berlin', ...options })
      return await importFiles(files, { log, ledgerDir: join(dir, 'stream'), ...options })
    },
    async readings() {
      const records = await readAll(log)
      return records.map(
        (record) => JSON.parse(Buffer.from(record.value).toString()) as Record<string, unknown>,
      )
    },
    async remove() {
      await log.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
