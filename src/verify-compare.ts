/** Compares a stored table with a rebuilt one, row for row over all columns, in pieces that fit into memory. */
import type { DataFile, Engine, Lake, Session, Snapshot, TableDefinition } from './lake/types.ts'

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

export interface Comparison {
  engine: Engine
  table: TableDefinition
  lake: Lake
  stored: Snapshot
  target: Lake
  /** SQL condition on the rows of both sides. */
  where: string
  /** Which partitions can hold such a row; the others are not read. */
  holds?: (file: DataFile) => boolean
}

export async function compareTable(options: Comparison): Promise<TableComparison> {
  const { engine, table, lake, target, where, holds = () => true } = options
  const stored = options.stored.files.filter(holds)
  const rebuilt = (await target.snapshot(table.name)).files.filter(holds)
  const result: TableComparison = { table: table.name, rows: 0, onlyStored: 0, onlyRebuilt: 0, examples: [] }
  const session = await engine.session()
  try {
    for (const { partitions, share } of piecesOf(table, [...stored, ...rebuilt])) {
      const rowsOf = (of: Lake, files: readonly DataFile[]): string => {
        const within = files.filter((file) => partitions.has(partitionOf(table, file)))
        return `(SELECT * FROM ${of.scan(table.name, within)} WHERE ${where} AND ${share})`
      }
      const piece = { table, stored: rowsOf(lake, stored), rebuilt: rowsOf(target, rebuilt) }
      const rows = await equalRows(session, piece)
      if (rows === null) await findDifferences(session, piece, result)
      else result.rows += rows
    }
  } finally {
    await session.run('DROP TABLE IF EXISTS stored_piece; DROP TABLE IF EXISTS rebuilt_piece')
    await session.close()
  }
  return result
}

function partitionOf(table: TableDefinition, { partition }: DataFile): string {
  return table.partitionBy.map((name) => partition[name]).join(' ')
}

/** Partitions that are compared at once, since a statement costs more than few rows; of a large one, a share of its rows. */
interface Pieces {
  partitions: Set<string>
  /** SQL condition on the rows. */
  share: string
}

function piecesOf(table: TableDefinition, files: readonly DataFile[]): Pieces[] {
  const rows = new Map<string, number>()
  for (const file of files) {
    const partition = partitionOf(table, file)
    rows.set(partition, (rows.get(partition) ?? 0) + file.stats.rows / 2)
  }
  const pieces: Pieces[] = []
  let room = 0
  for (const [partition, count] of [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const shares = Math.ceil(count / ROWS_PER_PIECE)
    const last = pieces.at(-1)
    if (last && count <= room) {
      last.partitions.add(partition)
      room -= count
      continue
    }
    for (let share = 0; share < Math.max(1, shares); share++)
      pieces.push({
        partitions: new Set([partition]),
        share: shares <= 1 ? 'true' : `hash(${table.key.join(', ')}) % ${shares} = ${share}`,
      })
    room = shares <= 1 ? ROWS_PER_PIECE - count : 0
  }
  return pieces
}

/** A piece of both sides, as SQL table expressions. */
interface Piece {
  table: TableDefinition
  stored: string
  rebuilt: string
}

/**
 * How many rows the two sides have, where they have the same; null where anything differs. Rows are paired by key and compared in
 * every column. A key that stands twice on a side makes more pairs than that side has rows, so that the count of pairs
 * equals both counts of rows only where each row has exactly one partner.
 */
async function equalRows(session: Session, { table, stored, rebuilt }: Piece): Promise<number | null> {
  const differs = table.columns
    .filter(({ name }) => !table.key.includes(name))
    .map(({ name }) => `s."${name}" IS DISTINCT FROM r."${name}"`)
  const [found] = await session.rows<Record<'stored' | 'rebuilt' | 'pairs' | 'differing', number>>(
    `WITH s AS NOT MATERIALIZED ${stored}, r AS NOT MATERIALIZED ${rebuilt}
     SELECT (SELECT count(*) FROM s) AS stored, (SELECT count(*) FROM r) AS rebuilt,
       count(*) AS pairs, count_if(${differs.join(' OR ')}) AS differing
     FROM s JOIN r ON ${table.key.map((name) => `s."${name}" = r."${name}"`).join(' AND ')}`,
  )
  const { stored: rows, rebuilt: others, pairs, differing } = found!
  return differing === 0 && pairs === rows && pairs === others ? rows : null
}

/** Row for row as sets in which a row may stand more than once: what only one side has. */
async function findDifferences(
  session: Session,
  { table, stored, rebuilt }: Piece,
  result: TableComparison,
): Promise<void> {
  const columns = table.columns.map(({ name }) => `"${name}"`).join(', ')
  await session.run(
    `CREATE OR REPLACE TEMP TABLE stored_piece AS SELECT ${columns} FROM ${stored};
     CREATE OR REPLACE TEMP TABLE rebuilt_piece AS SELECT ${columns} FROM ${rebuilt};
     CREATE OR REPLACE TEMP TABLE only_stored AS SELECT * FROM stored_piece EXCEPT ALL SELECT * FROM rebuilt_piece;
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
