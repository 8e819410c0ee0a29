import { LakeError } from './errors.ts'
import { tableFolder } from './log.ts'
import type { DataFile, Engine, Lake } from './types.ts'

const ROWS_PER_FILE = 500_000
/** A partition that is still written to is merged once it has this many small files. */
const BUSY_FILES = 8
const QUIET_MS = 3_600_000

export interface CompactOptions {
  lake: Lake
  engine: Engine
  table: string
  maxRowsPerFile?: number
}

/**
 * Merges the small files of each partition into sorted ones, one commit per merge: the same rows in other files.
 * Where somebody else rewrote one of the files meanwhile, that merge is dropped; the next call tries again.
 */
export async function compactTable(options: CompactOptions): Promise<{ merged: number; written: number }> {
  const { lake, engine, table, maxRowsPerFile = ROWS_PER_FILE } = options
  const { files, version } = await lake.snapshot(table)
  const done = { merged: 0, written: 0 }
  const session = await engine.session()
  try {
    for (const group of mergeGroups(files, maxRowsPerFile, Date.now())) {
      const select = `SELECT * FROM ${lake.scan(table, group)}`
      const add = await lake.write(session, table, select, { maxRowsPerFile })
      try {
        await lake.commit(table, {
          operation: 'OPTIMIZE',
          dataChange: false,
          add,
          remove: group,
          parameters: { readVersion: String(version) },
        })
      } catch (error) {
        if (!(error instanceof LakeError) || error.code !== 'lake_conflict') throw error
        for (const file of add) await lake.store.delete(`${tableFolder(table)}/${file.path}`)
        continue
      }
      done.merged += group.length
      done.written += add.length
    }
  } finally {
    await session.close()
  }
  return done
}

/**
 * Which files to merge with each other. In a busy partition a file joins only files that together have at least
 * as many rows, so that each row is rewritten a number of times that grows with the logarithm of the partition.
 */
export function mergeGroups(files: readonly DataFile[], maxRows: number, nowMs: number): DataFile[][] {
  const groups: DataFile[][] = []
  for (const partition of Map.groupBy(files, (file) => JSON.stringify(file.partition)).values()) {
    const quiet = partition.every((file) => file.modifiedMs < nowMs - QUIET_MS)
    const least = quiet ? 2 : BUSY_FILES
    const small = partition
      .filter(({ stats }) => stats.rows >= 0 && stats.rows < maxRows / 2)
      .toSorted((a, b) => a.stats.rows - b.stats.rows)
    let group: DataFile[] = []
    let rows = 0
    for (const file of small) {
      if (!quiet && group.length >= least && file.stats.rows > rows) break
      if (rows + file.stats.rows > maxRows) {
        if (group.length >= least) groups.push(group)
        group = []
        rows = 0
      }
      group.push(file)
      rows += file.stats.rows
    }
    if (group.length >= least) groups.push(group)
  }
  return groups
}
