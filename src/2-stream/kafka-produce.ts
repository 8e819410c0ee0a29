/**
 * Producing to Kafka: appends that come together are sent together, one send at a time, acknowledged by all replicas
 * in step, idempotent. A send is tried again, the same to the broker, for as long as what is wrong may heal: an append
 * waits, and is never told that it failed while it may have arrived.
 */
import { compatibilityPartitioner, Producer } from './kafka-library.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StreamMessage } from '../1-source/source.ts'
import { PlatformError } from '../errors.ts'
import { backOffMs, clientOptions, kafkaError, type KafkaConnection } from './kafka-connection.ts'

/** How long an append waits for others to be sent with it, at the most. */
const LINGER_MS = 2
const GROUP_MESSAGES = 10_000
const GROUP_BYTES = 4 * 1024 * 1024
/** What a batch adds to its values: its own head, and for each record at most the head, the key's and the headers' lengths. */
const BATCH_HEAD_BYTES = 128
const RECORD_HEAD_BYTES = 64
/** A send that is tried for so long is told to whoever watches. */
const PATIENCE_TRIES = 3

type Message = {
  topic: string
  partition: number
  key?: Buffer
  value: Buffer
  headers?: Map<Buffer, Buffer>
}

interface Pending {
  messages: Message[]
  bytes: number
  resolve: () => void
  reject: (error: unknown) => void
}

export interface ProduceOptions {
  connection: KafkaConnection
  topic: string
  partitions: number
  maxMessageBytes: number
  /** Called when sending fails and is tried again, and with null when it works again. */
  onProblem: (problem: PlatformError | null) => void
  /** ms since 1970-01-01T00:00:00Z */
  clock: () => number
}

export class KafkaProducer {
  readonly #options: ProduceOptions
  readonly #producer: Producer
  readonly #groupBytes: number
  /** Where a message of the last send lies, and when that was sent and acknowledged by this machine's clock. */
  lastSent: { partition: number; offset: number; beganMs: number; endedMs: number } | undefined
  #pending: Pending[] = []
  #sending: Promise<void> | undefined
  #hasProblem = false
  #turn = 0

  constructor(options: ProduceOptions) {
    this.#options = options
    this.#groupBytes = Math.min(GROUP_BYTES, options.maxMessageBytes)
    this.#producer = new Producer({
      ...clientOptions(options.connection),
      idempotent: true,
      acks: -1,
      compression: 'lz4',
      retries: Number.MAX_SAFE_INTEGER,
      retryDelay: (_client, _operation, attempt, _retries, error) => {
        // The library goes on asking the broker that it knows as leader, also after another has been elected.
        this.#producer.clearMetadata()
        if (attempt >= PATIENCE_TRIES) this.#tell(kafkaError(error, options.connection.brokers, this.#doing))
        return backOffMs(attempt)
      },
    })
    // Every failed send rejects its own promise; an unhandled event would end the process.
    this.#producer.on('error', () => undefined)
  }

  get #doing(): string {
    return `write to ${this.#options.topic}`
  }

  async append(messages: readonly StreamMessage[]): Promise<void> {
    const { topic, maxMessageBytes } = this.#options
    let bytes = 0
    const out = messages.map((message) => {
      const one = outgoing(topic, this.#partitionOf(message), message)
      const size = sizeOf(one)
      if (size + BATCH_HEAD_BYTES > maxMessageBytes) throw tooLarge(topic, size, maxMessageBytes)
      bytes += size
      return one
    })
    if (out.length === 0) return
    const sent = new Promise<void>((resolve, reject) => {
      this.#pending.push({ messages: out, bytes, resolve, reject })
    })
    this.#sending ??= this.#send()
    await sent
  }

  async #send(): Promise<void> {
    await sleep(LINGER_MS)
    while (this.#pending.length > 0) {
      const group = this.#takeGroup()
      try {
        // A single append may be larger than the broker takes at once: then it goes in several sends, in order.
        for (const messages of this.#split(group.flatMap((append) => append.messages)))
          await this.#sendParts(messages)
        this.#tell(null)
        for (const append of group) append.resolve()
      } catch (error) {
        const told = kafkaError(error, this.#options.connection.brokers, this.#doing)
        for (const append of group) append.reject(told)
      }
    }
    this.#sending = undefined
  }

  /**
   * One send for each partition: the library sends what it has put together for one leader on to one broker for ever,
   * though the partitions may have got different leaders meanwhile. Comes back when none is under way any more.
   */
  async #sendParts(messages: readonly Message[]): Promise<void> {
    const parts = Map.groupBy(messages, ({ partition }) => partition)
    const beganMs = this.#options.clock()
    const sends = [...parts.values()].map((part) => this.#producer.send({ messages: part }))
    const results = await Promise.allSettled(sends)
    const failed = results.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
    const [first] = results
    const place = first?.status === 'fulfilled' ? first.value.offsets?.[0] : undefined
    if (place) {
      const { partition, offset } = place
      this.lastSent = { partition, offset: Number(offset), beganMs, endedMs: this.#options.clock() }
    }
  }

  /** As Kafka's own clients deal keys out; messages without a key take turns. */
  #partitionOf({ key }: StreamMessage): number {
    const turn =
      key === null ? this.#turn++ : compatibilityPartitioner({ topic: this.#options.topic }, Buffer.from(key))
    return turn % this.#options.partitions
  }

  #takeGroup(): Pending[] {
    let [count, messages, bytes] = [0, 0, 0]
    while (count < this.#pending.length && messages < GROUP_MESSAGES) {
      const next = this.#pending[count]!
      if (count > 0 && bytes + next.bytes > this.#groupBytes) break
      count++
      messages += next.messages.length
      bytes += next.bytes
    }
    return this.#pending.splice(0, count)
  }

  *#split(messages: readonly Message[]): Generator<Message[]> {
    let part: Message[] = []
    let bytes = BATCH_HEAD_BYTES
    for (const message of messages) {
      const size = sizeOf(message)
      if (part.length > 0 && (bytes + size > this.#groupBytes || part.length >= GROUP_MESSAGES)) {
        yield part
        part = []
        bytes = BATCH_HEAD_BYTES
      }
      part.push(message)
      bytes += size
    }
    if (part.length > 0) yield part
  }

  #tell(problem: PlatformError | null): void {
    if (problem === null && !this.#hasProblem) return
    this.#hasProblem = problem !== null
    this.#options.onProblem(problem)
  }

  /** Sends what was handed over; what cannot be sent within the time is refused. */
  async close(patienceMs: number): Promise<void> {
    const late = sleep(patienceMs, 'late' as const, { ref: false })
    if (this.#sending) await Promise.race([this.#sending, late])
    // Ends a send that is still being tried: its appends are rejected, so nobody was told that they had been taken.
    await this.#producer.close(true)
    await this.#sending
  }
}

function outgoing(topic: string, partition: number, { key, value, headers }: StreamMessage): Message {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const message: Message = { topic, partition, value: bytes }
  if (key !== null) message.key = Buffer.from(key)
  if (headers)
    message.headers = new Map(
      Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]),
    )
  return message
}

function sizeOf({ key, value, headers }: Message): number {
  let size = value.byteLength + (key?.byteLength ?? 0) + RECORD_HEAD_BYTES
  for (const [name, text] of headers ?? []) size += name.byteLength + text.byteLength + 16
  return size
}

const tooLarge = (topic: string, bytes: number, maxBytes: number): PlatformError =>
  new PlatformError(
    'stream_message_too_large',
    `A message of ${bytes} bytes is larger than the topic ${topic} takes (${maxBytes} bytes)`,
    "Raise the topic's max.message.bytes, or let the device send less in one message.",
  )
