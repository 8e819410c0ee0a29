import assert from 'node:assert/strict'
import { readdir, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { compactTable } from '../../src/lake/index.ts'
import { mergeGroups } from '../../src/lake/compact.ts'
import { NUMBERS, numbersFrom, range, world } from './temporary.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

test('merging: the same rows in one sorted file per partition, unseen by changes, and one who rewrote first wins', async (t) => {
  const { lake, engine, append, numbers, session } = await world(t)
  for (const first of range(0, 10)) await append(numbersFrom(9 - first, 1))
  const before = await lake.snapshot(NUMBERS.name)
  assert.deepEqual(await compactTable({ lake, engine, table: NUMBERS.name }), { merged: 10, written: 1 })
  const after = await lake.snapshot(NUMBERS.name)
  const [file] = after.files
  assert.equal(after.files.length, 1)
  assert.deepEqual([file?.stats.rows, file?.stats.min.n, file?.stats.max.n], [10, 0, 9])
  const inFile = await session.rows<{ n: number }>(`SELECT n FROM ${lake.scan(NUMBERS.name, after.files)}`)
  assert.deepEqual(
    inFile.map((row) => row.n),
    range(0, 10),
  )
  assert.deepEqual(await lake.changes(NUMBERS.name, before.version, after.version), {
    added: [],
    removed: [],
    expired: [],
  })
  // From the beginning: the ten files as they were appended, all readable still.
  const { added } = await lake.changes(NUMBERS.name, 0, after.version)
  assert.deepEqual(
    added.map((each) => each.path),
    before.files.map((each) => each.path),
  )
  const stale = lake.commit(NUMBERS.name, {
    operation: 'OPTIMIZE',
    dataChange: false,
    add: [],
    remove: before.files,
  })
  await assert.rejects(stale, { code: 'lake_conflict' })
  assert.deepEqual(await compactTable({ lake, engine, table: NUMBERS.name }), { merged: 0, written: 0 })
  assert.deepEqual(await numbers(), range(0, 10))
})

test('which files are merged: few small ones wait while the partition is busy, large ones are left alone', () => {
  const file = (rows: number, day: string, ageMs = 0) => ({
    path: `${day}/${rows}`,
    bytes: rows,
    partition: { day },
    modifiedMs: 10 * HOUR_MS - ageMs,
    stats: { rows, min: {}, max: {}, nulls: {} },
  })
  const rowsOf = (files: ReturnType<typeof file>[]) =>
    mergeGroups(files, 1000, 10 * HOUR_MS).map((group) => group.map((each) => each.stats.rows))
  const eight = range(1, 8)
  assert.deepEqual(rowsOf(range(1, 7).map((rows) => file(rows, 'a'))), [])
  assert.deepEqual(rowsOf(eight.map((rows) => file(rows, 'a'))), [eight])
  // 1 + … + 8 = 36: a file of 36 joins, one of 400 waits until the others are as many, one of 500 is no small file.
  assert.deepEqual(rowsOf([...eight, 36, 400, 500].map((rows) => file(rows, 'a'))), [[...eight, 36]])
  // Quiet for two hours: two are enough, whatever their sizes; partitions are kept apart.
  assert.deepEqual(
    rowsOf([file(1, 'a', 2 * HOUR_MS), file(400, 'a', 2 * HOUR_MS), file(2, 'b', 2 * HOUR_MS)]),
    [[1, 400]],
  )
  // 400 + 400 fit into 1,000 rows, a third does not.
  const quiet = [400, 401, 402, 403].map((rows) => file(rows, 'a', 2 * HOUR_MS))
  assert.deepEqual(rowsOf(quiet), [
    [400, 401],
    [402, 403],
  ])
})

test('vacuum: what was removed or never committed goes after its time, and nothing younger than an hour', async (t) => {
  const { root, lake, session, append, numbers } = await world(t)
  await append(numbersFrom(0, 1))
  const [old] = (await lake.snapshot(NUMBERS.name)).files
  await append(numbersFrom(1, 1))
  await lake.commit(NUMBERS.name, { operation: 'DELETE', add: [], remove: [old!] })
  const [orphan] = await lake.write(session, NUMBERS.name, numbersFrom(7, 1))
  const table = path.join(root, 'bronze', 'numbers')
  await writeFile(path.join(table, '_delta_log', '.00000000000000000009.json.x.tmp'), 'half')
  await writeFile(path.join(table, '_delta_log', 'foreign.parquet'), '')
  const temporary = '_delta_log/.00000000000000000009.json.x.tmp'
  const gone = [old!.path, orphan!.path, temporary].toSorted()
  const vacuum = async (options: { olderThanMs?: number; dryRun?: boolean; nowMs: number }) =>
    (await lake.vacuum(NUMBERS.name, options)).toSorted()

  assert.deepEqual(await vacuum({ nowMs: Date.now() + 6 * DAY_MS }), [])
  assert.deepEqual(await vacuum({ olderThanMs: 0, nowMs: Date.now() + HOUR_MS / 2 }), [])
  assert.deepEqual(await vacuum({ dryRun: true, nowMs: Date.now() + 8 * DAY_MS }), gone)
  // The removed file was written long ago, but removed just now: it stays.
  const longAgo = new Date(Date.now() - 30 * DAY_MS)
  await utimes(path.join(table, ...old!.path.split('/')), longAgo, longAgo)
  assert.deepEqual(await vacuum({ nowMs: Date.now() }), [])
  assert.deepEqual(await vacuum({ nowMs: Date.now() + 8 * DAY_MS }), gone)
  assert.equal((await readdir(path.join(table, 'day=2026-11-23'))).length, 1)
  assert.deepEqual(await numbers(), [1])
})

test('vacuum spares no longer than the table remembers its removals: asked for more, it says so', async (t) => {
  const { lake } = await world(t, { 'delta.deletedFileRetentionDuration': 'interval 2 days' })
  await lake.vacuum(NUMBERS.name, { olderThanMs: 2 * DAY_MS })
  await assert.rejects(lake.vacuum(NUMBERS.name, { olderThanMs: 3 * DAY_MS }), {
    code: 'usage',
    message: /bronze\.numbers remembers for 48 h .* last 72 h/,
  })
})

test('of a damaged table nothing is deleted, and that is said', async (t) => {
  const { root, lake, append } = await world(t)
  await append(numbersFrom(0, 1))
  await writeFile(path.join(root, 'bronze', 'numbers', '_delta_log', `${'2'.padStart(20, '0')}.json`), '{"co')
  const torn = { code: 'lake_corrupt', message: /bronze\.numbers, version 2: .*2\.json is torn/ }
  await assert.rejects(lake.vacuum(NUMBERS.name, { nowMs: Date.now() + 8 * DAY_MS }), torn)
  await assert.rejects(lake.cleanUpLog(NUMBERS.name, { nowMs: Date.now() + 31 * DAY_MS }), torn)
})
