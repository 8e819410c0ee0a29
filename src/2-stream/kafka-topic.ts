/** The topics on the broker: created where they are absent and may be, and looked at before they are used. */
import { ConfigResourceTypes, type Admin } from './kafka-library.ts'
import { PlatformError } from '../errors.ts'
import { allErrors, isAnswered, kafkaError } from './kafka-connection.ts'

export interface TopicSettings {
  /** Whether absent topics are created. */
  create: boolean
  partitions: number
  replication: number
  /** How long the broker keeps messages, ms. */
  retentionMs: number
}

export interface TopicFacts {
  /** The cluster's own id of the topic: one that is deleted and created again has another. */
  id: string
  partitions: number
  /** Of the partition that has the fewest replicas. */
  replication: number
  /** How long the broker keeps messages, ms; Infinity: for ever. */
  retentionMs: number
  /** Largest batch that the topic takes, bytes. */
  maxMessageBytes: number
  /** Whether the broker stamps messages when it takes them (`LogAppendTime`). */
  isStampedByBroker: boolean
}

/** A topic just created is not known to every broker at once. */
const KNOWN_WITHIN_MS = 15_000
const LOOK_EVERY_MS = 100

/**
 * Creates the topic where it is absent, and says what it is like. Throws what is wrong with it, with its cure; so also
 * where a topic that was there before gives less than the configuration asks for.
 */
export async function openTopic(
  admin: Admin,
  topic: string,
  brokers: readonly string[],
  settings: TopicSettings,
): Promise<TopicFacts> {
  try {
    const facts = await lookAt(admin, topic)
    if (facts) return fit(topic, facts, settings)
    if (!settings.create) throw missing(topic, brokers)
    await create(admin, topic, settings)
    const deadline = performance.now() + KNOWN_WITHIN_MS
    while (performance.now() < deadline) {
      const created = await lookAt(admin, topic)
      if (created) return created
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
    throw missing(topic, brokers)
  } catch (error) {
    throw kafkaError(error, brokers, `open the topic ${topic}`)
  }
}

const missing = (topic: string, brokers: readonly string[]): PlatformError =>
  new PlatformError(
    'stream_topic_missing',
    `The topic ${topic} is not on Kafka at ${brokers.join(', ')}`,
    'Create it there, or set stream.create_topics to true.',
  )

/** More than was asked for is right: more partitions or replicas, a longer retention. Less would break a promise silently. */
function fit(topic: string, facts: TopicFacts, asked: TopicSettings): TopicFacts {
  const faults: string[] = []
  if (facts.partitions < asked.partitions)
    faults.push(`stream.partitions is ${asked.partitions}, the topic has ${facts.partitions}`)
  if (facts.replication < asked.replication)
    faults.push(`stream.replication is ${asked.replication}, the topic has ${facts.replication}`)
  if (facts.retentionMs < asked.retentionMs)
    faults.push(
      `stream.topic_retention is ${asked.retentionMs} ms, the topic's retention.ms is ${facts.retentionMs}`,
    )
  if (faults.length === 0) return facts
  throw new PlatformError(
    'stream_topic_unfit',
    `The topic ${topic} gives less than the configuration asks for: ${faults.join('; ')}`,
    "Change the topic with Kafka's own tools, or lower these settings to what it has.",
  )
}

async function create(admin: Admin, topic: string, settings: TopicSettings): Promise<void> {
  const { partitions, replication, retentionMs } = settings
  const configs = [
    { name: 'message.timestamp.type', value: 'LogAppendTime' },
    { name: 'retention.ms', value: String(retentionMs) },
    { name: 'cleanup.policy', value: 'delete' },
    { name: 'min.insync.replicas', value: String(Math.max(1, replication - 1)) },
  ]
  try {
    await admin.createTopics({ topics: [topic], partitions, replicas: replication, configs })
  } catch (error) {
    if (isAnswered(error, 'TOPIC_ALREADY_EXISTS')) return
    const refused = allErrors(error).find(({ apiId }) =>
      /^(?:INVALID_REPLICATION_FACTOR|INVALID_PARTITIONS|INVALID_CONFIG|POLICY_VIOLATION)$/.test(
        String(apiId),
      ),
    )
    if (!refused) throw error
    throw new PlatformError(
      'stream_topic_unfit',
      `The topic ${topic} cannot be created with ${partitions} partitions and ${replication} replicas: ${String(refused.serverErrorMessage ?? refused.message)}`,
      'Set stream.replication to at most the number of brokers, and stream.partitions to what the cluster allows.',
      { cause: error },
    )
  }
}

/** What the topic is like; undefined where it is not there, or has no leader yet. */
async function lookAt(admin: Admin, topic: string): Promise<TopicFacts | undefined> {
  const known = await admin.listTopics()
  if (!known.includes(topic)) return undefined
  const metadata = await admin.metadata({ topics: [topic], forceUpdate: true })
  const partitions = metadata.topics.get(topic)?.partitions ?? []
  if (partitions.length === 0 || partitions.some((one) => one === undefined || one.leader < 0))
    return undefined
  const [described] = await admin.describeConfigs({
    resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configurationKeys: null }],
  })
  const value = (name: string): string => described?.configs.find((one) => one.name === name)?.value ?? ''
  return {
    id: metadata.topics.get(topic)!.id,
    partitions: partitions.length,
    replication: Math.min(...partitions.map((one) => one.replicas.length)),
    retentionMs: retentionOf(value('retention.ms')),
    maxMessageBytes: Number(value('max.message.bytes')) || 1_048_588,
    isStampedByBroker: value('message.timestamp.type') === 'LogAppendTime',
  }
}

/** Kafka writes -1 for ever. */
const retentionOf = (text: string): number => {
  const retentionMs = Number(text)
  return retentionMs < 0 ? Infinity : retentionMs
}
