import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { pruneFiles } from '../../src/lake/index.ts'
import { add, type Field, FOREIGN, foreignWorld, metaData, PROTOCOL, remove } from './foreign.ts'

/**
 * The shapes of the Delta project's golden tables (delta-io/delta, connectors/golden-tables) within protocol (1,2), by their
 * names there. Elsewhere: what is refused in `refused.test.ts` (canonicalized-paths-* too: absolute paths), INT96 with Spark in
 * `readers/`, `deltalog-getChanges` and `time-travel-*` in `table.test.ts`, checkpoints with inserts, deletes, merges, updates and
 * `snapshot-vacuumed` in `concurrency.test.ts` and `upkeep.test.ts`. Left out: `hive-*` and `parquet-*`, which try a Parquet reader.
 */

test('every primitive and nested type of another writer is read (data-reader-primitives, -nested-struct, -array-complex-objects, -map)', async (t) => {
  const { entry, parquet, rows } = await foreignWorld(t)
  const struct = (...fields: [string, unknown][]) => ({
    type: 'struct',
    fields: fields.map(([name, type]) => ({ name, type, nullable: true, metadata: {} })),
  })
  const array = (elementType: unknown) => ({ type: 'array', elementType, containsNull: true })
  await parquet(
    'part-00000.snappy.parquet',
    `SELECT 1::TINYINT AS b, 2::SMALLINT AS sh, 3::INTEGER AS i, 4::BIGINT AS l, 0.5::FLOAT AS f, 0.25::DOUBLE AS d,
     true AS yes, 'text' AS s, '\\xFF\\x00'::BLOB AS bin, 12.34::DECIMAL(5,2) AS x, DATE '1582-10-15' AS day,
     TIMESTAMPTZ '2020-01-01 00:00:00.123456Z' AS at, {'a': 1, 'odd name': {'deep': ['x', NULL]}} AS st,
     [{'n': 1}, NULL] AS list, MAP {1: [1.5]} AS m`,
  )
  await entry(0, [
    PROTOCOL,
    metaData([
      ['b', 'byte'],
      ['sh', 'short'],
      ['i', 'integer'],
      ['l', 'long'],
      ['f', 'float'],
      ['d', 'double'],
      ['yes', 'boolean'],
      ['s', 'string'],
      ['bin', 'binary'],
      ['x', 'decimal(5,2)'],
      ['day', 'date'],
      ['at', 'timestamp'],
      ['st', struct(['a', 'integer'], ['odd name', struct(['deep', array('string')])])],
      ['list', array(struct(['n', 'integer']))],
      ['m', { type: 'map', keyType: 'integer', valueType: array('double'), valueContainsNull: true }],
      ['later', struct(['z', 'long'])],
    ]),
    add('part-00000.snappy.parquet'),
  ])
  assert.deepEqual(await rows('* REPLACE (hex(bin) AS bin)'), [
    {
      b: 1,
      sh: 2,
      i: 3,
      l: 4,
      f: 0.5,
      d: 0.25,
      yes: true,
      s: 'text',
      bin: 'FF00',
      x: '12.34',
      day: '1582-10-15',
      at: '2020-01-01T00:00:00.123456Z',
      st: { a: 1, 'odd name': { deep: ['x', null] } },
      list: [{ n: 1 }, null],
      m: { 1: [1.5] },
      later: null,
    },
  ])
})

test('partition values of every type, null, empty and with strange characters, wherever the files lie (data-reader-partition-values, -escaped-chars, log-replay-special-characters)', async (t) => {
  const { entry, parquet, rows, lake } = await foreignWorld(t)
  const names = ['i', 's', 'd', 'yes', 'x', 'at', 'f'] as const
  const types = ['integer', 'string', 'date', 'boolean', 'decimal(4,1)', 'timestamp', 'double']
  const values: (string | null)[][] = [
    ['7', 'a=b/c %41 ü', '2024-02-29', 'true', '1.5', '2024-02-29 10:00:00', '0.5'],
    ['-1', "o'clock", null, 'false', '-0.1', '2024-02-29T10:00:00.000001Z', '-1e3'],
    [null, '', null, null, null, null, null],
  ]
  const actions = []
  for (const [index, row] of values.entries()) {
    // On the disk a folder with a percent sign, as Spark makes it; in the log that is encoded once more.
    const file = index === 0 ? 's=a%3Db%2Fc %2541 ü/p 0.parquet' : `p%${index}.parquet`
    await parquet(file, `SELECT ${index} AS n`)
    const encoded = file.split('/').map(encodeURIComponent).join('/')
    actions.push(add(encoded, Object.fromEntries(names.map((name, column) => [name, row[column]!]))))
  }
  await entry(0, [
    PROTOCOL,
    metaData(
      [['n', 'long'], ...names.map((name, column) => [name, types[column]] as [string, unknown])],
      names,
    ),
    ...actions,
  ])
  const expected = [
    {
      n: 0,
      i: 7,
      s: 'a=b/c %41 ü',
      d: '2024-02-29',
      yes: true,
      x: '1.5',
      at: '2024-02-29T10:00:00.000000Z',
      f: 0.5,
    },
    {
      n: 1,
      i: -1,
      s: "o'clock",
      d: null,
      yes: false,
      x: '-0.1',
      at: '2024-02-29T10:00:00.000001Z',
      f: -1000,
    },
    { n: 2, i: null, s: null, d: null, yes: null, x: null, at: null, f: null },
  ]
  assert.deepEqual(await rows(), expected)
  const { files, columns } = await lake.snapshot(FOREIGN)
  const kept = (predicate: Parameters<typeof pruneFiles>[2][number]) =>
    pruneFiles(files, columns, [predicate]).map((file) => files.indexOf(file))
  assert.deepEqual(kept({ column: 's', is: 'null' }), [2])
  assert.deepEqual(kept({ column: 'x', is: '<', value: '0' }), [1])
  assert.deepEqual(kept({ column: 'yes', is: '=', value: true }), [0])
})

test('partition columns that stand in the data files too count once; columns in another order or case, or unknown ones, do no harm', async (t) => {
  const { entry, parquet, rows } = await foreignWorld(t)
  await parquet('p=1/a.parquet', 'SELECT 5 AS p, 1 AS n')
  await parquet('b.parquet', "SELECT 'x' AS extra, 2::SMALLINT AS N, 9 AS p")
  await entry(0, [
    PROTOCOL,
    metaData(
      [
        ['n', 'long'],
        ['p', 'integer'],
      ],
      ['p'],
    ),
    add('p=1/a.parquet', { p: '1' }),
    add('b.parquet', { p: '2' }),
  ])
  assert.deepEqual(await rows(), [
    { n: 1, p: 1 },
    { n: 2, p: 2 },
  ])
})

test('a file removed and added again, whatever stands between; the newest metadata counts (delete-re-add-same-file, log-replay-latest-metadata-protocol, time-travel-schema-changes)', async (t) => {
  const { entry, parquet, rows, lake } = await foreignWorld(t)
  await parquet('a b.parquet', 'SELECT 1 AS n')
  await parquet('c.parquet', "SELECT 2 AS n, 'new' AS note")
  await entry(0, [PROTOCOL, metaData([['n', 'long']]), add('a%20b.parquet')])
  await entry(1, [remove('a%20b.parquet')])
  await entry(2, [
    { commitInfo: { operation: 'X' } },
    { cdc: { path: 'x' } },
    { somethingNew: {} },
    add('a%20b.parquet'),
  ])
  await entry(3, [
    metaData([
      ['n', 'long'],
      ['note', 'string'],
    ]),
    PROTOCOL,
    add('c.parquet'),
  ])
  await entry(4, [remove('c.parquet'), add('c.parquet')])
  assert.deepEqual(await rows(), [
    { n: 1, note: null },
    { n: 2, note: 'new' },
  ])
  const at = async (version: number) => {
    const { files, columns } = await lake.snapshot(FOREIGN, version)
    return [files.map((file) => file.path), columns.map(({ name }) => name)]
  }
  assert.deepEqual(await at(0), [['a b.parquet'], ['n']])
  assert.deepEqual(await at(1), [[], ['n']])
  assert.deepEqual(await at(2), [['a b.parquet'], ['n']])
  // Nothing said when it was committed: the file's own time.
  const [newest] = await lake.history(FOREIGN, { limit: 1 })
  assert.ok(Math.abs(newest!.timestampMs - Date.now()) < 60_000)
})

test('another writer’s checkpoint, with parsed columns and without the entries before it (only-checkpoint-files, checkpoint)', async (t) => {
  const { entry, parquet, rows, lake, inLog, root } = await foreignWorld(t)
  await parquet('a.parquet', 'SELECT 9007199254740993 AS n')
  const stats =
    '{"numRecords":1,"minValues":{"n":9007199254740993},"maxValues":{"n":9007199254740993},"nullCount":{"n":0}}'
  const schema = { type: 'struct', fields: [{ name: 'n', type: 'long', nullable: true, metadata: {} }] }
  const nothing = 'NULL::STRUCT(path VARCHAR)'
  const action = (kind: string, value: string) =>
    ['protocol', 'metaData', 'txn', 'add', 'remove'].map((name) =>
      name === kind ? `${value} AS ${name}` : name === 'remove' ? `${nothing} AS remove` : `NULL AS ${name}`,
    )
  const select = (kind: string, value: string) => `SELECT ${action(kind, value).join(', ')}`
  await parquet(
    '_delta_log/00000000000000000010.checkpoint.parquet',
    [
      select('protocol', '{minReaderVersion: 1, minWriterVersion: 2, readerFeatures: NULL::VARCHAR[]}'),
      select(
        'metaData',
        `{id: 'x', format: {provider: 'parquet', options: MAP {}::MAP(VARCHAR, VARCHAR)}, schemaString: '${JSON.stringify(schema)}',
         partitionColumns: []::VARCHAR[], configuration: MAP {'delta.appendOnly': 'true'}}`,
      ),
      select('txn', "{appId: 'app', version: 17}"),
      select(
        'add',
        `{path: 'a.parquet', partitionValues: MAP {}::MAP(VARCHAR, VARCHAR), size: 1, modificationTime: 1, dataChange: false,
          tags: NULL::MAP(VARCHAR, VARCHAR), stats: '${stats}', stats_parsed: {numRecords: 1}}`,
      ),
    ].join(' UNION ALL BY NAME '),
  )
  await inLog('_last_checkpoint', '{"version":10,"size":4,"sizeInBytes":1,"numOfAddFiles":1,"checksum":"x"}')
  assert.deepEqual(await rows(), [{ n: 9007199254740993n }])
  const { version, txns, properties, files, columns } = await lake.snapshot(FOREIGN)
  assert.deepEqual([version, [...txns], properties], [10, [['app', 17]], { 'delta.appendOnly': 'true' }])
  // 2^53 + 1 cannot be said as a number: no bound, but the text that goes into the next checkpoint is whole.
  assert.deepEqual(files[0]!.stats, { rows: 1, min: {}, max: {}, nulls: { n: 0 } })
  assert.equal(files[0]!.statsText, stats)
  assert.equal(pruneFiles(files, columns, [{ column: 'n', is: '>', value: 1 }]).length, 1)
  await parquet('b.parquet', 'SELECT 1 AS n')
  await entry(11, [add('b.parquet')])
  assert.deepEqual(await rows('sum(n)::VARCHAR AS s'), [{ s: '9007199254740994' }])
  await inLog('_last_checkpoint', '{"version":')
  assert.equal((await rows()).length, 2)
  await rm(path.join(root, 'bronze', 'foreign', '_delta_log', '00000000000000000010.checkpoint.parquet'))
  await assert.rejects(rows(), { code: 'lake_corrupt', message: /0{20}\.json is missing/ })
})

test('partitioned otherwise by an overwrite; statistics of other columns in each version; commit infos of any shape; milliseconds (snapshot-repartitioned, data-skipping-change-stats-collected-across-versions, commit-info-containing-arbitrary-operationParams-types, kernel-timestamp-timestamp_millis)', async (t) => {
  const { entry, parquet, rows, lake } = await foreignWorld(t)
  const fields: Field[] = [
    ['n', 'long'],
    ['p', 'string'],
    ['at', 'timestamp'],
  ]
  const stats = (values: object) => ({ stats: JSON.stringify({ numRecords: 1, ...values }) })
  await parquet('p=a/old.parquet', "SELECT 1 AS n, TIMESTAMP_MS '2020-01-01 00:00:00.123' AS at")
  await parquet('n=1/a.parquet', "SELECT 'a' AS p, TIMESTAMP_MS '2020-01-01 00:00:00.123' AS at")
  await parquet('n=2/b.parquet', "SELECT 'b' AS p, TIMESTAMPTZ '2020-01-01 00:00:00.123456Z' AS at")
  await entry(0, [
    {
      commitInfo: {
        operation: 'WRITE',
        operationParameters: { mode: 'Append', list: ['x'], deep: { y: 1 } },
      },
    },
    PROTOCOL,
    metaData(fields, ['p']),
    add('p=a/old.parquet', { p: 'a' }, stats({ minValues: { n: 1 }, maxValues: { n: 1 } })),
  ])
  await entry(1, [
    metaData(fields, ['n']),
    remove('p=a/old.parquet'),
    add('n=1/a.parquet', { n: '1' }, stats({ minValues: { p: 'a' }, maxValues: { p: 'a' } })),
    add('n=2/b.parquet', { n: '2' }, stats({ nullCount: { at: 0 } })),
  ])
  const at = '2020-01-01T00:00:00.123000Z'
  assert.deepEqual(await rows('*', 0), [{ n: 1, p: 'a', at }])
  assert.deepEqual(await rows(), [
    { n: 1, p: 'a', at },
    { n: 2, p: 'b', at: '2020-01-01T00:00:00.123456Z' },
  ])
  const { files, columns } = await lake.snapshot(FOREIGN)
  const kept = (column: string, value: string | number) =>
    pruneFiles(files, columns, [{ column, is: '=', value }]).map((file) => file.path)
  // Where a file says nothing of a column, it may hold the value.
  assert.deepEqual(kept('p', 'b'), ['n=2/b.parquet'])
  assert.deepEqual(kept('p', 'a'), ['n=1/a.parquet', 'n=2/b.parquet'])
  assert.deepEqual(kept('n', 1), ['n=1/a.parquet'])
  const [, first] = await lake.history(FOREIGN)
  assert.equal(first?.operation, 'WRITE')
})
