import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { openDuckDb, openLake, type Engine, type Lake, type Session } from '../../src/lake/index.ts'
import { temporaryFolder } from './temporary.ts'

/** Tables as other writers make them: log entries and data files put down by hand. */

export const FOREIGN = 'bronze.foreign'
export const PROTOCOL = { protocol: { minReaderVersion: 1, minWriterVersion: 2 } }

/** One field of a schema: its name and type, as Spark writes them. */
export type Field = [name: string, type: unknown]

export function metaData(
  fields: readonly Field[],
  partitionColumns: readonly string[] = [],
  more: object = {},
): object {
  const schema = {
    type: 'struct',
    fields: fields.map(([name, type]) => ({ name, type, nullable: true, metadata: {} })),
  }
  return {
    metaData: {
      id: '5fba94ed-9794-4965-ba6e-6ee3c0d22af9',
      format: { provider: 'parquet', options: {} },
      schemaString: JSON.stringify(schema),
      partitionColumns,
      configuration: {},
      createdTime: 1,
      ...more,
    },
  }
}

/** `file` as the log spells it, URI-encoded. */
export function add(
  file: string,
  partitionValues: Record<string, string | null> = {},
  more: object = {},
): object {
  return { add: { path: file, partitionValues, size: 1, modificationTime: 1, dataChange: true, ...more } }
}

export function remove(file: string): object {
  return { remove: { path: file, deletionTimestamp: 1, dataChange: true } }
}

export interface ForeignWorld {
  root: string
  lake: Lake
  engine: Engine
  session: Session
  /** Puts an entry down, as lines of JSON. */
  entry(version: number, actions: readonly object[]): Promise<void>
  /** Puts a file into the log's folder. */
  inLog(name: string, bytes: string | Uint8Array): Promise<void>
  /** Writes a data file, or a checkpoint, from a select; the path is that on the disk. */
  parquet(file: string, select: string): Promise<void>
  /** All rows, as a lake that opens the folder anew reads them. */
  rows(select?: string, at?: number): Promise<Record<string, unknown>[]>
}

export async function foreignWorld(t: TestContext): Promise<ForeignWorld> {
  const root = await temporaryFolder(t)
  const engine = await openDuckDb({ threads: 1, memoryLimitMb: 256 })
  t.after(() => engine.close())
  const session = await engine.session()
  const folder = path.join(root, 'bronze', 'foreign')
  const log = path.join(folder, '_delta_log')
  await mkdir(log, { recursive: true })
  const lake = await openLake({ root, engine })
  return {
    root,
    lake,
    engine,
    session,
    entry: (version, actions) =>
      writeFile(
        path.join(log, `${String(version).padStart(20, '0')}.json`),
        actions.map((action) => `${JSON.stringify(action)}\n`).join(''),
      ),
    inLog: (name, bytes) => writeFile(path.join(log, name), bytes),
    async parquet(file, select) {
      const target = path.join(folder, ...file.split('/'))
      await mkdir(path.dirname(target), { recursive: true })
      await session.run(
        `COPY (${select}) TO '${target.replaceAll('\\', '/').replaceAll("'", "''")}' (FORMAT parquet)`,
      )
    },
    async rows(select = '*', at) {
      const cold = await openLake({ root, engine })
      const { files } = await cold.snapshot(FOREIGN, at)
      return session.rows(`SELECT ${select} FROM ${cold.scan(FOREIGN, files)} ORDER BY ALL`)
    },
  }
}
