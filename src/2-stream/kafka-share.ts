/**
 * Workers that land one topic together: Kafka's consumer group deals the partitions out among them. Where a partition
 * is read from stands in the lake alone; the group is told afterwards how far it has come, so that every tool sees the lag.
 */
import { Consumer } from './kafka-library.ts'
import type { PlatformError } from '../errors.ts'
import { clientOptions, kafkaError, type KafkaConnection } from './kafka-connection.ts'
import type { Share } from './log.ts'

/** A worker that says nothing for so long has lost its partitions. */
const SESSION_MS = 10_000
const HEARTBEAT_MS = 1_000
const REBALANCE_MS = 15_000
/** A worker that stands outside the group asks again after this. */
const REJOIN_MS = 2_000

export interface ShareOptions {
  connection: KafkaConnection
  topic: string
  groupId: string
  onProblem: (problem: PlatformError | null) => void
}

/** Joins the group and waits for the first dealing out. Throws where the group cannot be joined. */
export async function joinShare(options: ShareOptions): Promise<Share> {
  const share = new KafkaShare(options)
  try {
    await share.join()
    return share
  } catch (error) {
    await share.close()
    throw kafkaError(error, options.connection.brokers, `join ${options.groupId}`)
  }
}

class KafkaShare implements Share {
  readonly #options: ShareOptions
  readonly #consumer: Consumer
  #own: ReadonlySet<number> = new Set()
  #rejoining: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: ShareOptions) {
    this.#options = options
    const consumer = new Consumer({
      ...clientOptions(options.connection),
      groupId: options.groupId,
      autocommit: false,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      rebalanceTimeout: REBALANCE_MS,
    })
    this.#consumer = consumer
    consumer.topics.track(options.topic)
    // While partitions are dealt out anew, what was this worker's may be another's already. The lake fences what is
    // still under way; nothing new is begun.
    const loseAll = (): void => void (this.#own = new Set())
    consumer.on('consumer:group:rebalance', loseAll)
    consumer.on('consumer:group:leave', loseAll)
    consumer.on('consumer:group:join', ({ assignments }) => {
      this.#own = new Set(assignments?.find((one) => one.topic === options.topic)?.partitions)
      options.onProblem(null)
    })
    // A rejoin that fails is told as an event, and not tried again by the library.
    consumer.on('error', (error) => this.#rejoinLater(error))
  }

  async join(): Promise<void> {
    await this.#consumer.joinGroup({})
  }

  #rejoinLater(error: unknown): void {
    const { connection, groupId, onProblem } = this.#options
    this.#own = new Set()
    if (this.#closed || this.#rejoining) return
    onProblem(kafkaError(error, connection.brokers, `join ${groupId}`))
    this.#rejoining = setTimeout(() => {
      this.#rejoining = undefined
      this.join().catch((again: unknown) => this.#rejoinLater(again))
    }, REJOIN_MS)
  }

  partitions(): ReadonlySet<number> {
    return this.#own
  }

  async landed(next: ReadonlyMap<number, number>): Promise<void> {
    const { topic } = this.#options
    const own = [...next].filter(([partition]) => this.#own.has(partition))
    const offsets = own.map(([partition, offset]) => {
      return { topic, partition, offset: BigInt(offset), leaderEpoch: -1 }
    })
    // It is for onlookers only: a worker that is just losing its part is refused, and the next one tells.
    if (offsets.length > 0) await this.#consumer.commit({ offsets }).catch(() => undefined)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#rejoining)
    await this.#consumer.close(true).catch(() => undefined)
  }
}
