import { requireHealthy } from './commit.ts'
import { LakeError } from './errors.ts'
import { tableFolder } from './log.ts'
import { deletedFileRetentionMs } from './properties.ts'
import type { OpenTable } from './table.ts'
import type { Store, VacuumOptions } from './types.ts'

/** A file younger than this may belong to a writer that has not committed yet. */
const YOUNGEST_MS = 3_600_000

/**
 * Deletes the files that no version younger than `olderThanMs` names: those removed before that, and those of
 * writers that never committed. Returns their paths, relative to the table's folder; deletes nothing on a dry run.
 */
export async function vacuumTable(
  store: Store,
  table: OpenTable,
  { olderThanMs, dryRun = false, nowMs = Date.now() }: VacuumOptions,
): Promise<string[]> {
  const folder = `${tableFolder(table.name)}/`
  // Listed first: what is committed while the listing runs is then known to the state.
  const found = await filesBelow(store, folder)
  const state = await table.refresh()
  requireHealthy(state)
  const retentionMs = Math.max(deletedFileRetentionMs(state.metaData!.configuration), YOUNGEST_MS)
  const askedMs = olderThanMs ?? retentionMs
  // A checkpoint leaves out older removals (PROTOCOL.md, Add File and Remove File): then a file's own age would decide.
  if (askedMs > retentionMs)
    throw new LakeError(
      'usage',
      `Table ${table.name} remembers for ${retentionMs / YOUNGEST_MS} h which files were removed, so vacuum cannot spare those of the last ${askedMs / YOUNGEST_MS} h.`,
      'Set its property delta.deletedFileRetentionDuration, or ask for less.',
    )
  const cutoffMs = nowMs - Math.max(askedMs, YOUNGEST_MS)
  const removedMs = new Map(
    [...state.tombstones].map(([path, { deletionTimestamp = 0 }]) => [path, deletionTimestamp]),
  )
  const expired = found.filter(({ path, modifiedMs }) => {
    const name = path.slice(folder.length)
    return !state.files.has(name) && Math.max(modifiedMs, removedMs.get(name) ?? 0) < cutoffMs
  })
  if (!dryRun) for (const { path } of expired) await store.delete(path)
  return expired.map(({ path }) => path.slice(folder.length))
}

/** Data files, and the temporary files of writers that died; the log itself is left alone. */
async function filesBelow(store: Store, folder: string): Promise<{ path: string; modifiedMs: number }[]> {
  const files = []
  for (const entry of await store.list(folder)) {
    const name = entry.path.slice(folder.length)
    const inLog = folder.endsWith('/_delta_log/')
    if (name.endsWith('/')) {
      if (name === '_delta_log/' || !/^[._]/.test(name)) files.push(...(await filesBelow(store, entry.path)))
    } else if (name.endsWith('.tmp') || (!inLog && name.endsWith('.parquet'))) {
      files.push(entry)
    }
  }
  return files
}
