import path from 'node:path'
import { LakeError } from './errors.ts'
import { tableFolder } from './log.ts'
import { castList, quotedName, quotedText } from './schema.ts'
import { partitionOf } from './state.ts'
import { statsOfColumns, statsOfWritten, type WrittenColumn } from './stats.ts'
import type { Column, DataFile, Session, Store, WriteOptions } from './types.ts'

export interface WriteTarget {
  table: string
  store: Store
  /** The table's folder, as the engine names it. */
  folder: string
  columns: readonly Column[]
  partitionBy: readonly string[]
  sortBy: readonly string[]
  /** Statistics are kept of so many first columns. */
  indexedColumns: number
}

interface CopyResult {
  filename: string
  count: number
  file_size_bytes: number
  column_statistics: Record<string, WrittenColumn>
  partition_keys: Record<string, string | null> | null
}

const DEFAULT_ROWS_PER_FILE = 500_000
const DEFAULT_ROW_GROUP_ROWS = 122_880

/**
 * Writes the rows of a query, cast to the table's types and sorted, as Parquet files, and makes them durable.
 * One COPY writes all partitions; only a partition that came out larger than a file may be is cut up afterwards.
 */
export async function writeFiles(
  session: Session,
  target: WriteTarget,
  selectSql: string,
  options: WriteOptions,
): Promise<DataFile[]> {
  requirePlainPartitions(target)
  const { store } = target
  const maxRows = options.maxRowsPerFile ?? DEFAULT_ROWS_PER_FILE
  const rowGroupRows = Math.min(options.rowGroupRows ?? DEFAULT_ROW_GROUP_ROWS, maxRows)
  const groupsPerFile = Math.max(1, Math.floor(maxRows / rowGroupRows))
  const rotate = `ROW_GROUPS_PER_FILE ${groupsPerFile}`
  const order = options.sorted ? '' : orderBy(target.sortBy)
  const select = `SELECT ${castList(target.columns)} FROM (${selectSql})${order}`
  const partitioned = target.partitionBy.length > 0
  const layout = partitioned ? `PARTITION_BY (${target.partitionBy.map(quotedName).join(', ')})` : rotate

  const written: DataFile[] = []
  const copyAll = (query: string): Promise<CopyResult[]> =>
    copy(session, query, target.folder, rowGroupRows, layout)
  for (const result of partitioned
    ? await copyPartitions(session, select, target.partitionBy, copyAll)
    : await copyAll(select)) {
    const file = toDataFile(result, target, result.partition_keys ?? {})
    if (file.stats.rows === 0) {
      await store.delete(storePath(target, file))
    } else if (partitioned && file.stats.rows > maxRows) {
      written.push(...(await cut(session, target, file, rowGroupRows, rotate)))
    } else {
      written.push(file)
    }
  }
  await requireNoNulls(target, written)
  await store.settle(written.map((file) => storePath(target, file)))
  const indexed = target.columns
    .filter(({ name }) => !target.partitionBy.includes(name))
    .slice(0, target.indexedColumns)
  return written.map((file) => ({ ...file, stats: statsOfColumns(file.stats, indexed) }))
}

const PARTITION_TYPES = new Set(['string', 'boolean', 'byte', 'short', 'integer', 'long', 'date'])

/** The engine's text of other types is not that of PROTOCOL.md, Partition Value Serialization. */
function requirePlainPartitions({ table, columns, partitionBy }: WriteTarget): void {
  for (const { name, type } of columns)
    if (partitionBy.includes(name) && !PARTITION_TYPES.has(type))
      throw new LakeError(
        'lake_unsupported',
        `Table ${table} is partitioned by ${name}, a ${type}; this lake writes partitions of dates, texts and whole numbers.`,
        'Partition by a date, or write the table with the program that made it.',
      )
}

async function copy(session: Session, select: string, folder: string, rowGroupRows: number, layout: string) {
  return session.rows<CopyResult>(
    `COPY (${select}) TO ${quotedText(folder)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowGroupRows},
     ${layout}, APPEND, FILENAME_PATTERN 'part-{uuidv7}', RETURN_STATS)`,
  )
}

/** Every partition that is open holds some MB, however few rows it has: so many fit into any memory. */
const PARTITIONS_AT_ONCE = 50

/** In one go; where a batch is spread over more partitions than memory holds, a part of them after the other. */
async function copyPartitions(
  session: Session,
  select: string,
  partitionBy: readonly string[],
  copyAll: (query: string) => Promise<CopyResult[]>,
): Promise<CopyResult[]> {
  try {
    return await copyAll(select)
  } catch (error) {
    if (!(error instanceof Error && /Out of Memory/i.test(error.message))) throw error
  }
  // What the failed attempt has left is named by no commit: the vacuum finds it.
  const keys = partitionBy.map(quotedName).join(', ')
  const results: CopyResult[] = []
  await session.run(`CREATE OR REPLACE TEMP TABLE spread_rows AS ${select}`)
  try {
    const [counted] = await session.rows<{ n: number }>(
      `SELECT count(*) AS n FROM (SELECT DISTINCT ${keys} FROM spread_rows)`,
    )
    for (let from = 0; from < counted!.n; from += PARTITIONS_AT_ONCE)
      results.push(
        ...(await copyAll(
          `SELECT r.* FROM spread_rows r SEMI JOIN
             (SELECT DISTINCT ${keys} FROM spread_rows ORDER BY ${keys} LIMIT ${PARTITIONS_AT_ONCE} OFFSET ${from}) p
             ON ${partitionBy.map((name) => `r.${quotedName(name)} IS NOT DISTINCT FROM p.${quotedName(name)}`).join(' AND ')}`,
        )),
      )
  } finally {
    await session.run('DROP TABLE IF EXISTS spread_rows')
  }
  return results
}

async function cut(
  session: Session,
  target: WriteTarget,
  large: DataFile,
  rowGroupRows: number,
  rotate: string,
): Promise<DataFile[]> {
  const source = `read_parquet(${quotedText(`${target.folder}/${large.path}`)}, hive_partitioning = false)`
  const select = `SELECT * FROM ${source}${orderBy(target.sortBy.filter((name) => !target.partitionBy.includes(name)))}`
  const folder = `${target.folder}/${path.posix.dirname(large.path)}`
  const results = await copy(session, select, folder, rowGroupRows, rotate)
  await target.store.delete(storePath(target, large))
  return results.map((result) => toDataFile(result, target, large.partition))
}

function orderBy(columns: readonly string[]): string {
  return columns.length > 0 ? ` ORDER BY ${columns.map(quotedName).join(', ')}` : ''
}

function toDataFile(
  result: CopyResult,
  target: WriteTarget,
  partition: Readonly<Record<string, string | null>>,
): DataFile {
  return {
    path: path.posix.relative(target.folder, result.filename.replaceAll('\\', '/')),
    bytes: result.file_size_bytes,
    partition: partitionOf(partition),
    modifiedMs: Date.now(),
    stats: statsOfWritten(result.count, target.columns, result.column_statistics),
  }
}

function storePath({ table }: WriteTarget, file: DataFile): string {
  return `${tableFolder(table)}/${file.path}`
}

/** A required column with a null would make a file that other readers refuse. */
async function requireNoNulls(target: WriteTarget, files: readonly DataFile[]): Promise<void> {
  for (const { name, required } of target.columns) {
    const holdsNull = (file: DataFile): boolean =>
      target.partitionBy.includes(name)
        ? (file.partition[name] ?? null) === null
        : (file.stats.nulls[name] ?? 0) > 0
    if (!required || !files.some(holdsNull)) continue
    for (const file of files) await target.store.delete(storePath(target, file))
    throw new LakeError(
      'model_check_failed',
      `Table ${target.table}: the required column ${name} would hold nulls.`,
      'Correct the query that fills it.',
    )
  }
}
