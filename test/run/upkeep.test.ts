/** The tables are looked after beside the stages: merged, and cleaned where nobody still reads. */
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openDuckDb, openLake } from '../../src/lake/index.ts'
import { lookAfter } from '../../src/run/upkeep.ts'

const IN = 'bronze.arrivals'
const OUT = 'silver.sums'
const TWO_MONTHS_MS = 60 * 86_400_000

/** Bronze has ten versions of a row each (1 to 10), with a checkpoint at 10, and Silver has read up to `read` of them. */
async function house(t: TestContext, read: number) {
  const root = mkdtempSync(join(tmpdir(), 'smarthouse-upkeep-'))
  const engine = await openDuckDb({ threads: 1 })
  const lake = await openLake({ root, engine })
  const session = await engine.session()
  t.after(async () => {
    await session.close()
    await lake.close()
    await engine.close()
    rmSync(root, { recursive: true, force: true, maxRetries: 5 })
  })
  for (const name of [IN, OUT])
    await lake.define({
      name,
      description: 'Numbers.',
      partitionBy: [],
      sortBy: ['n'],
      key: ['n'],
      columns: [{ name: 'n', type: 'long', description: 'A number.' }],
      properties: { 'delta.checkpointInterval': '10' },
    })
  for (let n = 1; n <= 10; n += 1)
    await lake.commit(IN, { operation: 'WRITE', add: await lake.write(session, IN, `SELECT ${n} AS n`) })
  await lake.commit(OUT, {
    operation: 'WRITE',
    add: await lake.write(session, OUT, `SELECT ${read} AS n`),
    txns: { [IN]: read },
  })
  const names = (folder: string) => readdirSync(join(root, 'bronze', 'arrivals', folder))
  return {
    lake,
    round: (nowMs: number) =>
      lookAfter(
        { lake, engine },
        { layers: ['bronze', 'silver'], nowMs, clean: true, stop: new AbortController().signal },
      ),
    files: () => names('').filter((name) => name.endsWith('.parquet')).length,
    entries: () => names('_delta_log').filter((name) => /^\d{20}\.json$/.test(name)).length,
    async sum() {
      const { files } = await lake.snapshot(IN)
      const [row] = await session.rows<{ sum: number }>(`SELECT sum(n) AS sum FROM ${lake.scan(IN, files)}`)
      return Number(row?.sum)
    },
  }
}

test('small files are merged, and what is young stays', async (t) => {
  const { lake, round, files, entries, sum } = await house(t, 10)
  await round(Date.now())
  assert.equal((await lake.snapshot(IN)).files.length, 1)
  // Ten of one row each, and the one that holds them all; version 0 to 10, and the merge.
  assert.deepEqual([files(), entries(), await sum()], [11, 12, 55])
})

test('after two months the merged files and the log before the checkpoint go; the rows are the same', async (t) => {
  const { lake, round, files, entries, sum } = await house(t, 10)
  await round(Date.now())
  await lake.close()
  await round(Date.now() + TWO_MONTHS_MS)
  // Versions 10 and 11 are left: the checkpoint is at 10.
  assert.deepEqual([files(), entries(), await sum()], [1, 2, 55])
})

test('what a later layer has yet to read stays, however old', async (t) => {
  const { lake, round, files, entries } = await house(t, 7)
  await round(Date.now())
  await lake.close()
  await round(Date.now() + TWO_MONTHS_MS)
  assert.deepEqual([files(), entries()], [11, 12])
  const { added } = await lake.changes(IN, 7, 10)
  assert.equal(added.length, 3)
})

test('a table that cannot be looked after keeps no other from it, and is named', async (t) => {
  const { lake, round, sum } = await house(t, 10)
  for (const version of ['0', '1'])
    await lake.store.put(
      `bronze/aaa/_delta_log/${version.padStart(20, '0')}.json`,
      new TextEncoder().encode('no JSON\n'),
    )
  await assert.rejects(round(Date.now()), /bronze\.aaa/)
  assert.equal((await lake.snapshot(IN)).files.length, 1)
  assert.equal(await sum(), 55)
})

test('the log stays from where a later layer has read up to, though only merging came after', async (t) => {
  const { lake, round, entries } = await house(t, 10)
  await round(Date.now())
  // Version 11 is the merge; empty commits lead to a checkpoint at 20, which alone would let 0 to 19 go.
  for (let version = 12; version <= 21; version += 1) await lake.commit(IN, { operation: 'WRITE', add: [] })
  await lake.close()
  await round(Date.now() + TWO_MONTHS_MS)
  // Silver goes on from version 10: 10 to 21 stay.
  assert.equal(entries(), 12)
  assert.deepEqual(await lake.changes(IN, 10, 21), { added: [], removed: [], expired: [] })
})
