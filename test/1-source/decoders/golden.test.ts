/** Each message of the golden folders says what a person worked out. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goldenNames, readGolden } from './golden.ts'

for (const name of goldenNames())
  test(`golden ${name}`, () => {
    const answers = readGolden(name)
    assert.deepEqual(
      answers.map(({ actual }) => actual),
      answers.map(({ expected }) => expected),
    )
  })
