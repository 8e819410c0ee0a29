import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { loadConfig } from '../../src/config-file.ts'
import { fuzz } from './fuzz.ts'
import { KEPT } from './kept.ts'
import { mutated } from './mutate.ts'
import { randomOf } from '../chaos/random.ts'

test('hostile inputs on every door: each is taken or refused with a reason, and what was taken is in Bronze', async (t) => {
  const failures = await fuzz({
    inputs: 25,
    seed: 20_261_125,
    keptIn: KEPT,
    say: (text) => t.diagnostic(text),
  })
  assert.deepEqual(failures, [])
})

/** What the fuzzing found, once, and its like. */
test('a configuration with an alias that stands for nothing, or for too much, is refused with its reason', (t) => {
  const file = join(mkdtempSync(join(tmpdir(), 'smarthouse-fuzz-')), 'smarthouse.yaml')
  t.after(() => rmSync(dirname(file), { recursive: true, force: true }))
  // Nine times nine times nine … ones.
  const laughs = 'abcdefg'.split('').map(
    (name, n) =>
      `${name}: &${name} [${Array(9)
        .fill(n === 0 ? '1' : `*${'abcdefg'[n - 1]}`)
        .join(', ')}]`,
  )
  for (const text of ['**', 'time_zone: *home', '*%2e%2e', laughs.join('\n')]) {
    writeFileSync(file, text)
    assert.throws(
      () => loadConfig({ file, named: true, env: {} }),
      { code: 'config_invalid', cure: /quotes/ },
      JSON.stringify(text),
    )
  }
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
