/** Three brokers, three replicas: leaders die one after the other while readings are produced and landed. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Admin } from '@platformatic/kafka'
import { openKafkaLog } from '../../src/2-stream/kafka.ts'
import type { PlatformError } from '../../src/errors.ts'
import { message, readAll, texts } from '../2-stream/log.contract.ts'
import { openHouse } from '../3-bronze/house.ts'
import { kafkaSkip, startKafka, type Kafka } from '../servers/kafka.ts'
import { alterTopic, powersOf, produceOn, until, upTo } from './setting.ts'

let kafka: Kafka

describe('three brokers', { skip: kafkaSkip() }, () => {
  before(async () => {
    kafka = await startKafka({ nodes: 3 })
  })
  after(() => kafka?.close())

  /** A topic whose writes all three must have: with one broker gone an append waits, and it is said why. */
  async function shortOfReplicas() {
    const told: (PlatformError | null)[] = []
    const log = await openKafkaLog({
      connection: { brokers: kafka.brokers },
      topic: 'short',
      create: true,
      partitions: 1,
      replication: 3,
      retentionMs: 3_600_000,
      onProblem: (problem) => told.push(problem),
    })
    await alterTopic(kafka, 'short', 'min.insync.replicas', '3')
    let appended: Promise<void> | undefined
    let isAcknowledged = false
    const isSaid = (problem: PlatformError | null): boolean =>
      /too few replicas of the partition are in step/.test(problem?.message ?? '')
    return {
      async waits(): Promise<void> {
        appended = log.append([message('held')]).then(() => void (isAcknowledged = true))
        await until(() => told.some(isSaid))
        assert.equal(told.find(isSaid)!.code, 'stream_unreachable')
        assert.equal(isAcknowledged, false)
      },
      async goesOn(): Promise<void> {
        await appended
        assert.equal(told.at(-1), null)
        assert.deepEqual(texts(await readAll(log)), ['held'])
        await log.close()
      },
    }
  }

  test('a leader is killed, comes back, and another one is killed: nothing lost, nothing twice', async () => {
    const topic = 'failover'
    const log = await openKafkaLog({
      connection: { brokers: kafka.brokers },
      topic,
      create: true,
      partitions: 3,
      replication: 3,
      retentionMs: 3_600_000,
    })
    const house = await openHouse(undefined, { log, keepStreamMs: null, maxRecords: 1_000 })
    const admin = new Admin({ clientId: 'somebody', bootstrapBrokers: kafka.brokers, retries: 20 })
    const short = await shortOfReplicas()
    const producer = produceOn(log, 50)
    let seen = 0
    /** So many more than were acknowledged until now: they were taken and handed out by those that are there. */
    const landed = async (more: number): Promise<void> => {
      const rows = producer.acknowledged() + more
      await until(async () => {
        seen += (await house.stage.step({ final: false }).catch(() => ({ rows: 0 }))).rows
        return seen >= rows
      })
    }
    try {
      await landed(500)
      const metadata = await admin.metadata({ topics: [topic], forceUpdate: true })
      const first = metadata.topics.get(topic)!.partitions[0]!.leader
      await kafka.nodes[first - 1]!.kill()
      // With one broker of three gone, the other two take readings and hand them out.
      await landed(500)
      await short.waits()
      await kafka.nodes[first - 1]!.start()
      await until(async () => {
        const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true })
        return topics.get(topic)!.partitions.every(({ isr }) => isr.length === 3)
      })
      await short.goesOn()
      await kafka.nodes[first % 3]!.kill()
      await landed(500)
      await producer.stop()
      await house.landAll()
      assert.deepEqual(powersOf(await house.rows()), upTo(producer.acknowledged()))
    } finally {
      await producer.stop().catch(() => undefined)
      await house.remove()
      await admin.close()
    }
  })
})
