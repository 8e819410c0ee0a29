import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { LakeError } from './errors.ts'
import { encodePath, logFolder, unsupported, type Action } from './log.ts'
import { deletedFileRetentionMs } from './properties.ts'
import { quotedText } from './schema.ts'
import { applyActions, emptyState, type TableState } from './state.ts'
import { statsText } from './stats.ts'
import { codeOf } from './store.ts'
import type { Place } from './table.ts'
import type { Engine, Session, Store } from './types.ts'

/** Classic single-part checkpoints (PROTOCOL.md, Checkpoints): a table's state as one Parquet file. */

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

export interface LastCheckpoint {
  version: number
  /** How many actions it holds. */
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

/** The newest checkpoint, as the pointer says; undefined where there is no pointer that can be read. */
export async function lastCheckpoint(store: Store, table: string): Promise<LastCheckpoint | undefined> {
  let pointer: Partial<LastCheckpoint> | null
  try {
    const text = new TextDecoder().decode(await store.read(lastCheckpointPath(table)))
    pointer = JSON.parse(text) as Partial<LastCheckpoint> | null
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
  if (pointer?.parts !== undefined) throw unsupported(table, 'a checkpoint of several parts')
  if (pointer?.v2Checkpoint !== undefined) throw unsupported(table, 'v2Checkpoint')
  const { version, size } = pointer ?? {}
  return Number.isSafeInteger(version) ? { version: version!, size: Number(size ?? -1) } : undefined
}

/**
 * Writes the state as it is now. Takes what it needs before it first waits, so the state may go on meanwhile.
 * Removed files past their retention are left out, and forgotten by the state.
 */
export async function writeCheckpoint(store: Store, engine: Engine, state: TableState): Promise<void> {
  const { table, version } = state
  // By the time of the version, so that two who write the checkpoint of one version write the same.
  const expired = state.timestampMs - deletedFileRetentionMs(state.metaData?.configuration ?? {})
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
        stats: statsText(file, columns),
      },
    })),
  ]
}

/**
 * The state that a checkpoint holds, or why it cannot be read: an older one, or the log from its beginning, says the
 * same. `size`: how many actions it should hold; not known where it is 0 or less.
 */
export async function readCheckpoint(
  { engine, root }: Place,
  table: string,
  version: number,
  size = -1,
): Promise<TableState | Error> {
  const file = checkpointPath(table, version)
  const source = `read_parquet(${quotedText(`${root}/${file}`)})`
  const session = await engine.session()
  try {
    const columns = await session.rows<{ column_name: string }>(`DESCRIBE FROM ${source}`)
    const names = columns.map((column) => column.column_name)
    if (names.includes('checkpointMetadata') || names.includes('sidecar'))
      throw unsupported(table, 'v2Checkpoint')
    const kinds = ACTIONS.filter((each) => names.includes(each))
    const actions = (await Promise.all(kinds.map((kind) => actionsOfKind(session, source, kind)))).flat()
    if (size > 0 && actions.length !== size)
      return new Error(`it holds ${actions.length} actions, _last_checkpoint says ${size}`)
    const state = emptyState(table)
    applyActions(state, version, actions, file)
    // It does not say when its version was made, nor by whom.
    state.entryId = undefined
    return state
  } catch (error) {
    if (error instanceof LakeError && error.code === 'lake_unsupported') throw error
    return error as Error
  } finally {
    await session.close()
  }
}

/** As text, many in one: nested values one by one cost several times as much. */
async function actionsOfKind(session: Session, source: string, kind: string): Promise<Action[]> {
  const rows = await session.rows<{ texts: string }>(
    `SELECT string_agg(to_json("${kind}")::VARCHAR, ',') AS texts
     FROM (SELECT "${kind}", row_number() OVER () // 20000 AS part FROM ${source} WHERE "${kind}" IS NOT NULL) GROUP BY part`,
  )
  return rows.flatMap(({ texts }) =>
    (JSON.parse(`[${texts}]`) as object[]).map((action) => ({ [kind]: action })),
  )
}

/** The version of a classic checkpoint's name; undefined for any other name. */
export function checkpointVersion(name: string): number | undefined {
  const version = /^(\d{20})\.checkpoint\.parquet$/.exec(name)?.[1]
  return version === undefined ? undefined : Number(version)
}

/** Throws `lake_unsupported` for the name of a checkpoint in several parts or of version 2. */
export function requireClassic(table: string, name: string): void {
  if (/^\d{20}\.checkpoint\.\d{10}\.\d{10}\.parquet$/.test(name))
    throw unsupported(table, 'a checkpoint of several parts')
  if (/^\d{20}\.checkpoint\.[0-9a-f-]{36}\.(json|parquet)$/.test(name))
    throw unsupported(table, 'v2Checkpoint')
}
