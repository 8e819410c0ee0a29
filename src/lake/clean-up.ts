import { lastCheckpoint, readCheckpoint } from './checkpoint.ts'
import { requireHealthy } from './commit.ts'
import { logFolder } from './log.ts'
import { isLogCleaned, logRetentionMs } from './properties.ts'
import type { OpenTable, Place } from './table.ts'
import type { CleanUpOptions } from './types.ts'

/** Who looks at the table every few minutes never finds the entry after his own gone. */
const YOUNGEST_MS = 3_600_000

/** `N.json`, `N.crc`, `N.checkpoint.parquet`, with what other writers put beside them. */
const OF_VERSION = /^(\d{20})\./

/**
 * Deletes what lies in the log before the newest checkpoint that is older than `delta.logRetentionDuration`: every
 * version from that checkpoint on can still be read. Oldest first, so that a log whose cleaning was broken off has no hole.
 */
export async function cleanUpLog(
  place: Place,
  table: OpenTable,
  { dryRun = false, nowMs = Date.now(), readUpTo = Infinity }: CleanUpOptions,
): Promise<string[]> {
  const { store } = place
  const state = await table.refresh()
  requireHealthy(state)
  if (!isLogCleaned(state.metaData!.configuration)) return []
  const cutoffMs = nowMs - Math.max(logRetentionMs(state.metaData!.configuration), YOUNGEST_MS)
  // The pointer tells those whose entries went away that they did: nothing past it goes.
  const pointed = (await lastCheckpoint(store, table.name))?.version ?? -1
  const folder = logFolder(table.name)
  const found = (await store.list(folder)).flatMap((file) => {
    const name = file.path.slice(folder.length)
    const version = OF_VERSION.exec(name)?.[1]
    return version === undefined ? [] : [{ ...file, name, version: Number(version) }]
  })
  const base = found.findLast(
    ({ name, version, modifiedMs }) =>
      name.endsWith('.checkpoint.parquet') &&
      version <= Math.min(pointed, readUpTo + 1) &&
      modifiedMs < cutoffMs,
  )
  const covered = base === undefined ? [] : found.filter(({ version }) => version < base.version)
  if (base === undefined || covered.length === 0) return []
  // Nothing is given up for a checkpoint that cannot be read.
  if ((await readCheckpoint(place, table.name, base.version)) instanceof Error) return []
  if (!dryRun) for (const { path } of covered) await store.delete(path)
  return covered.map(({ name }) => name)
}
