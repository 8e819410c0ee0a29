import assert from 'node:assert/strict'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
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

/** Every byte takes half a minute; the tests take every 16th, and all of the first and last 64. */
const EVERY_BYTE = process.env.SOAK === '1'

test('a newest checkpoint cut at any byte: read from the log where that is whole, refused by name where it is not', async (t) => {
  const { root, engine, lake, append } = await world(t, { 'delta.checkpointInterval': '2' })
  for (const first of [0, 1]) await append(numbersFrom(first, 1))
  await lake.close()
  const log = path.join(root, 'bronze', 'numbers', '_delta_log')
  const checkpoint = path.join(log, `${'2'.padStart(20, '0')}.checkpoint.parquet`)
  const whole = await readFile(checkpoint)
  const paths = (await lake.snapshot(NUMBERS.name)).files.map((file) => file.path).toSorted()
  const cold = async () => (await openLake({ root, engine })).snapshot(NUMBERS.name)
  const cuts = range(0, whole.length).filter(
    (at) => EVERY_BYTE || at % 16 === 0 || at < 64 || at >= whole.length - 64,
  )
  for (const at of cuts) {
    await writeFile(checkpoint, whole.subarray(0, at))
    const { files, version } = await cold()
    assert.deepEqual([version, files.map((file) => file.path).toSorted()], [2, paths], `cut at ${at}`)
  }
  const pointer = await readFile(path.join(log, '_last_checkpoint'))
  await writeFile(checkpoint, whole)
  for (const at of range(0, pointer.length)) {
    await writeFile(path.join(log, '_last_checkpoint'), pointer.subarray(0, at))
    assert.equal((await cold()).files.length, 2, `pointer cut at ${at}`)
  }
  await writeFile(path.join(log, '_last_checkpoint'), pointer)
  // Without the log's beginning the checkpoint alone would know: nothing is made up.
  await writeFile(checkpoint, whole.subarray(0, whole.length - 1))
  for (const version of [0, 1]) await rm(entry(root, version))
  await assert.rejects(cold(), {
    code: 'lake_corrupt',
    message: /version 2: .*2\.checkpoint\.parquet cannot be read/,
  })
})

test('a checkpoint that lies is passed over, and check says so', async (t) => {
  const { root, engine, lake, append, session, numbers } = await world(t, { 'delta.checkpointInterval': '2' })
  for (const first of [0, 1]) await append(numbersFrom(first, 1))
  await lake.close()
  assert.deepEqual((await lake.check(NUMBERS.name)).findings, [])
  const checkpoint = path.join(
    root,
    'bronze',
    'numbers',
    '_delta_log',
    `${'2'.padStart(20, '0')}.checkpoint.parquet`,
  )
  const lie = path.join(root, 'lie.parquet').replaceAll('\\', '/')
  await session.run(
    `COPY (SELECT * FROM '${checkpoint.replaceAll('\\', '/')}' LIMIT 3) TO '${lie}' (FORMAT parquet)`,
  )
  await writeFile(checkpoint, await readFile(lie))
  // The pointer says four actions (protocol, metaData, two adds), there are three: one file would be missing.
  assert.deepEqual(await numbers(await openLake({ root, engine })), [0, 1])
  const { findings } = await lake.check(NUMBERS.name)
  assert.equal(findings.length, 1)
  assert.match(findings[0]!.file ?? '', /2\.checkpoint\.parquet/)
  assert.match(findings[0]!.problem, /it lacks day=2026-11-23/)
})

test('a newest entry that got lost, or was exchanged, is seen before the next commit', async (t) => {
  const { root, engine, lake, append, session, numbers } = await world(t)
  for (const first of [0, 1]) await append(numbersFrom(first, 1))
  const lost = await readFile(entry(root, 2))
  await rm(entry(root, 2))
  await assert.rejects(append(numbersFrom(2, 1)), {
    code: 'lake_corrupt',
    message: /version 2: .* is missing/,
  })
  const { version, damage } = await lake.snapshot(NUMBERS.name)
  assert.equal(version, 1)
  assert.match(damage ?? '', /2\.json is missing/)
  await assert.rejects(append(numbersFrom(2, 1)), { code: 'lake_corrupt' })
  // Put back, it counts again.
  await writeFile(entry(root, 2), lost)
  assert.equal(await append(numbersFrom(2, 1)), 3)
  await rm(entry(root, 3))
  await assert.rejects(append(numbersFrom(3, 1)), { code: 'lake_corrupt' })
  const { movedAside } = await lake.check(NUMBERS.name, { repair: true })
  assert.equal(movedAside, undefined)
  assert.equal(await append(numbersFrom(4, 1)), 3)
  assert.deepEqual(await numbers(), [0, 1, 4])

  // A folder put back from a backup, and written to by another process: its version 3 is another one.
  const other = await openLake({ root, engine })
  await rm(entry(root, 3))
  const add = await other.write(session, NUMBERS.name, numbersFrom(5, 1))
  await other.commit(NUMBERS.name, { operation: 'WRITE', add })
  assert.equal(await append(numbersFrom(6, 1)), 4)
  assert.deepEqual(await numbers(), [0, 1, 5, 6])
})

test('a table is not begun over a torn first entry, nor in the folder of another format', async (t) => {
  const { root, engine } = await world(t)
  await writeFile(entry(root, 0), '{"comm')
  await assert.rejects((await openLake({ root, engine })).define(NUMBERS), { code: 'lake_corrupt' })
  const foreign = { ...NUMBERS, name: 'bronze.iceberg' }
  await mkdir(path.join(root, 'bronze', 'iceberg', 'metadata'), { recursive: true })
  const lake = await openLake({ root, engine })
  await assert.rejects(lake.define(foreign), {
    code: 'lake_unsupported',
    message: /bronze\.iceberg.*metadata/,
  })
})

test('a process whose entries were cleaned up behind its back does not write into the past', async (t) => {
  const { root, engine, lake, append, numbers } = await world(t, { 'delta.checkpointInterval': '2' })
  const behind = await openLake({ root, engine })
  await behind.snapshot(NUMBERS.name)
  for (const first of range(0, 4)) await append(numbersFrom(first, 1))
  await lake.close()
  const deleted = await lake.cleanUpLog(NUMBERS.name, { nowMs: Date.now() + 31 * 86_400_000 })
  assert.equal(deleted.filter((name) => /^\d{20}\.json$/.test(name)).length, 4)
  const { version } = await behind.commit(NUMBERS.name, { operation: 'WRITE', add: [] })
  assert.equal(version, 5)
  assert.deepEqual(await numbers(behind), range(0, 4))
})
