import { castList, quotedName, quotedText, sqlType } from './schema.ts'
import type { Column, DataFile } from './types.ts'

/**
 * Only of files of ours is it known that they do not hold the partition columns as well: there the engine mixes up the
 * two values.
 */
const OWN_NAME = /(^|\/)part-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.parquet$/

const NULL_FOLDER = '__HIVE_DEFAULT_PARTITION__'

/**
 * A table expression over data files. Files written before a column was added lack it, and partition columns
 * stand in the path alone: an empty select with every column and type, united by name, supplies both.
 */
export function scanSql(
  folder: string,
  columns: readonly Column[],
  partitionBy: readonly string[],
  files: readonly DataFile[],
): string {
  const empty = `SELECT ${columns
    .map(({ name, type }) => `CAST(NULL AS ${sqlType(type)}) AS ${quotedName(name)}`)
    .join(', ')} WHERE false`
  if (files.length === 0) return `(${empty})`
  // Types as texts: a bare word would be a column where the expression stands in a join with a table that has one of that name.
  const types = columns
    .filter((column) => partitionBy.includes(column.name))
    .map(({ name, type }) => `${quotedName(name)}: ${quotedText(sqlType(type))}`)
  const hive = types.length > 0 ? `true, hive_types = {${types.join(', ')}}` : 'false'
  const [foreign, ours] = split(files, (file) => !folder.includes('=') && spellsPartition(file, partitionBy))
  const parts = ours.length > 0 ? [`SELECT * FROM ${readParquet(folder, ours, hive)}`] : []
  for (const group of Map.groupBy(foreign, (file) => JSON.stringify(file.partition)).values()) {
    parts.push(withPartition(readParquet(folder, group, 'false'), columns, group))
  }
  return `(SELECT ${castList(columns)} FROM (${[...parts, empty].join(' UNION ALL BY NAME ')}))`
}

function readParquet(folder: string, files: readonly DataFile[], hive: string): string {
  const list = files.map((file) => quotedText(`${folder}/${file.path}`)).join(', ')
  return `read_parquet([${list}], union_by_name = true, hive_partitioning = ${hive})`
}

/**
 * Files whose path does not say their partition: another writer may put them anywhere in the folder, and those from before
 * a table was partitioned otherwise have other partition columns.
 */
function withPartition(source: string, columns: readonly Column[], group: readonly DataFile[]): string {
  const said = new Map(
    Object.entries(group[0]?.partition ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  )
  const values = columns
    .filter(({ name }) => said.has(name.toLowerCase()))
    .map(({ name, type }) => {
      const value = said.get(name.toLowerCase()) ?? null
      const literal = value === null ? 'NULL' : quotedText(value)
      return `CAST(${literal} AS ${sqlType(type)}) AS ${quotedName(name)}`
    })
  // Some writers put the partition columns into the data files as well; where they differ, the log is right.
  const names = [...said.keys()].map(quotedText).join(', ')
  const others = names === '' ? '*' : `COLUMNS(lambda c: lower(c) NOT IN (${names}))`
  return `SELECT ${[others, ...values].join(', ')} FROM ${source}`
}

function spellsPartition(file: DataFile, partitionBy: readonly string[]): boolean {
  const folders = file.path.split('/').slice(0, -1)
  return (
    OWN_NAME.test(file.path) &&
    folders.length === partitionBy.length &&
    partitionBy.every((name, index) => {
      const value = file.partition[name] ?? NULL_FOLDER
      return folders[index] === `${encodeURIComponent(name)}=${encodeURIComponent(value)}`
    })
  )
}

/** Those for which the test fails, then those for which it holds. */
function split<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const { no = [], yes = [] } = Object.groupBy(items, (item) => (test(item) ? 'yes' : 'no'))
  return [no, yes]
}
