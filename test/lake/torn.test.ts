import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { openLake } from '../../src/lake/index.ts'
import { NUMBERS, numbersFrom, range, world } from './temporary.ts'

const entry = (root: string, version: number): string =>
  path.join(root, 'bronze', 'numbers', '_delta_log', `${String(version).padStart(20, '0')}.json`)

test('a newest entry cut at any byte: the version before is served and said to be; commits are refused', async (t) => {
  const { root, lake, engine, session } = await world(t)
  const write = (first: number, day?: string) => lake.write(session, NUMBERS.name, numbersFrom(first, 1, day))
  await lake.commit(NUMBERS.name, { operation: 'WRITE', add: await write(0) })
  const add = [...(await write(1, '2026-11-22')), ...(await write(2))]
  await lake.commit(NUMBERS.name, { operation: 'WRITE', add, txns: { a: 1 } })
  const whole = await readFile(entry(root, 2))
  const other = await openLake({ root, engine })
  // The last byte is a line end: without it the entry is still whole.
  for (let bytes = 0; bytes < whole.length - 1; bytes += 1) {
    await writeFile(entry(root, 2), whole.subarray(0, bytes))
    const snapshot = await other.snapshot(NUMBERS.name)
    assert.equal(snapshot.version, 1, `cut at ${bytes}`)
    assert.match(snapshot.damage ?? '', /00000000000000000002\.json is torn/)
  }
  const commit = other.commit(NUMBERS.name, { operation: 'WRITE', add })
  await assert.rejects(commit, { code: 'lake_corrupt', message: /00000000000000000002/ })
  assert.equal((await openLake({ root, engine }).then((cold) => cold.snapshot(NUMBERS.name))).version, 1)
  await writeFile(entry(root, 2), whole)
  const healed = await other.snapshot(NUMBERS.name)
  assert.deepEqual([healed.version, healed.damage], [2, undefined])
})

test('a torn or missing entry with newer ones behind it is corruption, for readers as well', async (t) => {
  const { root, engine, append } = await world(t)
  for (const first of [0, 1, 2]) await append(numbersFrom(first, 1))
  const whole = await readFile(entry(root, 2))
  await writeFile(entry(root, 2), whole.subarray(0, 40))
  await assert.rejects((await openLake({ root, engine })).snapshot(NUMBERS.name), { code: 'lake_corrupt' })
  await rm(entry(root, 2))
  await assert.rejects((await openLake({ root, engine })).snapshot(NUMBERS.name), { code: 'lake_corrupt' })
})

test('a lake that is behind does not fill a hole in the log', async (t) => {
  const { root, lake, engine, append } = await world(t)
  await append(numbersFrom(0, 1))
  const behind = await openLake({ root, engine })
  await behind.snapshot(NUMBERS.name)
  for (const first of [1, 2]) await append(numbersFrom(first, 1))
  await rm(entry(root, 2))
  const commit = behind.commit(NUMBERS.name, { operation: 'WRITE', add: [] })
  await assert.rejects(commit, { code: 'lake_corrupt', message: /00000000000000000002\.json is missing/ })
  assert.equal((await lake.snapshot(NUMBERS.name)).version, 3)
})

test('opening from a checkpoint gives what the log gives; a torn or false pointer or checkpoint changes nothing', async (t) => {
  const { root, lake, engine, append, numbers, session } = await world(t, { 'delta.checkpointInterval': '5' })
  for (const first of range(0, 11)) await append(numbersFrom(first, 1))
  const { files } = await lake.snapshot(NUMBERS.name)
  const add = await lake.write(session, NUMBERS.name, numbersFrom(100, 1))
  await lake.commit(NUMBERS.name, { operation: 'REBUILD', add, remove: files.slice(0, 5), txns: { a: 7 } })
  for (const first of range(11, 3)) await append(numbersFrom(first, 1))
  await lake.close()
  const cold = async () => (await openLake({ root, engine })).snapshot(NUMBERS.name)
  const warm = await lake.snapshot(NUMBERS.name)
  const log = path.join(root, 'bronze', 'numbers', '_delta_log')
  const pointer = path.join(log, '_last_checkpoint')
  assert.equal(JSON.parse(await readFile(pointer, 'utf8')).version, 15)

  // Without the entries that the checkpoint covers, it alone must tell all.
  const covered = await Promise.all(range(0, 16).map(async (version) => readFile(entry(root, version))))
  for (const version of range(0, 16)) await rm(entry(root, version))
  const opened = await cold()
  const byPath = (snapshot: typeof warm) => Map.groupBy(snapshot.files, (file) => file.path)
  assert.deepEqual(byPath(opened), byPath(warm))
  assert.deepEqual([opened.version, [...opened.txns], opened.columns], [15, [['a', 7]], warm.columns])
  assert.deepEqual(await numbers(await openLake({ root, engine })), [...range(5, 9), 100])
  for (const version of range(0, 16)) await writeFile(entry(root, version), covered[version]!)

  const checkpoint = path.join(log, `${'15'.padStart(20, '0')}.checkpoint.parquet`)
  const whole = await readFile(checkpoint)
  for (const bytes of [0, 4, Math.floor(whole.length / 2), whole.length - 1]) {
    await writeFile(checkpoint, whole.subarray(0, bytes))
    assert.deepEqual(byPath(await cold()), byPath(warm), `checkpoint cut at ${bytes}`)
  }
  await writeFile(checkpoint, whole)
  for (const text of ['', '{"ver', '{"version":99,"size":1}']) {
    await writeFile(pointer, text)
    assert.deepEqual(byPath(await cold()), byPath(warm), `pointer ${text}`)
  }
  await writeFile(pointer, '{"version":15,"size":1,"parts":2}')
  await assert.rejects(cold(), { code: 'lake_unsupported', message: /several parts/ })
})
