/** Other engines read the tables of a pipeline run, and find what we find: see `figures.ts` for what is compared. */
import { after, before, test, type TestContext } from 'node:test'
import { CHDB, startClickHouse } from '../../servers/clickhouse.ts'
import { DELTALAKE, startDeltaRs } from '../../servers/delta-rs.ts'
import { skipWithout, type Installation } from '../../servers/installed.ts'
import { SPARK, startSpark } from '../../servers/spark.ts'
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
import { HOUSE_TABLES, makeHouseLake, type HouseLake } from './house.ts'

interface Reader {
  name: string
  installation: Installation
  dialect: Dialect
  start(): Answering
  /** What stands behind FROM, for a table's folder at a version. */
  from(folder: string, version: number): string
  question(folder: string, version: number, sql: string): unknown
  /** How many versions of a table are read; the newest always. */
  versions: number
}

const READERS: readonly Reader[] = [
  {
    name: 'delta-rs',
    installation: DELTALAKE,
    dialect: DATAFUSION,
    start: startDeltaRs,
    from: () => 't',
    question: (path, version, sql) => ({ do: 'read', path, version, sql }),
    versions: Infinity,
  },
  {
    name: 'ClickHouse',
    installation: CHDB,
    dialect: CLICKHOUSE,
    start: startClickHouse,
    from: (folder) => `deltaLakeLocal('${folder}')`,
    question: (_, version, sql) => `${sql} SETTINGS delta_lake_snapshot_version = ${version}`,
    versions: Infinity,
  },
  {
    name: 'Spark',
    installation: SPARK,
    dialect: SPARK_SQL,
    start: startSpark,
    from: (folder, version) => `delta.\`${folder}\` VERSION AS OF ${version}`,
    question: (_, __, sql) => sql,
    versions: 2,
  },
]

let house: HouseLake
const children = new Map<string, Answering>()
const started = (t: TestContext, { name, installation, start }: Pick<Reader, 'name' | 'installation' | 'start'>) => {
  const why = skipWithout(installation)
  if (why) t.skip(why)
  else if (!children.has(name)) children.set(name, start())
  return children.get(name)
}

before(async () => {
  house = await makeHouseLake()
})
after(async () => {
  for (const child of children.values()) await child.close()
  await house.close()
})

for (const reader of READERS)
  test(`${reader.name} finds what we find in every table of a pipeline run, per partition and version`, async (t) => {
    const child = started(t, reader)
    if (!child) return
    for (const table of await house.lake.tables()) await compare(reader, child, table)
  })

async function compare(reader: Reader, child: Answering, table: string): Promise<void> {
  const { partitionBy } = HOUSE_TABLES.find(({ name }) => name === table)!
  const folder = `${house.lake.root}/${table.replace('.', '/')}`
  const newest = (await house.lake.snapshot(table)).version
  const first = Math.max(0, newest + 1 - reader.versions)
  for (let version = first; version <= newest; version++) {
    const { columns, rows } = await ours(table, version, partitionBy)
    const sql = figuresSql(columns, partitionBy, reader.dialect, reader.from(folder, version))
    const theirs = await child.ask(reader.question(folder, version, sql))
    assertSameFigures(theirs, rows, columns, `${reader.name}: ${table} at version ${version}`)
  }
}

async function ours(table: string, version: number, partitionBy: readonly string[]) {
  const { lake, engine } = house
  const { files, columns } = await lake.snapshot(table, version)
  const session = await engine.session()
  try {
    const rows = await session.rows<Row>(figuresSql(columns, partitionBy, DUCKDB, lake.scan(table, files)))
    return { columns, rows }
  } finally {
    await session.close()
  }
}
