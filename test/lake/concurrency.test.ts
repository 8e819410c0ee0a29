import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { LakeError, openLake, type DataFile } from '../../src/lake/index.ts'
import { APPENDER_SPAN, NUMBERS, numbersFrom, range, world } from './temporary.ts'

const SOAK = process.env.SOAK === '1'
const BATCHES = SOAK ? 500 : 50
const LEAST_MIXED_S = SOAK ? 600 : 0

function run(
  t: TestContext,
  script: string,
  words: readonly (string | number)[],
  stdin: 'ignore' | 'pipe' = 'ignore',
): ChildProcess {
  const file = fileURLToPath(new URL(script, import.meta.url))
  const child = spawn(process.execPath, [file, ...words.map(String)], {
    stdio: [stdin, 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  return child
}

/** The last line that a process has printed, and how it ended. */
async function ended(child: ChildProcess, onLine: (line: string) => void = () => undefined) {
  let last = ''
  const reading = (async () => {
    for await (const line of createInterface({ input: child.stdout! })) {
      last = line
      onLine(line)
    }
  })()
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  await reading
  return { last, code, signal }
}

test(`four writing processes of ${BATCHES} batches, each killed twice and replayed: every row once`, async (t) => {
  const { root, engine, numbers } = await world(t, { 'delta.checkpointInterval': '7' })
  const writers = [0, 1, 2, 3].map(async (id) => {
    // Killed at whatever it does a while after so many batches; then started three batches before what it had said.
    let [from, said] = [0, -1]
    for (const killAt of [BATCHES / 3, (2 * BATCHES) / 3, Infinity]) {
      const child = run(t, './writer.ts', [root, id, from, BATCHES])
      const { code, signal } = await ended(child, (line) => {
        said = Number(line)
        if (said >= killAt) setTimeout(() => child.kill('SIGKILL'), Math.random() * 20)
      })
      assert.deepEqual([code, signal], killAt === Infinity ? [0, null] : [null, 'SIGKILL'])
      from = Math.max(0, said - 3)
    }
  })
  await Promise.all(writers)
  const expected = [0, 1, 2, 3].flatMap((id) => range(id * 100_000, BATCHES * 10))
  assert.deepEqual(await numbers(), expected)
  // From checkpoint and log alone the same.
  assert.deepEqual(await numbers(await openLake({ root, engine })), expected)
})

/** What the processes of each role must have done before they are told to end: merges, overwrites, files deleted, looks. */
const ENOUGH = { appender: 60, merger: 4, overwriter: 8, vacuum: 4, reader: 60 }
type Role = keyof typeof ENOUGH

test('2 appenders, 2 mergers, an overwriter, a vacuum and 3 readers: nothing twice, nothing missing, no file vanished', async (t) => {
  const { root, lake, engine, numbers } = await world(t, { 'delta.checkpointInterval': '10' })
  const until = Date.now() + LEAST_MIXED_S * 1000
  const committed = new Map<number, number>()
  const done = new Map<ChildProcess, [Role, number]>()
  let isEnough = false
  /** Tells all to end once each role has done enough, those that were killed again since their start, too. */
  const look = (): void => {
    const parts = [...done.values()]
    const of = (role: Role) => parts.reduce((sum, [each, count]) => sum + (each === role ? count : 0), 0)
    isEnough ||=
      parts.length === 9 &&
      parts.every(([role, count]) => count > 0 || role === 'merger') &&
      Object.entries(ENOUGH).every(([role, least]) => of(role as Role) >= least) &&
      Date.now() >= until
    if (isEnough) for (const child of done.keys()) child.stdin!.end()
  }
  const runs = async (role: Role, id: number, onDone: (count: number, child: ChildProcess) => void) => {
    const child = run(t, './mixed.ts', [role, root, id], 'pipe')
    const { code } = await ended(child, (line) => {
      const [word, number] = line.split(' ')
      if (word === 'last') committed.set(id, Number(number))
      else onDone(Number(number), child)
    })
    return code
  }
  const counted = async (role: Role, id = 0): Promise<void> => {
    const code = await runs(role, id, (count, child) => {
      done.set(child, [role, count])
      look()
    })
    assert.equal(code, 0)
  }
  /** One that is killed at whatever it does a while after so many turns, and started again. */
  const killed = async (role: Role, turns: number, id = 0): Promise<void> => {
    let left = turns
    const code = await runs(role, id, (_, child) => {
      left -= 1
      if (left === 0) setTimeout(() => child.kill('SIGKILL'), Math.random() * 300)
    })
    assert.equal(code, null)
    await counted(role, id)
  }
  await Promise.all([
    killed('appender', 8, 1),
    counted('appender', 2),
    killed('merger', 5),
    counted('merger'),
    counted('overwriter'),
    counted('vacuum'),
    ...[0, 1, 2].map(() => counted('reader')),
  ])
  const seen = await numbers(await openLake({ root, engine }))
  for (const id of [1, 2]) {
    const own = seen.filter((n) => Math.floor(n / APPENDER_SPAN) === id)
    assert.ok(own.length > committed.get(id)! - id * APPENDER_SPAN, 'what was reported committed is gone')
    assert.deepEqual(own, range(id * APPENDER_SPAN, own.length))
  }
  assert.deepEqual((await lake.check(NUMBERS.name)).findings, [])
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
