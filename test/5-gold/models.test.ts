import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkRows, readModel } from '../../src/5-gold/models.ts'
import { GOLD_TABLES } from '../../src/5-gold/tables.ts'
import { openDuckDb } from '../../src/lake/index.ts'

test('every Gold table has a model whose header states its key and its inputs', () => {
  for (const { name, key } of GOLD_TABLES) {
    const model = readModel(name.replace('gold.', ''))
    assert.deepEqual(model.key, key)
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
