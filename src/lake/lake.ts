import path from 'node:path'
import { changesBetween } from './changes.ts'
import { checkTable } from './check.ts'
import { writeCheckpoint } from './checkpoint.ts'
import { cleanUpLog } from './clean-up.ts'
import { commitTo, requireHealthy } from './commit.ts'
import { changeProperties, defineTable } from './define.ts'
import { LakeError } from './errors.ts'
import { historyOf, versionAt } from './history.ts'
import { tableFolder } from './log.ts'
import { checkpointInterval, indexedColumns, sortOrder } from './properties.ts'
import { retainTable } from './retain.ts'
import { scanSql } from './scan.ts'
import { snapshotOf, type TableState } from './state.ts'
import { statusOf } from './status.ts'
import { localStore } from './store.ts'
import { openTable, stateAt, type OpenTable, type Place } from './table.ts'
import type { Engine, Lake, Store, TableStatus } from './types.ts'
import { vacuumTable } from './vacuum.ts'
import { writeFiles, type WriteTarget } from './write.ts'

export interface LakeOptions {
  /** A folder on this machine; with a `store`, what the engine puts before the store's paths, as `s3://bucket/lake`. */
  root: string
  engine: Engine
  store?: Store
}

/** Opens a folder of tables, `<root>/<layer>/<table>`. Any number of processes may have it open. */
export async function openLake({ root, engine, store = localStore(root) }: LakeOptions): Promise<Lake> {
  const tables = new Map<string, OpenTable>()
  const base = root.includes('://') ? root : path.resolve(root).replaceAll('\\', '/')
  const place: Place = { store, engine, root: base }
  const checkpoints = backgroundCheckpoints(place)
  const folderOf = (name: string): string => `${base}/${tableFolder(name)}`
  const open = (name: string): OpenTable => {
    const table = tables.get(name) ?? openTable(place, name)
    tables.set(name, table)
    return table
  }

  const forgetErrors = engine.onError((error) => unreadableFile(base, tables, error))

  return {
    root: base,
    store,
    define: (definition) => defineTable(store, open(definition.name), definition),
    tables: () => tableNames(store),
    setProperties: (name, properties) => changeProperties(store, open(name), properties),
    async snapshot(name, at) {
      const state = await open(name).refresh()
      // A torn newest entry has a time, too, but no version that could be served.
      const version = at instanceof Date ? Math.min(await versionAt(store, name, at), state.version) : at
      if (version === undefined || version === state.version) return snapshotOf(state)
      return snapshotOf(await stateAt(place, name, version))
    },
    async changes(name, after, upTo) {
      const table = open(name)
      const state = table.seen && table.seen.version >= upTo ? table.seen : await table.refresh()
      return changesBetween(store, state, after, upTo)
    },
    async write(session, name, selectSql, options = {}) {
      const table = open(name)
      const state = table.seen?.metaData && !table.seen.damage ? table.seen : await table.refresh()
      return writeFiles(session, writeTarget(state, store, folderOf(name)), selectSql, options)
    },
    async commit(name, request) {
      const table = open(name)
      const result = await commitTo(store, table, request)
      if (result.applied) checkpoints.after(table, result.version)
      return result
    },
    ...upkeepOf(place, open),
    scan(name, files) {
      const state = open(name).seen
      if (!state?.metaData) throw new TypeError(`Table ${name}: define it or take a snapshot before a scan.`)
      return scanSql(folderOf(name), state.columns, state.metaData.partitionColumns, files)
    },
    async close() {
      try {
        await checkpoints.finished()
      } finally {
        forgetErrors()
        tables.clear()
      }
    },
  }
}

/**
 * The engine names the file that it could not open or read; the table is the one in whose folder it lies.
 */
function unreadableFile(
  root: string,
  tables: ReadonlyMap<string, OpenTable>,
  error: Error,
): LakeError | undefined {
  for (const { name, seen } of tables.values()) {
    const folder = `${root}/${tableFolder(name)}/`
    const from = error.message.indexOf(folder)
    const file = from < 0 ? undefined : /^.*?\.parquet/.exec(error.message.slice(from + folder.length))?.[0]
    if (!seen || file === undefined || file.startsWith('_delta_log/')) continue
    // Of a file that is being written the disk may be full: that is no damage.
    if (!seen.files.has(file) && !/no such file/i.test(error.message)) continue
    const when = seen.files.has(file) ? `version ${seen.version}` : `before version ${seen.version}`
    return new LakeError(
      'lake_corrupt',
      `Table ${name}, ${when}: its data file ${file} is missing or cannot be read.`,
      'See what else is wrong with `lake check`; restore the file from a backup, or rebuild the table.',
      { cause: error },
    )
  }
  return undefined
}

function writeTarget(state: TableState, store: Store, folder: string): WriteTarget {
  requireHealthy(state)
  const { partitionColumns, configuration } = state.metaData!
  return {
    table: state.table,
    store,
    folder,
    columns: state.columns,
    partitionBy: partitionColumns,
    sortBy: sortOrder(configuration),
    indexedColumns: indexedColumns(configuration),
  }
}

/** What looks after tables, apart from reading and writing them. */
function upkeepOf(
  place: Place,
  open: (name: string) => OpenTable,
): Pick<Lake, 'history' | 'status' | 'check' | 'vacuum' | 'cleanUpLog' | 'retain'> {
  const { store } = place
  return {
    async status() {
      const all: TableStatus[] = []
      for (const name of await tableNames(store)) all.push(await statusOf(store, open(name)))
      return all
    },
    history: (name, { limit } = {}) => historyOf(store, name, limit),
    check: (name, { repair = false } = {}) => checkTable(place, open(name), repair),
    vacuum: (name, options = {}) => vacuumTable(store, open(name), options),
    cleanUpLog: (name, options = {}) => cleanUpLog(place, open(name), options),
    retain: (name, options = {}) => retainTable(store, open(name), options),
  }
}

/** Checkpoints are written beside the commits, one at a time; the first that failed is told when the lake closes. */
function backgroundCheckpoints({ store, engine }: Place) {
  const failures: unknown[] = []
  let work: Promise<unknown> = Promise.resolve()
  return {
    after(table: OpenTable, version: number) {
      const metaData = table.seen?.metaData
      if (!metaData || version % checkpointInterval(metaData.configuration) !== 0) return
      work = work
        .then(async () => writeCheckpoint(store, engine, await table.refresh()))
        .catch((error: unknown) => failures.push(error))
    },
    async finished() {
      await work
      if (failures.length > 0) throw failures[0]
    },
  }
}

async function tableNames(store: Store): Promise<string[]> {
  const names: string[] = []
  for (const layer of await store.list('')) {
    if (!layer.path.endsWith('/')) continue
    for (const { path: folder } of await store.list(layer.path)) {
      const name = folder.slice(0, -1).replace('/', '.')
      if (!folder.endsWith('/') || !/^[a-z0-9_]+\.[a-z0-9_]+$/.test(name)) continue
      const log = await store.list(`${folder}_delta_log/`)
      if (log.length > 0) names.push(name)
    }
  }
  return names
}
