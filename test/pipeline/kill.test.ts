import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { test } from 'node:test'
import { openEmbeddedLog } from '../../src/2-stream/embedded.ts'
import { openDuckDb } from '../../src/lake/index.ts'
import { oracle } from '../oracle/oracle.ts'
import { DEFAULT_TARIFF } from '../oracle/arrivals.ts'
import { differences } from './compare.ts'
import { DERIVED_TABLES, bronzeRows, openTestLake, recordHouse, rowsOf } from './world.ts'

const RUNS = 8
const SEED = 20_240_331
const MESSAGES = 1500
const START_MS = Date.parse('2024-10-26T22:00:00Z')
const { tariff_version: _version, ...tariff } = DEFAULT_TARIFF

/** Random numbers 0–1 of a fixed seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Three devices over the 25-hour day of Berlin, one reading a minute in turn; some late, repeated, contradicting, broken. */
function messages(random: () => number): { atMs: number; value: string }[] {
  const sent = Array.from({ length: MESSAGES }, (_, k) => {
    const eventMs = START_MS + k * 60_000
    const late = random() < 0.1 ? Math.floor(random() * 7_200_000) : 1000
    const reading = {
      device_id: ['plug', 'meter', 'lamp'][k % 3],
      timestamp: new Date(random() < 0.05 ? eventMs - 180_000 : eventMs).toISOString(),
      power_usage: Math.round(random() * 1e5) / 100,
      energy_total_wh: k % 3 === 1 ? 1000 + k * 2 : undefined,
      temperature: random() < 0.1 ? 20 + random() : undefined,
      status: random() < 0.03 ? 'offline' : undefined,
      alert: random() < 0.1 ? 'high_power' : undefined,
    }
    return { atMs: eventMs + late, value: random() < 0.02 ? '{broken' : JSON.stringify(reading) }
  })
  const repeated = sent.filter(() => random() < 0.05).map((one) => ({ ...one, atMs: one.atMs + 5000 }))
  return [...sent, ...repeated].toSorted((a, b) => a.atMs - b.atMs)
}

const SCRIPT = fileURLToPath(new URL('stages.ts', import.meta.url))

/** Runs the stages; ends the process by SIGKILL so long after it has begun to work. Resolves to whether it was done. */
async function runStages(root: string, killAfterMs: number | null): Promise<boolean> {
  const child = spawn(process.execPath, [SCRIPT, root], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>
  let timer: NodeJS.Timeout | undefined
  if (killAfterMs !== null)
    child.stdout.once('data', () => (timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs)))
  const [code, signal] = await ended
  clearTimeout(timer)
  assert.ok(signal === 'SIGKILL' || code === 0, `the stages ended with ${code}`)
  return code === 0
}

test(`stages killed in ${RUNS} runs end with what Bronze says, each arrival once`, async () => {
  const random = randomOf(SEED)
  const engine = await openDuckDb({ threads: 1 })
  const { lake, root, remove } = await openTestLake(engine)
  try {
    const house = await recordHouse(lake, engine, {
      timeZone: 'Europe/Berlin',
      lateWatermarkHours: 1,
      catalogue: [],
      tariffs: [tariff],
    })
    let nowMs = 0
    const log = await openEmbeddedLog({ dir: join(root, 'stream'), nowMs: () => nowMs })
    const sent = messages(random)
    let next = 0
    let kills = 0
    for (let run = 1; run <= RUNS; run++) {
      // Each run finds new messages, and what the one before it left half done.
      for (; next < (sent.length * run) / RUNS; next++) {
        const { atMs, value } = sent[next] as { atMs: number; value: string }
        nowMs = atMs
        await log.append([{ key: null, value: new TextEncoder().encode(value) }])
      }
      if (!(await runStages(root, 50 + Math.floor(random() * 900)))) kills++
    }
    await log.close()
    assert.ok(kills >= 3, `only ${kills} of ${RUNS} runs were killed before they were done`)
    assert.equal(await runStages(root, null), true)

    const bronze = await bronzeRows(lake, engine)
    assert.equal(bronze.length, sent.length)
    const expected = oracle(bronze, house)
    const found: string[] = []
    for (const table of DERIVED_TABLES) {
      const rows = await rowsOf(lake, engine, table)
      const right = expected[table.name as keyof typeof expected]
      found.push(
        ...differences(table, rows, right, { ignore: ['reject_detail'], names: ['stored', 'oracle'] }),
      )
    }
    assert.deepEqual(found.slice(0, 10), [])
    // Accounting: each arrival is exactly one of a row, a reject, a duplicate.
    const derived = ['silver.readings', 'silver.rejects', 'silver.duplicates'] as const
    assert.equal(
      derived.reduce((rows, name) => rows + expected[name].length, 0),
      bronze.length,
    )
  } finally {
    await remove()
    await engine.close()
  }
})
