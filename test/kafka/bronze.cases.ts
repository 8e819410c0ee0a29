/** Kafka → Bronze: what others produce, what is missing, and who lands it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { MessageToProduce } from '@platformatic/kafka'
import { createBronzeStage } from '../../src/3-bronze/land.ts'
import type { Kafka } from '../servers/kafka.ts'
import {
  missingOf,
  openTopic,
  powersOf,
  produceOn,
  reading,
  settingsOn,
  until,
  upTo,
  worker,
  workOff,
} from './setting.ts'

export function bronzeCases(kafka: () => Kafka): void {
  const withSetting = settingsOn(kafka)

  describe('Bronze from Kafka', () => {
    // First: a broker that comes back reads all of its topics, and there are few.
    test('the broker is killed and comes back while readings are produced and landed', async () => {
      await withSetting({ partitions: 3 }, async ({ log, house }) => {
        const producer = produceOn(log, 20)
        const step = (): Promise<unknown> => house.stage.step({ final: false }).catch(() => sleep(200))
        for (let n = 0; n < 10; n++) await step()
        await kafka().nodes[0]!.kill()
        const back = kafka().nodes[0]!.start()
        for (let n = 0; n < 3; n++) await step()
        await back
        await until(
          async () => (await house.stage.step({ final: false }).catch(() => ({ rows: 0 }))).rows > 0,
        )
        await producer.stop()
        await house.landAll()
        assert.deepEqual(powersOf(await house.rows()), upTo(producer.acknowledged()))
      })
    })

    test('all partitions are landed, once, with the time at which the broker took each message', async () => {
      await withSetting({ partitions: 3 }, async ({ log, house, topic }) => {
        await log.append(upTo(2_500).map((n) => ({ key: `d${n % 40}`, value: reading(n) })))
        assert.equal(await house.landAll(), 2_500)
        assert.equal(await house.landAll(), 0)
        const rows = await house.rows()
        assert.deepEqual(powersOf(rows), upTo(2_500))
        assert.deepEqual([...new Set(rows.map((row) => Number(row.stream_partition)))].toSorted(), [0, 1, 2])
        assert.ok(rows.every((row) => String(row.stream_topic).startsWith(`${topic}@`)))
        const [first] = await log.read({ partition: 1, offset: 0, maxRecords: 1 })
        const landed = rows.find((row) => row.stream_partition === 1 && Number(row.stream_offset) === 0)
        assert.equal(Date.parse(String(landed!.ingestion_time)) * 1000, first!.ingestionTimeUs)
      })
    })

    test('whatever other producers send lands whole: any key, headers, arrays, a registry prefix, no value', async () => {
      const configs = { 'message.timestamp.type': 'CreateTime' }
      await withSetting({ partitions: 2, configs }, async ({ topic, house, other }) => {
        const prefix = Buffer.from([0, 0, 0, 0, 7])
        const messages: Omit<MessageToProduce, 'topic'>[] = [
          { value: reading(1) },
          {
            key: Buffer.from([0xff, 0xfe, 0]),
            value: reading(2),
            headers: new Map([[Buffer.from('a'), Buffer.from([0xff])]]),
          },
          {
            key: Buffer.from('k'),
            value: Buffer.from(`[${reading(3).toString()},${reading(4).toString()}]`),
          },
          { value: Buffer.concat([prefix, reading(5)]) },
          { value: Buffer.concat([prefix, Buffer.from([2, 0x61, 0xff])]) },
          { key: Buffer.from('gone') },
          { value: Buffer.alloc(0) },
          // A producer's own time is not when the stream took it.
          { value: reading(6), timestamp: 1_000n },
        ]
        const before = Date.now()
        const producer = other()
        for (const [n, message] of messages.entries())
          await producer.send({ messages: [{ ...message, topic, partition: n % 2 }], acks: -1 })
        assert.equal(await house.landAll(), 9)
        const rows = await house.rows()
        assert.deepEqual(powersOf(rows.filter((row) => row.power_usage !== null)), [1, 2, 3, 4, 5, 6])
        const faults = rows
          .filter((row) => row.faults !== null)
          .map((row) => String(row.faults))
          .toSorted()
        assert.deepEqual(faults, ['not_json', 'not_json,schema_registry', 'not_json,tombstone'])
        assert.ok(rows.some((row) => row.raw === 'gone'))
        assert.ok(rows.every((row) => Date.parse(String(row.ingestion_time)) >= before - 1_000))
      })
    })

    test('transactions: what was committed is landed, what was aborted or is open is not, the gaps are recorded', async () => {
      await withSetting({ partitions: 1 }, async ({ topic, house, other, gaps }) => {
        const producer = other({ transactionalId: `t-${topic}` })
        const transaction = async (from: number, count: number, end: 'commit' | 'abort' | 'open') => {
          const begun = await producer.beginTransaction()
          await begun.send({
            messages: upTo(count, from).map((n) => ({ topic, partition: 0, value: reading(n) })),
          })
          if (end !== 'open') await begun[end]()
          return begun
        }
        // Offsets: 0–9 and a mark at 10; 11–15, mark 16; 17–21, mark 22; 23–32, mark 33; then 34–36 and no mark.
        await transaction(0, 10, 'commit')
        await transaction(1_000, 5, 'abort')
        await transaction(2_000, 5, 'abort')
        await transaction(10, 10, 'commit')
        const open = await transaction(20, 3, 'open')
        assert.equal(await house.landAll(), 20)
        assert.deepEqual(powersOf(await house.rows()), upTo(20))
        // 10–22 are missing between the two, 33 behind them: 13 + 1.
        assert.equal(missingOf(await gaps(), 'hole'), 14)
        await open.commit()
        // The broker answers a commit before its mark stands in the partition; only then are the three to be read.
        let landed = 0
        await until(async () => (landed += await house.landAll()) >= 3)
        assert.equal(landed, 3)
        assert.deepEqual(powersOf(await house.rows()), upTo(23))
        assert.equal(await house.landAll(), 0)
        assert.equal(missingOf(await gaps(), 'hole'), 15)
        assert.equal((await house.lake.snapshot('bronze.telemetry')).txns.get(`stream:${house.log.id}/0`), 38)
      })
    })

    test('what compaction took away is no fault, and stands in the table of gaps', async () => {
      const configs = {
        'cleanup.policy': 'compact',
        'segment.ms': '100',
        'min.cleanable.dirty.ratio': '0.01',
        'message.timestamp.type': 'LogAppendTime',
      }
      await withSetting({ partitions: 1, configs }, async ({ log, house, gaps, admin, topic }) => {
        // Twenty messages of one key: all but the newest go once their segment is closed; each append closes it.
        for (const n of upTo(20)) await log.append([{ key: 'one', value: reading(n) }])
        const deadline = Date.now() + 30_000
        let left = 20
        while (left > 5 && Date.now() < deadline) {
          await sleep(300)
          await log.append([{ key: 'other', value: reading(100) }])
          const fresh = await openTopic(kafka(), topic, 1)
          const [bounds] = await fresh.bounds()
          left = (await fresh.read({ partition: 0, offset: bounds!.start, maxRecords: 1_000 })).length
          await fresh.close()
        }
        assert.ok(left <= 5, `compacted: ${left} left`)
        await admin.metadata({ topics: [topic] })
        const [{ start, end } = { start: 0, end: 0 }] = await log.bounds()
        const landed = await house.landAll()
        // Every offset is a row or in a gap.
        assert.equal(landed + missingOf(await gaps(), 'hole'), end - start)
        assert.ok((await house.rows()).some((row) => row.power_usage === 19))
      })
    })

    test('what retention deleted before it was landed is counted as missing, and the rest is landed', async () => {
      await withSetting({ partitions: 1 }, async ({ log, house, gaps }) => {
        await log.append(upTo(100).map((n) => ({ key: 'd', value: reading(n) })))
        assert.equal(await house.landAll(), 100)
        await log.append(upTo(100, 100).map((n) => ({ key: 'd', value: reading(n) })))
        await log.trim(0, 150)
        assert.equal(await house.landAll(), 50)
        assert.deepEqual(powersOf(await house.rows()), [...upTo(100), ...upTo(50, 150)])
        assert.equal(missingOf(await gaps(), 'retention'), 50)
        const [row] = await gaps()
        assert.deepEqual([Number(row!.first_offset), Number(row!.end_offset)], [100, 150])
      })
    })

    test('a topic that is deleted and made anew is another stream: its offset 0 is new', async () => {
      await withSetting({ partitions: 1 }, async ({ log, house, admin, topic }) => {
        await log.append(upTo(10).map((n) => ({ key: 'd', value: reading(n) })))
        assert.equal(await house.landAll(), 10)
        await admin.deleteTopics({ topics: [topic] })
        await sleep(500)
        const anew = await openTopic(kafka(), topic, 1)
        await anew.append(upTo(5, 10).map((n) => ({ key: 'd', value: reading(n) })))
        const stage = await createBronzeStage({ ...house, log: anew, keepStreamMs: null })
        await stage.step({ final: true })
        await stage.close()
        await anew.close()
        assert.deepEqual(powersOf(await house.rows()), upTo(15))
      })
    })

    test('workers share the partitions; one that leaves, one that stalls and wakes: nothing lost, nothing twice', async () => {
      await withSetting({ partitions: 4 }, async ({ log, house, topic, admin }) => {
        const groupId = `group-${topic}`
        const [a, b, c] = [
          await worker(house, kafka(), topic, groupId),
          await worker(house, kafka(), topic, groupId),
          await worker(house, kafka(), topic, groupId),
        ]
        await until(() => [a, b, c].every(({ share }) => share.partitions().size > 0))
        const dealt = [a, b, c].flatMap(({ share }) => [...share.partitions()])
        assert.deepEqual(dealt.toSorted(), [0, 1, 2, 3])
        let sent = 0
        const send = async (count: number): Promise<void> => {
          await log.append(upTo(count, sent).map((n) => ({ key: `k${n}`, value: reading(n) })))
          sent += count
        }
        await send(3_000)
        for (const { stage } of [a, b, c]) await stage.step({ final: false })
        // c goes to sleep between reading and committing, and others land what it had read.
        const asleep = c.stallNextCommit()
        await send(3_000)
        const stalled = c.stage.step({ final: false })
        await asleep.reached
        await c.share.close()
        await until(() => a.share.partitions().size + b.share.partitions().size === 4)
        await workOff([a, b])
        asleep.wake()
        assert.equal((await stalled).rows, 0)
        await a.close()
        await send(1_000)
        await until(() => b.share.partitions().size === 4)
        await workOff([b])
        assert.deepEqual(powersOf(await house.rows()), upTo(sent))
        const [group] = await admin.listConsumerGroupOffsets({ groups: [groupId] })
        const committed = new Map(
          group!.topics[0]!.partitions.map((one) => [one.partitionIndex, Number(one.committedOffset)]),
        )
        assert.deepEqual(
          [...committed].toSorted(),
          (await log.bounds()).map(({ partition, end }) => [partition, end]),
        )
        await b.close()
        await c.close()
      })
    })
  })
}
