import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openEmbeddedView } from '../../src/2-stream/embedded-view.ts'
import { openEmbeddedLog } from '../../src/2-stream/embedded.ts'
import type { GroupView, StreamLook } from '../../src/2-stream/types.ts'
import { PlatformError } from '../../src/errors.ts'
import { get, problem } from './ask.ts'
import { streamsApp, streamsContract } from './streams.contract.ts'

const root = mkdtempSync(join(tmpdir(), 'smarthouse-streams-'))
after(() => rmSync(root, { recursive: true, force: true }))
let folders = 0

streamsContract({
  name: 'embedded',
  fresh: async () => {
    const dir = join(root, String(++folders))
    return {
      view: openEmbeddedView({ dir, landed: async () => undefined, retentionMs: 3_600_000 }),
      topic: (topic) => openEmbeddedLog({ dir, topic }),
    }
  },
})

/** A look at a group whose lag a test sets: per partition. */
function lookAt(lag: { now: number[]; fails: Error | null }): StreamLook {
  const group = (): GroupView => ({
    group: 'readers',
    state: 'stable',
    members: [{ client: 'a', host: 'b', partitions: [{ topic: 't', partition: 1 }] }],
    partitions: lag.now.map((waiting, partition) => {
      return { topic: 't', partition, committed: 100, end: 100 + waiting, lag: waiting }
    }),
  })
  return {
    adapter: 'kafka',
    where: 'broker:9092',
    topics: async () => [],
    groups: async () => {
      if (lag.fails) throw lag.fails
      return [group()]
    },
    messages: async () => ({ messages: [], next: new Map(), scanned: 0 }),
    replay: async () => 0,
    close: async () => undefined,
  }
}

test('the trend of a lag is what it changed by per second, over half a minute, for each partition', async () => {
  const lag = { now: [100, 0], fails: null }
  let nowMs = 1_000_000
  const app = streamsApp(lookAt(lag), () => nowMs)
  const ask = async () => (await get(app, 'streams', {})).groups[0]!
  const first = await ask()
  assert.deepEqual([first.lag, first.lag_trend_per_s, first.members[0]!.partitions], [100, null, ['t/1']])
  const trends: unknown[] = []
  for (const now of [
    [150, 0],
    [200, 0],
    [250, 0],
    [300, 0],
    [300, 0],
    [280, 20],
    [280, 20],
  ]) {
    nowMs += 10_000
    lag.now = now
    const { lag_trend_per_s, partitions } = await ask()
    trends.push([lag_trend_per_s, ...partitions.map((one) => one.lag_trend_per_s)])
  }
  // Of the lag now and that of 30 s before, or of the oldest known: (150 − 100) / 10, …, (300 − 150) / 30, (300 − 200) / 30, …
  assert.deepEqual(trends, [
    [5, 5, 0],
    [5, 5, 0],
    [5, 5, 0],
    [5, 5, 0],
    [3.33, 3.33, 0],
    [1.67, 1, 0.67],
    [0, -0.67, 0.67],
  ])
  assert.deepEqual((await ask()).lag_history, [100, 150, 200, 250, 300, 300, 300, 300])
  // Nobody looked for a minute: what was before says nothing about now.
  nowMs += 60_000
  assert.deepEqual([(await ask()).lag_trend_per_s, (await ask()).lag_history], [null, [300]])
  await app.close()
})

test('a stream that does not answer is told with its cure, and asked again the next time', async () => {
  const lag: { now: number[]; fails: Error | null } = { now: [0], fails: null }
  lag.fails = new PlatformError('stream_unreachable', 'Kafka at broker:9092 does not answer', 'Start it.')
  const app = streamsApp(lookAt(lag))
  const told = await problem(app, '/api/v1/streams', 503, 'stream_unreachable')
  assert.deepEqual([told.detail, told.cure], ['Kafka at broker:9092 does not answer', 'Start it.'])
  lag.fails = null
  assert.equal((await get(app, 'streams', {})).groups.length, 1)
  await app.close()
})
