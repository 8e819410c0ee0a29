import { LakeError } from './errors.ts'
import { ENTRY_NAME, logFolder } from './log.ts'
import { checkpointVersion } from './checkpoint.ts'
import { retentionDays } from './properties.ts'
import type { OpenTable } from './table.ts'
import type { Store, TableStatus } from './types.ts'

export async function statusOf(store: Store, table: OpenTable): Promise<TableStatus> {
  const nothing = {
    table: table.name,
    version: -1,
    timestampMs: 0,
    oldestVersion: -1,
    checkpointVersion: -1,
    files: 0,
    bytes: 0,
    rows: 0,
    smallestFileBytes: 0,
    medianFileBytes: 0,
    retentionDays: null,
  }
  try {
    const { version, timestampMs, files, damage, metaData } = await table.refresh()
    const all = [...files.values()]
    const sizes = all.map(({ bytes }) => bytes).toSorted((a, b) => a - b)
    return {
      ...nothing,
      ...(damage === undefined ? {} : { damage: damage.message }),
      version,
      timestampMs,
      ...(await versionsInLog(store, table.name)),
      files: sizes.length,
      bytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
      rows: all.reduce((sum, { stats }) => sum + Math.max(0, stats.rows), 0),
      smallestFileBytes: sizes[0] ?? 0,
      medianFileBytes: sizes[Math.floor(sizes.length / 2)] ?? 0,
      retentionDays: retentionDays(metaData?.configuration ?? {}),
    }
  } catch (error) {
    if (!(error instanceof LakeError)) throw error
    return { ...nothing, error: error.message }
  }
}

/** The oldest version is the log's first entry where that is 0, else that of the first checkpoint. */
async function versionsInLog(
  store: Store,
  table: string,
): Promise<{ oldestVersion: number; checkpointVersion: number }> {
  const folder = logFolder(table)
  const names = (await store.list(folder)).map(({ path }) => path.slice(folder.length))
  const checkpoints = names.flatMap((name) => checkpointVersion(name) ?? [])
  const whole = names.some((name) => Number(ENTRY_NAME.exec(name)?.[1]) === 0)
  return { oldestVersion: whole ? 0 : (checkpoints[0] ?? -1), checkpointVersion: checkpoints.at(-1) ?? -1 }
}
