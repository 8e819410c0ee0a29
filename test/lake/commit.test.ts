/** What a commit leaves in the log, and what it leaves alone. */
import assert from 'node:assert/strict'
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { localStore, openLake, type Store, type TableDefinition } from '../../src/lake/index.ts'
import { NUMBERS, numbersFrom, range, world } from './temporary.ts'

const LOG = path.join('bronze', 'numbers', '_delta_log')
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

test('an entry says who made it, from what, with what figures, and the statistics of each file', async (t) => {
  const { lake, session, root } = await world(t)
  const before = Date.now()
  const add = await lake.write(session, NUMBERS.name, numbersFrom(10, 3))
  await lake.commit(NUMBERS.name, {
    operation: 'MERGE',
    add,
    txns: { 'numbers/0': 42 },
    inputs: { 'bronze.other': 7 },
    parameters: { zone: 'Europe/Berlin' },
    metrics: { rejected: 2 },
  })
  const text = await readFile(path.join(root, LOG, `${'1'.padStart(20, '0')}.json`), 'utf8')
  const actions = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, Record<string, unknown>>)
  // PROTOCOL.md, Commit Provenance Information: what it holds is free, but it comes first here.
  const { timestamp, txnId, engineInfo, ...said } = actions[0]?.['commitInfo'] ?? {}
  assert.ok(Number(timestamp) >= before && Number(timestamp) <= Date.now() + 1)
  assert.match(String(txnId), /^[0-9a-f-]{36}$/)
  assert.match(String(engineInfo), /\S/)
  assert.deepEqual(said, {
    operation: 'MERGE',
    operationParameters: { zone: 'Europe/Berlin' },
    operationMetrics: {
      numFiles: '1',
      numOutputBytes: String(add[0]?.bytes),
      numOutputRows: '3',
      rejected: '2',
    },
    readVersion: 0,
    inputVersions: { 'bronze.other': 7 },
    // txn and add.
    actionCount: 2,
  })
  const { lastUpdated, ...txn } = actions[1]?.['txn'] ?? {}
  assert.ok(Number(lastUpdated) >= before)
  assert.deepEqual(txn, { appId: 'numbers/0', version: 42 })
  const file = actions[2]?.['add'] ?? {}
  assert.deepEqual(JSON.parse(String(file['stats'])), {
    numRecords: 3,
    minValues: { n: 10, label: 'x' },
    maxValues: { n: 12, label: 'x' },
    nullCount: { n: 0, label: 0 },
  })
  assert.deepEqual(file['partitionValues'], { day: '2026-11-23' })
  assert.equal(file['dataChange'], true)
  assert.equal(actions.length, 3)
})

test('a commit that lost its race is made again without writing a data file again', async (t) => {
  const { lake, engine, session, root, numbers } = await world(t)
  const others = await openLake({ root, engine })
  t.after(() => others.close())
  await others.snapshot(NUMBERS.name)
  const mine = await lake.write(session, NUMBERS.name, numbersFrom(0, 5))
  const theirs = await others.write(session, NUMBERS.name, numbersFrom(5, 5))
  const written = await dataFiles(root)
  assert.equal(written.length, 2)
  // Both follow version 0; whoever comes second finds version 1 taken.
  const [first, second] = await Promise.all([
    lake.commit(NUMBERS.name, { operation: 'WRITE', add: mine }),
    others.commit(NUMBERS.name, { operation: 'WRITE', add: theirs }),
  ])
  assert.deepEqual([first.version, second.version].toSorted(), [1, 2])
  assert.deepEqual(await numbers(), range(0, 10))
  assert.deepEqual(await dataFiles(root), written)
})

/** Path, inode and time of every data file. */
async function dataFiles(root: string): Promise<string[]> {
  const folder = path.join(root, 'bronze', 'numbers')
  const names = (await readdir(folder, { recursive: true })).filter(
    (name) => name.endsWith('.parquet') && !name.includes('_delta_log'),
  )
  const found: string[] = []
  for (const name of names) {
    const { ino, mtimeMs } = await stat(path.join(folder, name))
    found.push(`${name} ${ino} ${mtimeMs}`)
  }
  return found.toSorted()
}

test('commits go on while a checkpoint is being written; closing waits for it', async (t) => {
  const { root, engine, session } = await world(t, { 'delta.checkpointInterval': '2' })
  const begun = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const disk = localStore(root)
  const slow: Store = {
    ...disk,
    async put(file, bytes, options) {
      if (file.endsWith('.checkpoint.parquet')) {
        begun.resolve()
        await released.promise
      }
      return disk.put(file, bytes, options)
    },
  }
  const lake = await openLake({ root, engine, store: slow })
  const append = async (first: number): Promise<number> => {
    const add = await lake.write(session, NUMBERS.name, numbersFrom(first, 1))
    return (await lake.commit(NUMBERS.name, { operation: 'WRITE', add })).version
  }
  assert.deepEqual([await append(0), await append(1)], [1, 2])
  await begun.promise
  assert.deepEqual([await append(2), await append(3), await append(4)], [3, 4, 5])
  const checkpoints = async (): Promise<string[]> =>
    (await readdir(path.join(root, LOG))).filter((name) => name.includes('.checkpoint.'))
  assert.deepEqual(await checkpoints(), [])
  const closed = lake.close()
  released.resolve()
  await closed
  assert.ok((await checkpoints()).includes(`${'2'.padStart(20, '0')}.checkpoint.parquet`))
})

test('the log is kept for as long as the table says', async (t) => {
  const { lake, append, root, numbers } = await world(t, {
    'delta.checkpointInterval': '2',
    'delta.logRetentionDuration': 'interval 2 days',
  })
  for (const first of [0, 10, 20]) await append(numbersFrom(first, 1))
  // So that the checkpoint of version 2 is there.
  await lake.close()
  const again = await openLake({ root, engine: (await world(t)).engine })
  const later = (ms: number) => again.cleanUpLog(NUMBERS.name, { nowMs: Date.now() + ms })
  await again.snapshot(NUMBERS.name)
  assert.deepEqual(await later(2 * DAY_MS - HOUR_MS), [])
  const deleted = await later(2 * DAY_MS + HOUR_MS)
  // Versions 0 and 1 lie before the checkpoint of version 2.
  assert.deepEqual(
    deleted.map((each) => path.posix.basename(each)).toSorted(),
    [0, 1].map((version) => `${String(version).padStart(20, '0')}.json`),
  )
  assert.deepEqual(await numbers(again), [0, 10, 20])
  await again.close()
})

test('partitions whose text the format spells in its own way are refused before a file is written', async (t) => {
  const { lake, session, root } = await world(t)
  for (const [type, value] of [
    ['timestamp', "TIMESTAMPTZ '2026-11-23 10:00:00Z'"],
    ['decimal(5,2)', '1.50::DECIMAL(5,2)'],
    ['double', '0.1::DOUBLE'],
    ['float', '0.1::FLOAT'],
    ['binary', "'\\x00'::BLOB"],
  ] as const) {
    const table: TableDefinition = {
      ...NUMBERS,
      name: `bronze.by_${type.replaceAll(/\W/g, '_')}`,
      columns: [...NUMBERS.columns.slice(0, 2), { name: 'part', type, description: 'Partition.' }],
      partitionBy: ['part'],
    }
    await lake.define(table)
    await assert.rejects(
      lake.write(session, table.name, `SELECT 1::BIGINT AS n, 'x' AS label, ${value} AS part`),
      {
        code: 'lake_unsupported',
        message: new RegExp(`part, a ${type.replaceAll(/[()]/g, String.raw`\$&`)}`),
      },
    )
    const folder = path.join(root, ...table.name.split('.'))
    assert.deepEqual(await readdir(folder), ['_delta_log'])
  }
})
