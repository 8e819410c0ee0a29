import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkedQuery, explained, parseModel } from '../../src/4-silver/model.ts'
import { createSilverStage } from '../../src/4-silver/refine.ts'
import { openDuckDb } from '../../src/lake/index.ts'
import { openHouse } from './house.ts'

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
    for (const word of ['grain', 'key', 'inputs', 'window'])
      assert.match(text, new RegExp(`^-- ${word}: `, 'm'), file)
    const name = file.slice(0, -4)
    assert.equal(parseModel(name, text).checks.length > 0, !WITHOUT_CHECK.includes(name), file)
  }
})

test('a failed check stops the publication and says why; the version before it stays readable', async () => {
  const engine = await openDuckDb({ threads: 1 })
  const house = await openHouse(engine)
  try {
    const at = (minute: number) => ({
      device_id: 'plug',
      timestamp: `2024-01-15T10:0${minute}:00Z`,
      power_usage: 60,
    })
    const first = await createSilverStage({ lake: house.lake, engine })
    await house.land([at(0), at(1)])
    await first.step({ final: true })
    await first.close()
    const [rows, { version }] = [
      await house.contents('silver.readings'),
      await house.lake.snapshot('silver.readings'),
    ]
    assert.equal(rows.length, 2)

    // A rated power that no file can say: nothing would be plausible.
    await house.setCatalogue([{ device_id: 'plug', rated_power_w: -1 }])
    await house.land([at(2)])
    const second = await createSilverStage({ lake: house.lake, engine })
    await assert.rejects(second.step({ final: true }), {
      code: 'model_check_failed',
      message: /Silver model history, check placed does not hold/,
    })
    assert.equal((await house.lake.snapshot('silver.readings')).version, version)
    assert.deepEqual(await house.contents('silver.readings'), rows)

    // The same message twice in Bronze, at one place of the stream: its key would not be one.
    await house.setCatalogue([])
    await house.land([{ ...at(3), stream_offset: 2 }])
    await assert.rejects(second.step({ final: true }), {
      code: 'model_check_failed',
      message: /arrivals, check unique_key, first at test 0 2 0/,
    })
    assert.deepEqual(await house.contents('silver.readings'), rows)
    await second.close()
  } finally {
    await house.close()
    await engine.close()
  }
})
