/** Of what comes late only its neighbourhood is refined again, and that is enough. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { createSilverStage } from '../../src/4-silver/refine.ts'
import { openDuckDb } from '../../src/lake/index.ts'
import type { Engine } from '../../src/lake/types.ts'
import { arrival } from './arrivals.ts'
import { assertAccounted, assertEqualsRebuild, openHouse, type Arrival, type House } from './house.ts'

let engine: Engine
before(async () => {
  engine = await openDuckDb({ threads: 1, memoryLimitMb: 2000 })
})
after(() => engine.close())

const START = Date.parse('2024-01-15T00:00:00Z')
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const at = (ms: number): string => new Date(START + ms).toISOString()

type Refine = (batches: readonly (readonly Arrival[])[]) => Promise<void>

/** A house, and what lands batches in it and works each off. */
async function inHouse(body: (house: House, refine: Refine) => Promise<void>): Promise<void> {
  const house = await openHouse(engine)
  try {
    const stage = await createSilverStage({ lake: house.lake, engine, fewRows: 0 })
    await body(house, async (batches) => {
      for (const arrivals of batches) {
        await house.land(arrivals.map((one) => ({ at: '2024-06-01T00:00:00Z', ...one })))
        await stage.step({ final: true })
      }
    })
    await stage.close()
    await assertAccounted(house)
    await assertEqualsRebuild(house)
  } finally {
    await house.close()
  }
}

/** UTC dates of the rows of readings that a version took away. */
async function datesTakenAway(house: House): Promise<string[]> {
  const { version } = await house.lake.snapshot('silver.readings')
  const { removed } = await house.lake.changes('silver.readings', version - 1, version)
  return removed.map(({ partition }) => String(partition.event_date)).toSorted()
}

/** A reading every half hour for so many days; the meters count 10 Wh in each. */
function halfHours(days: number, fields: (n: number) => Record<string, unknown>): Arrival[] {
  return Array.from({ length: days * 48 }, (_, n) => ({
    device_id: 'a',
    timestamp: at((n * HOUR_MS) / 2),
    ...fields(n),
  }))
}

const METERS: Record<string, (n: number) => Record<string, unknown>> = {
  power: () => ({ power_usage: 20 }),
  counter: (n) => ({ energy_total_wh: n * 10 }),
  'counter and power in turn': (n) => (n % 2 === 0 ? { energy_total_wh: n * 10 } : { power_usage: 20 }),
  reported: () => ({ energy_consumption_wh: 10 }),
}

test('what comes days late takes away its own day alone, of each kind of meter', () =>
  inHouse(async (house, refine) => {
    const devices = Object.entries(METERS)
    const regular = devices.flatMap(([device_id, fields]) =>
      halfHours(4, fields).map((row) => ({ ...row, device_id })),
    )
    await refine([regular])
    for (const [device_id, fields] of devices) {
      // 05:10, and up to two hours after it.
      await refine([[{ device_id, timestamp: at(5 * HOUR_MS + 600_000), ...fields(11), temperature: 21 }]])
      assert.deepEqual(await datesTakenAway(house), ['2024-01-15'], device_id)
    }
  }))

test('a meter that stands still is looked at for longer, and one that never moves again to the end', () =>
  inHouse(async (house, refine) => {
    // From 06:00 on it shows the same; what came late showed one more, for a moment. A day and a half later one of them goes on.
    const still = (moves: boolean) => (n: number) => ({
      device_id: moves ? 'a' : 'b',
      energy_total_wh: n < 12 || (moves && n > 84) ? n * 10 : 120,
    })
    await refine([[...halfHours(5, still(true)), ...halfHours(5, still(false))]])
    const late = { timestamp: at(7 * HOUR_MS + 600_000), energy_total_wh: 121 }
    await refine([[{ ...late, device_id: 'a' }]])
    assert.deepEqual(await datesTakenAway(house), ['2024-01-15', '2024-01-16', '2024-01-17'])
    await refine([[{ ...late, device_id: 'b' }]])
    assert.equal((await datesTakenAway(house)).at(-1), '2024-01-19')
  }))

test('what comes late of two times far apart leaves what lies between alone, and what follows the newest is carried on', () =>
  inHouse(async (house, refine) => {
    const fields = METERS['counter and power in turn']!
    const rows = halfHours(20, fields)
    const [first, last] = [rows[11]!, rows.at(-2)!]
    const sent = rows.filter((row) => row !== first && row !== last)
    const next = { device_id: 'a', timestamp: at(20 * DAY_MS), energy_total_wh: 20 * 480, power_usage: 20 }
    await refine([sent, [first, last]])
    assert.deepEqual(await datesTakenAway(house), ['2024-01-15', '2024-02-03'])
    await refine([[next]])
  }))

/** Four days of two devices, some of it strange, and what comes late of the first two: as the meter counts, or anything. */
const houses = fc.record({
  meters: fc.array(fc.constantFrom(...Object.keys(METERS)), { minLength: 2, maxLength: 2 }),
  strange: fc.array(fc.record({ hour: fc.integer({ min: 0, max: 96 }), arrival }), { maxLength: 6 }),
  late: fc.array(
    fc.array(
      fc.record({
        minute: fc.integer({ min: 0, max: 48 * 60 }),
        arrival: fc.option(arrival),
        n: fc.nat(100),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    { minLength: 1, maxLength: 3 },
  ),
})

test('it comes to the same as a rebuild, whatever comes late', async () => {
  await fc.assert(
    fc.asyncProperty(houses, ({ meters, strange, late }) =>
      inHouse(async (_house, refine) => {
        const name = (index: number) => ({ device_id: 'ab'[index]! })
        const regular = meters.flatMap((meter, index) =>
          halfHours(4, METERS[meter]!).map((row) => ({ ...row, ...name(index) })),
        )
        const odd = strange.map(({ hour, arrival: one }) => ({ ...one, timestamp: at(hour * HOUR_MS) }))
        const inOrder = [...regular, ...odd].toSorted((a, b) => (a.timestamp! < b.timestamp! ? -1 : 1))
        const batches = late.map((batch) =>
          batch.map(({ minute, arrival: one, n }) => ({
            ...(one ?? { ...METERS[meters[n % 2]!]!(Math.floor(minute / 30)), ...name(n % 2) }),
            timestamp: at(minute * 60_000),
          })),
        )
        await refine([inOrder, ...batches])
      }),
    ),
    { numRuns: Number(process.env.SILVER_RUNS ?? 2), seed: Number(process.env.SILVER_SEED ?? 5) },
  )
})
