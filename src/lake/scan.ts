import { castList, quotedName, quotedText, sqlType } from './schema.ts'
import type { Column, DataFile } from './types.ts'

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
  const types = columns
    .filter((column) => partitionBy.includes(column.name))
    .map(({ name, type }) => `${quotedName(name)}: ${sqlType(type)}`)
  const hive = types.length > 0 ? `true, hive_types = {${types.join(', ')}}` : 'false'
  const [foreign, ours] = split(files, (file) => !folder.includes('=') && spellsPartition(file, partitionBy))
  const parts = ours.length > 0 ? [`SELECT * FROM ${readParquet(folder, ours, hive)}`] : []
  for (const group of Map.groupBy(foreign, (file) => JSON.stringify(file.partition)).values()) {
    parts.push(withPartition(readParquet(folder, group, 'false'), columns, partitionBy, group))
  }
  return `(SELECT ${castList(columns)} FROM (${[...parts, empty].join(' UNION ALL BY NAME ')}))`
}

function readParquet(folder: string, files: readonly DataFile[], hive: string): string {
  const list = files.map((file) => quotedText(`${folder}/${file.path}`)).join(', ')
  return `read_parquet([${list}], union_by_name = true, hive_partitioning = ${hive})`
}

/** Files whose path does not say their partition: another writer may put them anywhere in the folder. */
function withPartition(
  source: string,
  columns: readonly Column[],
  partitionBy: readonly string[],
  group: readonly DataFile[],
): string {
  const values = columns
    .filter((column) => partitionBy.includes(column.name))
    .map(({ name, type }) => {
      const value = group[0]?.partition[name] ?? null
      const literal = value === null ? 'NULL' : quotedText(value)
      return `CAST(${literal} AS ${sqlType(type)}) AS ${quotedName(name)}`
    })
  return `SELECT ${['*', ...values].join(', ')} FROM ${source}`
}

function spellsPartition(file: DataFile, partitionBy: readonly string[]): boolean {
  const folders = file.path.split('/').slice(0, -1)
  return (
    folders.length === partitionBy.length &&
    partitionBy.every((name, index) => {
      const value = file.partition[name] ?? NULL_FOLDER
      return decodeURIComponent(folders[index] ?? '') === `${name}=${value}`
    })
  )
}

/** Those for which the test fails, then those for which it holds. */
function split<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const { no = [], yes = [] } = Object.groupBy(items, (item) => (test(item) ? 'yes' : 'no'))
  return [no, yes]
}
