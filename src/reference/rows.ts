import type { Column, ColumnType, Session } from '../lake/types.ts'

/** SQL name of a column type for casts; only those that reference tables and the calendar use. */
const SQL_TYPE: Partial<Record<ColumnType, string>> = {
  string: 'VARCHAR',
  integer: 'INTEGER',
  long: 'BIGINT',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  date: 'DATE',
  timestamp: 'TIMESTAMP_LTZ',
}

function sqlType(type: ColumnType): string {
  return SQL_TYPE[type] ?? type.toUpperCase()
}

/**
 * Puts rows into a temporary table of the session, replacing one of that name. Values travel as text, so that
 * decimals and dates are exact.
 */
export async function loadRows(
  session: Session,
  tempTable: string,
  columns: readonly Column[],
  rows: readonly object[],
): Promise<void> {
  const shape = JSON.stringify(Object.fromEntries(columns.map(({ name }) => [name, 'VARCHAR'])))
  const select = columns.map(({ name, type }) => `CAST(item."${name}" AS ${sqlType(type)}) AS "${name}"`)
  await session.run(
    `CREATE OR REPLACE TEMP TABLE ${tempTable} AS SELECT ${select.join(', ')}
     FROM (SELECT unnest(from_json($1, '[${shape}]')) AS item)`,
    [JSON.stringify(rows)],
  )
}
