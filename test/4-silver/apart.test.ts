/** What rows depend on changes while a crash has left Silver's tables apart, or while arrivals wait. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createSilverStage } from '../../src/4-silver/refine.ts'
import { openDuckDb } from '../../src/lake/index.ts'
import type { Engine, Lake } from '../../src/lake/types.ts'
import type { RuleRow } from '../../src/reference/sync.ts'
import { assertAccounted, assertEqualsRebuild, openHouse, type House } from './house.ts'

let engine: Engine
before(async () => {
  engine = await openDuckDb({ threads: 1 })
})
after(() => engine.close())

/** By the published rules an oven of 12 kW is rejected, by these it is not. */
const WIDE: RuleRow[] = [
  { rule: 'power_out_of_range', device_type: 'oven', enabled: false, points: null, limit: null },
]
const oven = (minute: number, power_usage: number) => ({
  device_id: 'oven',
  device_type: 'oven',
  timestamp: `2024-01-15T10:${minute}:00Z`,
  at: '2024-01-15T12:00:00Z',
  power_usage,
})
const rules = (house: House, rows: RuleRow[]): Promise<void> => house.setReference([], rows, [])

/** A step that dies before its n-th commit. */
async function dieBefore(n: number, house: House): Promise<void> {
  let left = n
  const mortal: Lake = {
    ...house.lake,
    commit: async (table, request) => {
      if (--left <= 0) throw new Error('killed')
      return await house.lake.commit(table, request)
    },
  }
  const stage = await createSilverStage({ lake: mortal, engine, lateEveryMs: 1e9 })
  await assert.rejects(stage.step({ final: false }), /killed/)
  await stage.close()
}

async function goOn(house: House): Promise<void> {
  const stage = await createSilverStage({ lake: house.lake, engine, lateEveryMs: 1e9 })
  await stage.step({ final: true })
  await stage.step({ final: true })
  await stage.close()
  await assertAccounted(house)
  await assertEqualsRebuild(house)
}

async function inHouse(body: (house: House) => Promise<void>): Promise<void> {
  const house = await openHouse(engine)
  try {
    await body(house)
  } finally {
    await house.close()
  }
}

for (const n of [2, 3])
  test(`rules that change, and change back after a death before commit ${n}, leave nothing behind`, () =>
    inHouse(async (house) => {
      await house.land([oven(10, 9000), oven(11, 12_000)])
      await goOn(house)
      await rules(house, WIDE)
      await house.land([oven(12, 13_000)])
      await dieBefore(n, house)
      await rules(house, [])
      await goOn(house)
      assert.equal((await house.contents('silver.rejects')).length, 2)
    }))

for (const [first, then, rejects] of [
  [[], WIDE, 1],
  [WIDE, [], 2],
] as const)
  test(`a first step that died after its rejects goes on by ${then === WIDE ? 'wider' : 'narrower'} rules`, () =>
    inHouse(async (house) => {
      await rules(house, [...first])
      await house.land([oven(10, 9000), oven(11, 12_000), { ...oven(12, 5), timestamp: null }])
      await dieBefore(2, house)
      assert.ok((await house.contents('silver.rejects')).length > 0)
      await rules(house, [...then])
      await goOn(house)
      assert.equal((await house.contents('silver.rejects')).length, rejects)
    }))

test('an arrival that waits is not lost where the rules of its type change', () =>
  inHouse(async (house) => {
    await rules(house, WIDE)
    const stage = await createSilverStage({ lake: house.lake, engine, lateEveryMs: 1e9 })
    await house.land([{ ...oven(30, 50), device_type: 'smart_plug' }])
    await stage.step({ final: true })
    await house.land([oven(20, 12_000)])
    assert.equal((await stage.step({ final: false })).pending, 1)
    await rules(house, [])
    await stage.step({ final: true })
    await stage.close()
    await assertAccounted(house)
    await assertEqualsRebuild(house)
    assert.equal((await house.contents('silver.rejects')).length, 1)
  }))
