import { randomUUID } from 'node:crypto'
import { commitInfoOf, putEntry, requireHealthy } from './commit.ts'
import { encodeEntry, tableFolder, unsupported, type Action, type MetaData } from './log.ts'
import { evolvedColumns, schemaString } from './schema.ts'
import { requireValid } from './properties.ts'
import type { TableState } from './state.ts'
import type { OpenTable } from './table.ts'
import type { Column, Store, TableDefinition } from './types.ts'

/** Properties of ours beside Delta's: what compaction must know of a table that nobody defined in this process. */
const SORT_BY = 'lake.sortBy'
const KEY = 'lake.key'

/** Creates the table, or brings its descriptions, properties and added columns up to the definition. */
export async function defineTable(
  store: Store,
  table: OpenTable,
  definition: TableDefinition,
): Promise<void> {
  const txnId = randomUUID()
  for (;;) {
    const state = await table.refreshToCommit()
    const created = state.version < 0
    if (created) await requireEmpty(store, state)
    else requireHealthy(state)
    const existing = state.metaData
    if (existing && existing.partitionColumns.join() !== definition.partitionBy.join()) {
      throw unsupported(definition.name, `partitions by ${existing.partitionColumns.join(', ') || 'nothing'}`)
    }
    const columns = created ? definition.columns : evolvedColumns(definition, state.columns)
    const metaData = metaDataOf(definition, columns, existing)
    if (existing && sameMetaData(existing, metaData)) return
    requireValid(metaData.configuration)
    const actions: Action[] = [{ metaData }]
    if (created) actions.unshift({ protocol: { minReaderVersion: 1, minWriterVersion: 2 } })
    const operation = created ? 'CREATE TABLE' : 'CHANGE TABLE'
    const entry = encodeEntry(commitInfoOf({ operation, add: [] }, txnId, state), actions)
    if (await putEntry(store, table, state.version + 1, entry, txnId)) break
  }
  await table.refresh()
}

/** A table is not begun over a damaged log, nor in a folder that holds something else. */
async function requireEmpty(store: Store, { table, damage }: TableState): Promise<void> {
  if (damage) throw damage
  const folder = `${tableFolder(table)}/`
  const found = (await store.list(folder)).map(({ path }) => path.slice(folder.length))
  const foreign = found.find((name) => name === '.hoodie/' || !/^[._]/.test(name))
  if (foreign !== undefined) throw unsupported(table, `a folder without a Delta log that holds ${foreign}`)
}

/** Changes table properties alone; null takes one away. */
export async function changeProperties(
  store: Store,
  table: OpenTable,
  properties: Readonly<Record<string, string | null>>,
): Promise<void> {
  const txnId = randomUUID()
  for (;;) {
    const state = await table.refreshToCommit()
    requireHealthy(state)
    const configuration = { ...state.metaData!.configuration }
    for (const [name, value] of Object.entries(properties))
      if (value === null) delete configuration[name]
      else configuration[name] = value
    requireValid(configuration)
    const metaData = { ...state.metaData!, configuration }
    if (sameMetaData(state.metaData!, metaData)) return
    const info = commitInfoOf(
      { operation: 'SET TBLPROPERTIES', add: [], parameters: { properties: JSON.stringify(properties) } },
      txnId,
      state,
    )
    if (await putEntry(store, table, state.version + 1, encodeEntry(info, [{ metaData }]), txnId)) break
  }
  await table.refresh()
}

function metaDataOf(
  definition: TableDefinition,
  columns: readonly Column[],
  existing: MetaData | undefined,
): MetaData {
  return {
    id: existing?.id ?? randomUUID(),
    name: definition.name,
    description: definition.description,
    format: { provider: 'parquet', options: {} },
    schemaString: schemaString(columns),
    partitionColumns: [...definition.partitionBy],
    configuration: {
      ...existing?.configuration,
      ...definition.properties,
      [SORT_BY]: definition.sortBy.join(','),
      [KEY]: definition.key.join(','),
    },
    createdTime: existing?.createdTime ?? Date.now(),
  }
}

function sameMetaData(a: MetaData, b: MetaData): boolean {
  const text = (metaData: MetaData) =>
    JSON.stringify([
      metaData.description,
      metaData.schemaString,
      Object.entries(metaData.configuration).toSorted(([x], [y]) => (x < y ? -1 : 1)),
    ])
  return text(a) === text(b)
}
