import { LakeError } from './errors.ts'
import { corruptEntry, decodePath, entryPath, requireProtocol, unsupported } from './log.ts'
import type { Action, Add, MetaData, Protocol, Remove } from './log.ts'
import { columnsOfSchema } from './schema.ts'
import { statsFromJson } from './stats.ts'
import type { Column, DataFile, FileStats, Snapshot } from './types.ts'

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
  /** What the newest entry says of itself: tells it from another one of the same version. Undefined: not seen. */
  entryId: string | undefined
  /** What is wrong with the newest entry, where the state is that of the version before it. */
  damage: LakeError | undefined
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
    entryId: undefined,
    damage: undefined,
    snapshot: undefined,
  }
}

/**
 * Brings the state to the next version. Throws `lake_unsupported`, or `lake_corrupt` with the file that the actions stand
 * in; the state is of no more use then.
 */
export function applyActions(
  state: TableState,
  version: number,
  actions: readonly Action[],
  source = entryPath(state.table, version),
): void {
  try {
    applySchema(state, actions)
    const { protocol, metaData, columns } = state
    if (!protocol || !metaData) throw new TypeError('no protocol or metaData came before')
    const strange = metaData.partitionColumns.find((name) => !columns.some((column) => column.name === name))
    if (strange !== undefined) throw new TypeError(`no column ${strange} to partition by`)
    for (const action of actions) applyAction(state, version, action)
  } catch (error) {
    if (error instanceof LakeError) throw error
    throw corruptEntry(state.table, version, `makes no sense: ${(error as Error).message}`, source)
  }
  describeEntry(state, actions)
  state.version = version
  state.damage = undefined
  state.snapshot = undefined
}

/** What an entry says of itself. A checkpoint does not: there the entry of its version is asked. */
export function describeEntry(state: TableState, actions: readonly Action[]): void {
  const info = actions.find(({ commitInfo }) => commitInfo)?.commitInfo
  state.entryId = entryIdOf(actions)
  if (typeof info?.timestamp === 'number') state.timestampMs = info.timestamp
}

export function entryIdOf(actions: readonly Action[]): string {
  return JSON.stringify(actions.find(({ commitInfo }) => commitInfo) ?? actions[0] ?? {})
}

function applySchema(state: TableState, actions: readonly Action[]): void {
  const { table } = state
  for (const { protocol, metaData } of actions) {
    if (protocol) {
      requireProtocol(table, protocol)
      state.protocol = protocol
    }
    if (!metaData) continue
    const { provider } = metaData.format
    if (provider !== 'parquet') throw unsupported(table, `format ${provider}`)
    state.columns = columnsOfSchema(table, metaData.schemaString)
    state.metaData = {
      ...metaData,
      partitionColumns: metaData.partitionColumns ?? [],
      configuration: metaData.configuration ?? {},
    }
  }
}

function applyAction(state: TableState, version: number, { add, remove, txn }: Action): void {
  requireShape(add ?? remove ?? txn)
  if (add) {
    const file = dataFileOf(state.table, version, add, state.columns)
    state.files.set(file.path, file)
    state.tombstones.delete(file.path)
  } else if (remove) {
    const path = decodePath(state.table, version, remove.path)
    state.files.delete(path)
    state.tombstones.set(path, remove)
  } else if (txn) {
    state.txns.set(txn.appId, txn.version)
  }
}

/** Of what type the fields are that are reckoned with; JSON may hold any. Null stands for absent. */
const SHAPE: readonly (readonly [field: string, type: string])[] = [
  ['path', 'string'],
  ['partitionValues', 'object'],
  ['size', 'number'],
  ['modificationTime', 'number'],
  ['deletionTimestamp', 'number'],
  ['stats', 'string'],
  ['appId', 'string'],
  ['version', 'number'],
]

const isLong = (value: number): boolean => Number.isInteger(value) && Math.abs(value) < 2 ** 63

function requireShape(action: object | undefined): void {
  const fields = (action ?? {}) as Readonly<Record<string, unknown>>
  for (const [field, type] of SHAPE) {
    const value = fields[field] ?? undefined
    if (value !== undefined && typeof value !== type) throw new TypeError(`${field} is no ${type}`)
    if (typeof value === 'number' && !isLong(value))
      throw new TypeError(`${field} is no whole number of 64 bits`)
  }
}

export function dataFileOf(
  table: string,
  version: number,
  action: Add | Remove,
  columns: readonly Column[],
): DataFile {
  if ('deletionVector' in action && action.deletionVector) throw unsupported(table, 'deletionVectors')
  return new NamedFile(table, version, action, columns)
}

/** A file that the log names. A class, since a table may have a hundred thousand of them. */
class NamedFile implements DataFile {
  readonly path: string
  readonly bytes: number
  readonly partition: DataFile['partition']
  readonly modifiedMs: number
  readonly statsText: string | undefined
  readonly #table: string
  readonly #version: number
  readonly #columns: readonly Column[]
  #stats: FileStats | undefined

  constructor(table: string, version: number, action: Add | Remove, columns: readonly Column[]) {
    this.path = decodePath(table, version, action.path)
    this.bytes = action.size ?? 0
    this.partition = partitionOf(action.partitionValues ?? NO_PARTITION)
    this.modifiedMs = 'modificationTime' in action ? action.modificationTime : (action.deletionTimestamp ?? 0)
    this.statsText = action.stats ?? undefined
    this.#table = table
    this.#version = version
    this.#columns = columns
  }

  get stats(): FileStats {
    try {
      return (this.#stats ??= statsFromJson(this.statsText, this.#columns))
    } catch (error) {
      const what = `has statistics of ${this.path} that make no sense: ${(error as Error).message}`
      throw corruptEntry(this.#table, this.#version, what)
    }
  }
}

const NO_PARTITION = {}

/** An empty text stands for null, whatever the type (PROTOCOL.md, Partition Value Serialization). */
export function partitionOf(values: Readonly<Record<string, string | null>>): DataFile['partition'] {
  let hasEmpty = false
  for (const name in values) {
    const value = values[name]
    if (value === '') hasEmpty = true
    else if (value !== null && typeof value !== 'string')
      throw new TypeError(`the partition's ${name} is no text`)
  }
  return hasEmpty ? withoutEmpty(values) : values
}

const withoutEmpty = (values: Readonly<Record<string, string | null>>): DataFile['partition'] =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value === '' ? null : value]))

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
    ...(state.damage === undefined ? {} : { damage: state.damage.message }),
  }
  return state.snapshot
}
