/** Kafka as it is seen from outside: every topic of the cluster, every consumer group with its lag. */
import { ConfigResourceTypes, type Admin } from './kafka-library.ts'
import { kafkaError, openAdmin } from './kafka-connection.ts'
import { openKafkaLog, type KafkaLogOptions } from './kafka.ts'
import type { GroupPartition, GroupView, PartitionView, StreamView, TopicView } from './types.ts'
import { RATE_OVER_S } from './types.ts'

const ANY = { partitions: 1, replication: 1, retentionMs: 0 }
const EARLIEST = -2n
const LATEST = -1n

export function openKafkaView(options: KafkaLogOptions): StreamView {
  const { brokers } = options.connection
  const admin = openAdmin(options.connection)
  const told = async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw kafkaError(error, brokers, doing)
    }
  }
  return {
    topics: () => told('list topics', () => topicsOf(admin)),
    groups: () => told('list consumer groups', () => groupsOf(admin)),
    // Looking at a topic never creates one, and asks nothing of it: it may be anybody's.
    open: (topic) => openKafkaLog({ ...options, ...ANY, topic, create: false }),
    close: () => admin.close(),
  }
}

async function topicsOf(admin: Admin): Promise<TopicView[]> {
  const names = (await admin.listTopics()).filter((name) => !name.startsWith('__')).toSorted()
  if (names.length === 0) return []
  const { topics } = await admin.metadata({ topics: names, forceUpdate: true })
  const counts = new Map(names.map((name) => [name, topics.get(name)!.partitionsCount]))
  const [starts, ends, before, bytes, retention] = [
    await offsetsOf(admin, counts, EARLIEST),
    await offsetsOf(admin, counts, LATEST),
    await offsetsOf(admin, counts, BigInt(Date.now() - RATE_OVER_S * 1000)),
    await bytesOf(admin, counts),
    await retentionOf(admin, names),
  ]
  return names.map((topic) => {
    const partitions = topics.get(topic)!.partitions.map((of, partition): PartitionView => {
      const [start, end] = [starts(topic, partition), ends(topic, partition)]
      const then = before(topic, partition)
      // -1: nothing was taken since then.
      const recent = then < 0 ? 0 : end - Math.max(start, then)
      return { ...placeOf(of), partition, start, end, ratePerS: recent / RATE_OVER_S }
    })
    const replication = partitions[0]?.replicas.length ?? 0
    return {
      topic,
      partitions,
      bytes: bytes.get(topic) ?? null,
      retentionMs: retention.get(topic) ?? null,
      replication,
    }
  })
}

const placeOf = (of: { leader: number; replicas: number[]; isr: number[] }) => ({
  leader: of.leader < 0 ? null : of.leader,
  replicas: of.replicas,
  inSync: of.isr,
})

type Offsets = (topic: string, partition: number) => number

/** The offsets of a time in all partitions of the topics. */
async function offsetsOf(
  admin: Admin,
  partitions: ReadonlyMap<string, number>,
  timestamp: bigint,
): Promise<Offsets> {
  const listed = await admin.listOffsets({
    topics: [...partitions].map(([name, count]) => ({
      name,
      partitions: Array.from({ length: count }, (_, partitionIndex) => ({ partitionIndex, timestamp })),
    })),
  })
  const found = new Map(
    listed.flatMap(({ name, partitions: own }) =>
      own.map((one) => [`${name}/${one.partitionIndex}`, Number(one.offset)] as const),
    ),
  )
  return (topic, partition) => found.get(`${topic}/${partition}`) ?? 0
}

async function bytesOf(admin: Admin, counts: ReadonlyMap<string, number>): Promise<Map<string, number>> {
  const topics = [...counts].map(([name, count]) => ({
    name,
    partitions: Array.from({ length: count }, (_, partition) => partition),
  }))
  const largest = new Map<string, number>()
  for (const { results } of await admin.describeLogDirs({ topics }))
    for (const { topics: own } of results)
      for (const { name, partitions } of own)
        for (const { partitionIndex, partitionSize } of partitions) {
          const place = `${partitionIndex} ${name}`
          // The replicas of a partition are of about one size; the largest is the leader's.
          largest.set(place, Math.max(largest.get(place) ?? 0, Number(partitionSize)))
        }
  const bytes = new Map<string, number>()
  for (const [place, size] of largest) {
    const name = place.slice(place.indexOf(' ') + 1)
    bytes.set(name, (bytes.get(name) ?? 0) + size)
  }
  return bytes
}

async function retentionOf(admin: Admin, names: readonly string[]): Promise<Map<string, number>> {
  const described = await admin.describeConfigs({
    resources: names.map((resourceName) => ({
      resourceType: ConfigResourceTypes.TOPIC,
      resourceName,
      configurationKeys: ['retention.ms'],
    })),
  })
  const kept = described.map(
    ({ resourceName, configs }) => [resourceName, Number(configs[0]?.value)] as const,
  )
  return new Map(kept.filter(([, ms]) => ms >= 0))
}

async function groupsOf(admin: Admin): Promise<GroupView[]> {
  const names = [...(await admin.listGroups()).keys()].toSorted()
  if (names.length === 0) return []
  const described = await admin.describeGroups({ groups: names })
  const offsets = await admin.listConsumerGroupOffsets({ groups: names })
  const topics = [...new Set(offsets.flatMap((group) => group.topics.map(({ name }) => name)))]
  const known = new Set(await admin.listTopics())
  const metadata = await admin.metadata({ topics: topics.filter((topic) => known.has(topic)) })
  const counts = new Map([...metadata.topics].map(([name, { partitionsCount }]) => [name, partitionsCount]))
  const ends = await offsetsOf(admin, counts, LATEST)
  return names.map((group) => {
    const of = described.get(group)
    const own = offsets.find(({ groupId }) => groupId === group)?.topics ?? []
    const partitions = own
      .filter(({ name }) => counts.has(name))
      .flatMap(({ name, partitions: each }) =>
        each.map((one): GroupPartition => {
          const [committed, end] = [Number(one.committedOffset), ends(name, one.partitionIndex)]
          return {
            topic: name,
            partition: one.partitionIndex,
            committed,
            end,
            lag: Math.max(0, end - committed),
          }
        }),
      )
    return {
      group,
      state: String(of?.state ?? 'unknown').toLowerCase(),
      members: [...(of?.members.values() ?? [])].map(({ clientId, clientHost, assignments }) => ({
        client: clientId,
        host: clientHost.replace(/^\//, ''),
        partitions: [...(assignments?.values() ?? [])].flatMap(({ topic, partitions: dealt }) =>
          dealt.map((partition) => ({ topic, partition })),
        ),
      })),
      partitions: partitions.filter(({ committed }) => committed >= 0),
    }
  })
}
