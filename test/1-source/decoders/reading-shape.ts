import assert from 'node:assert/strict'
import type { Reading } from '../../../src/reading.ts'

/** What every reading of every decoder keeps: a device, a UTC time that exists, and finite numbers only. */
export function checkReading(reading: Reading, of: string): void {
  assert.ok(reading.device_id.length > 0, `${of}: no device`)
  assert.equal(new Date(reading.timestamp).toISOString(), reading.timestamp, `${of}: time`)
  const numbers = [
    reading.temperature,
    reading.power_usage,
    reading.energy_total_wh,
    ...Object.values(reading.metrics ?? {}),
  ]
  for (const number of numbers)
    assert.ok(number === undefined || Number.isFinite(number), `${of}: ${String(number)}`)
}
