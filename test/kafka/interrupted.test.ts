/**
 * The jars of the broker, and (`npm run soak -- interrupted`) `kafka up` itself, ended before one of their calls to the file system: nothing
 * is left running or lying about, and said again it is done.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { openKafkaLog } from '../../src/2-stream/kafka.ts'
import { isRunning } from '../../src/run/instance.ts'
import { KAFKA_VERSION } from '../../src/run/kafka-jars.ts'
import { endedAt, textOf, type Moment } from '../commands/ended.ts'
import { ROOT, smarthouse, start } from '../house/run-cli.ts'
import { kafkaSkip } from '../servers/kafka.ts'
import { freePorts } from '../servers/ports.ts'
import { until } from './setting.ts'

const SIGNALS = ['SIGKILL', 'SIGINT'] as const
const isSoak = process.env.SOAK !== undefined

/** Answers as Maven does: it puts two jars where it is told to. */
const MVN = `#!/bin/sh
for word in "$@"; do case "$word" in -DoutputDirectory=*) into="\${word#*=}";; esac; done
mkdir -p "$into"; : > "$into/one.jar"; sleep 0.05; : > "$into/two.jar"
`

test(
  'fetching the broker, ended at any moment: whole or not at all, and nothing is left over',
  { skip: process.platform === 'win32' && 'the Maven of this test is a shell script' },
  async (t) => {
    const home = mkdtempSync(join(tmpdir(), 'smarthouse-jars-'))
    t.after(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }))
    mkdirSync(join(home, 'bin'))
    writeFileSync(join(home, 'bin', 'mvn'), MVN, { mode: 0o755 })
    const env = { HOME: home, PATH: `${join(home, 'bin')}${delimiter}${process.env.PATH}`, KAFKA_HOME: '' }
    const module = JSON.stringify(pathToFileURL(join(ROOT, 'src', 'run', 'kafka-jars.ts')).href)
    const fetching = ['--input-type=module', '-e', `await (await import(${module})).fetchKafka()`]
    const cache = join(home, '.cache', 'smarthouse')
    const name = `kafka-${KAFKA_VERSION}`
    const ended = (moment: Moment): Promise<boolean> => endedAt(fetching, moment, { env })
    const requireFetched = (moment: Moment): void => {
      assert.deepEqual(readdirSync(cache), [name], textOf(moment))
      assert.deepEqual(readdirSync(join(cache, name, 'lib')), ['one.jar', 'two.jar'])
    }
    const endAt = async (moment: Moment): Promise<boolean> => {
      rmSync(cache, { recursive: true, force: true })
      const wasEnded = await ended(moment)
      if (existsSync(join(cache, name))) assert.ok(existsSync(join(cache, name, 'complete')), textOf(moment))
      await ended({ at: 0, by: 'SIGKILL' })
      requireFetched(moment)
      return wasEnded
    }
    if (!isSoak) return void (await endAt({ at: 1 + Math.floor(Math.random() * 6), by: 'SIGKILL' }))
    for (const by of SIGNALS)
      for (const half of [false, true]) for (let at = 1; await endAt({ at, by, half }); at += 1);
  },
)

const READY = 'not for a house'

/** Words, and where they lead. */
async function place() {
  const data = mkdtempSync(join(tmpdir(), 'smarthouse-kafka-up-'))
  // The one after it is the controller's.
  const port = (await freePorts(2))[0]!
  return { data, port, words: ['kafka', 'up', '--port', String(port), '--data', data] }
}
type Place = Awaited<ReturnType<typeof place>>

/** Says it again: it serves, what is sent is there, and it leaves nothing behind. */
async function again({ data, port, words }: Place, moment: string): Promise<void> {
  const broker = start(words)
  await until(() => broker.output().includes(READY) || broker.child.exitCode !== null)
  assert.equal(broker.child.exitCode, null, `${moment}: ${broker.output()}`)
  const brokers = [`127.0.0.1:${port}`]
  const log = await openKafkaLog({
    connection: { brokers },
    create: true,
    partitions: 1,
    replication: 1,
    retentionMs: 86_400_000,
  })
  await log.append([{ key: 'a', value: Buffer.from('{}') }])
  const [bounds] = await log.bounds()
  assert.ok(bounds!.end >= 1, moment)
  await log.close()
  broker.child.kill('SIGINT')
  assert.equal(await broker.ended, 0, `${moment}: ${broker.output()}`)
  const folder = join(data, 'kafka')
  assert.deepEqual(
    readdirSync(folder).toSorted(),
    ['broker.log', 'data', 'lock.sqlite', 'run', 'server.properties'],
    moment,
  )
  assert.equal(isRunning(join(folder, 'run')), false, moment)
}

/** Each call takes a broker's start twice, all of them the better part of an hour: `SOAK_EVERY=5` takes every fifth. */
const EVERY = Number(process.env.SOAK_EVERY ?? 1)

if (isSoak)
  test('kafka up, ended at each of its calls', { skip: kafkaSkip() }, async () => {
    let ended = 0
    for (const by of SIGNALS)
      for (let at = 1; ; at += EVERY) {
        const here = await place()
        const wasEnded = await endedAt(
          [join(ROOT, 'src', 'cli.ts'), ...here.words],
          { at, by },
          { isDone: (output) => output.includes(READY) },
        )
        await again(here, textOf({ at, by }))
        rmSync(here.data, { recursive: true, force: true, maxRetries: 5 })
        if (!wasEnded) break
        ended += 1
      }
    assert.ok(ended > 10)
    console.log(`kafka up: ended ${ended} times, at ${EVERY === 1 ? 'each call' : `every ${EVERY}th call`}`)
  })

if (isSoak)
  test(
    'kafka up, killed at moments of its start and of its work: nothing runs on',
    { skip: kafkaSkip() },
    async () => {
      const here = await place()
      for (let n = 0; n < 12; n += 1) {
        const broker = start(here.words)
        const afterMs = Math.round(Math.random() * 6_000)
        await sleep(afterMs)
        if (n === 0) {
          await until(() => broker.output().includes(READY))
          const second = smarthouse('kafka', 'up', '--port', String(here.port + 10), '--data', here.data)
          assert.equal(second.status, 1)
          assert.match(second.stderr, /running in .* already/)
        }
        broker.child.kill('SIGKILL')
        await broker.ended
        // At once: it waits for the broker of before to end.
        if (n % 3 === 2) await again(here, `killed after ${afterMs} ms`)
      }
      rmSync(here.data, { recursive: true, force: true, maxRetries: 5 })
    },
  )
