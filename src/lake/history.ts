import { LakeError } from './errors.ts'
import { entryVersions, entryPath, readEntry, type Action } from './log.ts'
import type { HistoryEntry, Store } from './types.ts'

/** Newest first. An entry that is torn is passed over. */
export async function historyOf(store: Store, table: string, limit = Infinity): Promise<HistoryEntry[]> {
  const versions = (await entryVersions(store, table)).toReversed()
  const found: HistoryEntry[] = []
  for (const version of versions) {
    if (found.length >= limit) break
    const entry = await readEntry(store, table, version)
    if (Array.isArray(entry)) found.push(await describe(store, table, version, entry))
  }
  return found
}

async function describe(
  store: Store,
  table: string,
  version: number,
  entry: readonly Action[],
): Promise<HistoryEntry> {
  const info = entry.find(({ commitInfo }) => commitInfo)?.commitInfo ?? {}
  return {
    version,
    timestampMs: info.timestamp ?? (await modifiedMs(store, table, version)),
    operation: info.operation ?? '',
    parameters: info.operationParameters ?? {},
    metrics: info.operationMetrics ?? {},
    inputs: info.inputVersions ?? {},
    txns: Object.fromEntries(entry.flatMap(({ txn }) => (txn ? [[txn.appId, txn.version]] : []))),
    filesAdded: entry.filter(({ add }) => add).length,
    filesRemoved: entry.filter(({ remove }) => remove).length,
    engine: info.engineInfo ?? '',
  }
}

/**
 * The newest version that was there at a moment. A commit's time is what its `commitInfo` says, since a copied folder
 * has other file times; where it says nothing, the time of the entry's file. Times are taken to ascend with the versions.
 */
export async function versionAt(store: Store, table: string, moment: Date): Promise<number> {
  const versions = await entryVersions(store, table)
  const timeOf = async (version: number): Promise<number> => {
    const entry = await readEntry(store, table, version)
    const info = Array.isArray(entry) && entry.find(({ commitInfo }) => commitInfo?.timestamp)?.commitInfo
    return (info && info.timestamp) || modifiedMs(store, table, version)
  }
  // Entries before `low` are not younger than the moment; those from `high` on are.
  let [low, high] = [0, versions.length]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if ((await timeOf(versions[middle]!)) <= moment.getTime()) low = middle + 1
    else high = middle
  }
  const version = versions[low - 1]
  if (version !== undefined) return version
  const oldest = versions[0]
  throw new LakeError(
    oldest === undefined || oldest === 0 ? 'usage' : 'lake_expired',
    `Table ${table} has no version as old as ${moment.toISOString()}` +
      (oldest === undefined
        ? '.'
        : `; the oldest, ${oldest}, is of ${new Date(await timeOf(oldest)).toISOString()}.`),
    'Ask for a later moment.',
  )
}

async function modifiedMs(store: Store, table: string, version: number): Promise<number> {
  const path = entryPath(table, version)
  const [found] = await store.list(path.slice(0, path.lastIndexOf('/') + 1), entryPath(table, version - 1))
  return found?.path === path ? Math.trunc(found.modifiedMs) : 0
}
