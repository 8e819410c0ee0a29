import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BRONZE, GOLD, SILVER } from '../../src/commands/stages.ts'
import type { Patient } from '../../src/doctor/patient.ts'
import { openStreamAlone } from '../../src/main.ts'
import { fine, house, wrong } from './house.ts'

/** Every stage at its longest pace. */
function slow(config: NonNullable<Patient['config']>, ms: number): NonNullable<Patient['config']> {
  const { bronze, silver, gold } = config
  return {
    ...config,
    bronze: { ...bronze, flush: ms },
    silver: { ...silver, late_pass: ms },
    gold: { ...gold, every: ms },
  }
}

test('no data, and at which stage it stops', async (t) => {
  const { diagnose, begin, run } = house(t)
  const settings = await begin()
  // As it is while nothing runs, and as it would be found ten minutes later if something did.
  const stops = async (what: string, whileRunning: RegExp): Promise<void> => {
    const stopped = (await diagnose()).find(({ code }) => code === 'no_data')
    assert.deepEqual(
      [stopped?.state, stopped?.what.startsWith(what)],
      ['note', true],
      JSON.stringify(stopped),
    )
    assert.match(stopped?.cure ?? '', /smarthouse up/)
    const later = await diagnose({ running: true, nowMs: Date.now() + 600_000 })
    wrong(later, 'no_data', new RegExp(`^${what}`), whileRunning)
  }
  // Where the house is told to take its time, a stage that rests is no fault.
  const restsFor = async (ms: number): Promise<void> => {
    const patient = await diagnose({
      running: true,
      nowMs: Date.now() + 600_000,
      config: slow(settings.config, ms),
    })
    fine(patient, 'no_data')
  }
  await run(BRONZE)
  await stops('Readings stop at the source: none has ever arrived', /docs\/devices\.md/)
  const log = await openStreamAlone(settings)
  const readings = [0, 1, 2].map((minute) => ({
    device_id: 'lamp',
    timestamp: `2026-01-15T10:0${minute}:00Z`,
    power_usage: 60,
  }))
  await log.append(readings.map((one) => ({ key: 'lamp', value: Buffer.from(JSON.stringify(one)) })))
  await log.close()
  await stops('Readings stop before Bronze: 3 messages wait', /smarthouse logs stages/)
  await run(BRONZE)
  await stops('Readings stop before Silver: 1 commits of Bronze wait', /smarthouse logs stages/)
  await restsFor(3_600_000)
  await run(SILVER)
  await stops('Readings stop before Gold: 1 commits of Silver wait', /smarthouse logs stages/)
  await restsFor(3_600_000)
  await run(GOLD)
  const findings = await diagnose()
  fine(findings, 'no_data')
  assert.match(findings.find(({ code }) => code === 'no_data')?.what ?? '', /3 in Bronze, 3 in Silver/)
})

test('readings that are all rejected stop at Silver', async (t) => {
  const { diagnose, begin, run } = house(t)
  const log = await openStreamAlone(await begin())
  await log.append([{ key: 'x', value: Buffer.from('{"device_id":"lamp","power_usage":60}') }])
  await log.close()
  for (const stage of [BRONZE, SILVER, GOLD]) await run(stage)
  wrong(await diagnose(), 'no_data', /1 of 1 readings .* missing_timestamp \(lamp\)/, /silver\.rejects/)
})
