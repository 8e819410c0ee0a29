import path from 'node:path'
import { changesBetween } from './changes.ts'
import { commitTo, requireHealthy } from './commit.ts'
import { defineTable, sortOrder } from './define.ts'
import { tableFolder } from './log.ts'
import { scanSql } from './scan.ts'
import { snapshotOf } from './state.ts'
import { localStore } from './store.ts'
import { openTable, stateAt, type OpenTable } from './table.ts'
import type { Engine, Lake, Store } from './types.ts'
import { writeFiles } from './write.ts'

export interface LakeOptions {
  root: string
  engine: Engine
  store?: Store
}

/** Opens a folder of tables, `<root>/<layer>/<table>`. Any number of processes may have it open. */
export async function openLake({ root, store = localStore(root) }: LakeOptions): Promise<Lake> {
  const tables = new Map<string, OpenTable>()
  const base = path.resolve(root).replaceAll('\\', '/')
  const folderOf = (name: string): string => `${base}/${tableFolder(name)}`
  const open = (name: string): OpenTable => {
    const table = tables.get(name) ?? openTable(store, name)
    tables.set(name, table)
    return table
  }

  return {
    define: (definition) => defineTable(store, open(definition.name), definition),
    tables: () => tableNames(store),
    async snapshot(name, version) {
      const state = await open(name).refresh()
      if (version === undefined || version === state.version) return snapshotOf(state)
      return snapshotOf(await stateAt(store, name, version))
    },
    async changes(name, after, upTo) {
      const table = open(name)
      const state = table.seen && table.seen.version >= upTo ? table.seen : await table.refresh()
      return changesBetween(store, state, after, upTo)
    },
    async write(session, name, selectSql, options = {}) {
      const table = open(name)
      const state = table.seen?.metaData ? table.seen : await table.refresh()
      requireHealthy(state)
      const { metaData, columns } = state
      const partitionBy = metaData?.partitionColumns ?? []
      const sortBy = metaData ? sortOrder(metaData) : []
      return writeFiles(
        session,
        { table: name, folder: folderOf(name), columns, partitionBy, sortBy },
        selectSql,
        options,
      )
    },
    commit: (name, request) => commitTo(store, open(name), request),
    scan(name, files) {
      const state = open(name).seen
      if (!state?.metaData) throw new TypeError(`Table ${name}: define it or take a snapshot before a scan.`)
      return scanSql(folderOf(name), state.columns, state.metaData.partitionColumns, files)
    },
    async close() {
      tables.clear()
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
