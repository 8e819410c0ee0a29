import { quotedName } from './schema.ts'
import type { Engine, Lake, Session } from './types.ts'

/**
 * A session for a person's own queries: a view `layer.table` for each table, over its newest snapshot; it can
 * read the lake's files and nothing else, and change nothing. Errors are `sql_refused` and `sql_failed`.
 */
export async function openQuerySession(
  lake: Lake,
  engine: Engine,
  tables?: readonly string[],
): Promise<Session> {
  const names = tables ?? (await lake.tables())
  const layers = new Set(names.map((name) => name.split('.')[0] ?? ''))
  const setup = [...layers].map((layer) => `CREATE SCHEMA IF NOT EXISTS ${quotedName(layer)}`)
  for (const name of names) {
    const { files } = await lake.snapshot(name)
    const view = name.split('.').map(quotedName).join('.')
    setup.push(`CREATE VIEW ${view} AS SELECT * FROM ${lake.scan(name, files)}`)
  }
  return engine.readOnlySession(lake.root, setup)
}
