import { randomUUID } from 'node:crypto'
import { RETENTION } from './changes.ts'
import { actionsOf, commitInfoOf, putEntry, requireHealthy } from './commit.ts'
import { LakeError } from './errors.ts'
import { encodeEntry, type Action } from './log.ts'
import { isAppendOnly, retentionDays } from './properties.ts'
import type { TableState } from './state.ts'
import type { OpenTable } from './table.ts'
import type { DataFile, Store, UpkeepOptions } from './types.ts'

const DAY_MS = 86_400_000

/**
 * Gives up whole dates: removes the files of every date before today (UTC) minus `lake.retentionDays`, in one commit
 * that says so. An append-only table allows no removal (PROTOCOL.md, Append-only Tables), so the same entry lifts
 * that property, and the next one sets it again.
 */
export async function retainTable(
  store: Store,
  table: OpenTable,
  { dryRun = false, nowMs = Date.now() }: UpkeepOptions,
): Promise<DataFile[]> {
  const txnId = randomUUID()
  for (;;) {
    const state = await table.refreshToCommit()
    const days = state.metaData ? retentionDays(state.metaData.configuration) : null
    if (days === null) return []
    requireHealthy(state)
    const before = new Date(Math.floor(nowMs / DAY_MS) * DAY_MS - days * DAY_MS).toISOString().slice(0, 10)
    const column = dateColumn(state)
    const old = [...state.files.values()].filter((file) => {
      const date = file.partition[column] ?? null
      return date !== null && date < before
    })
    if (old.length === 0 || dryRun) return old
    const request = { operation: RETENTION, add: [], remove: old }
    const commitInfo = commitInfoOf(
      {
        ...request,
        parameters: { column, before, retentionDays: String(days) },
      },
      txnId,
      state,
    )
    const lifted = isAppendOnly(state.metaData!.configuration)
    const actions: Action[] = lifted ? [appendOnly(state, 'false')] : []
    const entry = encodeEntry(commitInfo, [...actions, ...actionsOf(request, state)])
    if (!(await putEntry(store, table, state.version + 1, entry, txnId))) continue
    if (lifted) await setAppendOnly(store, table)
    await table.refresh()
    return old
  }
}

function dateColumn({ table, metaData, columns }: TableState): string {
  const found = columns.find(({ name, type }) => type === 'date' && metaData?.partitionColumns.includes(name))
  if (found) return found.name
  throw new LakeError(
    'lake_unsupported',
    `Table ${table} is not partitioned by a date, so it cannot keep the newest days only.`,
    'Take its property lake.retentionDays away.',
  )
}

function appendOnly({ metaData }: TableState, value: 'true' | 'false'): Action {
  return {
    metaData: { ...metaData!, configuration: { ...metaData!.configuration, 'delta.appendOnly': value } },
  }
}

async function setAppendOnly(store: Store, table: OpenTable): Promise<void> {
  const txnId = randomUUID()
  for (;;) {
    const state = await table.refreshToCommit()
    requireHealthy(state)
    if (isAppendOnly(state.metaData!.configuration)) return
    const info = commitInfoOf({ operation: 'SET TBLPROPERTIES', add: [] }, txnId, state)
    const entry = encodeEntry(info, [appendOnly(state, 'true')])
    if (await putEntry(store, table, state.version + 1, entry, txnId)) return
  }
}
