/** Compares a stored table with a rebuilt one, row for row over all columns, in pieces that fit into memory. */
import type { Engine, Lake, Session, Snapshot, TableDefinition } from './lake/types.ts'

export interface TableComparison {
  table: string
  /** Rows compared, as stored. */
  rows: number
  /** Rows without an equal on the other side. */
  onlyStored: number
  onlyRebuilt: number
  /** The first of them as sentences: key, column, stored and rebuilt value. */
  examples: string[]
}

/** A piece has about so many rows at most. */
const ROWS_PER_PIECE = 500_000
const EXAMPLES = 10

export async function compareTable(options: {
  engine: Engine
  table: TableDefinition
  lake: Lake
  stored: Snapshot
  target: Lake
  /** SQL condition on the rows of both sides. */
  where: string
}): Promise<TableComparison> {
  const { engine, table, lake, stored, target, where } = options
  const rebuilt = await target.snapshot(table.name)
  const columns = table.columns.map(({ name }) => `"${name}"`).join(', ')
  const result: TableComparison = { table: table.name, rows: 0, onlyStored: 0, onlyRebuilt: 0, examples: [] }
  const session = await engine.session()
  try {
    for (const { partition, pieces } of piecesOf(table, stored, rebuilt)) {
      const inPartition = ({ files }: Snapshot) =>
        files.filter((file) => partitionOf(table, file.partition) === partition)
      for (let piece = 0; piece < pieces; piece++) {
        const condition = `${where} AND hash(${table.key.join(', ')}) % ${pieces} = ${piece}`
        await session.run(
          `CREATE OR REPLACE TEMP TABLE stored_piece AS
           SELECT ${columns} FROM ${lake.scan(table.name, inPartition(stored))} WHERE ${condition};
           CREATE OR REPLACE TEMP TABLE rebuilt_piece AS
           SELECT ${columns} FROM ${target.scan(table.name, inPartition(rebuilt))} WHERE ${condition}`,
        )
        await comparePiece(session, table, result)
      }
    }
  } finally {
    await session.run('DROP TABLE IF EXISTS stored_piece; DROP TABLE IF EXISTS rebuilt_piece')
    await session.close()
  }
  return result
}

function partitionOf(table: TableDefinition, partition: Readonly<Record<string, string | null>>): string {
  return table.partitionBy.map((name) => partition[name]).join(' ')
}

/** The partitions of both sides, and into how many pieces each is cut. */
function piecesOf(
  table: TableDefinition,
  stored: Snapshot,
  rebuilt: Snapshot,
): { partition: string; pieces: number }[] {
  const rows = new Map<string, number>()
  for (const file of [...stored.files, ...rebuilt.files]) {
    const partition = partitionOf(table, file.partition)
    rows.set(partition, (rows.get(partition) ?? 0) + file.stats.rows)
  }
  return [...rows]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([partition, count]) => ({ partition, pieces: Math.max(1, Math.ceil(count / 2 / ROWS_PER_PIECE)) }))
}

async function comparePiece(
  session: Session,
  table: TableDefinition,
  result: TableComparison,
): Promise<void> {
  await session.run(
    `CREATE OR REPLACE TEMP TABLE only_stored AS SELECT * FROM stored_piece EXCEPT ALL SELECT * FROM rebuilt_piece;
     CREATE OR REPLACE TEMP TABLE only_rebuilt AS SELECT * FROM rebuilt_piece EXCEPT ALL SELECT * FROM stored_piece`,
  )
  const [counts] = await session.rows<{ rows: number; stored: number; rebuilt: number }>(
    `SELECT (SELECT count(*) FROM stored_piece) AS rows, (SELECT count(*) FROM only_stored) AS stored,
       (SELECT count(*) FROM only_rebuilt) AS rebuilt`,
  )
  if (!counts) return
  result.rows += counts.rows
  result.onlyStored += counts.stored
  result.onlyRebuilt += counts.rebuilt
  if (counts.stored + counts.rebuilt > 0 && result.examples.length < EXAMPLES)
    result.examples.push(...(await examples(session, table)).slice(0, EXAMPLES - result.examples.length))
}

async function examples(session: Session, table: TableDefinition): Promise<string[]> {
  const key = table.key.map((name) => `"${name}"`).join(', ')
  const first = (from: string) => session.rows(`SELECT * FROM ${from} ORDER BY ${key} LIMIT ${EXAMPLES}`)
  const [stored, rebuilt] = [await first('only_stored'), await first('only_rebuilt')]
  const keyOf = (row: Record<string, unknown>): string =>
    table.key.map((name) => `${name}=${row[name]}`).join(' ')
  const counterparts = new Map(rebuilt.map((row) => [keyOf(row), row]))
  const found: string[] = []
  for (const row of stored) {
    const other = counterparts.get(keyOf(row))
    counterparts.delete(keyOf(row))
    if (!other) found.push(`${table.name} ${keyOf(row)}: stored, but a rebuild has no such row`)
    else
      for (const { name } of table.columns)
        if (show(row[name]) !== show(other[name]))
          found.push(
            `${table.name} ${keyOf(row)}: ${name} is ${show(row[name])}, a rebuild gives ${show(other[name])}`,
          )
  }
  for (const lost of counterparts.keys())
    found.push(`${table.name} ${lost}: a rebuild gives this row, it is not stored`)
  return found
}

const show = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? String(item) : item)) ?? 'null'
