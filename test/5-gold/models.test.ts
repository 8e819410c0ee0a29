import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkRows, readModel } from '../../src/5-gold/models.ts'
import { SILVER_READINGS } from '../../src/4-silver/tables.ts'
import { createGoldStage } from '../../src/5-gold/aggregate.ts'
import { GOLD_TABLES } from '../../src/5-gold/tables.ts'
import { openDuckDb } from '../../src/lake/index.ts'
import { goldRows, openHouse, reading, setReference, writeRows } from './gold-house.ts'

test('every Gold table has a model whose header states its key and its inputs', () => {
  for (const { name, key } of GOLD_TABLES) {
    const model = readModel(name.replace('gold.', ''))
    assert.deepEqual(model.key, key)
    assert.match(model.sql, /^-- window: /m)
    for (const input of model.inputs) assert.match(model.sql, new RegExp(`(FROM|JOIN) ${input}\\b`))
  }
})

test('a check that does not hold stops the run and names the row', async () => {
  const engine = await openDuckDb({ threads: 1 })
  const session = await engine.session()
  const model = {
    name: 'm',
    sql: '',
    key: ['k'],
    inputs: [],
    checks: [{ name: 'small', condition: 'v < 3' }],
  }
  const given = (rows: string): Promise<void> =>
    session.run(`CREATE OR REPLACE TEMP TABLE given AS SELECT * FROM (VALUES ${rows}) t(k, v)`)
  await given('(1, 1), (2, 2)')
  await checkRows(session, model, 'given')
  for (const [rows, message] of [
    ['(1, 1), (2, 3)', /check small does not hold, first at k 2/],
    ['(1, 1), (2, NULL)', /check small does not hold, first at k 2/],
    ['(1, 1), (1, 2)', /check unique_key does not hold, first at k 1/],
  ] as const) {
    await given(rows)
    await assert.rejects(checkRows(session, model, 'given'), { code: 'model_check_failed', message })
  }
  await engine.close()
})

test('a failed check stops the publication of Gold; the figures before it stay readable', async () => {
  const house = await openHouse()
  try {
    await setReference(house, {})
    const at = (time: string, quality_score: string) =>
      reading({
        timestamp: `2026-01-15T${time}Z`,
        quality_score,
        energy_method: 'reported',
        energy_wh: '5.000000000',
      })
    await writeRows(house, SILVER_READINGS, [at('10:05:00', '1.000000')])
    const gold = await createGoldStage(house)
    await gold.step({ final: true })
    const before = await goldRows(house, house.lake)
    // No reading is better than perfect: a mean quality above 1 breaks the check of the day's health.
    await writeRows(house, SILVER_READINGS, [at('10:20:00', '3.000000')])
    await assert.rejects(gold.step({ final: true }), {
      code: 'model_check_failed',
      message: /Gold model device_health_metrics: check shares does not hold, first at .* date 2026-01-15/,
    })
    // Nothing of that step is there, not even the tables that come before it and hold.
    assert.deepEqual(await goldRows(house, house.lake), before)
    await gold.close()
  } finally {
    await house.close()
  }
})
