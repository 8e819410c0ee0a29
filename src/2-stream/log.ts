/**
 * The stream's port: an append-only log of messages in partitions, read from explicit offsets.
 * `embedded.ts` keeps it in a file, `kafka.ts` speaks to Kafka. Both pass `test/2-stream/log.contract.ts`.
 */

import type { PartitionBounds, ReadableSink, StreamMessage } from '../1-source/source.ts'
export type { PartitionBounds, StreamMessage }

export interface StreamRecord extends StreamMessage {
  topic: string
  partition: number
  /** Position in the partition; grows, may have gaps. */
  offset: number
  /** When the stream accepted it, microseconds since 1970-01-01T00:00:00Z; never decreases in a partition. */
  ingestionTimeUs: number
  /** A message without a value, as compacted topics use it to delete a key; `value` is empty. */
  isTombstone?: true
}

export interface ReadOptions {
  partition: number
  /** First offset wanted. Below `start` the read throws `stream_gap`: what is gone is said, never skipped. */
  offset: number
  maxRecords: number
  /** Stop after about so many bytes of values; at least one record is returned where there is one. */
  maxBytes?: number
  /** Wait at most so long for a first record; 0 returns at once. `signal` and `close` end the wait, with no record. */
  waitMs?: number
  signal?: AbortSignal
}

export interface StreamLog extends ReadableSink {
  readonly topic: string
  /** Names this very log for ever: what was landed from it is remembered under this name. A topic made anew is another log. */
  readonly id: string
  /**
   * Whether offsets may rightly be missing: compaction, transactions and retention leave holes in a log that others
   * administer. Then a read without a wait that finds nothing says: there is nothing from there to the end.
   */
  readonly hasHoles: boolean
  /** Records from an offset on, in order; empty when there are none yet. */
  read(options: ReadOptions): Promise<StreamRecord[]>
  /** Frees what lies below the offset; readers of it are told (`stream_gap`). */
  trim(partition: number, beforeOffset: number): Promise<void>
  /** What was handed to `append` before is made durable first. */
  close(): Promise<void>
}

/** One worker's part in a stream that several workers land together. */
export interface Share {
  /** The partitions that are this worker's now. */
  partitions(): ReadonlySet<number>
  /** Tells onlookers how far a partition has been landed: its next offset. Nothing is ever read from there. */
  landed(next: ReadonlyMap<number, number>): Promise<void>
  close(): Promise<void>
}
