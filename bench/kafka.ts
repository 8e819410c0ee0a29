/**
 * Readings into Kafka and from there to Bronze. The limits, in the same run on the same broker: the bare client, and the
 * broker's own ProducerPerformance and ConsumerPerformance.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Consumer, MessagesStreamModes, Producer } from '@platformatic/kafka'
import { openKafkaLog } from '../src/2-stream/kafka.ts'
import type { StreamLog, StreamMessage } from '../src/2-stream/log.ts'
import { createBronzeStage } from '../src/3-bronze/land.ts'
import { openLake } from '../src/lake/index.ts'
import { kafkaTool } from '../src/run/kafka-broker.ts'
import { startKafka, type Kafka } from '../test/servers/kafka.ts'
import { openBenchEngine } from './engine.ts'
import { printRows, type Row } from './rows.ts'

const READINGS = 400_000
const BATCH = 1_000
const IN_FLIGHT = 8
const PARTITIONS = 4
const DEVICES = 1_000
const data = `${READINGS.toLocaleString('en')} readings of ${DEVICES.toLocaleString('en')} devices, ${PARTITIONS} partitions, lz4`

const batches: StreamMessage[][] = Array.from({ length: READINGS / BATCH }, (_, batch) =>
  Array.from({ length: BATCH }, (_unused, n) => reading(batch * BATCH + n)),
)
/** What ProducerPerformance sends, byte for byte so many. */
const RECORD_BYTES = batches[0]![0]!.value.byteLength

function reading(n: number): StreamMessage {
  const device = `plug-${n % DEVICES}`
  const value = Buffer.from(
    JSON.stringify({
      device_id: device,
      device_type: 'smart_plug',
      user_id: `user-${(n % DEVICES) % 7}`,
      timestamp: new Date(1_705_314_600_000 + Math.floor(n / DEVICES) * 1000).toISOString(),
      temperature: Math.round(200 + 50 * Math.sin(n / 7_000)) / 10,
      power_usage: Math.round(1_000 * Math.abs(Math.sin(n))) / 10,
      energy_consumption_wh: 0.0335,
      status: 'online',
      alert: 'none',
      location: 'Kitchen',
      manufacturer: 'Acme',
      model: 'P1',
    }),
  )
  return { key: device, value }
}

async function perSecond(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (READINGS * 1000) / (performance.now() - began)
}

const open = (kafka: Kafka, topic: string): Promise<StreamLog> =>
  openKafkaLog({
    connection: { brokers: kafka.brokers },
    topic,
    create: true,
    partitions: PARTITIONS,
    replication: 1,
    retentionMs: 3_600_000,
  })

/** Each batch is acknowledged before its place is taken by another. */
async function sendAll(
  send: (batch: StreamMessage[]) => Promise<unknown>,
  all: readonly StreamMessage[][] = batches,
): Promise<void> {
  const inFlight = new Set<Promise<unknown>>()
  for (const batch of all) {
    const sending = send(batch).finally(() => inFlight.delete(sending))
    inFlight.add(sending)
    if (inFlight.size >= IN_FLIGHT) await Promise.race(inFlight)
  }
  await Promise.all(inFlight)
}

/** The library by itself: one send in flight, as it is fastest, with the same promises to the broker. */
async function bareProduce(kafka: Kafka, topic: string): Promise<number> {
  const producer = new Producer({
    clientId: 'bare',
    bootstrapBrokers: kafka.brokers,
    idempotent: true,
    acks: -1,
    compression: 'lz4',
    retries: 5,
  })
  const rate = await perSecond(async () => {
    for (const batch of batches)
      await producer.send({
        messages: batch.map(({ key, value }) => ({
          topic,
          key: Buffer.from(key!),
          value: Buffer.from(value),
        })),
      })
  })
  await producer.close(true)
  return rate
}

async function bareConsume(kafka: Kafka, topic: string): Promise<number> {
  const consumer = new Consumer({
    clientId: 'bare',
    groupId: `bare-${Date.now()}`,
    bootstrapBrokers: kafka.brokers,
    autocommit: false,
    retries: 5,
  })
  const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST })
  let [count, began] = [0, 0]
  // From the first message on: joining the group is no part of it.
  for await (const { offset } of stream) {
    if (count++ === 0) began = performance.now()
    if (count === READINGS || offset < 0n) break
  }
  const rate = (READINGS * 1000) / (performance.now() - began)
  await consumer.close(true)
  return rate
}

/** Runs a tool of the broker's own; gives what it printed. */
async function tool(mainClass: string, lines: string[]): Promise<string> {
  const words = lines.join(' ').split(' ')
  const child = spawn('java', ['-Xmx256m', ...kafkaTool(mainClass, words)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [output, complaints] = ['', '']
  child.stdout.on('data', (text: Buffer) => (output += text))
  child.stderr.on('data', (text: Buffer) => (complaints += text))
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`${mainClass}: ${complaints}`)
  return output
}

async function brokersOwn(kafka: Kafka, topic: string): Promise<{ produced: number; consumed: number }> {
  const server = kafka.brokers.join(',')
  const producing = await tool('org.apache.kafka.tools.ProducerPerformance', [
    `--topic ${topic} --num-records ${READINGS} --record-size ${RECORD_BYTES} --throughput -1`,
    `--producer-props bootstrap.servers=${server} acks=all compression.type=lz4 batch.size=262144 linger.ms=5`,
  ])
  const consuming = await tool('org.apache.kafka.tools.ConsumerPerformance', [
    `--bootstrap-server ${server} --topic ${topic} --messages ${READINGS} --timeout 60000`,
  ])
  const produced = /([\d.]+) records\/sec[^\n]*\n?$/.exec(producing.trim())?.[1]
  // Its last line: start, end, MB, MB/s, messages, messages/s, rebalance ms, fetch ms, MB/s and messages/s of the fetch.
  const consumed = consuming.trim().split('\n').at(-1)!.split(',').at(-1)
  return { produced: Number(produced), consumed: Number(consumed) }
}

async function land(log: StreamLog, dir: string): Promise<number> {
  const engine = await openBenchEngine()
  const lake = await openLake({ root: join(dir, 'lake'), engine })
  const stage = await createBronzeStage({ lake, engine, log, keepStreamMs: null })
  let rows = 0
  const rate = await perSecond(async () => {
    for (let more = true; more;) {
      const report = await stage.step({ final: true })
      rows += report.rows
      more = report.more
    }
  })
  await stage.close()
  await lake.close()
  await engine.close()
  if (rows !== READINGS) throw new Error(`${rows} rows were landed of ${READINGS}`)
  return rate
}

const dir = mkdtempSync(join(tmpdir(), 'smarthouse-bench-kafka-'))
const kafka = await startKafka()
try {
  const log = await open(kafka, 'ours')
  for (const topic of ['bare', 'own']) await (await open(kafka, topic)).close()
  // The broker and the client have worked before anything is measured.
  const warm = await open(kafka, 'warm')
  await sendAll((batch) => warm.append(batch), batches.slice(0, 50))
  await warm.close()
  const produced = await perSecond(() => sendAll((batch) => log.append(batch)))
  const bare = { produced: await bareProduce(kafka, 'bare'), consumed: await bareConsume(kafka, 'bare') }
  const own = await brokersOwn(kafka, 'own')
  const row = (what: string, figure: number, limit: number, of: string): Row => ({
    what,
    figure,
    unit: 'readings/s',
    limit: { figure: limit, of },
    data,
  })
  const goal = { budget: { atLeast: 100_000 } }
  printRows([
    { ...row('producer to broker, all acknowledged', produced, bare.produced, 'the bare client'), ...goal },
    row('  the bare client', bare.produced, own.produced, 'ProducerPerformance'),
  ])
  const landed = await land(log, dir)
  printRows([
    { ...row('broker to Bronze, committed', landed, bare.consumed, 'the bare client, read only'), ...goal },
    row('  the bare client, read only', bare.consumed, own.consumed, 'ConsumerPerformance'),
  ])
  await log.close()
} finally {
  await kafka.close()
  rmSync(dir, { recursive: true, force: true })
}
