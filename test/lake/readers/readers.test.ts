/**
 * Other engines read the tables of a pipeline run, and find what we find: see `figures.ts` for what is compared. Spark runs the
 * models, too, in the same JVM: what it has loaded and compiled for the one serves the other.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { assertSameRows } from '../../models/same-rows.ts'
import { makeWeek, type Week } from '../../models/week.ts'
import { CHDB, startClickHouse } from '../../servers/clickhouse.ts'
import { DELTALAKE, startDeltaRs } from '../../servers/delta-rs.ts'
import { skipWithout, type Installation } from '../../servers/installed.ts'
import { SPARK, startSpark } from '../../servers/spark.ts'
import type { Column, Lake } from '../../../src/lake/types.ts'
import type { Answering, Row } from '../../servers/answering.ts'
import {
  assertSameFigures,
  CLICKHOUSE,
  DATAFUSION,
  DUCKDB,
  figuresSql,
  SPARK_SQL,
  type Dialect,
} from './figures.ts'
import { CLEANED, makeHouseLake, type HouseLake } from './house.ts'

interface Reader {
  name: string
  installation: Installation
  dialect: Dialect
  start(): Answering
  /** What stands behind FROM, for a table's folder at a version. */
  from(folder: string, version: number): string
  question(folder: string, version: number, sql: string): unknown
  /** Which versions of a table are read; the newest always. */
  versions(newest: number): number[]
}

const all = (newest: number): number[] => Array.from({ length: newest + 1 }, (_, version) => version)

const READERS: readonly Reader[] = [
  {
    name: 'delta-rs',
    installation: DELTALAKE,
    dialect: DATAFUSION,
    start: startDeltaRs,
    from: () => 't',
    question: (path, version, sql) => ({ do: 'read', path, version, sql }),
    versions: all,
  },
  {
    name: 'ClickHouse',
    installation: CHDB,
    dialect: CLICKHOUSE,
    start: startClickHouse,
    from: (folder) => `deltaLakeLocal('${folder}')`,
    question: (_, version, sql) => `${sql} SETTINGS delta_lake_snapshot_version = ${version}`,
    versions: all,
  },
  {
    name: 'Spark',
    installation: SPARK,
    dialect: SPARK_SQL,
    start: () => spark(),
    from: (folder, version) => `delta.\`${folder}\` VERSION AS OF ${version}`,
    question: (_, __, sql) => sql,
    versions: (newest) => [newest],
  },
]

const warehouse = mkdtempSync(join(tmpdir(), 'smarthouse-spark-'))
let started: Answering | undefined
/** One Spark for all. */
const spark = (): Answering => (started ??= startSpark({ 'spark.sql.warehouse.dir': warehouse }))

const house: Promise<HouseLake> = makeHouseLake()
let week: Week | undefined
const children = new Set<Answering>()
after(async () => {
  for (const child of children) await child.close()
  await (await house).close()
  await week?.close()
  rmSync(warehouse, { recursive: true, force: true, maxRetries: 5 })
})

// Side by side: the lakes are made while Spark starts, and each test waits for its own child alone.
describe('other engines', { concurrency: true }, () => {
  for (const reader of READERS)
    test(`${reader.name} finds what we find in every partition and version`, async (t) => {
      const why = skipWithout(reader.installation)
      if (why) return t.skip(why)
      const child = reader.start()
      children.add(child)
      const { lake } = await house
      for (const table of await lake.tables()) await compare(reader, child, lake, table)
    })
  test('every model of a rebuild gives the same rows on Spark; a changed constant is seen', async (t) => {
    const why = skipWithout(SPARK)
    if (why) return t.skip(why)
    const child = spark()
    children.add(child)
    week = await makeWeek()
    await assertSameRows(child, warehouse, week)
  })
})

async function compare(reader: Reader, child: Answering, lake: Lake, table: string): Promise<void> {
  const folder = `${lake.root}/${table.replace('.', '/')}`
  const newest = (await lake.snapshot(table)).version
  for (const version of table === CLEANED ? [newest] : reader.versions(newest)) {
    const { columns, partitionBy, rows } = await ours(table, version)
    const sql = figuresSql(columns, partitionBy, reader.dialect, reader.from(folder, version))
    const theirs = await child.ask(reader.question(folder, version, sql))
    assertSameFigures(theirs, rows, columns, `${reader.name}: ${table} at version ${version}`)
  }
}

/** What we find; asked once for all readers. */
const found = new Map<
  string,
  Promise<{ columns: readonly Column[]; partitionBy: readonly string[]; rows: Row[] }>
>()
function ours(table: string, version: number) {
  const key = `${table}@${version}`
  const known = found.get(key) ?? find(table, version)
  found.set(key, known)
  return known
}

async function find(table: string, version: number) {
  const { lake, engine } = await house
  const { files, columns, partitionBy } = await lake.snapshot(table, version)
  const session = await engine.session()
  try {
    const rows = await session.rows<Row>(figuresSql(columns, partitionBy, DUCKDB, lake.scan(table, files)))
    return { columns, partitionBy, rows }
  } finally {
    await session.close()
  }
}
