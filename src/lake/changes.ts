import { corruptEntry, entryPath, readEntry } from './log.ts'
import { LakeError } from './errors.ts'
import { dataFileOf, type TableState } from './state.ts'
import type { DataFile, Store } from './types.ts'

/** The operation of a commit that gives up old dates: its removals are no change of what the rows said. */
export const RETENTION = 'RETENTION'

/**
 * The files by which the rows changed between two versions: as multisets of rows, rows(after) + added − removed −
 * expired = rows(upTo). Actions without a data change are passed over, so a file that was appended and then merged
 * into another is still reported, once, as added: it can be read until vacuum takes it. A file made by merging that is
 * rewritten later is reported as removed, though it was never reported as added; the equation holds all the same.
 */
export async function changesBetween(
  store: Store,
  state: TableState,
  after: number,
  upTo: number,
): Promise<{ added: DataFile[]; removed: DataFile[]; expired: DataFile[] }> {
  const added = new Map<string, DataFile>()
  const removed = new Map<string, DataFile>()
  const expired: DataFile[] = []
  for (let version = after + 1; version <= upTo; version += 1) {
    const entry = await readEntry(store, state.table, version)
    if (entry === 'absent') throw expiredEntry(state.table, version)
    if (entry === 'torn') throw corruptEntry(state.table, version, 'is torn')
    const givesUp = entry.some(({ commitInfo }) => commitInfo?.operation === RETENTION)
    for (const { add, remove } of entry) {
      const action = add ?? remove
      if (!action?.dataChange) continue
      const file = dataFileOf(state.table, version, action, state.columns)
      if (givesUp) {
        expired.push(file)
        continue
      }
      const [to, from] = add ? [added, removed] : [removed, added]
      if (!from.delete(file.path)) to.set(file.path, file)
    }
  }
  return { added: [...added.values()], removed: [...removed.values()], expired }
}

function expiredEntry(table: string, version: number): LakeError {
  return new LakeError(
    'lake_expired',
    `Table ${table}: log entry ${entryPath(table, version)} is gone; the log was cleaned up past it, or it was lost.`,
    'Rebuild what is made from this table.',
  )
}
