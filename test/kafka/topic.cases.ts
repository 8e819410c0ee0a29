/** A topic that somebody made before us, held against what the configuration asks for. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Admin } from '@platformatic/kafka'
import { openKafkaLog } from '../../src/2-stream/kafka.ts'
import type { TopicSettings } from '../../src/2-stream/kafka-topic.ts'
import { lookAtKafka } from '../../src/doctor/brokers.ts'
import { isPlatformError } from '../../src/errors.ts'
import type { Kafka } from '../servers/kafka.ts'

const HOUR_MS = 3_600_000
/** Two partitions, one replica, an hour. */
const HAS = { partitions: 2, replication: 1, retentionMs: HOUR_MS }

export function topicCases(kafka: () => Kafka): void {
  let topics = 0

  async function existing(retentionMs: number): Promise<string> {
    const topic = `existing-${++topics}`
    const admin = new Admin({ clientId: 'somebody', bootstrapBrokers: kafka().brokers, retries: 5 })
    const configs = [{ name: 'retention.ms', value: String(retentionMs) }]
    await admin.createTopics({ topics: [topic], partitions: HAS.partitions, replicas: 1, configs })
    await admin.close()
    return topic
  }
  const open = async (topic: string, asked: Partial<TopicSettings>): Promise<void> => {
    const connection = { brokers: kafka().brokers }
    const log = await openKafkaLog({ connection, topic, create: true, ...HAS, ...asked })
    await log.close()
  }
  const refused = (opened: Promise<void>, ...sentences: RegExp[]): Promise<void> =>
    assert.rejects(opened, (error) => {
      assert.ok(isPlatformError(error), String(error))
      assert.equal(error.code, 'stream_topic_unfit')
      for (const sentence of sentences) assert.match(error.message, sentence)
      return true
    })

  describe('a topic that was there before', () => {
    test('is taken where it has what is asked for, or more', async () => {
      const topic = await existing(HOUR_MS)
      await open(topic, {})
      await open(topic, { partitions: 1, retentionMs: HOUR_MS - 1 })
    })

    test('is taken where it keeps messages for ever, which Kafka writes as -1', async () => {
      await open(await existing(-1), { retentionMs: 1_000 * HOUR_MS })
    })

    test('is refused where it gives less, and each shortfall is named', async () => {
      const topic = await existing(HOUR_MS)
      await refused(open(topic, { partitions: 3 }), /stream\.partitions is 3, the topic has 2$/)
      await refused(open(topic, { replication: 2 }), /stream\.replication is 2, the topic has 1$/)
      await refused(
        open(topic, { retentionMs: HOUR_MS + 1 }),
        /stream\.topic_retention is 3600001 ms, the topic's retention\.ms is 3600000$/,
      )
      await refused(
        open(topic, { partitions: 3, replication: 2 }),
        /partitions is 3, the topic has 2; stream\.replication is 2, the topic has 1$/,
      )
    })
  })

  test('doctor says what is wrong with the topic, and whether a broker is ahead of this computer', async () => {
    const topic = await existing(HOUR_MS)
    const options = { connection: { brokers: kafka().brokers }, topic, create: true, ...HAS }
    const wrong = async (asked: Partial<TopicSettings>, at: { nowMs: number; running: boolean }) =>
      (await lookAtKafka({ ...options, ...asked }, at)).filter(({ state }) => state === 'wrong')
    const now = { nowMs: Date.now(), running: true }
    const log = await openKafkaLog(options)
    await log.append([{ key: 'lamp', value: Buffer.from('{}') }])
    await log.close()
    const seen = await lookAtKafka(options, now)
    assert.deepEqual(
      seen.map(({ state }) => state),
      ['ok', 'ok'],
    )
    assert.match(seen[1]!.what, /has 2 partitions, 1 replicas each, all in sync/)
    const [unfit] = await wrong({ partitions: 3 }, now)
    assert.equal(unfit?.code, 'stream_topic_unfit')
    assert.match(unfit.what, /stream\.partitions is 3, the topic has 2/)
    // This computer's clock two minutes earlier is the broker's two minutes ahead.
    const [ahead] = await wrong({}, { nowMs: now.nowMs - 120_000, running: true })
    assert.equal(ahead?.code, 'stream_clock_off')
    assert.match(ahead.what, /of 1[12]\d s from now/)
    const absent = { ...options, topic: 'absent' }
    const [missing] = (await lookAtKafka(absent, now)).filter(({ state }) => state === 'wrong')
    assert.equal(missing?.code, 'stream_topic_missing')
    const before = await lookAtKafka(absent, { ...now, running: false })
    assert.deepEqual(
      before.map(({ state }) => state),
      ['ok', 'note'],
    )
  })
}
