/** Silver's and Gold's models say the same on Spark as on our engine: every row and column of a week full of faults. Run by `readers.test.ts`. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { SILVER_TABLES } from '../../src/4-silver/tables.ts'
import { GOLD_TABLES } from '../../src/5-gold/tables.ts'
import type { TableDefinition } from '../../src/lake/types.ts'
import type { Answering } from '../servers/answering.ts'
import { SparkModels } from './on-spark.ts'
import type { Week } from './week.ts'

/** Models of the incremental form alone: they find what a run has to do, and a rebuild has to do all. */
const INCREMENTAL_ONLY = [
  'alarms_on_time',
  'history',
  'judged_again',
  'on_time',
  'unsettled',
  'windows_on_time',
].map((name) => `4-silver/${name}`)

/**
 * Runs a rebuild's models on Spark over the week's lake, and compares each table with ours; then once more with a changed constant.
 * `warehouse`: where Spark writes its tables.
 */
export async function assertSameRows(spark: Answering, warehouse: string, week: Week): Promise<void> {
  const { lake } = week
  const models = new SparkModels(spark, (table) => join(lake.root, ...table.split('.')), warehouse)
  await models.loadReference()
  await models.silver()
  await models.gold()

  const methods = await models.ask(
    'SELECT energy_method, count(*) AS n FROM readings GROUP BY energy_method ORDER BY energy_method',
  )
  assert.deepEqual(
    methods.map((row) => row['energy_method']),
    ['counter', 'integrated', 'none', 'reported'],
    'the week meets every method',
  )
  const reasons = await models.ask('SELECT DISTINCT reject_reason FROM rejects ORDER BY reject_reason')
  assert.deepEqual(
    reasons.map((row) => row['reject_reason']),
    [
      'conflict',
      'in_future',
      'missing_device_id',
      'missing_timestamp',
      'not_json',
      'power_out_of_range',
      'temperature_out_of_range',
    ],
    'the week meets what faults can be rejected for',
  )
  for (const table of [...SILVER_TABLES, ...GOLD_TABLES]) {
    const { rows, differing } = await compare(week, models, table, resultOf(table))
    assert.ok(rows > 0, `${table.name} has rows`)
    assert.deepEqual(differing, [], `${table.name}: rows that only one of the two has`)
  }
  assert.deepEqual(await models.ask('SELECT * FROM sum_invariants'), [])
  assert.deepEqual([...models.ran, ...INCREMENTAL_ONLY].toSorted(), modelFiles())

  await models.constants({ usual_temperature_max_c: 20 })
  const readings = SILVER_TABLES.find(({ name }) => name === 'silver.readings')!
  const told = ['stream_topic', 'stream_partition', 'stream_offset', 'stream_index', 'quality_score']
  const scores = { ...readings, columns: readings.columns.filter(({ name }) => told.includes(name)) }
  assert.equal(scores.columns.length, told.length)
  await models.again(told)
  const { differing } = await compare(week, models, scores, 'readings_again')
  assert.notEqual(differing.length, 0, 'another limit of what is usual changes the score of some rows')
}

const resultOf = ({ name }: TableDefinition): string => name.slice(name.indexOf('.') + 1)

/**
 * The first rows that one of the two has more often than the other, and how many rows Spark's result has. Spark has written it as
 * Parquet; the two are compared outside of it, which takes a fraction of the time.
 */
async function compare({ lake, engine }: Week, models: SparkModels, table: TableDefinition, result: string) {
  // The entries of a map have no order; sorted, they can be compared.
  const columns = table.columns
    .map(({ name, type }) => (type.startsWith('map') ? `list_sort(map_entries(${name})) AS ${name}` : name))
    .join(', ')
  const names = table.columns.map(({ name }) => name).join(', ')
  const { files } = await lake.snapshot(table.name)
  const theirs = `read_parquet('${(await models.files(result)).replaceAll("'", "''")}')`
  const session = await engine.session()
  try {
    const differing = await session.rows(
      `SELECT sum(more) AS ours_less_theirs, ${names} FROM (
         SELECT ${columns}, 1 AS more FROM ${lake.scan(table.name, files)} UNION ALL
         SELECT ${columns}, -1 AS more FROM ${theirs})
       GROUP BY ${names} HAVING sum(more) <> 0 LIMIT 4`,
    )
    const [count] = await session.rows<{ n: bigint }>(`SELECT count(*) AS n FROM ${theirs}`)
    return { rows: Number(count?.n), differing }
  } finally {
    await session.close()
  }
}

function modelFiles(): string[] {
  return ['4-silver', '5-gold']
    .flatMap((folder) =>
      readdirSync(new URL(`../../src/${folder}/`, import.meta.url))
        .filter((file) => file.endsWith('.sql'))
        .map((file) => `${folder}/${file.slice(0, -4)}`),
    )
    .toSorted()
}
