import { randomUUID } from 'node:crypto'
import { LakeError } from './errors.ts'
import {
  corruptEntry,
  encodeEntry,
  encodePath,
  entryPath,
  readEntry,
  unsupported,
  type Action,
  type CommitInfo,
} from './log.ts'
import { isAppendOnly } from './properties.ts'
import type { TableState } from './state.ts'
import { statsText } from './stats.ts'
import type { OpenTable } from './table.ts'
import type { CommitRequest, CommitResult, DataFile, Store } from './types.ts'

const ENGINE_INFO = 'smarthouse-lake'

/**
 * Optimistic commit: look at the table, check, create the next entry only if it is absent; after a lost race from
 * the start. So `txns` and removed files are judged against the very version that the entry follows.
 */
export async function commitTo(
  store: Store,
  table: OpenTable,
  request: CommitRequest,
): Promise<CommitResult> {
  const txnId = randomUUID()
  for (let attempt = 0; ; attempt += 1) {
    const state = await table.refreshToCommit()
    requireHealthy(state)
    if (alreadyApplied(state, request)) return { applied: false, version: state.version }
    requireNoConflict(state, request)
    const commitInfo = commitInfoOf(request, txnId, state)
    const entry = encodeEntry(commitInfo, actionsOf(request, state))
    const version = state.version + 1
    if (await putEntry(store, table, version, entry, txnId)) return { applied: true, version }
    // Waiting a random moment keeps many writers from losing to each other for ever.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(attempt * 2, 10)))
  }
}

/** Creates a version's entry. A put whose answer got lost may have won: the entry's id tells. */
export async function putEntry(
  store: Store,
  table: OpenTable,
  version: number,
  entry: Uint8Array,
  txnId: string,
): Promise<boolean> {
  // An entry beyond this one means that this one was lost; filling the hole would change the past.
  const beyond = await readEntry(store, table.name, version + 1)
  if (beyond !== 'absent' && (await readEntry(store, table.name, version)) === 'absent') {
    throw corruptEntry(table.name, version, 'is missing')
  }
  const path = entryPath(table.name, version)
  const placed = await store.put(path, entry, { ifAbsent: true }).catch(async (error: unknown) => {
    if (!(await isOurs(store, table, version, txnId))) throw error
    // It is there, but perhaps not on the disk yet: said again, it is.
    return store.put(path, entry, { ifAbsent: true })
  })
  if (!placed && !(await isOurs(store, table, version, txnId))) return false
  table.committed(version)
  return true
}

async function isOurs(store: Store, table: OpenTable, version: number, txnId: string): Promise<boolean> {
  const found = await readEntry(store, table.name, version)
  return Array.isArray(found) && found.some(({ commitInfo }) => commitInfo?.txnId === txnId)
}

export function requireHealthy(state: TableState): void {
  if (state.damage !== undefined) throw state.damage
  if (state.version < 0) throw new TypeError(`Table ${state.table} does not exist: define it first.`)
}

function alreadyApplied(state: TableState, { txns = {} }: CommitRequest): boolean {
  const wanted = Object.entries(txns)
  const there = wanted.filter(([app, version]) => (state.txns.get(app) ?? -1) >= version)
  if (there.length > 0 && there.length < wanted.length) {
    throw conflict(
      state,
      `holds a part of this commit's input already (${there.map(([app]) => app).join(', ')})`,
    )
  }
  return wanted.length > 0 && there.length === wanted.length
}

function requireNoConflict(state: TableState, request: CommitRequest): void {
  for (const [app, expected] of Object.entries(request.expectTxns ?? {})) {
    const found = state.txns.get(app) ?? -1
    if (found !== expected) throw conflict(state, `is at ${found} of ${app}, not at ${expected}`)
  }
  for (const file of request.remove ?? []) {
    if (!state.files.has(file.path)) throw conflict(state, `no longer holds the file ${file.path}`)
  }
  for (const file of request.add) requireSamePartitioning(state, file)
  const rowsGo = (request.remove ?? []).length > 0 && request.dataChange !== false
  if (rowsGo && isAppendOnly(state.metaData?.configuration ?? {})) {
    throw unsupported(state.table, 'delta.appendOnly, so its rows can be neither removed nor rewritten')
  }
}

/** Files written before somebody partitioned the table otherwise would read as null there. */
function requireSamePartitioning(state: TableState, file: DataFile): void {
  const by = state.metaData?.partitionColumns ?? []
  const names = Object.keys(file.partition)
  if (names.length !== by.length || !by.every((name) => names.includes(name)))
    throw conflict(state, `is partitioned by ${by.join(', ') || 'nothing'}, the file ${file.path} is not`)
}

function conflict(state: TableState, what: string): LakeError {
  return new LakeError(
    'lake_conflict',
    `Table ${state.table} ${what} at version ${state.version}.`,
    'Read the newest snapshot and do the work again.',
  )
}

/** Of the entry that follows the state. Times ascend with the versions, whatever the clocks of the writers say. */
export function commitInfoOf(
  request: CommitRequest,
  txnId: string,
  { version: readVersion, timestampMs }: TableState,
): CommitInfo {
  const figures = { ...metricsOf(request), ...request.metrics }
  const metrics = Object.entries(figures).map(([name, value]) => [name, String(value)])
  return {
    timestamp: Math.max(Date.now(), timestampMs + 1),
    operation: request.operation,
    operationParameters: { ...request.parameters },
    operationMetrics: Object.fromEntries(metrics) as Record<string, string>,
    ...(readVersion < 0 ? {} : { readVersion }),
    engineInfo: ENGINE_INFO,
    txnId,
    ...(request.inputs ? { inputVersions: { ...request.inputs } } : {}),
  }
}

/** What every commit of files says of itself, by the names that Spark gives such figures. */
function metricsOf({ add, remove = [] }: CommitRequest): Record<string, number> {
  const sum = (files: readonly DataFile[], of: (file: DataFile) => number): number =>
    files.reduce((total, file) => total + of(file), 0)
  const isKnown = add.every(({ stats }) => stats.rows >= 0)
  return {
    ...(add.length > 0 && { numFiles: add.length, numOutputBytes: sum(add, ({ bytes }) => bytes) }),
    ...(add.length > 0 && isKnown && { numOutputRows: sum(add, ({ stats }) => stats.rows) }),
    ...(remove.length > 0 && {
      numRemovedFiles: remove.length,
      numRemovedBytes: sum(remove, ({ bytes }) => bytes),
    }),
  }
}

export function actionsOf(request: CommitRequest, { columns }: TableState): Action[] {
  const dataChange = request.dataChange !== false
  const now = Date.now()
  const described = (file: DataFile) => ({
    path: encodePath(file.path),
    partitionValues: { ...file.partition },
    size: file.bytes,
    stats: statsText(file, columns),
    dataChange,
  })
  return [
    ...Object.entries(request.txns ?? {}).map(([appId, version]) => ({
      txn: { appId, version, lastUpdated: now },
    })),
    ...(request.remove ?? []).map((file) => ({
      remove: { ...described(file), deletionTimestamp: now, extendedFileMetadata: true },
    })),
    ...request.add.map((file) => ({
      add: { ...described(file), modificationTime: Math.trunc(file.modifiedMs) },
    })),
  ]
}
