/**
 * What can be wrong with the other side: each said in one sentence with its cure, and healed where it can heal. Credentials and
 * certificates stand in `security.cases.ts`, too few replicas in `failover.test.ts`.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { backOffMs } from '../../src/2-stream/kafka-connection.ts'
import { openKafkaLog, type KafkaLogOptions } from '../../src/2-stream/kafka.ts'
import { openLater } from '../../src/2-stream/later.ts'
import { runWords } from '../../src/commands/run.ts'
import type { PlatformError } from '../../src/errors.ts'
import { isPlatformError } from '../../src/errors.ts'
import { message, readAll, texts } from '../2-stream/log.contract.ts'
import type { Kafka } from '../servers/kafka.ts'
import { alterTopic, until } from './setting.ts'

/** Nothing listens there: the port is reserved (tcpmux), and needs rights that the tests lack or do not use. */
const NOBODY = '127.0.0.1:1'

export function badCases(kafka: () => Kafka): void {
  let topics = 0
  const told: (PlatformError | null)[] = []
  const options = (other: Partial<KafkaLogOptions> = {}): KafkaLogOptions => ({
    connection: { brokers: kafka().brokers },
    topic: `bad-${++topics}`,
    create: true,
    partitions: 1,
    replication: 1,
    retentionMs: 3_600_000,
    onProblem: (problem) => told.push(problem),
    ...other,
  })
  const refused = (work: Promise<unknown>, code: string, sentence: RegExp): Promise<void> =>
    assert.rejects(work, (error) => {
      assert.ok(isPlatformError(error), String(error))
      assert.equal(error.code, code)
      assert.match(`${error.message}. ${error.cure}`, sentence)
      return true
    })
  describe('what can be wrong', () => {
    test('it is tried again with pauses that grow and stay below five seconds', () => {
      const pauses = [1, 2, 3, 6, 7, 100].map(backOffMs)
      assert.deepEqual(pauses, [100, 200, 400, 3_200, 5_000, 5_000])
    })

    test('no broker there: who opens is told, and who appends later waits until one is', async () => {
      const nobody = { connection: { brokers: [NOBODY] } }
      const sentence = /127\.0\.0\.1:1 cannot .*ECONNREFUSED.*Check that the broker runs/
      await refused(openKafkaLog(options(nobody)), 'stream_unreachable', sentence)
      let connection = nobody.connection
      const problems: (PlatformError | null)[] = []
      const all = options()
      const log = openLater({
        topic: all.topic!,
        open: () => openKafkaLog({ ...all, connection }),
        onProblem: (problem) => problems.push(problem),
      })
      const appended = log.append([message('waited')])
      await until(() => problems.length > 0)
      assert.equal(problems[0]?.code, 'stream_unreachable')
      await refused(log.bounds(), 'stream_unreachable', sentence)
      connection = { brokers: kafka().brokers }
      await appended
      assert.equal(problems.at(-1), null)
      assert.deepEqual(texts(await readAll(log)), ['waited'])
      await log.close()
    })

    test('who runs on waits for a broker, and has failed at nothing when he is stopped; with --once that is an error', async () => {
      const dir = mkdtempSync(join(tmpdir(), 'smarthouse-waiting-'))
      const config = join(dir, 'smarthouse.yaml')
      writeFileSync(config, `time_zone: UTC\nstream: { type: kafka, brokers: ['${NOBODY}'] }\n`)
      const words = ['bronze', '--data', join(dir, 'data'), '--config', config]
      const stopped = () => AbortSignal.abort()
      assert.equal(await runWords(words, stopped), 0)
      assert.equal(await runWords([...words, '--once'], stopped), 1)
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
    })

    test('a topic that is absent and may not be made', async () => {
      const sentence =
        /The topic bad-\d+ is not on Kafka at .*Create it there, or set stream\.create_topics to true/
      await refused(openKafkaLog(options({ create: false })), 'stream_topic_missing', sentence)
    })

    test('more replicas than brokers', async () => {
      const sentence = /cannot be created with 1 partitions and 3 replicas: .*Set stream\.replication/
      await refused(openKafkaLog(options({ replication: 3 })), 'stream_topic_unfit', sentence)
    })

    test('a message that is too large: for the topic as it was opened, and as it is now', async () => {
      const all = options()
      const log = await openKafkaLog(all)
      const sentence = /larger than the topic .*Raise the topic's max\.message\.bytes/
      // Random bytes: lz4 does not make them any smaller.
      const large = (bytes: number) => ({ key: null, value: crypto.getRandomValues(new Uint8Array(bytes)) })
      const mega = { key: null, value: Buffer.alloc(2_000_000) }
      await refused(log.append([mega]), 'stream_message_too_large', sentence)
      await alterTopic(kafka(), all.topic!, 'max.message.bytes', '10000')
      await refused(log.append([large(50_000)]), 'stream_message_too_large', sentence)
      // The one was refused, others are taken.
      await log.append([message('small')])
      assert.deepEqual(texts(await readAll(log)), ['small'])
      await log.close()
    })

    test('a broker whose clock is off: said once, and over when it is right again', async () => {
      // The broker's clock is this machine's: what the client takes for its own is an hour behind it, then right.
      let asideMs = -3_600_000
      const log = await openKafkaLog(options({ clock: () => Date.now() + asideMs }))
      told.length = 0
      await log.append([message('a')])
      await until(() => told.length > 0)
      assert.equal(told[0]!.code, 'stream_clock_off')
      assert.match(told[0]!.message, /is 3600 s ahead of this machine's/)
      await log.append([message('b')])
      assert.equal(told.length, 1)
      asideMs = 0
      await log.append([message('c')])
      await until(() => told.length > 1)
      assert.deepEqual(told.slice(1), [null])
      await log.close()
    })
  })
}
