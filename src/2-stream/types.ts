/** What can be seen of a stream from outside: its topics, and who reads them. One shape for every adapter. */
import type { StreamLog } from './log.ts'

export interface TopicView {
  topic: string
  partitions: PartitionView[]
  /** On the disk, all replicas' leaders together; null where the adapter cannot say. */
  bytes: number | null
  /** How long messages are kept, ms; null: for ever, or until they are landed. */
  retentionMs: number | null
  replication: number
}

export interface PartitionView {
  partition: number
  /** Oldest offset kept, and the offset that the next message gets. */
  start: number
  end: number
  /** Messages taken in the last minute, per second; null where nothing can be said. */
  ratePerS: number | null
  /** Nodes; empty on the embedded log. */
  leader: number | null
  replicas: number[]
  inSync: number[]
}

export interface GroupView {
  group: string
  /** The adapter's own word: `stable`, `empty`, `preparing_rebalance`, … */
  state: string
  members: { client: string; host: string; partitions: { topic: string; partition: number }[] }[]
  partitions: GroupPartition[]
}

export interface GroupPartition {
  topic: string
  partition: number
  /** The offset that the group reads next. */
  committed: number
  end: number
  lag: number
}

export interface StreamView {
  topics(): Promise<TopicView[]>
  groups(): Promise<GroupView[]>
  /** A handle on one of the topics, to read (and to replay) messages; the caller closes it. */
  open(topic: string): Promise<StreamLog>
  close(): Promise<void>
}

/** How far back the rate of a partition is measured. */
export const RATE_OVER_S = 60
