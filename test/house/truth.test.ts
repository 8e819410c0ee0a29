import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { dataFolder, smarthouseHere, sql } from './run-cli.ts'

interface Slot {
  device_id: string
  quarter_hour: string
  energy_wh: number
}

async function ok(...words: string[]): Promise<void> {
  const { status, stderr } = await smarthouseHere(...words)
  assert.equal(status, 0, `${words.join(' ')}: ${stderr}`)
}

/** `npm run soak -- day` takes the readings of every second; here one in thirty has to do. What destroys readings comes as often a day. */
const RATE = process.env['SOAK'] === undefined ? '1/30s' : '1/s'

/** A simulated day, landed and refined and aggregated by the commands; the truth as the simulator wrote it. */
async function simulatedDay(t: TestContext, faults: string) {
  const data = dataFolder(t)
  const truthFile = `${data}-truth.csv`
  await ok(
    'simulate',
    '--data',
    data,
    '--seed',
    '7',
    '--for',
    '24h',
    '--rate',
    RATE,
    '--faults',
    faults,
    '--truth',
    truthFile,
  )
  for (const stage of ['bronze', 'silver', 'gold']) await ok(stage, '--once', '--data', data)
  const truth = readFileSync(truthFile, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','))
    .map(([device_id, quarter_hour, energy_wh, faulty]) => {
      return {
        device_id: device_id!,
        quarter_hour: quarter_hour!,
        energy_wh: Number(energy_wh),
        faulty: faulty!,
      }
    })
  const gold = await sql<Slot>(
    data,
    `SELECT device_id, strftime(quarter_hour, '%Y-%m-%dT%H:%M:%SZ') AS quarter_hour, CAST(energy_wh AS DOUBLE) AS energy_wh
     FROM gold.quarter_hourly_energy WHERE energy_wh IS NOT NULL`,
  )
  return {
    data,
    truth,
    gold: new Map(gold.map((slot) => [`${slot.device_id} ${slot.quarter_hour}`, slot.energy_wh])),
  }
}

test('harmless faults: energy per device equals the truth to 0.01 %, and verify passes', async (t) => {
  const { data, truth, gold } = await simulatedDay(t, 'harmless')
  const devices = Map.groupBy(truth, (slot) => slot.device_id)
  assert.equal(devices.size, 10)
  for (const [device, slots] of devices) {
    const expected = slots.reduce((sum, slot) => sum + slot.energy_wh, 0)
    const actual = slots.reduce((sum, slot) => sum + (gold.get(`${device} ${slot.quarter_hour}`) ?? 0), 0)
    assert.ok(expected > 0, `${device} used energy`)
    assert.ok(Math.abs(actual - expected) <= expected * 1e-4, `${device}: ${actual} Wh, truth ${expected} Wh`)
  }
  const repeated = await sql<{ n: number }>(data, 'SELECT count(*) AS n FROM silver.duplicates')
  assert.ok(repeated[0]!.n > 0, 'the day had duplicates')
  const { status, stdout, stderr } = await smarthouseHere('verify', '--data', data)
  assert.equal(status, 0, stdout + stderr)
})

test('default faults: energy equals the truth in every slot that no fault destroyed', async (t) => {
  const { truth, gold } = await simulatedDay(t, 'default')
  const whole = truth.filter((slot) => slot.faulty === '')
  assert.ok(whole.length > truth.length / 2, 'most slots are whole')
  assert.ok(whole.length < truth.length, 'some slots are not')
  for (const slot of whole) {
    const actual = gold.get(`${slot.device_id} ${slot.quarter_hour}`)
    assert.ok(actual !== undefined, `${slot.device_id} ${slot.quarter_hour} has energy`)
    const tolerance = Math.max(slot.energy_wh * 1e-4, 1e-6)
    assert.ok(
      Math.abs(actual - slot.energy_wh) <= tolerance,
      `${slot.device_id} ${slot.quarter_hour}: ${actual}, truth ${slot.energy_wh}`,
    )
  }
})
