import assert from 'node:assert/strict'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { dataFolder, smarthouseHere, sql, start } from '../house/run-cli.ts'

/**
 * Each was written by a program of its time from the same five readings: ada's kettle, 2 kW for ten minutes, and ben's lamp,
 * 60 W for twenty, on 2026-01-15 from 10:00 UTC on, at 0.12 a kWh. `format-1` is of before `gold.quarter_hourly_energy.user_id`,
 * `format-2` of before `gold.hourly_energy.user_id`.
 */
const FORMAT_1 = fileURLToPath(new URL('format-1', import.meta.url))
const FORMAT_2 = fileURLToPath(new URL('format-2', import.meta.url))
const NEWEST = 3
const ENV = { SMARTHOUSE_TIME_ZONE: 'Europe/Berlin' }

function oldFolder(t: TestContext, written = FORMAT_1): string {
  const data = dataFolder(t)
  cpSync(written, data, { recursive: true })
  return data
}
const format = (data: string): unknown =>
  (JSON.parse(readFileSync(join(data, 'smarthouse.json'), 'utf8')) as { format: unknown }).format

/** 2,000 W × 1/6 h; 60 W × 1/4 h and × 1/12 h; each at 0.12 per 1,000 Wh. */
const EXPECTED = [
  { device_id: 'kettle', user_id: 'ada', energy_wh: '333.333333333', cost: '0.040000000' },
  { device_id: 'lamp', user_id: 'ben', energy_wh: '15.000000000', cost: '0.001800000' },
  { device_id: 'lamp', user_id: 'ben', energy_wh: '5.000000000', cost: '0.000600000' },
]
const quarterHours = (data: string) =>
  sql<Record<string, unknown>>(
    data,
    `SELECT device_id, user_id, CAST(energy_wh AS VARCHAR) AS energy_wh, CAST(cost AS VARCHAR) AS cost
     FROM gold.quarter_hourly_energy ORDER BY device_id, quarter_hour`,
  )

test('opening an older data folder brings it to this format, with a copy of what that changes', async (t) => {
  const data = oldFolder(t)
  // Any command does: this one only asks.
  assert.deepEqual(await quarterHours(data), EXPECTED)
  assert.equal(format(data), NEWEST)
  const kept = join(data, 'backup', 'format-1')
  const log = 'gold/quarter_hourly_energy/_delta_log/00000000000000000001.json'
  assert.equal(
    readFileSync(join(kept, 'lake', log), 'utf8'),
    readFileSync(join(FORMAT_1, 'lake', log), 'utf8'),
  )
  assert.equal(existsSync(join(kept, 'lake', 'bronze')), false, 'what it does not change is not copied')
  assert.equal((await smarthouseHere('verify', '--data', data)).status, 0)
  const again = await smarthouseHere('upgrade', '--data', data)
  assert.equal(again.status, 0)
  assert.match(again.stdout, /nothing to do/)
})

test('of a folder of format 2 Gold alone is built anew: its hours come to say whose they were', async (t) => {
  const data = oldFolder(t, FORMAT_2)
  const hours = await sql<Record<string, unknown>>(
    data,
    `SELECT device_id, user_id, one_user, CAST(energy_wh AS VARCHAR) AS energy_wh, CAST(fed_in_wh AS VARCHAR) AS fed_in_wh
     FROM gold.hourly_energy ORDER BY device_id`,
  )
  assert.deepEqual(hours, [
    {
      device_id: 'kettle',
      user_id: 'ada',
      one_user: true,
      energy_wh: '333.333333333',
      fed_in_wh: null,
    },
    { device_id: 'lamp', user_id: 'ben', one_user: true, energy_wh: '20.000000000', fed_in_wh: null },
  ])
  assert.equal(format(data), NEWEST)
  assert.ok(existsSync(join(data, 'backup', 'format-2', 'lake', 'gold')))
  assert.equal(existsSync(join(data, 'backup', 'format-2', 'lake', 'silver')), false)
  assert.equal((await smarthouseHere('verify', '--data', data)).status, 0)
})

test('an upgrade that is killed goes on at the next start', async (t) => {
  const data = oldFolder(t)
  for (const moment of [/Upgrading/, /was kept/]) {
    const upgrade = start(['upgrade', '--data', data], { env: ENV })
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (moment.test(upgrade.output())) resolve()
      }
      upgrade.child.stderr.on('data', look)
      void upgrade.ended.then(() => resolve())
    })
    upgrade.child.kill('SIGKILL')
    await upgrade.ended
    assert.match(upgrade.output(), moment)
  }
  assert.deepEqual(await quarterHours(data), EXPECTED)
  assert.equal(format(data), NEWEST)
})

test('a folder on which something runs is left alone', async (t) => {
  const data = oldFolder(t)
  const { lockInstance } = await import('../../src/run/instance.ts')
  const lock = lockInstance(join(data, 'run'))
  t.after(() => lock?.release())
  const refused = await smarthouseHere('sql', 'SELECT 1', '--data', data)
  assert.equal(refused.status, 1)
  assert.match(refused.stderr, /smarthouse down/)
  assert.equal(format(data), 1)
})
