import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkedQuery, explained, parseModel } from '../../src/4-silver/model.ts'
import { openDuckDb } from '../../src/lake/index.ts'

const FOLDER = join(import.meta.dirname, '../../src/4-silver')
const WITHOUT_CHECK = ['channel_state', 'judged_again', 'on_time']

const MODEL = parseModel(
  'shares',
  '-- key: n\n-- check is_share: share BETWEEN 0 AND 1\n-- check is_numbered: n > 0\nSELECT n, n / 4.0 AS share FROM given',
)

test('a row that breaks a check stops the query and is named; rows that hold pass unchanged', async () => {
  const engine = await openDuckDb({ threads: 1 })
  const session = await engine.session()
  const sharesOf = async (highest: number) => {
    await session.run(`CREATE OR REPLACE TEMP TABLE given AS SELECT range AS n FROM range(1, ${highest + 1})`)
    return explained(session.rows<{ n: number; share: number }>(`${checkedQuery(MODEL)} ORDER BY n`))
  }
  try {
    // 4 / 4 is the last share within 0…1; 5 / 4 is not.
    assert.deepEqual(
      (await sharesOf(4)).map(({ n }) => n),
      [1, 2, 3, 4],
    )
    await assert.rejects(sharesOf(5), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'model_check_failed')
      assert.match(error.message, /shares, check is_share/)
      return true
    })
  } finally {
    await session.close()
    await engine.close()
  }
})

test('every model states its grain, key and inputs, and all but those that only select rows a check', () => {
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.sql'))) {
    const text = readFileSync(join(FOLDER, file), 'utf8')
    for (const word of ['grain', 'key', 'inputs']) assert.match(text, new RegExp(`^-- ${word}: `, 'm'), file)
    const name = file.slice(0, -4)
    assert.equal(parseModel(name, text).checks.length > 0, !WITHOUT_CHECK.includes(name), file)
  }
})
