import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLake } from '../../src/lake/index.ts'
import { add, FOREIGN, foreignWorld, metaData, PROTOCOL, remove } from './foreign.ts'

test('a checkpoint keeps what files of any writer say: no statistics, no partition, names of all kinds, control characters', async (t) => {
  const { root, lake, engine, entry } = await foreignWorld(t)
  const stats =
    '{"numRecords":2,"minValues":{"n":1},"maxValues":{"n":12345678901234567890},"nullCount":{"n":0}}'
  await entry(0, [
    PROTOCOL,
    metaData(
      [
        ['n', 'decimal(20,0)'],
        ['p', 'string'],
      ],
      ['p'],
      { configuration: { 'delta.checkpointInterval': '2' } },
    ),
    add('a%20b/%25.parquet', { p: 'a b' }, { stats, size: 7, modificationTime: 5 }),
    add('none.parquet', { p: null }),
    add('quote.parquet', { p: `it's "\\` }, { stats: 'no\u001eJSON' }),
    add('gone.parquet', { p: 'x' }),
  ])
  await entry(1, [remove('gone.parquet')])
  const { version } = await lake.commit(FOREIGN, { operation: 'WRITE', add: [], txns: { me: 3 } })
  assert.equal(version, 2)
  const warm = await lake.snapshot(FOREIGN)
  await lake.close()
  for (const each of ['0', '1'])
    await lake.store.delete(`bronze/foreign/_delta_log/${each.padStart(20, '0')}.json`)
  const cold = await (await openLake({ root, engine })).snapshot(FOREIGN)
  const said = (files: typeof warm.files) =>
    files.map(({ path, bytes, modifiedMs, partition, statsText }) => ({
      path,
      bytes,
      modifiedMs,
      partition,
      statsText,
    }))
  // Statistics that are no JSON are left out: what is not known is read.
  const expected = said(warm.files).map((file) =>
    file.path === 'quote.parquet' ? { ...file, statsText: undefined } : file,
  )
  assert.equal(expected.length, 3)
  assert.deepEqual(said(cold.files), expected)
  assert.equal(cold.files[0]?.stats.max.n, '12345678901234567890')
  assert.deepEqual([...cold.txns], [['me', 3]])
})
