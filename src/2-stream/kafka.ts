/**
 * The stream on Apache Kafka: one topic, read by explicit fetches from explicit offsets. No consumer group decides
 * where reading begins; `kafka-share.ts` only deals out partitions among workers.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Admin, ConnectionPool, Consumer } from './kafka-library.ts'
import { isPlatformError, PlatformError } from '../errors.ts'
import { TELEMETRY_TOPIC } from '../reading.ts'
import { backOffMs, clientOptions, isAnswered, kafkaError, openAdmin } from './kafka-connection.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import { clockWatch, type ClockWatch } from './kafka-clock.ts'
import { recordsOf, type Fetched } from './kafka-fetch.ts'
import { KafkaProducer } from './kafka-produce.ts'
import { openTopic, type TopicSettings } from './kafka-topic.ts'
import type { PartitionBounds, ReadOptions, StreamLog, StreamMessage, StreamRecord } from './log.ts'

const READ_COMMITTED = 1
const EARLIEST = -2n
const LATEST = -1n
/** One fetch from the broker takes so many bytes at the most; the first batch comes whole, however large it is. */
const FETCH_BYTES = 2 * 1024 * 1024
const SMALL_FETCH_BYTES = 64 * 1024
/** A wait for news is cut in pieces, so that a stop never waits long for the broker. */
const LONGEST_POLL_MS = 1_000
/** How long reading is tried again before the caller is told that Kafka cannot be reached. */
const READ_PATIENCE_MS = 5_000
/** How long a stop waits for what was handed over, before it is refused. */
const CLOSE_PATIENCE_MS = 8_000

export interface KafkaLogOptions extends TopicSettings {
  connection: KafkaConnection
  topic?: string
  /** Called when writing fails and is tried again, and with null when it works again. */
  onProblem?: (problem: PlatformError | null) => void
  /** ms since 1970-01-01T00:00:00Z */
  clock?: () => number
}

/**
 * Opens the topic, and creates it where it is absent and may be. Throws `stream_unreachable`, `stream_refused`,
 * `stream_topic_missing` or `stream_topic_unfit`, each with its cure.
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<StreamLog> {
  const topic = options.topic ?? TELEMETRY_TOPIC
  const { connection, clock = Date.now, onProblem = () => undefined } = options
  const admin = openAdmin(connection)
  try {
    const facts = await openTopic(admin, topic, connection.brokers, options)
    const watch = clockWatch({ brokers: connection.brokers, topic, onProblem, clock })
    const producer = new KafkaProducer({ connection, topic, clock, ...facts, onProblem: watch.others })
    const isWatched = facts.isStampedByBroker
    return new KafkaLog(`${topic}@${facts.id}`, connection, admin, producer, isWatched ? watch : null)
  } catch (error) {
    await admin.close()
    throw error
  }
}

class KafkaLog implements StreamLog {
  readonly hasHoles = true
  readonly topic: string
  readonly id: string
  readonly #connection: KafkaConnection
  readonly #admin: Admin
  readonly #producer: KafkaProducer
  readonly #consumer: Consumer
  /** A waiting fetch holds up what comes after it on its connection, so each fetch has one of its own. */
  readonly #lanes: ConnectionPool[] = []
  readonly #watch: ClockWatch | null
  readonly #ahead = new Map<number, Fetched>()
  readonly #stop = new AbortController()
  #closing: Promise<void> | undefined

  constructor(
    id: string,
    connection: KafkaConnection,
    admin: Admin,
    producer: KafkaProducer,
    watch: ClockWatch | null,
  ) {
    const topic = id.slice(0, id.lastIndexOf('@'))
    this.topic = topic
    this.id = id
    this.#watch = watch
    this.#connection = connection
    this.#admin = admin
    this.#producer = producer
    this.#consumer = new Consumer({ ...clientOptions(connection), groupId: 'smarthouse-read' })
    this.#consumer.topics.track(topic)
    this.#consumer.on('error', () => undefined) // Each request rejects by itself.
  }

  async append(messages: readonly StreamMessage[]): Promise<void> {
    this.#assertOpen()
    await this.#producer.append(messages)
    const sent = this.#producer.lastSent
    if (!sent || !this.#watch?.isDue()) return
    // Nobody waits for it; a look that fails is taken again later.
    const { partition, offset } = sent
    const look = this.#fetch({ partition, offset, maxRecords: 1 }, offset, 0, this.#stop.signal)
    void look.then((found) => this.#watch?.look(sent, found?.records[0])).catch(() => undefined)
  }

  async read(options: ReadOptions): Promise<StreamRecord[]> {
    this.#assertOpen()
    const { partition, maxRecords, maxBytes = Infinity } = options
    const ahead = await this.#fetched(options)
    this.#ahead.delete(partition)
    let [count, bytes] = [0, 0]
    while (count < ahead.records.length && count < maxRecords && (count === 0 || bytes < maxBytes))
      bytes += ahead.records[count++]!.value.byteLength
    if (count === ahead.records.length) return ahead.records
    this.#ahead.set(partition, { records: ahead.records.slice(count), next: ahead.next })
    return ahead.records.slice(0, count)
  }

  /** What is left of the last fetch where the read goes on there, else what the broker has. */
  async #fetched(options: ReadOptions): Promise<Fetched> {
    const { partition, offset, signal, waitMs = 0 } = options
    const left = this.#ahead.get(partition)
    if (left?.records[0]?.offset === offset) return left
    const stop = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal
    const deadline = performance.now() + waitMs
    let from = offset
    while (!stop.aborted) {
      const pollMs = Math.min(LONGEST_POLL_MS, Math.max(0, deadline - performance.now()))
      const found = await this.#untilHealed('read', stop, () => this.#fetch(options, from, pollMs, stop))
      if (found === undefined) break
      if (found.records.length > 0) return found
      // Only what is no record (marks of transactions, aborted messages): read on behind it, without a wait.
      if (found.next > from) from = found.next
      else if (performance.now() >= deadline) break
    }
    return { records: [], next: from }
  }

  async #fetch(
    options: ReadOptions,
    from: number,
    waitMs: number,
    stop: AbortSignal,
  ): Promise<Fetched | undefined> {
    const { partition, maxRecords } = options
    const metadata = await this.#admin.metadata({ topics: [this.topic] })
    const topic = metadata.topics.get(this.topic)
    const leader = topic?.partitions[partition]
    if (!topic || !leader) throw new RangeError(`The topic ${this.topic} has no partition ${partition}`)
    const lane = this.#lanes.pop() ?? new ConnectionPool('smarthouse', clientOptions(this.#connection))
    const maxBytes = maxRecords < 10 ? SMALL_FETCH_BYTES : FETCH_BYTES
    const wanted = { partition, currentLeaderEpoch: -1, fetchOffset: BigInt(from), lastFetchedEpoch: -1 }
    const fetching = this.#consumer
      .fetch({
        node: leader.leader,
        topics: [{ topicId: topic.id, partitions: [{ ...wanted, partitionMaxBytes: maxBytes }] }],
        maxWaitTime: waitMs,
        minBytes: 1,
        maxBytes,
        isolationLevel: READ_COMMITTED,
        connectionPool: lane,
      })
      .finally(() => (this.#closing ? void lane.close() : this.#lanes.push(lane)))
    fetching.catch(() => undefined) // Thrown where it is awaited; a stop does not wait for it.
    try {
      const response = waitMs === 0 ? await fetching : await Promise.race([fetching, aborted(stop)])
      const found = response?.responses[0]?.partitions[0]
      return found
        ? recordsOf(this.topic, found, from, Date.now() * 1000)
        : response && { records: [], next: from }
    } catch (error) {
      if (isAnswered(error, 'OFFSET_OUT_OF_RANGE')) return await this.#outOfRange(partition, from)
      throw error
    }
  }

  /** Below the start: gone. Above the end: nothing is there yet; who reads there knows whether that can be. */
  async #outOfRange(partition: number, offset: number): Promise<Fetched> {
    const start = (await this.bounds()).find((bounds) => bounds.partition === partition)?.start ?? 0
    if (offset >= start) return { records: [], next: offset }
    throw new PlatformError(
      'stream_gap',
      `The stream ${this.topic}/${partition} begins at offset ${start}; offset ${offset} is no longer kept.`,
      'Read on from the beginning that is kept, and count what lies between as lost.',
    )
  }

  async bounds(): Promise<PartitionBounds[]> {
    this.#assertOpen()
    const bounds = await this.#untilHealed('be asked for offsets', this.#stop.signal, async () => {
      const metadata = await this.#admin.metadata({ topics: [this.topic] })
      const count = metadata.topics.get(this.topic)?.partitionsCount ?? 0
      const [starts, ends] = await Promise.all([this.#offsets(count, EARLIEST), this.#offsets(count, LATEST)])
      return Array.from({ length: count }, (_, partition) => ({
        partition,
        start: starts.get(partition)!,
        end: ends.get(partition)!,
      }))
    })
    return bounds ?? []
  }

  /** Ends are those of what is committed: behind them lie open transactions, which are not there yet. */
  async #offsets(count: number, timestamp: bigint): Promise<Map<number, number>> {
    const partitions = Array.from({ length: count }, (_, partitionIndex) => ({ partitionIndex, timestamp }))
    const [listed] = await this.#admin.listOffsets({
      topics: [{ name: this.topic, partitions }],
      isolationLevel: READ_COMMITTED,
    })
    return new Map(listed!.partitions.map((one) => [one.partitionIndex, Number(one.offset)]))
  }

  async trim(partition: number, beforeOffset: number): Promise<void> {
    this.#assertOpen()
    const bounds = (await this.bounds()).find((one) => one.partition === partition)
    const upTo = Math.min(beforeOffset, bounds?.end ?? 0)
    if (!bounds || upTo <= bounds.start) return
    this.#ahead.delete(partition)
    await this.#untilHealed('free old messages', this.#stop.signal, () =>
      this.#admin.deleteRecords({
        topics: [{ name: this.topic, partitions: [{ partition, offset: BigInt(upTo) }] }],
      }),
    )
  }

  /** Tries again, with growing pauses, what may heal by itself; undefined where it was stopped before. */
  async #untilHealed<T>(doing: string, stop: AbortSignal, attempt: () => Promise<T>): Promise<T | undefined> {
    const deadline = performance.now() + READ_PATIENCE_MS
    for (let tries = 1; ; tries++) {
      try {
        return await attempt()
      } catch (error) {
        if (stop.aborted) return undefined
        if (error instanceof RangeError || isPlatformError(error)) throw error
        const told = kafkaError(error, this.#connection.brokers, `${doing} ${this.topic}`)
        if (told.code !== 'stream_unreachable' || performance.now() > deadline) throw told
        this.#admin.clearMetadata()
      }
      await sleep(backOffMs(tries), undefined, { signal: stop }).catch(() => undefined)
      if (stop.aborted) return undefined
    }
  }

  #assertOpen(): void {
    if (this.#closing) throw new Error(`The stream ${this.topic} has been closed`)
  }

  close(): Promise<void> {
    this.#closing ??= this.#finish()
    return this.#closing
  }

  async #finish(): Promise<void> {
    this.#stop.abort()
    await this.#producer.close(CLOSE_PATIENCE_MS)
    await Promise.all([
      this.#consumer.close(true),
      this.#admin.close(),
      ...this.#lanes.map((lane) => lane.close()),
    ])
  }
}

async function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return undefined
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  return undefined
}
