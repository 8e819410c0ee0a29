/** What can be seen of a stream from outside: its topics, and who reads them. One shape for every adapter. */
import type { StreamLog, StreamRecord } from './log.ts'

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

export interface MessageQuery {
  /** Absent: all partitions. */
  partition?: number
  /** Where to begin: per partition, or one offset, or a time; absent: with the last messages. */
  from?: ReadonlyMap<number, number>
  offset?: number
  sinceMs?: number
  /** Messages of each partition. */
  limit: number
  /** Looks at values of about so many bytes at the most, however few match; absent: however many. */
  mostBytes?: number
  filter?: MessageFilter
}

export interface MessageFilter {
  key?: string
  /** Somewhere in the key, the value's text or a header. */
  text?: string
  /** A path such as `$.metrics.humidity_pct`, alone (it is there) or with a value: `$.device_id=plug-1`. */
  path?: string
}

export interface Messages<T extends StreamRecord = StreamRecord> {
  /** In the order in which they were taken. */
  messages: T[]
  /** Per partition: where to read on, for a live view or the next page. */
  next: Map<number, number>
  /** How many were looked at for that. */
  scanned: number
}

export type MessageKind = 'json' | 'registry_json' | 'text' | 'binary' | 'tombstone'

/** A message as a person looks at it; `value` and `text` may be cut to their beginning. */
export interface SeenMessage extends StreamRecord {
  kind: MessageKind
  /** Length of the whole value. */
  bytes: number
  /** What it says, without a schema registry's prefix; null where its bytes are no text. */
  text: string | null
}

/** A place in the dead-letter topic. */
export interface Place {
  partition: number
  offset: number
}

/** A view for many short looks: what it opens stays open for a while. */
export interface StreamLook {
  readonly adapter: 'embedded' | 'kafka'
  /** The brokers, or the folder. */
  readonly where: string
  topics(): Promise<TopicView[]>
  groups(): Promise<GroupView[]>
  /** Values are cut after so many bytes; Infinity: whole. */
  messages(topic: string, query: MessageQuery, cutBytes: number): Promise<Messages<SeenMessage>>
  /** Puts a dead letter (null: every one) on the telemetry topic again; returns how many. */
  replay(chosen: Place | null): Promise<number>
  close(): Promise<void>
}
