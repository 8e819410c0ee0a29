import { corruptEntry, readEntry } from './log.ts'
import { dataFileOf, type TableState } from './state.ts'
import type { DataFile, Store } from './types.ts'

/**
 * The files by which the rows changed between two versions: as multisets of rows, rows(after) + added − removed =
 * rows(upTo). Actions without a data change are passed over, so a file that was appended and then merged into
 * another is still reported, once, as added: it can be read until vacuum takes it. A file made by merging that is
 * rewritten later is reported as removed, though it was never reported as added; the equation holds all the same.
 */
export async function changesBetween(
  store: Store,
  state: TableState,
  after: number,
  upTo: number,
): Promise<{ added: DataFile[]; removed: DataFile[] }> {
  const added = new Map<string, DataFile>()
  const removed = new Map<string, DataFile>()
  for (let version = after + 1; version <= upTo; version += 1) {
    const entry = await readEntry(store, state.table, version)
    if (typeof entry === 'string') throw corruptEntry(state.table, version, `is ${entry}`)
    for (const { add, remove } of entry) {
      const action = add ?? remove
      if (!action?.dataChange) continue
      const file = dataFileOf(state.table, action, state.columns)
      const [to, from] = add ? [added, removed] : [removed, added]
      if (!from.delete(file.path)) to.set(file.path, file)
    }
  }
  return { added: [...added.values()], removed: [...removed.values()] }
}
