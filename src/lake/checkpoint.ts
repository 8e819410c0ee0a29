import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { isPlatformError } from '../errors.ts'
import { encodePath, logFolder, unsupported, type Action, type MetaData } from './log.ts'
import { quotedText } from './schema.ts'
import { applyActions, emptyState, type TableState } from './state.ts'
import { statsToJson } from './stats.ts'
import { codeOf } from './store.ts'
import type { Engine, Store } from './types.ts'

/** Classic single-part checkpoints (PROTOCOL.md, Checkpoints): a table's state as one Parquet file. */

const DEFAULT_INTERVAL = 50
/** Delta's default of `delta.deletedFileRetentionDuration`. */
export const TOMBSTONE_MS = 7 * 24 * 3_600_000

const TEXTS = 'MAP(VARCHAR, VARCHAR)'
const ACTION_TYPES = {
  protocol: 'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER)',
  metaData: `STRUCT(id VARCHAR, name VARCHAR, description VARCHAR,
    format STRUCT(provider VARCHAR, options ${TEXTS}), schemaString VARCHAR, partitionColumns VARCHAR[],
    configuration ${TEXTS}, createdTime BIGINT)`,
  txn: 'STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)',
  add: `STRUCT(path VARCHAR, partitionValues ${TEXTS}, size BIGINT, modificationTime BIGINT, dataChange BOOLEAN,
    stats VARCHAR)`,
  remove: `STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata BOOLEAN,
    partitionValues ${TEXTS}, size BIGINT)`,
}
const ACTIONS = Object.keys(ACTION_TYPES)

interface LastCheckpoint {
  version: number
  size: number
  parts?: number
  v2Checkpoint?: unknown
}

export function checkpointPath(table: string, version: number): string {
  return `${logFolder(table)}${String(version).padStart(20, '0')}.checkpoint.parquet`
}

function lastCheckpointPath(table: string): string {
  return `${logFolder(table)}_last_checkpoint`
}

/** Every how many versions; `delta.checkpointInterval` where the table has it. */
export function checkpointInterval(metaData: MetaData): number {
  const interval = Number(metaData.configuration['delta.checkpointInterval'])
  return Number.isInteger(interval) && interval > 0 ? interval : DEFAULT_INTERVAL
}

/** The newest checkpoint's version; undefined where there is none that can be read as JSON. */
async function lastCheckpoint(store: Store, table: string): Promise<LastCheckpoint | undefined> {
  try {
    const text = new TextDecoder().decode(await store.read(lastCheckpointPath(table)))
    return JSON.parse(text) as LastCheckpoint
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}

/**
 * Writes the state as it is now. Takes what it needs before it first waits, so the state may go on meanwhile.
 * Removed files past their retention are left out, and forgotten by the state.
 */
export async function writeCheckpoint(store: Store, engine: Engine, state: TableState): Promise<void> {
  const { table, version } = state
  const expired = Date.now() - TOMBSTONE_MS
  for (const [name, { deletionTimestamp = 0 }] of state.tombstones) {
    if (deletionTimestamp < expired) state.tombstones.delete(name)
  }
  const actions = checkpointActions(state)
  const folder = await mkdtemp(path.join(tmpdir(), 'checkpoint-'))
  const session = await engine.session()
  try {
    const file = path.join(folder, `${randomUUID()}.parquet`).replaceAll('\\', '/')
    const structure = quotedText(JSON.stringify(ACTION_TYPES))
    const lines = actions.map((action) => JSON.stringify(action)).join('\n')
    await session.run('CREATE TEMP TABLE line AS SELECT unnest(string_split($1, chr(10))) AS json', [lines])
    await session.run(
      `COPY (SELECT ${ACTIONS.map((name) => `action.${name}`).join(', ')}
       FROM (SELECT from_json(json, ${structure}) AS action FROM line))
       TO ${quotedText(file)} (FORMAT parquet, COMPRESSION zstd)`,
    )
    await store.put(checkpointPath(table, version), await readFile(file))
  } finally {
    await session.close()
    await rm(folder, { recursive: true, force: true })
  }
  if (((await lastCheckpoint(store, table))?.version ?? -1) >= version) return
  const pointer: LastCheckpoint = { version, size: actions.length }
  await store.put(lastCheckpointPath(table), new TextEncoder().encode(JSON.stringify(pointer)))
}

function checkpointActions(state: TableState): Action[] {
  const { protocol, metaData, columns } = state
  return [
    { protocol },
    { metaData },
    ...[...state.txns].map(([appId, version]) => ({ txn: { appId, version } })),
    ...[...state.tombstones.values()].map((remove) => ({
      remove: { ...remove, stats: undefined, dataChange: false },
    })),
    ...[...state.files.values()].map((file) => ({
      add: {
        path: encodePath(file.path),
        partitionValues: { ...file.partition },
        size: file.bytes,
        modificationTime: Math.trunc(file.modifiedMs),
        dataChange: false,
        stats: file.stats.rows < 0 ? undefined : statsToJson(file.stats, columns),
      },
    })),
  ]
}

/**
 * The state of the newest checkpoint that is not past `upTo`; undefined where there is none, or it cannot be
 * read: then the log from its beginning says the same.
 */
export async function readCheckpoint(
  store: Store,
  engine: Engine,
  lakeFolder: string,
  table: string,
  upTo: number,
): Promise<TableState | undefined> {
  const last = await lastCheckpoint(store, table)
  if (!last || last.version > upTo) return undefined
  if (last.parts !== undefined) throw unsupported(table, 'a checkpoint of several parts')
  if (last.v2Checkpoint !== undefined) throw unsupported(table, 'v2Checkpoint')
  const source = `read_parquet(${quotedText(`${lakeFolder}/${checkpointPath(table, last.version)}`)})`
  const session = await engine.session()
  let actions: Action[]
  try {
    const columns = await session.rows<{ column_name: string }>(`DESCRIBE FROM ${source}`)
    const names = columns.map((column) => column.column_name)
    if (names.includes('checkpointMetadata') || names.includes('sidecar'))
      throw unsupported(table, 'v2Checkpoint')
    const wanted = ACTIONS.filter((name) => names.includes(name)).map((name) => `"${name}": "${name}"`)
    // As text: nested values cost more than twice as much one by one.
    const rows = await session.rows<{ action: string }>(
      `SELECT to_json({${wanted.join(', ')}})::VARCHAR AS action FROM ${source}`,
    )
    actions = rows.map((row) => JSON.parse(row.action) as Action)
  } catch (error) {
    if (isPlatformError(error)) throw error
    return undefined
  } finally {
    await session.close()
  }
  const state = emptyState(table)
  applyActions(state, last.version, actions)
  return state
}
