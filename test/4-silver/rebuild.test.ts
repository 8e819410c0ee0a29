import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { rebuildSilver } from '../../src/4-silver/rebuild.ts'
import { SILVER_TABLES } from '../../src/4-silver/tables.ts'
import { openDuckDb } from '../../src/lake/index.ts'
import type { Engine, Lake } from '../../src/lake/types.ts'
import { arrival } from './arrivals.ts'
import { openHouse, type House } from './house.ts'

let engine: Engine
before(async () => {
  engine = await openDuckDb({ threads: 1 })
})
after(() => engine.close())

const RUNS = Number(process.env.SILVER_RUNS ?? 4)
const SEED = Number(process.env.SILVER_SEED ?? 11)

async function contents(house: House): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {}
  for (const { name } of SILVER_TABLES) found[name] = await house.contents(name)
  return found
}

class Interrupted extends Error {}

/** Rebuilds in parts; interrupted after so many of them where the rebuild comes so far, and done again then. */
async function inParts(house: House, rowsPerPart: number, stopAfter: number): Promise<string[]> {
  const told: string[] = []
  const options = { lake: house.lake, engine, rowsPerPart, saveEveryMs: 0 }
  try {
    await rebuildSilver({
      ...options,
      onProgress: (text) => {
        if (text.startsWith(`silver: part ${stopAfter} of`)) throw new Interrupted()
      },
    })
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    await rebuildSilver({ ...options, onProgress: (text) => told.push(text) })
  }
  return told
}

test('date by date is the same as at once, however small the parts, interrupted or not', async () => {
  let wentOn = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(arrival, { minLength: 2, maxLength: 20 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 6 }),
      async (arrivals, rowsPerPart, stopAfter) => {
        const house = await openHouse(engine)
        try {
          await house.land(arrivals.map((one) => ({ ...one, at: '2024-01-20T00:00:00Z' })))
          await house.land([{ device_id: 'a', timestamp: null, power_usage: 5, at: '2024-01-20T00:00:00Z' }])
          await rebuildSilver({ lake: house.lake, engine })
          const atOnce = await contents(house)
          const told = await inParts(house, rowsPerPart, stopAfter)
          assert.deepEqual(await contents(house), atOnce)
          if (told.some((text) => text.startsWith(`silver: goes on after part ${stopAfter} `))) wentOn += 1
          else assert.deepEqual(told, [])
          assert.deepEqual(await house.lake.store.list('_rebuild/'), [], 'nothing is left beside the tables')
        } finally {
          await house.close()
        }
      },
    ),
    { numRuns: RUNS, seed: SEED },
  )
  assert.ok(wentOn > 0, 'no run was interrupted and gone on with')
})

test('an interrupted rebuild starts anew where Bronze has grown, or a file is gone', async () => {
  const house = await openHouse(engine)
  const at = (hour: number) => new Date(Date.parse('2024-01-15T00:00:00Z') + hour * 3_600_000).toISOString()
  const interrupted = () =>
    assert.rejects(
      rebuildSilver({
        lake: house.lake,
        engine,
        rowsPerPart: 2,
        saveEveryMs: 0,
        onProgress: (text) => {
          if (text.startsWith('silver: part 3 of')) throw new Interrupted()
        },
      }),
      Interrupted,
    )
  const again = async () => {
    const told: string[] = []
    await rebuildSilver({
      lake: house.lake,
      engine,
      rowsPerPart: 2,
      saveEveryMs: 0,
      onProgress: (text) => told.push(text),
    })
    return told[0] ?? ''
  }
  try {
    await house.land(
      [0, 1, 2, 3, 4, 5, 6, 7].map((hour) => ({
        device_id: 'a',
        timestamp: at(hour),
        energy_total_wh: hour * 10,
      })),
    )
    await interrupted()
    await house.land([{ device_id: 'a', timestamp: at(8), energy_total_wh: 80 }])
    assert.match(await again(), /^silver: part 1 of /)
    assert.equal((await house.contents('silver.readings')).length, 9)

    await interrupted()
    const committed = new Set((await house.lake.snapshot('silver.readings')).files.map(({ path }) => path))
    const folder = 'silver/readings/event_date=2024-01-15/'
    const left = (await house.lake.store.list(folder)).filter(
      ({ path }) => !committed.has(path.slice('silver/readings/'.length)),
    )
    assert.ok(left.length > 0)
    for (const { path } of left) await house.lake.store.delete(path)
    assert.match(await again(), /^silver: part 1 of /)
    assert.equal((await house.contents('silver.readings')).length, 9)
  } finally {
    await house.close()
  }
})

test('a rebuild killed between two tables and gone on with names no file twice in one entry of a log', async () => {
  const house = await openHouse(engine)
  try {
    const rows = [0, 1, 2, 3].map((hour) => ({
      device_id: 'a',
      timestamp: `2024-01-15T0${hour}:00:00Z`,
      energy_total_wh: hour * 10,
    }))
    // One of each table: a reading, its duplicate, a reject.
    await house.land([
      ...rows,
      rows[0]!,
      { device_id: 'a', timestamp: null, power_usage: 5, at: '2024-01-15T04:00:00Z' },
    ])
    const dying: Lake = {
      ...house.lake,
      commit: async (name, request) => {
        if (name === 'silver.readings') throw new Interrupted()
        return await house.lake.commit(name, request)
      },
    }
    const options = { engine, rowsPerPart: 2, saveEveryMs: 0 }
    await assert.rejects(rebuildSilver({ ...options, lake: dying }), Interrupted)
    const told: string[] = []
    await rebuildSilver({ ...options, lake: house.lake, onProgress: (text) => told.push(text) })
    assert.match(told[0] ?? '', /^silver: goes on after part/)
    for (const [table, rowCount] of [
      ['readings', 4],
      ['duplicates', 1],
      ['rejects', 1],
    ] as const) {
      assert.equal((await house.contents(`silver.${table}`)).length, rowCount)
      for (const { path } of await house.lake.store.list(`silver/${table}/_delta_log/`)) {
        if (!path.endsWith('.json')) continue
        const text = new TextDecoder().decode(await house.lake.store.read(path))
        const named = text.match(/(?<="(add|remove)":\{"path":")[^"]+/g) ?? []
        assert.deepEqual([...new Set(named)], named, path)
      }
    }
  } finally {
    await house.close()
  }
})
