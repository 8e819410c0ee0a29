/**
 * The source's port: what something that reports readings needs of whatever takes them. The stream
 * (`2-stream/log.ts`) is such a sink.
 */

/** One message as a producer hands it over. The value is never interpreted on its way. */
export interface StreamMessage {
  /** Orders messages: those of one key stay in one partition, in the order of their appends. */
  key: string | null
  value: Uint8Array
  headers?: Readonly<Record<string, string>>
}

/** Where a partition begins (oldest kept offset) and ends (the offset that the next message will get). */
export interface PartitionBounds {
  partition: number
  start: number
  end: number
}

export interface Sink {
  /**
   * Resolves when every message is durable, in order; rejects with none or all of them appended. Where the process dies before,
   * any part of them may be there: a log of several partitions takes them in several sends.
   */
  append(messages: readonly StreamMessage[]): Promise<void>
}

/** A sink that can be asked what it has: an import looks whether its last batch arrived before it sends it again. */
export interface ReadableSink extends Sink {
  bounds(): Promise<PartitionBounds[]>
  /** Messages from an offset on, in order; throws `stream_gap` below the oldest kept one. */
  read(options: {
    partition: number
    offset: number
    maxRecords: number
    maxBytes?: number
  }): Promise<(StreamMessage & { offset: number })[]>
}
