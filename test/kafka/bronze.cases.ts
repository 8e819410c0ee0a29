/** Kafka → Bronze: what others produce, what is missing, and who lands it. */
import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Admin, Producer, type MessageToProduce } from '@platformatic/kafka'
import { joinShare } from '../../src/2-stream/kafka-share.ts'
import { openKafkaLog } from '../../src/2-stream/kafka.ts'
import type { Share, StreamLog } from '../../src/2-stream/log.ts'
import { createBronzeStage } from '../../src/3-bronze/land.ts'
import { openDuckDb, openLake } from '../../src/lake/index.ts'
import { openHouse, type House } from '../3-bronze/house.ts'
import type { Kafka } from '../servers/kafka.ts'

let topics = 0

interface Setting {
  topic: string
  log: StreamLog
  house: House
  admin: Admin
  /** A producer of somebody else's. */
  other(options?: { transactionalId?: string }): Producer
  gaps(): Promise<Record<string, unknown>[]>
}

const reading = (n: number): Buffer =>
  Buffer.from(`{"device_id":"d${n % 5}","timestamp":"2024-01-15T10:30:00Z","power_usage":${n}}`)
const upTo = (count: number, from = 0): number[] => Array.from({ length: count }, (_, n) => from + n)

export function bronzeCases(kafka: () => Kafka): void {
  const clients = () => ({ clientId: 'somebody', bootstrapBrokers: kafka().brokers, retries: 5 })

  async function withSetting(
    options: { partitions: number; configs?: Record<string, string> },
    body: (setting: Setting) => Promise<void>,
  ): Promise<void> {
    const topic = `bronze-${++topics}`
    const admin = new Admin(clients())
    if (options.configs) {
      const configs = Object.entries(options.configs).map(([name, value]) => ({ name, value }))
      await admin.createTopics({ topics: [topic], partitions: options.partitions, replicas: 1, configs })
    }
    const log = await openTopic(kafka(), topic, options.partitions)
    const house = await openHouse(undefined, { log, keepStreamMs: null, maxRecords: 1_000 })
    const closing: (() => Promise<unknown>)[] = []
    try {
      await body({
        topic,
        log,
        house,
        admin,
        other: (own = {}) => {
          const producer = new Producer({
            ...clients(),
            ...own,
            ...(own.transactionalId && { idempotent: true }),
          })
          closing.push(() => producer.close(true))
          return producer
        },
        gaps: () => rowsOf(house, 'bronze.stream_gaps'),
      })
    } finally {
      for (const close of closing) await close()
      await house.remove()
      await admin.close()
    }
  }

  describe('Bronze from Kafka', () => {
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
        assert.equal(await house.landAll(), 3)
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

    test('the broker is killed and comes back while readings are produced and landed', async () => {
      await withSetting({ partitions: 3 }, async ({ log, house }) => {
        let sent = 0
        let running = true
        const producing = (async () => {
          while (running) {
            await log.append(upTo(200, sent).map((n) => ({ key: `k${n}`, value: reading(n) })))
            sent += 200
            await sleep(20)
          }
        })()
        const step = (): Promise<unknown> => house.stage.step({ final: false }).catch(() => sleep(200))
        for (let n = 0; n < 10; n++) await step()
        await kafka().nodes[0]!.kill()
        const back = kafka().nodes[0]!.start()
        for (let n = 0; n < 3; n++) await step()
        await back
        await until(
          async () => (await house.stage.step({ final: false }).catch(() => ({ rows: 0 }))).rows > 0,
        )
        running = false
        await producing
        await house.landAll()
        assert.deepEqual(powersOf(await house.rows()), upTo(sent))
      })
    })
  })
}

const powersOf = (rows: Record<string, unknown>[]): number[] =>
  rows.map((row) => Number(row.power_usage)).toSorted((a, b) => a - b)

const missingOf = (gaps: Record<string, unknown>[], reason: string): number =>
  gaps.filter((gap) => gap.reason === reason).reduce((sum, gap) => sum + Number(gap.missing_offsets), 0)

async function rowsOf(house: House, table: string): Promise<Record<string, unknown>[]> {
  const { files } = await house.lake.snapshot(table)
  const session = await house.engine.session()
  const rows = await session.rows(`SELECT * FROM ${house.lake.scan(table, files)} ORDER BY ALL`)
  await session.close()
  return rows
}

function openTopic(kafka: Kafka, topic: string, partitions: number): Promise<StreamLog> {
  return openKafkaLog({
    connection: { brokers: kafka.brokers },
    topic,
    create: true,
    partitions,
    replication: 1,
    retentionMs: 3_600_000,
  })
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await holds())) {
    assert.ok(Date.now() < deadline, 'it did not come about')
    await sleep(50)
  }
}

/** A worker on the house's lake, with an engine and a membership of its own. */
async function worker(house: House, kafka: Kafka, topic: string, groupId: string) {
  const engine = await openDuckDb({
    threads: 1,
    tempDirectory: mkdtempSync(join(tmpdir(), 'smarthouse-worker-')),
  })
  const lake = await openLake({ root: join(house.dir, 'lake'), engine })
  const log = await openTopic(kafka, topic, 1)
  const connection = { brokers: kafka.brokers }
  const share: Share = await joinShare({ connection, topic, groupId, onProblem: () => undefined })
  let hold: { reached: () => void; woken: Promise<void> } | undefined
  const stage = await createBronzeStage({
    lake: {
      ...lake,
      commit: async (table, request) => {
        const held = table === 'bronze.telemetry' ? hold : undefined
        hold = undefined
        held?.reached()
        await held?.woken
        return await lake.commit(table, request)
      },
    },
    engine,
    log,
    share,
    keepStreamMs: null,
    maxRecords: 500,
  })
  return {
    stage,
    share,
    stallNextCommit() {
      const reached = Promise.withResolvers<void>()
      const woken = Promise.withResolvers<void>()
      hold = { reached: reached.resolve, woken: woken.promise }
      return { reached: reached.promise, wake: woken.resolve }
    },
    async close() {
      await stage.close()
      await share.close()
      await log.close()
      await lake.close()
      await engine.close()
    },
  }
}

async function workOff(
  workers: readonly {
    stage: { step(options: { final: boolean }): Promise<{ more: boolean; rows: number }> }
  }[],
): Promise<void> {
  for (let quiet = 0; quiet < 3;) {
    let busy = false
    for (const { stage } of workers) {
      const { more, rows } = await stage.step({ final: false })
      busy ||= more || rows > 0
    }
    quiet = busy ? 0 : quiet + 1
  }
}
