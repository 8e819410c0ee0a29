import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import fc from 'fast-check'
import { compactTable, LakeError, openLake, type DataFile } from '../../src/lake/index.ts'
import { NUMBERS, numbersFrom, range, world } from './temporary.ts'

const WRITER = fileURLToPath(new URL('./writer.ts', import.meta.url))
const BATCHES = 15

function writer(root: string, id: number): ChildProcess {
  return spawn(process.execPath, [WRITER, root, String(id), String(BATCHES)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

test('three writing processes, two of them killed and started anew, and a merger: every row once', async (t) => {
  const { root, lake, engine, numbers } = await world(t, { 'delta.checkpointInterval': '7' })
  const writers = [0, 1, 2].map((id) => writer(root, id))
  const finished = [0, 1, 2].map(async (id) => {
    const child = writers[id] as ChildProcess
    if (id < 2) {
      // Killed at whatever it does after its third commit; then all of its batches are sent again.
      let batches = 0
      child.stdout?.on('data', () => {
        batches += 1
        if (batches === 3) child.kill('SIGKILL')
      })
      await once(child, 'exit')
      const again = writer(root, id)
      again.stdout?.resume()
      assert.deepEqual(await once(again, 'exit'), [0, null])
    } else {
      child.stdout?.resume()
      assert.deepEqual(await once(child, 'exit'), [0, null])
    }
  })
  let writing = true
  const done = Promise.all(finished).finally(() => (writing = false))
  let mergers = 0
  while (writing) {
    const { merged } = await compactTable({ lake, engine, table: NUMBERS.name })
    mergers += merged > 0 ? 1 : 0
    const seen = await numbers()
    assert.equal(new Set(seen).size, seen.length, 'a reader saw a row twice')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await done
  const expected = [0, 1, 2].flatMap((id) => range(id * 100_000, BATCHES * 10))
  assert.deepEqual(await numbers(), expected)
  assert.ok(mergers > 0, 'nothing was merged while the writers wrote')
  // From checkpoint and log alone the same.
  assert.deepEqual(await numbers(await openLake({ root, engine })), expected)
})

test('any mix of appends, removals and rewrites by several lakes gives the expected files, and changes add up', async (t) => {
  const { root, engine, session } = await world(t)
  const lakes = await Promise.all([0, 1, 2].map(() => openLake({ root, engine })))
  const step = fc.record({
    by: fc.nat(2),
    act: fc.constantFrom('append', 'remove', 'rewrite', 'merge'),
    /** Whether the lake looks at the table first, or works from what it saw last. */
    fresh: fc.boolean(),
    pick: fc.nat(5),
  })
  let next = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const [begin] = await Promise.all(lakes.map((lake) => lake.snapshot(NUMBERS.name)))
      assert.ok(begin)
      const model = new Map(begin.files.map((file) => [file.path, file]))
      const seen = lakes.map(() => begin.files)
      for (const { by, act, fresh, pick } of steps) {
        const lake = lakes[by]!
        if (fresh) seen[by] = (await lake.snapshot(NUMBERS.name)).files
        const known = seen[by]!
        const remove = act === 'append' ? [] : known.slice(pick, pick + 2)
        const keeps = act === 'rewrite' || act === 'merge'
        const select =
          act === 'append' ? numbersFrom((next += 1), 1) : `SELECT * FROM ${lake.scan(NUMBERS.name, remove)}`
        const add = act === 'append' || keeps ? await lake.write(session, NUMBERS.name, select) : []
        const request = {
          operation: act,
          add,
          remove,
          ...(act === 'merge' ? { dataChange: false as const } : {}),
        }
        const stale = remove.some((file) => !model.has(file.path))
        const outcome = await lake.commit(NUMBERS.name, request).catch((error: unknown) => error)
        assert.equal(outcome instanceof LakeError && outcome.code === 'lake_conflict', stale)
        if (stale) continue
        for (const file of remove) model.delete(file.path)
        for (const file of add) model.set(file.path, file)
      }
      for (const lake of lakes) {
        const { files, version } = await lake.snapshot(NUMBERS.name)
        assert.deepEqual(new Set(files.map((file) => file.path)), new Set(model.keys()))
        const { added, removed } = await lake.changes(NUMBERS.name, begin.version, version)
        const rows = async (some: readonly DataFile[]): Promise<number[]> =>
          (await session.rows<{ n: number }>(`SELECT n FROM ${lake.scan(NUMBERS.name, some)}`)).map(
            (row) => row.n,
          )
        // rows(after) + added = rows(upTo) + removed, as multisets.
        const left = [...(await rows(begin.files)), ...(await rows(added))].toSorted((a, b) => a - b)
        const right = [...(await rows(files)), ...(await rows(removed))].toSorted((a, b) => a - b)
        assert.deepEqual(left, right)
      }
    }),
    { numRuns: 12 },
  )
})
