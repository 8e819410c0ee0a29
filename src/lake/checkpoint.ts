import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { LakeError } from './errors.ts'
import { encodePath, logFolder, unsupported, type Action, type Add } from './log.ts'
import { deletedFileRetentionMs } from './properties.ts'
import { quotedText } from './schema.ts'
import { applyActions, emptyState, type TableState } from './state.ts'
import { statsText } from './stats.ts'
import { codeOf } from './store.ts'
import type { Place } from './table.ts'
import type { ColumnValues, Engine, Session, Store } from './types.ts'

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

/** Between the texts of many files in one: JSON and encoded paths cannot hold it (ASCII's record separator). */
const BETWEEN = '\u001e'
const SPLIT = 'chr(30)'

/** Groups are written and read by several threads; of tens of thousands of files there is more than one. */
const GROUP_ROWS = 16_384

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
  const files = filesOf(state)
  const size = actions.length + state.files.size
  const folder = await mkdtemp(path.join(tmpdir(), 'checkpoint-'))
  const session = await engine.session()
  try {
    const file = path.join(folder, `${randomUUID()}.parquet`).replaceAll('\\', '/')
    const structure = quotedText(JSON.stringify(ACTION_TYPES))
    const lines = actions.map((action) => JSON.stringify(action)).join('\n')
    await session.run('CREATE TEMP TABLE line AS SELECT unnest(string_split($1, chr(10))) AS json', [lines])
    // By columns: files as JSON take four times as long.
    await session.run(
      `CREATE TEMP TABLE file (path VARCHAR, partition DOUBLE, size DOUBLE, modified DOUBLE, stats VARCHAR);
       CREATE TEMP TABLE partitions (number DOUBLE, json VARCHAR)`,
    )
    await session.append('file', files.columns)
    await session.append('partitions', [Float64Array.from(files.partitions.keys()), files.partitions])
    await session.run(
      `COPY (SELECT ${ACTIONS.map((name) => `action.${name}`).join(', ')}
       FROM (SELECT from_json(json, ${structure}) AS action FROM line)
       UNION ALL BY NAME SELECT {
         'path': path, 'partitionValues': "values", 'size': CAST(size AS BIGINT),
         'modificationTime': CAST(modified AS BIGINT), 'dataChange': false, 'stats': stats} AS add
       FROM file JOIN (SELECT number, CAST(CAST(json AS JSON) AS ${TEXTS}) AS "values" FROM partitions) ON partition = number)
       TO ${quotedText(file)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${GROUP_ROWS})`,
    )
    await store.put(checkpointPath(table, version), await readFile(file))
  } finally {
    await session.close()
    await rm(folder, { recursive: true, force: true })
  }
  if (((await lastCheckpoint(store, table))?.version ?? -1) >= version) return
  const pointer: LastCheckpoint = { version, size }
  await store.put(lastCheckpointPath(table), new TextEncoder().encode(JSON.stringify(pointer)))
}

/** All but the files. */
function checkpointActions(state: TableState): Action[] {
  const { protocol, metaData } = state
  return [
    { protocol },
    { metaData },
    ...[...state.txns].map(([appId, version]) => ({ txn: { appId, version } })),
    ...[...state.tombstones.values()].map((remove) => ({
      remove: { ...remove, stats: undefined, dataChange: false },
    })),
  ]
}

/** What `add` says of each file, by columns: path, number of its partition, size, time and statistics; and the partitions. */
function filesOf({ files, columns }: TableState): { columns: ColumnValues[]; partitions: string[] } {
  const numbers = new Map<string, number>()
  const paths: string[] = []
  const statistics: (string | null)[] = []
  const [partitions, sizes, modified] = [0, 1, 2].map(() => new Float64Array(files.size)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  for (const file of files.values()) {
    const partition = JSON.stringify(file.partition)
    const number = numbers.get(partition) ?? numbers.size
    numbers.set(partition, number)
    partitions[paths.length] = number
    sizes[paths.length] = file.bytes
    modified[paths.length] = Math.trunc(file.modifiedMs)
    paths.push(encodePath(file.path))
    const stats = statsText(file, columns) ?? null
    // Not JSON then: what is not known is read.
    statistics.push(stats?.includes(BETWEEN) ? null : stats)
  }
  return { columns: [paths, partitions, sizes, modified, statistics], partitions: [...numbers.keys()] }
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
  const source = `read_parquet(${quotedText(`${root}/${file}`)}, file_row_number = true)`
  const session = await engine.session()
  try {
    const columns = await session.rows<{ column_name: string; column_type: string }>(
      `DESCRIBE FROM ${source}`,
    )
    const names = columns.map((column) => column.column_name)
    if (names.includes('checkpointMetadata') || names.includes('sidecar'))
      throw unsupported(table, 'v2Checkpoint')
    const kinds = ACTIONS.filter((each) => names.includes(each))
    const plain = columns.some((column) => column.column_name === 'add' && isPlainAdd(column.column_type))
    const read = (kind: string): Promise<Action[]> =>
      kind === 'add' && plain ? addsOf(session, source) : actionsOfKind(session, source, kind)
    const actions = (await Promise.all(kinds.map(read))).flat()
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

/** Whether a checkpoint's `add` has what ours has, and nothing that would have to be refused. */
function isPlainAdd(type: string): boolean {
  const ours = [
    'path VARCHAR',
    'partitionValues MAP',
    'size BIGINT',
    'modificationTime BIGINT',
    'stats VARCHAR',
  ]
  const plain = type.replaceAll('"', '')
  return !/deletionVector/i.test(plain) && ours.every((field) => plain.includes(field))
}

/** As `actionsOfKind`, without the detour through JSON, which costs more than all else. */
async function addsOf(session: Session, source: string): Promise<Action[]> {
  const rows = await session.rows<{ texts: string; files: number }>(
    `SELECT count(*) AS files, string_agg(path || ${SPLIT} || size || ${SPLIT} || modified || ${SPLIT} || partition || ${SPLIT} || stats, ${SPLIT}) AS texts
     FROM (SELECT coalesce(add.path, '') AS path, coalesce(add.size, 0) AS size, coalesce(add.modificationTime, 0) AS modified,
         coalesce(CAST(to_json(add.partitionValues) AS VARCHAR), '{}') AS partition, coalesce(add.stats, '') AS stats,
         file_row_number // ${GROUP_ROWS} AS part
       FROM ${source} WHERE add IS NOT NULL) GROUP BY part`,
  )
  const partitions = new Map<string, Add['partitionValues']>()
  const partitionValuesOf = (text: string): Add['partitionValues'] => {
    let known = partitions.get(text)
    if (known === undefined) partitions.set(text, (known = JSON.parse(text) as Add['partitionValues']))
    return known
  }
  const actions: Action[] = []
  for (const { texts, files } of rows) {
    const said = texts.split(BETWEEN)
    if (said.length !== files * 5) throw new TypeError('a path or statistics hold a control character')
    for (let at = 0; at < said.length; at += 5)
      actions.push({
        add: {
          path: said[at]!,
          size: Number(said[at + 1]),
          modificationTime: Number(said[at + 2]),
          partitionValues: partitionValuesOf(said[at + 3]!),
          dataChange: false,
          stats: said[at + 4] === '' ? undefined : said[at + 4],
        },
      })
  }
  return actions
}

/** As text, many in one: nested values one by one cost several times as much. */
async function actionsOfKind(session: Session, source: string, kind: string): Promise<Action[]> {
  const rows = await session.rows<{ texts: string }>(
    `SELECT string_agg(to_json("${kind}")::VARCHAR, ',') AS texts
     FROM (SELECT "${kind}", file_row_number // ${GROUP_ROWS} AS part FROM ${source} WHERE "${kind}" IS NOT NULL) GROUP BY part`,
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
