import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { createLakeReader } from '../../src/6-serve/lake-reader.ts'
import { WHY_FIGURES, Why } from '../../src/6-serve/contract-why.ts'
import { readWhy } from '../../src/6-serve/why.ts'
import { whyText } from '../../src/commands/why.ts'
import { openDuckDb } from '../../src/lake/index.ts'
import type { Engine } from '../../src/lake/types.ts'
import { DEFAULT_TARIFF } from '../oracle/arrivals.ts'
import type { Case } from '../pipeline/case.ts'
import { anyCase } from '../pipeline/generate.ts'
import { openWorld, rowsOf } from '../pipeline/world.ts'
import { GOLD_DAILY, GOLD_HEALTH } from '../../src/5-gold/tables.ts'

const { tariff_version: _version, ...tariff } = DEFAULT_TARIFF

let engine: Engine
before(async () => {
  engine = await openDuckDb({ threads: 1 })
})
after(() => engine.close())

async function explained(
  given: Case,
  use: (world: {
    why(
      figure: Why['figure'],
      device: string,
      day: string,
      more?: { at?: string; tenant?: string },
    ): Promise<Why>
    days: Record<string, unknown>[]
  }) => Promise<void>,
): Promise<void> {
  const world = await openWorld(engine, given)
  const reader = await createLakeReader({ lake: world.lake, engine })
  try {
    for (const happening of given.schedule) await world.happen(happening)
    await world.finish()
    const days = new Map(
      [
        ...(await rowsOf(world.lake, engine, GOLD_DAILY)),
        ...(await rowsOf(world.lake, engine, GOLD_HEALTH)),
      ].map((row) => [JSON.stringify([row.tenant_id, row.device_id, row.date]), row]),
    )
    await use({
      days: [...days.values()],
      why: async (figure, device, day, { at, tenant = 'home' } = {}) =>
        Why.parse(
          await readWhy(
            reader,
            { figure, device, day, tenant, at },
            { timeZone: given.timeZone, currency: 'USD', limit: 1000 },
          ),
        ),
    })
  } finally {
    await reader.close()
    await world.close()
  }
}

const sent = (at: string, fields: object, acceptedAt = at): Case['messages'][number] => ({
  acceptedAtMs: Date.parse(acceptedAt) + 1000,
  value: JSON.stringify({
    device_id: 'plug',
    timestamp: at,
    location: 'hall',
    manufacturer: 'm',
    model: 'x',
    ...fields,
  }),
})

/** Berlin in winter: 09:05Z is 10:05 local. */
const given: Case = {
  timeZone: 'Europe/Berlin',
  lateWatermarkHours: 48,
  catalogue: [],
  tariffs: [tariff],
  messages: [
    sent('2026-01-15T09:05:00Z', { power_usage: 60 }),
    sent('2026-01-15T09:20:00Z', { power_usage: 120 }),
    sent('2026-01-15T09:20:00Z', { power_usage: 120 }),
    sent('2026-01-15T09:25:00Z', { temperature: 400 }),
    sent('2026-01-15T09:30:00Z', { power_usage: 60 }),
    sent('2026-01-15T09:35:00Z', { device_id: 'meter', energy_total_wh: 100 }),
    sent('2026-01-15T09:50:00Z', { device_id: 'meter', energy_total_wh: 101 }),
  ],
  schedule: [],
}

test('a day is explained down to the messages in Bronze, and its cost and health with it', () =>
  explained(given, async ({ why }) => {
    // 60 W × 15 min = 15 Wh over 10:05 … 10:20: 10 of 15 min in the first quarter-hour. Then 120 W × 10 min = 20 Wh.
    const energy = await why('daily_energy', 'plug', '2026-01-15')
    assert.equal(energy.value, '35.000000000')
    assert.equal(energy.derived, '35.000000000')
    assert.equal(energy.adds_up, true)
    assert.match(energy.formula, /= 10\.000000000 \+ 25\.000000000 = 35\.000000000$/)
    assert.deepEqual(
      energy.quarter_hours.map(({ local, parts }) => [local, parts.map((part) => part.energy_wh)]),
      [
        ['10:00', ['10.000000000']],
        ['10:15', ['5.000000000', '20.000000000']],
        // The last reading lies at 10:30, and nothing follows it.
        ['10:30', []],
      ],
    )
    const [, second, third] = energy.readings
    assert.equal(
      second?.formula,
      '60 W × 900 s / 3600 s = 15.000000000 Wh over 2026-01-15T09:05:00Z … 2026-01-15T09:20:00Z',
    )
    assert.match(third?.formula ?? '', /^120 W × 600 s/)
    assert.match(second?.bronze.file ?? '', /^ingestion_date=2026-01-15\/part-.*\.parquet$/)
    assert.deepEqual(
      [second?.bronze.topic, second?.bronze.partition, third!.bronze.offset - second!.bronze.offset],
      ['smart_home.telemetry', 0, 3],
    )
    assert.deepEqual(
      energy.duplicates.map(({ of }) => of),
      [second?.id],
    )
    assert.deepEqual(
      energy.rejects.map(({ reason }) => reason),
      ['temperature_out_of_range'],
    )

    const cost = await why('daily_cost', 'plug', '2026-01-15')
    // 10 Wh and 25 Wh at 0.12 per kWh.
    assert.deepEqual([cost.value, cost.derived, cost.adds_up], ['0.004200000', '0.004200000', true])
    assert.match(
      cost.quarter_hours[1]?.cost_formula ?? '',
      /^25\.000000000 Wh × 0\.120000000 per kWh \/ 1000 = 0\.003000000/,
    )

    // Three of three readings valid, and one reject: 0.4 + 0.3 × 0.75 + 0.2 + 0.1.
    const health = await why('health_score', 'plug', '2026-01-15')
    assert.deepEqual([health.value, health.derived, health.adds_up], ['0.925000', '0.925000', true])

    const meter = await why('daily_energy', 'meter', '2026-01-15')
    // The counter's 1 Wh over 10:35 … 10:50: 10 of 15 min in the quarter-hour from 10:30, which is cut off.
    assert.deepEqual(
      meter.quarter_hours.map(({ parts }) => parts.map((part) => part.energy_wh)),
      [['0.666666666'], ['0.333333334']],
    )
    assert.match(meter.readings[1]?.formula ?? '', /^101 − 100 = 1\.000000000 Wh/)

    const quarter = await why('daily_energy', 'plug', '2026-01-15', { at: '10:15' })
    assert.deepEqual(
      quarter.quarter_hours.map(({ local }) => local),
      ['10:15'],
    )
    assert.equal(quarter.readings.length, 2)
    const text = whyText(energy, false)
    assert.match(text, /35\.000000000 Wh\n.*\n.*adds up exactly/)
    assert.match(text, /Bronze: smart_home\.telemetry, partition 0, offset \d+; ingestion_date=2026-01-15/)
    assert.match(text, /1 duplicates, 1 rejects/)
    await assert.rejects(why('daily_energy', 'plug', '2026-01-16'), { code: 'unknown_device' })
  }))

test('every energy, cost and health of houses full of faults adds up from what is listed, each part from Bronze', async () => {
  let figures = 0
  let formulas = 0
  // Of many cases of eight houses the one with the most messages: the small ones have little to explain.
  const cases = fc
    .sample(anyCase, { numRuns: 24, seed: 11 })
    .toSorted((a, b) => b.messages.length - a.messages.length)
  for (const some of cases.slice(0, 1))
    await explained(some, async ({ why, days }) => {
      for (const { tenant_id: tenant, device_id: device, date } of days)
        for (const figure of WHY_FIGURES) {
          const known = await why(figure, String(device), String(date), { tenant: String(tenant) }).catch(
            // A day has energy alone, or rejects alone.
            (error: { code?: string }) => (error.code === 'unknown_device' ? null : Promise.reject(error)),
          )
          if (known === null) continue
          figures += 1
          assert.equal(
            known.adds_up,
            true,
            `${figure} of ${device} on ${date}: ${known.value}, not ${known.derived}`,
          )
          for (const { bronze } of [...known.readings, ...known.duplicates, ...known.rejects])
            assert.notEqual(bronze.file, null, 'every arrival is found in Bronze')
          const ids = new Set(known.readings.map(({ id }) => id))
          for (const { reading } of known.quarter_hours.flatMap(({ parts }) => parts))
            assert.ok(ids.has(reading))
          formulas += known.readings.filter(({ formula }) => / = .* Wh over /.test(formula)).length
        }
    })
  assert.ok(figures > 60 && formulas > 60, `${figures} figures, ${formulas} filled formulas`)
})
