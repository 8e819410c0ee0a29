import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { rebuildSilver } from '../../src/4-silver/rebuild.ts'
import { createSilverStage } from '../../src/4-silver/refine.ts'
import { openDuckDb } from '../../src/lake/index.ts'
import type { Engine } from '../../src/lake/types.ts'
import { history } from './arrivals.ts'
import { assertAccounted, assertEqualsRebuild, openHouse } from './house.ts'

let engine: Engine
before(async () => {
  engine = await openDuckDb({ threads: 1, memoryLimitMb: 2000 })
})
after(() => engine.close())

/** Few: the 208 houses of `pipeline/property` are worked off, killed and rebuilt likewise. */
const RUNS = Number(process.env.SILVER_RUNS ?? 3)
const options: fc.Parameters<unknown> = { numRuns: RUNS, seed: Number(process.env.SILVER_SEED ?? 4) }

const workings = fc.record({
  batches: history,
  /** Before which batches the stage is begun anew. */
  restarts: fc.array(fc.boolean(), { maxLength: 6 }),
  /** At which of the commits to come it is killed, as often as there are numbers. */
  kills: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }),
})

test('incremental equals rebuild, row for row, however arrivals are cut, restarted, and killed between two commits', async () => {
  await fc.assert(
    fc.asyncProperty(workings, async ({ batches, restarts, kills }) => {
      const house = await openHouse(engine)
      const left = [...kills]
      /** A lake whose n-th commit from now on fails, as if the process had been killed before it. */
      const mortal = (): typeof house.lake => {
        let commits = left.shift() ?? Number.POSITIVE_INFINITY
        return {
          ...house.lake,
          commit: async (table, request) => {
            if (--commits <= 0) throw new Error('killed')
            return house.lake.commit(table, request)
          },
        }
      }
      // Every other house is searched in windows of time as one of many rows is.
      const searched = restarts.length % 2 === 0 && { fewRows: 0 }
      const begin = () => createSilverStage({ lake: mortal(), engine, ...searched })
      try {
        let stage = await begin()
        const step = async (final: boolean) => {
          for (;;) {
            try {
              await stage.step({ final })
              return
            } catch (error) {
              assert.equal((error as Error).message, 'killed')
              await stage.close()
              stage = await begin()
            }
          }
        }
        for (const [index, { arrivals, final }] of batches.entries()) {
          await house.land(arrivals.map((one) => ({ ...one, at: '2024-01-20T00:00:00Z' })))
          if (restarts[index]) {
            await stage.close()
            stage = await begin()
          }
          await step(final)
        }
        await step(true)
        await step(true)
        await stage.close()
        await assertAccounted(house)
        await assertEqualsRebuild(house)
      } finally {
        await house.close()
      }
    }),
    options,
  )
})

test('nothing new: no commit', async () => {
  const house = await openHouse(engine)
  try {
    await house.land([{ device_id: 'a', timestamp: '2024-01-15T10:00:00Z', power_usage: 1 }])
    const stage = await createSilverStage({ lake: house.lake, engine })
    assert.deepEqual(await stage.step({ final: true }), {
      rows: 1,
      more: false,
      pending: 0,
      detail: { rejects: 0, duplicates: 0, late: 0 },
    })
    const version = (await house.lake.snapshot('silver.readings')).version
    assert.equal((await stage.step({ final: true })).rows, 0)
    assert.equal((await house.lake.snapshot('silver.readings')).version, version)
    await stage.close()
    const again = await createSilverStage({ lake: house.lake, engine })
    await again.step({ final: true })
    assert.equal((await house.lake.snapshot('silver.readings')).version, version)
    await again.close()
  } finally {
    await house.close()
  }
})

test('a changed catalogue row refines its device anew, and no other', async () => {
  const house = await openHouse(engine)
  try {
    await house.setCatalogue([{ device_id: 'a', location: 'hall' }, { device_id: 'b' }])
    await house.land([
      { device_id: 'a', device_type: 'smart_plug', timestamp: '2024-01-15T10:00:00Z', power_usage: 1500 },
      { device_id: 'b', timestamp: '2024-01-15T10:00:00Z', power_usage: 1500 },
    ])
    const stage = await createSilverStage({ lake: house.lake, engine })
    await stage.step({ final: true })
    const old = await house.contents('silver.readings')
    await house.setCatalogue([{ device_id: 'a', location: 'attic', rated_power_w: 1000 }, { device_id: 'b' }])
    await stage.step({ final: false })
    const fresh = await house.contents('silver.readings')
    assert.match(fresh[0] ?? '', /attic/)
    assert.match(fresh[0] ?? '', /power_high/)
    assert.equal(fresh[1], old[1])
    await stage.close()
    await assertEqualsRebuild(house)
  } finally {
    await house.close()
  }
})

test('two stages on one folder never count a reading twice', async () => {
  const house = await openHouse(engine)
  try {
    const stages = [
      await createSilverStage({ lake: house.lake, engine }),
      await createSilverStage({ lake: house.lake, engine }),
    ]
    for (let minute = 0; minute < 6; minute++) {
      const late = `2024-01-15T09:${String(minute).padStart(2, '0')}:00Z`
      const timely = `2024-01-15T10:${String(minute).padStart(2, '0')}:00Z`
      await house.land([
        { device_id: 'a', timestamp: timely, power_usage: minute },
        { device_id: 'a', timestamp: late, power_usage: minute, at: '2024-01-15T11:00:00Z' },
        { device_id: 'a', timestamp: late, power_usage: minute + 1, at: '2024-01-15T11:00:00Z' },
      ])
      await Promise.all(stages.map((stage) => stage.step({ final: minute % 3 === 0 })))
    }
    for (const stage of stages) await stage.step({ final: true })
    for (const stage of stages) await stage.step({ final: true })
    for (const stage of stages) await stage.close()
    await assertAccounted(house)
    await assertEqualsRebuild(house)
  } finally {
    await house.close()
  }
})

test('a rebuild in place changes nothing that was right', async () => {
  const house = await openHouse(engine)
  try {
    await house.land([
      { device_id: 'a', timestamp: '2024-01-15T10:00:00Z', energy_total_wh: 5 },
      { device_id: 'a', timestamp: '2024-01-15T10:05:00Z', energy_total_wh: 8 },
    ])
    const stage = await createSilverStage({ lake: house.lake, engine })
    await stage.step({ final: true })
    const old = await house.contents('silver.readings')
    await rebuildSilver({ lake: house.lake, engine })
    assert.deepEqual(await house.contents('silver.readings'), old)
    await house.land([{ device_id: 'a', timestamp: '2024-01-15T10:10:00Z', energy_total_wh: 9 }])
    await stage.step({ final: true })
    await stage.close()
    await assertEqualsRebuild(house)
  } finally {
    await house.close()
  }
})
