import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildDashboard } from '../../src/7-dashboard/build.ts'
import { kafkaSkip } from '../servers/kafka.ts'
import { kills } from './faults.ts'
import { chaos } from './rounds.ts'

const KILLS = 40
const SEED = 20_261_125

test(`${KILLS} kills and what else goes wrong: all that was acknowledged is there once, Silver and Gold equal their rebuild`, async (t) => {
  const skip = kafkaSkip()
  if (skip) t.diagnostic(`SKIPPED the rounds on Kafka: ${skip}`)
  await buildDashboard()
  const outcome = await chaos({
    kills: KILLS,
    seed: SEED,
    streams: skip ? ['embedded'] : ['embedded', 'kafka'],
    say: (text) => t.diagnostic(text),
  })
  assert.deepEqual(outcome.problems, [])
  assert.deepEqual([outcome.lost, outcome.twice], [0, 0])
  assert.ok(kills(outcome) >= KILLS)
  assert.ok(outcome.acknowledged > KILLS, 'the senders were hardly ever answered')
})
