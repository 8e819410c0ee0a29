import { randomUUID } from 'node:crypto'
import { commitInfoOf, putEntry, requireHealthy } from './commit.ts'
import { encodeEntry, unsupported, type Action, type MetaData } from './log.ts'
import { evolvedColumns, schemaString } from './schema.ts'
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
    const state = await table.refresh()
    const created = state.version < 0
    if (!created) requireHealthy(state)
    const existing = state.metaData
    if (existing && existing.partitionColumns.join() !== definition.partitionBy.join()) {
      throw unsupported(definition.name, `partitions by ${existing.partitionColumns.join(', ') || 'nothing'}`)
    }
    const columns = created ? definition.columns : evolvedColumns(definition, state.columns)
    const metaData = metaDataOf(definition, columns, existing)
    if (existing && sameMetaData(existing, metaData)) return
    const actions: Action[] = [{ metaData }]
    if (created) actions.unshift({ protocol: { minReaderVersion: 1, minWriterVersion: 2 } })
    const operation = created ? 'CREATE TABLE' : 'CHANGE TABLE'
    const entry = encodeEntry(commitInfoOf({ operation }, txnId), actions)
    if (await putEntry(store, table, state.version + 1, entry, txnId)) break
  }
  await table.refresh()
}

export function sortOrder(metaData: MetaData): string[] {
  return metaData.configuration[SORT_BY]?.split(',').filter((name) => name !== '') ?? []
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
