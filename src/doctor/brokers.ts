import { resolve } from 'node:path'
import { isPlatformError } from '../errors.ts'
import type { StreamLog } from '../2-stream/log.ts'
import { MOST_APART_MS } from '../2-stream/kafka-clock.ts'
import type { TopicView } from '../2-stream/types.ts'
import { openKafkaTopic, type KafkaTopic } from '../main.ts'
import { TELEMETRY_TOPIC } from '../reading.ts'
import { probe } from '../1-source/mqtt/probe.ts'
import { kafkaSettings } from '../kafka-settings.ts'
import type { Verdict } from './examine.ts'
import type { Patient } from './patient.ts'

const CLOCK_WAIT_MS = 2_000

export async function kafkaBroker(patient: Patient): Promise<Verdict | Verdict[]> {
  const { config, baseDir, nowMs, running } = patient
  if (!config) return { state: 'skipped', what: 'The stream is not known without the configuration' }
  if (config.stream.type !== 'kafka') return { state: 'ok', what: 'The stream is a log in the data folder' }
  const options = { ...kafkaSettings(config, baseDir), topic: TELEMETRY_TOPIC }
  return await lookAtKafka(options, { nowMs, running })
}

/** Whether the cluster answers, whether the topic is there and gives what the configuration asks for, and the brokers' clock. */
export async function lookAtKafka(
  options: KafkaTopic,
  { nowMs, running }: Pick<Patient, 'nowMs' | 'running'>,
): Promise<Verdict[]> {
  const { topic } = options
  const at = `Kafka at ${options.connection.brokers.join(', ')}`
  const { openKafkaView } = await import('../2-stream/kafka-view.ts')
  const view = openKafkaView(options)
  const topics = await view.topics().finally(() => view.close())
  const answers: Verdict = { state: 'ok', what: `${at} answers: ${topics.length} topics` }
  const own = topics.find((one) => one.topic === topic)
  if (!own && options.create && !running)
    return [
      answers,
      { state: 'note', what: `The topic ${topic} is not there yet: the first start creates it` },
    ]
  try {
    const log = await openKafkaTopic(options)
    try {
      return [answers, replicasOf(own), ...(await clockOf(log, at, nowMs))]
    } finally {
      await log.close()
    }
  } catch (error) {
    if (!isPlatformError(error)) throw error
    return [answers, { state: 'wrong', what: error.message, cure: error.cure, code: error.code }]
  }
}

function replicasOf(topic: TopicView | undefined): Verdict {
  const partitions = topic?.partitions ?? []
  const name = topic?.topic ?? TELEMETRY_TOPIC
  const behind = partitions.filter(({ replicas, inSync }) => inSync.length < replicas.length)
  if (behind.length > 0)
    return {
      state: 'wrong',
      what: `Of the ${partitions.length} partitions of ${name} ${behind.length} have a replica that does not keep up`,
      cure: 'Look after the brokers: see which are down. As long as one more is missing, readings wait to be taken.',
    }
  return {
    state: 'ok',
    what: `The topic ${name} has ${partitions.length} partitions, ${topic?.replication ?? 0} replicas each, all in sync`,
  }
}

/** Other clocks than ours may be late by as much as nothing was sent: only a newest message of the future proves anything. */
async function clockOf(log: StreamLog, at: string, nowMs: number): Promise<Verdict[]> {
  let newestMs = -Infinity
  for (const { partition, start, end } of await log.bounds()) {
    if (end === start) continue
    const [last] = await log.read({ partition, offset: end - 1, maxRecords: 1, waitMs: CLOCK_WAIT_MS })
    if (last) newestMs = Math.max(newestMs, last.ingestionTimeUs / 1000)
  }
  const aheadMs = newestMs - nowMs
  if (aheadMs <= MOST_APART_MS) return []
  return [
    {
      state: 'wrong',
      code: 'stream_clock_off',
      what: `The clock of a broker (${at}) is ahead of this computer's: its newest message is of ${Math.round(aheadMs / 1000)} s from now`,
    },
  ]
}

export async function mqttBrokers({ config, baseDir }: Patient): Promise<Verdict[]> {
  if (!config) return [{ state: 'skipped', what: 'The brokers are not known without the configuration' }]
  const { brokers } = config.sources
  if (brokers.length === 0) return [{ state: 'ok', what: 'No other MQTT broker is configured' }]
  const file = (path: string | undefined) => (path === undefined ? undefined : resolve(baseDir, path))
  return await Promise.all(
    brokers.map(async (broker): Promise<Verdict> => {
      const failure = await probe({
        ...broker,
        version: broker.version === '5' ? 5 : 4,
        clientId: `${broker.client_id}-doctor-${process.pid}`,
        caFile: file(broker.ca_file),
        certFile: file(broker.cert_file),
        keyFile: file(broker.key_file),
      })
      if (failure === null) return { state: 'ok', what: `${broker.url} answers` }
      return { state: 'wrong', what: `${broker.url}: ${failure}` }
    }),
  )
}
