/** Ten kills over producers, workers and the broker, each a process; two hundred of them: `npm run soak -- kafka`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kafkaSkip } from '../servers/kafka.ts'
import { killAtRandom } from './kill-run.ts'

test(
  '10 kills at random under 6,000 readings/s: of what was acknowledged nothing is lost, nothing twice, verify passes',
  { skip: kafkaSkip() },
  async (t) => {
    const run = {
      kills: 10,
      seed: 6,
      producers: 2,
      workers: 2,
      perSecond: 6_000,
      leastPerSecond: 5_000,
      pauseMs: 500,
    }
    const report = await killAtRandom(run)
    const { killed, acknowledged, landed, perSecond, verify } = report
    t.diagnostic(`${acknowledged} acknowledged (${perSecond}/s), ${landed} landed, ${JSON.stringify(killed)}`)
    assert.deepEqual(killed, { producer: 4, worker: 4, broker: 2 })
    assert.deepEqual([report.lost, report.twice], [0, 0])
    assert.ok(acknowledged > 0 && landed >= acknowledged)
    assert.equal(verify.status, 0, verify.output)
  },
)
