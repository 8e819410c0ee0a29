import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fuzz } from './fuzz.ts'
import { mutated } from './mutate.ts'
import { randomOf } from '../chaos/random.ts'

test('hostile inputs on every door: each is taken or refused with a reason, and what was taken is in Bronze', async (t) => {
  const failures = await fuzz({
    inputs: 25,
    seed: 20_261_125,
    keepIn: join(tmpdir(), 'smarthouse-fuzz-kept'),
    say: (text) => t.diagnostic(text),
  })
  assert.deepEqual(failures, [])
})

test('the inputs are the same for the same seed, and hardly ever the good ones', () => {
  const seeds = [Buffer.from('{"device_id":"plug","power_usage":12.5}')]
  const some = (seed: number): string[] => {
    const random = randomOf(seed)
    return Array.from({ length: 200 }, () => mutated(seeds, random).toString('latin1'))
  }
  assert.deepEqual(some(1), some(1))
  assert.ok(new Set(some(1)).size > 150)
  assert.ok(some(1).filter((text) => text === seeds[0]!.toString()).length < 20)
})
