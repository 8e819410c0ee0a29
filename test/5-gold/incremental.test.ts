import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SILVER_READINGS, SILVER_REJECTS } from '../../src/4-silver/tables.ts'
import { createGoldStage } from '../../src/5-gold/aggregate.ts'
import { rebuildGold } from '../../src/5-gold/rebuild.ts'
import { PlatformError } from '../../src/errors.ts'
import type { Lake } from '../../src/lake/types.ts'
import {
  goldRows,
  openBeside,
  openHouse,
  reading,
  reject,
  setReference,
  writeRows,
  type Given,
  type GoldHouse,
} from './gold-house.ts'

/**
 * Whatever happens to Silver, the catalogue and the tariffs, in whatever steps, and wherever a run is killed: Gold
 * ends as a rebuild makes it. `GOLD_RUNS` sets the number of cases.
 */

const RUNS = Number(process.env.GOLD_RUNS ?? 3)

/** Minutes from 2026-03-27T00:00Z: five days around the change to summer time, and two far away. */
const minute = fc.oneof(
  { weight: 9, arbitrary: fc.nat({ max: 5 * 1440 }) },
  { weight: 1, arbitrary: fc.constantFrom(-20 * 1440, 15 * 1440 + 7) },
)
const iso = (minutes: number, seconds = 0): string =>
  new Date(Date.UTC(2026, 2, 27) + minutes * 60_000 + seconds * 1000).toISOString()

const row = fc
  .record({
    at: minute,
    device: fc.constantFrom('mains', 'plug', 'plug', 'bulb'),
    channel: fc.constantFrom('', '', 'b'),
    method: fc.constantFrom('none', 'reported', 'integrated', 'counter'),
    back: fc.oneof(fc.constantFrom(0, 1, 15, 40), fc.nat({ max: 4000 })),
    nwh: fc.integer({ min: -1_000_000_000, max: 5_000_000_000_000 }),
    power: fc.option(fc.integer({ min: -5, max: 3000 })),
    user: fc.constantFrom(null, 'u1', 'u2'),
    alert: fc.constantFrom(null, null, 'none', 'high_power', 'low_battery'),
    status: fc.constantFrom(null, 'online', 'online', 'offline'),
    quality: fc.constantFrom('1.000000', '0.900000', '0.400000'),
    late: fc.boolean(),
  })
  .map(({ at, back, method, nwh, quality, ...rest }): Given => {
    const carries = method === 'counter' || method === 'integrated'
    return {
      timestamp: iso(at),
      device_id: rest.device,
      channel: rest.channel,
      device_type: rest.device,
      user_id: rest.user,
      power_usage: rest.power,
      temperature: rest.power === null ? null : rest.power / 100,
      energy_consumption_wh: method === 'reported' ? Math.abs(nwh) / 1e9 : null,
      alert: rest.alert,
      status: rest.status,
      quality_score: quality,
      is_valid: quality !== '0.400000',
      is_late_event: rest.late,
      energy_method: method,
      energy_wh: method === 'none' ? null : (BigInt(nwh) / 1_000_000_000n).toString() + '.000000007',
      energy_from: carries ? iso(at - back) : null,
      energy_to: carries ? iso(at) : null,
    }
  })

const change = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append'),
      rows: fc.array(row, { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('rewrite'), pick: fc.nat(), row }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove'), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reject'), at: minute }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('catalogue'),
      interval: fc.constantFrom(null, 60, 900, 3600),
      parent: fc.constantFrom(null, 'mains'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('tariff'),
      user: fc.constantFrom('u1', undefined),
      from: fc.constantFrom('2026-03-28', '2026-03-29', '2026-04-01'),
      rate: fc.constantFrom(0.2, 0.35),
    }),
  },
)
const steps = fc.array(
  fc.record({
    changes: fc.array(change, { minLength: 1, maxLength: 3 }),
    /** Commits of Gold that this step lives to see; then it is killed. */
    killedAfter: fc.option(fc.nat({ max: 6 }), { freq: 2 }),
  }),
  { minLength: 2, maxLength: 5 },
)
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never

interface World {
  house: GoldHouse
  rows: Given[]
  bands: Parameters<typeof setReference>[1]['bands']
  catalogue: Given[]
}

async function apply(world: World, given: Change): Promise<void> {
  const { house } = world
  if ('rows' in given) {
    const rows = given.rows.map(reading)
    world.rows.push(...rows)
    await writeRows(house, SILVER_READINGS, rows)
  } else if ('pick' in given) {
    if (world.rows.length === 0) return
    const before = world.rows[given.pick % world.rows.length]!
    // A row that changes its mind keeps its place in the stream; its whole partition is written anew.
    const after =
      'row' in given
        ? { ...before, ...given.row, timestamp: before.timestamp, event_date: before.event_date }
        : null
    world.rows = world.rows.flatMap((each) => (each === before ? (after === null ? [] : [after]) : [each]))
    const date = String(before.event_date)
    const kept = world.rows.filter((each) => each.event_date === date)
    await writeRows(house, SILVER_READINGS, kept, { rewriteDates: [date] })
  } else if ('at' in given) {
    await writeRows(house, SILVER_REJECTS, [reject({ device_id: 'plug', timestamp: iso(given.at) })])
  } else {
    if ('parent' in given) {
      world.catalogue = [
        { device_id: 'plug', parent_device_id: given.parent, expected_interval_s: given.interval },
      ]
    } else {
      world.bands = [{ user_id: given.user, valid_from: given.from, energy_rate_kwh: given.rate }]
    }
    await setReference(house, { zone: 'Europe/Berlin', catalogue: world.catalogue, bands: world.bands })
  }
}

/** The lake as a process sees it that is killed after so many commits to Gold. */
function dyingAfter(lake: Lake, commits: number | null): Lake {
  let left = commits ?? Infinity
  return {
    ...lake,
    commit: async (name, request) => {
      if (name.startsWith('gold.') && left-- <= 0) throw new Error('killed')
      return await lake.commit(name, request)
    },
  }
}

test('incremental runs, cut and killed anywhere, end as a rebuild does', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (cut) => {
      const house = await openHouse()
      try {
        const world: World = { house, rows: [], bands: [], catalogue: [] }
        await setReference(house, { zone: 'Europe/Berlin' })
        await (await createGoldStage(house)).step({ final: false })
        let stage = await createGoldStage(house)
        for (const { changes, killedAfter } of cut) {
          for (const each of changes) await apply(world, each)
          if (killedAfter === null) {
            await stage.step({ final: false })
            continue
          }
          await stage.close()
          const dying = await createGoldStage({ ...house, lake: dyingAfter(house.lake, killedAfter) })
          await dying.step({ final: false }).catch((error: Error) => assert.equal(error.message, 'killed'))
          await dying.close()
          stage = await createGoldStage(house)
        }
        await stage.step({ final: true })
        const beside = await openBeside(house, 'beside')
        await rebuildGold({ ...house, target: beside })
        assert.deepEqual(await goldRows(house, house.lake), await goldRows(house, beside))
        assert.equal((await stage.step({ final: true })).rows, 0)
      } finally {
        await house.close()
      }
    }),
    {
      numRuns: RUNS,
      endOnFailure: process.env.GOLD_SHRINK === undefined,
      seed: process.env.GOLD_SEED === undefined ? 7 : Number(process.env.GOLD_SEED),
    },
  )
})

test('a day of last week and one whose first alert is new, in one step, are both whole', async () => {
  const house = await openHouse()
  try {
    await setReference(house, {})
    const stage = await createGoldStage(house)
    const plug = (timestamp: string, more: Given = {}) =>
      reading({ timestamp, device_id: 'plug', power_usage: 40, ...more })
    await stage.step({ final: false })
    // The newest day is carried by quarter-hours after this.
    await writeRows(house, SILVER_READINGS, [
      plug('2026-06-08T10:00:00Z'),
      plug('2026-06-16T10:00:00Z'),
      plug('2026-06-16T10:20:00Z'),
    ])
    await stage.step({ final: false })
    await writeRows(house, SILVER_READINGS, [plug('2026-06-16T10:40:00Z')])
    await stage.step({ final: false })
    await writeRows(house, SILVER_READINGS, [
      plug('2026-06-08T12:00:00Z'),
      plug('2026-06-16T11:00:00Z', { alert: 'high_power' }),
    ])
    await stage.step({ final: false })
    const beside = await openBeside(house, 'beside')
    await rebuildGold({ ...house, target: beside })
    assert.deepEqual(await goldRows(house, house.lake), await goldRows(house, beside))
  } finally {
    await house.close()
  }
})

test('a reading that is gone again before the next try, after a conflict, is not counted', async () => {
  const house = await openHouse()
  try {
    await setReference(house, {})
    const plug = (time: string) =>
      reading({ timestamp: `2026-06-16T${time}Z`, device_id: 'plug', power_usage: 40 })
    const [first, gone, last] = [plug('10:00:00'), plug('10:20:00'), plug('10:40:00')]
    let conflicts = 0
    const contended: Lake = {
      ...house.lake,
      commit: async (name, request) => {
        if (name.startsWith('gold.') && conflicts++ === 0) {
          await writeRows(house, SILVER_READINGS, [first, last], { rewriteDates: ['2026-06-16'] })
          throw new PlatformError('lake_conflict', 'Somebody else committed.', 'Try again.')
        }
        return await house.lake.commit(name, request)
      },
    }
    conflicts = 1
    const stage = await createGoldStage({ ...house, lake: contended })
    await stage.step({ final: false })
    await writeRows(house, SILVER_READINGS, [first])
    // The day is carried by quarter-hours after this.
    await stage.step({ final: false })
    await writeRows(house, SILVER_READINGS, [gone])
    conflicts = 0
    await stage.step({ final: true })
    assert.ok(conflicts > 1, 'the step was tried again')
    const beside = await openBeside(house, 'beside')
    await rebuildGold({ ...house, target: beside })
    assert.deepEqual(await goldRows(house, house.lake), await goldRows(house, beside))
  } finally {
    await house.close()
  }
})
