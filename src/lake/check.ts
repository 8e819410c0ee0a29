import { isDeepStrictEqual } from 'node:util'
import { checkpointPath, checkpointVersion, readCheckpoint } from './checkpoint.ts'
import { LakeError } from './errors.ts'
import { entryPath, logFolder, readEntry, tableFolder } from './log.ts'
import { scanSql } from './scan.ts'
import { isPrimitive, quotedName, quotedText, sqlType } from './schema.ts'
import { applyActions, type TableState } from './state.ts'
import { stateAt, type OpenTable, type Place } from './table.ts'
import type { CheckReport, Column, DataFile, Finding, Session, StatValue } from './types.ts'

/** Compares a table with its log: every file's size, rows, schema and statistics. */
export async function checkTable(place: Place, table: OpenTable, repair: boolean): Promise<CheckReport> {
  const report: CheckReport = { table: table.name, version: -1, files: 0, rows: 0, findings: [] }
  let state: TableState
  try {
    state = await table.refresh()
    if (state.damage !== undefined && repair) {
      report.movedAside = await moveAside(place, state)
      table.forget()
      state = await table.refresh()
    }
    report.findings.push(...(await checkpointFindings(place, state)))
  } catch (error) {
    if (!(error instanceof LakeError)) throw error
    report.findings.push({ table: table.name, version: -1, problem: error.message })
    return report
  }
  report.version = state.version
  const finding = (problem: string, file?: string): Finding => ({
    table: table.name,
    version: state.version,
    ...(file === undefined ? {} : { file }),
    problem,
  })
  if (state.damage !== undefined) report.findings.push(finding(state.damage.message))
  const session = await place.engine.session()
  try {
    const sizes = await sizesOf(place, state)
    for (const file of state.files.values()) {
      const { rows, problems } = await checkFile(place, state, session, file, sizes.get(file.path))
      report.files += 1
      report.rows += rows
      report.findings.push(...problems.map((problem) => finding(problem, file.path)))
    }
  } finally {
    await session.close()
  }
  return report
}

/** What the newest checkpoint says otherwise than the log before it, as far as that reaches back. */
async function checkpointFindings(place: Place, { table, version: newest }: TableState): Promise<Finding[]> {
  const listed = await place.store.list(logFolder(table))
  const versions = listed.flatMap(({ path }) => checkpointVersion(path.slice(logFolder(table).length)) ?? [])
  const version = versions.findLast((each) => each <= newest)
  if (version === undefined || version === 0) return []
  const file = checkpointPath(table, version).slice(`${tableFolder(table)}/`.length)
  const says = await readCheckpoint(place, table, version)
  if (says instanceof Error)
    return [{ table, version, file, problem: `cannot be read: ${says.message.split('\n')[0]}` }]
  const log = await stateAt(place, table, version - 1).catch((error: unknown) => {
    if (error instanceof LakeError && error.code === 'lake_expired') return undefined
    throw error
  })
  const entry = await readEntry(place.store, table, version)
  if (!log || !Array.isArray(entry)) return []
  applyActions(log, version, entry)
  return differences(says, log).map((what) => ({
    table,
    version,
    file,
    problem: `says otherwise than the log: ${what}`,
  }))
}

function differences(checkpoint: TableState, log: TableState): string[] {
  const problems: string[] = []
  for (const { path, bytes, partition, statsText } of log.files.values()) {
    const other = checkpoint.files.get(path)
    if (!other) problems.push(`it lacks ${path}`)
    else if (
      !isDeepStrictEqual([bytes, partition, statsText], [other.bytes, other.partition, other.statsText])
    )
      problems.push(`${path} has another size, partition or statistics`)
  }
  for (const path of checkpoint.files.keys())
    if (!log.files.has(path)) problems.push(`it holds ${path}, which is not in the table`)
  if (!isDeepStrictEqual(checkpoint.txns, log.txns)) problems.push('it has other txns')
  if (!isDeepStrictEqual(checkpoint.columns, log.columns)) problems.push('it has other columns')
  if (!isDeepStrictEqual(checkpoint.metaData?.configuration, log.metaData?.configuration))
    problems.push('it has other properties')
  return problems
}

/**
 * The torn entry gets a name that no reader looks at; the bytes stay, for whoever wants to see what they were. Undefined
 * where the entry is lost, and there is nothing to move.
 */
async function moveAside({ store }: Place, state: TableState): Promise<string | undefined> {
  const torn = entryPath(state.table, state.version + 1)
  if ((await readEntry(store, state.table, state.version + 1)) !== 'torn') return undefined
  const aside = `${logFolder(state.table)}torn-${torn.slice(logFolder(state.table).length)}.${Date.now()}`
  await store.put(aside, await store.read(torn))
  // Another who repairs may have been quicker, and a writer may have used the number since: that entry stays.
  if ((await readEntry(store, state.table, state.version + 1)) !== 'torn') {
    await store.delete(aside)
    return undefined
  }
  await store.delete(torn)
  return aside
}

/** What is wrong with one file, and how many rows it holds. */
async function checkFile(
  { root }: Place,
  state: TableState,
  session: Session,
  file: DataFile,
  bytes: number | undefined,
): Promise<{ rows: number; problems: string[] }> {
  if (bytes === undefined) return { rows: 0, problems: ['is missing'] }
  const problems = bytes === file.bytes ? [] : [`has ${bytes} bytes, the log says ${file.bytes}`]
  const folder = `${root}/${tableFolder(state.table)}`
  try {
    problems.push(...(await schemaProblems(session, state, `${folder}/${file.path}`)))
    const content = await contentOf(session, state, folder, file)
    return { rows: content.rows, problems: [...problems, ...content.problems] }
  } catch (error) {
    return { rows: 0, problems: [...problems, `cannot be read: ${String(error).split('\n')[0]}`] }
  }
}

async function schemaProblems(session: Session, state: TableState, path: string): Promise<string[]> {
  const found = await session.rows<{ column_name: string; column_type: string }>(
    `DESCRIBE FROM read_parquet(${quotedText(path)}, hive_partitioning = false)`,
  )
  const types = new Map(found.map((column) => [column.column_name, column.column_type]))
  const known = new Map(state.columns.map((column) => [column.name, column]))
  const problems = [...types.keys()]
    .filter((name) => !known.has(name))
    .map((name) => `has a column ${name} that the table has not`)
  for (const { name, type, required } of state.columns) {
    if (state.metaData?.partitionColumns.includes(name)) continue
    const is = types.get(name)
    // Spark's INT96 reads as a time without a zone; it means UTC.
    const same = is === columnSqlType(type) || (type === 'timestamp' && is === 'TIMESTAMP')
    if (is === undefined && required) problems.push(`lacks the required column ${name}`)
    if (is !== undefined && !same) problems.push(`has ${name} as ${is}, the table as ${columnSqlType(type)}`)
  }
  return problems
}

/** As the engine prints it. */
function columnSqlType(type: Column['type']): string {
  return type === 'timestamp' ? 'TIMESTAMP WITH TIME ZONE' : sqlType(type)
}

async function contentOf(
  session: Session,
  { columns, metaData }: TableState,
  folder: string,
  file: DataFile,
): Promise<{ rows: number; problems: string[] }> {
  const { rows, nulls, min, max } = file.stats
  const checks: { sql: string; problem: string }[] = []
  if (rows >= 0) checks.push({ sql: `count(*) = ${rows}`, problem: `does not hold ${rows} rows` })
  for (const column of columns.filter(({ name }) => !Object.hasOwn(file.partition, name))) {
    const name = quotedName(column.name)
    const there = nulls[column.name]
    if (there !== undefined)
      checks.push({
        sql: `count(*) - count(${name}) = ${there}`,
        problem: `does not have ${there} nulls in ${column.name}`,
      })
    if (column.required)
      checks.push({ sql: `count(${name}) = count(*)`, problem: `has nulls in ${column.name}` })
    if (!isPrimitive(column.type)) continue
    const [low, high] = [min[column.name], max[column.name]]
    if (low !== undefined)
      checks.push({
        sql: everyValue(column, `>= ${literal(column, low)}`),
        problem: `has a ${column.name} below ${String(low)}`,
      })
    if (high !== undefined)
      checks.push({
        // Other writers cut a maximum to milliseconds (PROTOCOL.md, Per-file Statistics).
        sql: everyValue(
          column,
          column.type === 'timestamp'
            ? `< ${literal(column, high)} + INTERVAL 1 MILLISECOND`
            : `<= ${literal(column, high)}`,
        ),
        problem: `has a ${column.name} above ${String(high)}`,
      })
  }
  const source = scanSql(folder, columns, metaData?.partitionColumns ?? [], [file])
  const outcomes = checks.map(({ sql }, index) => `${sql} AS ok${index}`)
  const [row] = await session.rows(`SELECT ${['count(*) AS rows', ...outcomes].join(', ')} FROM ${source}`)
  return {
    rows: Number(row?.rows),
    problems: checks.flatMap(({ problem }, index) => (row?.[`ok${index}`] === false ? [problem] : [])),
  }
}

/** True or null (no value) where all values of the column, NaN aside, meet the condition. */
function everyValue(column: Column, condition: string): string {
  const name = quotedName(column.name)
  const number = column.type === 'double' || column.type === 'float' ? ` FILTER (NOT isnan(${name}))` : ''
  return `bool_and(${name} ${condition})${number}`
}

function literal(column: Column, value: StatValue): string {
  return `CAST(${quotedText(String(value))} AS ${sqlType(column.type)})`
}

/** Sizes of the files that lie below the table's folder, by path. */
async function sizesOf({ store }: Place, state: TableState): Promise<Map<string, number>> {
  const folder = `${tableFolder(state.table)}/`
  const sizes = new Map<string, number>()
  const folders = new Set([...state.files.keys()].map((path) => path.slice(0, path.lastIndexOf('/') + 1)))
  for (const each of folders)
    for (const { path, bytes } of await store.list(folder + each)) sizes.set(path.slice(folder.length), bytes)
  return sizes
}
