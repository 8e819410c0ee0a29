/** The house moves into another time zone: every local day is another one, and nothing else changes. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { dataFolder, smarthouseHere, sql } from './run-cli.ts'

test('rebuild gold --zone: the same energy on other days, and verify passes', async (t) => {
  const data = dataFolder(t)
  mkdirSync(dirname(data), { recursive: true })
  const config = join(dirname(data), 'house.yaml')
  writeFileSync(config, 'time_zone: UTC\n')
  const run = async (...words: string[]): Promise<string> => {
    const { status, stdout, stderr } = await smarthouseHere(...words, '--data', data, '--config', config)
    assert.equal(status, 0, stderr)
    return stdout
  }
  const sent = ['--devices', '2', '--rate', '1/m', '--seed', '3', '--tenant', 'home']
  await run('simulate', ...sent, '--from', '2026-01-15T12:00:00Z', '--for', '11h')
  for (const stage of ['bronze', 'silver', 'gold']) await run(stage, '--once')
  const days = () =>
    sql<{ date: string; wh: string }>(
      data,
      'SELECT date, sum(total_energy_wh) AS wh FROM gold.daily_energy_consumption GROUP BY date ORDER BY date',
    )
  const before = await days()
  assert.deepEqual(
    before.map(({ date }) => date),
    ['2026-01-15'],
  )
  // Kathmandu is 5 h 45 min ahead: its midnight is 18:15 UTC.
  const [parts] = await sql<{ early: string; late: string }>(
    data,
    `SELECT sum(energy_wh) FILTER (WHERE quarter_hour < TIMESTAMPTZ '2026-01-15 18:15:00Z') AS early,
       sum(energy_wh) FILTER (WHERE quarter_hour >= TIMESTAMPTZ '2026-01-15 18:15:00Z') AS late
     FROM gold.quarter_hourly_energy`,
  )
  assert.match(await run('rebuild', 'gold', '--zone', 'Asia/Kathmandu'), /Days are those of Asia\/Kathmandu/)
  assert.deepEqual(await days(), [
    { date: '2026-01-15', wh: parts?.early },
    { date: '2026-01-16', wh: parts?.late },
  ])
  await run('verify')
  // The zone stays, though the configuration names another one.
  await run('gold', '--once')
  assert.equal((await days()).length, 2)

  for (const words of [
    ['gold', '--zone', 'Mars/Olympus'],
    ['silver', '--zone', 'UTC'],
  ]) {
    const { status, stderr } = await smarthouseHere('rebuild', ...words, '--data', data)
    assert.equal(status, 2)
    assert.match(stderr, /zone/)
  }
})
