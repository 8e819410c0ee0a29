import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { openLake, type TableDefinition } from '../../src/lake/index.ts'
import { NUMBERS, numbersFrom, range, world } from './temporary.ts'

const EVERY_TYPE: TableDefinition = {
  name: 'silver.every_type',
  description: 'One column of each type.',
  columns: [
    { name: 'l', type: 'long', required: true, description: 'long' },
    { name: 'i', type: 'integer', description: 'integer' },
    { name: 'b', type: 'boolean', description: 'boolean' },
    { name: 'd', type: 'double', description: 'double' },
    { name: 's', type: 'string', description: 'string' },
    { name: 't', type: 'timestamp', description: 'timestamp' },
    { name: 'x', type: 'decimal(38,9)', description: 'decimal' },
    { name: 'a', type: 'array<string>', description: 'array' },
    { name: 'm', type: 'map<string,double>', description: 'map' },
    { name: 'event_date', type: 'date', description: 'partition' },
  ],
  partitionBy: ['event_date'],
  sortBy: ['l'],
  key: ['l'],
}

test('every type comes back as it was written, and the statistics hold it', async (t) => {
  const { lake, session, root, engine } = await world(t)
  await lake.define(EVERY_TYPE)
  const long = 'ä'.repeat(40)
  const add = await lake.write(
    session,
    EVERY_TYPE.name,
    `SELECT * FROM (VALUES
      (2, 7, true, 1.5, '${long}', TIMESTAMPTZ '2026-11-23 10:00:00.123456Z', 12345678901234567890.000000001,
       ['p', NULL], MAP {'k': 2.5}, DATE '2026-11-23'),
      (1, NULL, NULL, 'NaN'::DOUBLE, '', TIMESTAMPTZ '2026-11-23 09:00:00Z', -0.000000001, [], MAP {}, DATE '2026-11-23'),
      (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) v(l, i, b, d, s, t, x, a, m, event_date)`,
  )
  await lake.commit(EVERY_TYPE.name, { operation: 'WRITE', add })

  // Read by a second lake, so everything has been through the log.
  const other = await openLake({ root, engine })
  const { files } = await other.snapshot(EVERY_TYPE.name)
  const dated = files.find((file) => file.partition.event_date === '2026-11-23')
  assert.match(dated?.path ?? '', /^event_date=2026-11-23\/part-[0-9a-f-]{36}\.parquet$/)
  assert.deepEqual(dated?.stats, {
    rows: 2,
    // Booleans and nested columns have no bounds; nor has d, which holds a NaN.
    min: { l: 1, i: 7, s: '', t: '2026-11-23T09:00:00.000Z', x: '-0.000000001' },
    // 32 characters and the greatest code point; .123456 s rounded up to ms.
    max: {
      l: 2,
      i: 7,
      s: 'ä'.repeat(32) + '\u{10FFFF}',
      t: '2026-11-23T10:00:00.124Z',
      x: '12345678901234567890.000000001',
    },
    nulls: { l: 0, i: 1, b: 1, d: 0, s: 0, t: 0, x: 0 },
  })
  assert.equal(files.find((file) => file !== dated)?.partition.event_date, null)
  const rows = await session.rows(`SELECT * FROM ${other.scan(EVERY_TYPE.name, files)} ORDER BY l`)
  assert.deepEqual(rows[1], {
    l: 2,
    i: 7,
    b: true,
    d: 1.5,
    s: long,
    t: '2026-11-23T10:00:00.123456Z',
    x: '12345678901234567890.000000001',
    a: ['p', null],
    m: { k: 2.5 },
    event_date: '2026-11-23',
  })
  assert.deepEqual([rows[0]?.d, rows[0]?.a, rows[0]?.m, rows[2]?.event_date], [NaN, [], {}, null])
})

test('a scan has exactly the columns and types of the table, over no file as well', async (t) => {
  const { lake, session } = await world(t)
  await lake.define(EVERY_TYPE)
  const described = await session.rows<{ column_name: string; column_type: string }>(
    `DESCRIBE FROM ${lake.scan(EVERY_TYPE.name, [])}`,
  )
  assert.deepEqual(
    described.map((column) => column.column_type),
    [
      'BIGINT',
      'INTEGER',
      'BOOLEAN',
      'DOUBLE',
      'VARCHAR',
      'TIMESTAMP WITH TIME ZONE',
      'DECIMAL(38,9)',
      'VARCHAR[]',
      'MAP(VARCHAR, DOUBLE)',
      'DATE',
    ],
  )
})

test('a scan stands in a join with a table that has columns of any name', async (t) => {
  const { lake, session } = await world(t)
  await lake.define(EVERY_TYPE)
  const add = await lake.write(
    session,
    EVERY_TYPE.name,
    `SELECT 1::BIGINT AS l, NULL AS i, NULL AS b, NULL AS d, NULL AS s, NULL AS t, NULL AS x, NULL AS a, NULL AS m, DATE '2026-11-23' AS event_date`,
  )
  await lake.commit(EVERY_TYPE.name, { operation: 'WRITE', add })
  const { files } = await lake.snapshot(EVERY_TYPE.name)
  await session.run(`CREATE TEMP TABLE other AS SELECT 1::BIGINT AS l, 'x' AS "date", 'y' AS "bigint"`)
  assert.deepEqual(
    await session.rows(
      `SELECT o.date, e.event_date FROM other o JOIN ${lake.scan(EVERY_TYPE.name, files)} e ON e.l = o.l`,
    ),
    [{ date: 'x', event_date: '2026-11-23' }],
  )
})

test('defining again changes nothing; an added column reads as null in old files; what would lose data is refused', async (t) => {
  const { lake, append, session, root, engine } = await world(t)
  await append(numbersFrom(0, 1))
  await lake.define(NUMBERS)
  assert.equal((await lake.snapshot(NUMBERS.name)).version, 1)
  const note = { name: 'note', type: 'string', description: 'added' } as const
  const wider = { ...NUMBERS, columns: [...NUMBERS.columns, note] }
  await lake.define(wider)
  const { files, version } = await lake.snapshot(NUMBERS.name)
  assert.equal(version, 2)
  assert.deepEqual(await session.rows(`SELECT n, note FROM ${lake.scan(NUMBERS.name, files)}`), [
    { n: 0, note: null },
  ])

  const other = await openLake({ root, engine })
  await assert.rejects(other.define(NUMBERS), { code: 'data_folder_newer' })
  const retyped = wider.columns.map((column) =>
    column.name === 'n' ? { ...column, type: 'string' as const } : column,
  )
  await assert.rejects(other.define({ ...wider, columns: retyped }), { code: 'lake_unsupported' })
  await assert.rejects(other.define({ ...wider, partitionBy: [] }), { code: 'lake_unsupported' })
})

test('a null in a required column is refused and leaves no file', async (t) => {
  const { lake, session } = await world(t)
  const bad = lake.write(session, NUMBERS.name, `SELECT NULL AS n, 'x' AS label, DATE '2026-11-23' AS day`)
  await assert.rejects(bad, { code: 'model_check_failed', message: /column n/ })
  assert.deepEqual(await lake.store.list('bronze/numbers/day=2026-11-23/'), [])
})

test('files are bounded in rows, and a query without rows writes none', async (t) => {
  const { lake, session } = await world(t)
  const options = { maxRowsPerFile: 4096, rowGroupRows: 2048 }
  const files = await lake.write(session, NUMBERS.name, numbersFrom(0, 10_000), options)
  // 10,000 = 2 × 4,096 + 1,808
  assert.deepEqual(
    files.map((file) => file.stats.rows).toSorted((a, b) => b - a),
    [4096, 4096, 1808],
  )
  assert.deepEqual(await lake.write(session, NUMBERS.name, numbersFrom(0, 0)), [])
})

test('the same txns are applied once; half of them, or others than expected, are a conflict', async (t) => {
  const { lake, session, numbers } = await world(t)
  const commit = async (txns: Record<string, number>, expectTxns?: Record<string, number>) =>
    lake.commit(NUMBERS.name, {
      operation: 'WRITE',
      add: await lake.write(session, NUMBERS.name, numbersFrom(0, 1)),
      txns,
      expectTxns,
    })
  assert.deepEqual(await commit({ a: 5, b: 1 }), { applied: true, version: 1 })
  assert.deepEqual(await commit({ a: 5, b: 1 }), { applied: false, version: 1 })
  assert.deepEqual(await commit({ a: 4 }), { applied: false, version: 1 })
  await assert.rejects(commit({ a: 6, b: 1 }), { code: 'lake_conflict' })
  await assert.rejects(commit({ a: 9 }, { a: 6 }), { code: 'lake_conflict' })
  assert.deepEqual(await commit({ a: 9 }, { a: 5 }), { applied: true, version: 2 })
  assert.deepEqual(Object.fromEntries((await lake.snapshot(NUMBERS.name)).txns), { a: 9, b: 1 })
  assert.deepEqual(await numbers(), [0, 0])
})

test('removing a file that is gone is a conflict; appends between do no harm; append-only tables keep their rows', async (t) => {
  const { lake, append, numbers } = await world(t)
  await append(numbersFrom(0, 1))
  const before = await lake.snapshot(NUMBERS.name)
  await append(numbersFrom(1, 1))
  await lake.commit(NUMBERS.name, { operation: 'DELETE', add: [], remove: before.files })
  assert.deepEqual(await numbers(), [1])
  const again = lake.commit(NUMBERS.name, { operation: 'DELETE', add: [], remove: before.files })
  await assert.rejects(again, { code: 'lake_conflict' })
  await lake.define({ ...NUMBERS, properties: { 'delta.appendOnly': 'true' } })
  const { files } = await lake.snapshot(NUMBERS.name)
  const remove = lake.commit(NUMBERS.name, { operation: 'DELETE', add: [], remove: files })
  await assert.rejects(remove, { code: 'lake_unsupported', message: /appendOnly/ })
})

test('old versions can be read, and one that is not there is named', async (t) => {
  const { lake, append } = await world(t)
  for (const first of [0, 1, 2]) await append(numbersFrom(first, 1))
  assert.equal((await lake.snapshot(NUMBERS.name, 2)).files.length, 2)
  assert.equal((await lake.snapshot(NUMBERS.name)).files.length, 3)
  await assert.rejects(lake.snapshot(NUMBERS.name, 9), { code: 'usage', message: /no version 9/ })
  const absent = await lake.snapshot('gold.absent')
  assert.deepEqual([absent.version, absent.files], [-1, []])
  assert.deepEqual(await lake.tables(), [NUMBERS.name])
})

test('a log that another program took further is refused by the name of the feature, at the next refresh', async (t) => {
  const { lake, root, append } = await world(t)
  await append(numbersFrom(0, 1))
  const log = path.join(root, 'bronze', 'numbers', '_delta_log')
  const first = (await readFile(path.join(log, `${'0'.repeat(20)}.json`), 'utf8')).split('\n')
  assert.match(first[1] ?? '', /"minReaderVersion":1,"minWriterVersion":2/)
  const protocol = {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: ['deletionVectors'],
    writerFeatures: ['deletionVectors'],
  }
  await writeFile(path.join(log, `${'2'.padStart(20, '0')}.json`), JSON.stringify({ protocol }))
  for (let look = 0; look < 2; look += 1) {
    await assert.rejects(lake.snapshot(NUMBERS.name), {
      code: 'lake_unsupported',
      message: /deletionVectors/,
    })
  }
})

test('names in the log other than entries are passed over; a file outside the table is refused', async (t) => {
  const { lake, root, append, numbers } = await world(t)
  await append(numbersFrom(0, 1))
  const log = path.join(root, 'bronze', 'numbers', '_delta_log')
  for (const name of [
    '00000000000000000002.crc',
    '.00000000000000000002.json.x.tmp',
    '2.json',
    '00000000000000000000.compacted.json',
  ])
    await writeFile(path.join(log, name), 'nonsense')
  assert.deepEqual(await numbers(), range(0, 1))
  const add = {
    path: '../../secret.parquet',
    partitionValues: { day: null },
    size: 1,
    modificationTime: 1,
    dataChange: true,
  }
  await writeFile(path.join(log, `${'2'.padStart(20, '0')}.json`), JSON.stringify({ add }))
  await assert.rejects(lake.snapshot(NUMBERS.name), { code: 'lake_corrupt', message: /secret/ })
})

test('statistics of so many first columns as the table says, nulls of required ones refused all the same; the bounds of floats hold', async (t) => {
  const { lake, session } = await world(t)
  const columns = [
    { name: 'f', type: 'float', description: 'float' },
    { name: 'n', type: 'long', required: true, description: 'long' },
  ] as const
  const name = 'silver.indexed'
  const properties = { 'delta.dataSkippingNumIndexedCols': '1' }
  await lake.define({ name, description: '', columns, partitionBy: [], sortBy: [], key: [], properties })
  const [file] = await lake.write(session, name, 'SELECT 0.1::FLOAT AS f, 1 AS n')
  // The float nearest to 0.1 is 13,421,773 / 2^27, a little more than 0.1.
  const nearest = 13_421_773 / 2 ** 27
  assert.deepEqual(file!.stats, { rows: 1, min: { f: nearest }, max: { f: nearest }, nulls: { f: 0 } })
  const bad = lake.write(session, name, 'SELECT 0.1::FLOAT AS f, NULL AS n')
  await assert.rejects(bad, { code: 'model_check_failed', message: /column n/ })
})
