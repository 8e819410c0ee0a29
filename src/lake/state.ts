import { corruptEntry, decodePath, requireProtocol, unsupported } from './log.ts'
import type { Action, Add, MetaData, Protocol, Remove } from './log.ts'
import { columnsOfSchema } from './schema.ts'
import { statsFromJson } from './stats.ts'
import type { Column, DataFile, Snapshot } from './types.ts'

/** A table at one version: what its actions amount to (PROTOCOL.md, Action Reconciliation). */
export interface TableState {
  readonly table: string
  version: number
  timestampMs: number
  protocol: Protocol | undefined
  metaData: MetaData | undefined
  columns: readonly Column[]
  readonly files: Map<string, DataFile>
  /** Removed files, by path, until they expire: checkpoints carry them for vacuum. */
  readonly tombstones: Map<string, Remove>
  readonly txns: Map<string, number>
  damage: string | undefined
  /** The snapshot of `version`, once somebody asked. */
  snapshot: Snapshot | undefined
}

export function emptyState(table: string): TableState {
  return {
    table,
    version: -1,
    timestampMs: 0,
    protocol: undefined,
    metaData: undefined,
    columns: [],
    files: new Map(),
    tombstones: new Map(),
    txns: new Map(),
    damage: undefined,
    snapshot: undefined,
  }
}

/** Brings the state to the next version. Where it throws, the state is of no more use. */
export function applyActions(state: TableState, version: number, actions: readonly Action[]): void {
  const { table } = state
  for (const { protocol, metaData } of actions) {
    if (protocol) {
      requireProtocol(table, protocol)
      state.protocol = protocol
    }
    if (metaData) {
      if (metaData.format.provider !== 'parquet')
        throw unsupported(table, `format ${metaData.format.provider}`)
      state.metaData = metaData
      state.columns = columnsOfSchema(table, metaData.schemaString)
    }
  }
  if (!state.protocol || !state.metaData)
    throw corruptEntry(table, version, 'comes before any protocol or metaData')
  for (const { add, remove, txn, commitInfo } of actions) {
    if (add) {
      const file = dataFileOf(table, add, state.columns)
      state.files.set(file.path, file)
      state.tombstones.delete(file.path)
    } else if (remove) {
      const path = decodePath(table, remove.path)
      state.files.delete(path)
      state.tombstones.set(path, remove)
    } else if (txn) {
      state.txns.set(txn.appId, txn.version)
    } else if (commitInfo?.timestamp !== undefined) {
      state.timestampMs = commitInfo.timestamp
    }
  }
  state.version = version
  state.damage = undefined
  state.snapshot = undefined
}

export function dataFileOf(table: string, action: Add | Remove, columns: readonly Column[]): DataFile {
  if ('deletionVector' in action && action.deletionVector) throw unsupported(table, 'deletionVectors')
  return {
    path: decodePath(table, action.path),
    bytes: action.size ?? 0,
    partition: action.partitionValues ?? {},
    modifiedMs: 'modificationTime' in action ? action.modificationTime : (action.deletionTimestamp ?? 0),
    stats: statsFromJson(action.stats, columns),
  }
}

export function snapshotOf(state: TableState): Snapshot {
  state.snapshot ??= {
    table: state.table,
    version: state.version,
    timestampMs: state.timestampMs,
    files: [...state.files.values()],
    txns: new Map(state.txns),
    columns: state.columns,
    description: state.metaData?.description ?? '',
    partitionBy: state.metaData?.partitionColumns ?? [],
    properties: state.metaData?.configuration ?? {},
    ...(state.damage === undefined ? {} : { damage: state.damage }),
  }
  return state.snapshot
}
