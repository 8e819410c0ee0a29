/**
 * The stream in one SQLite file: a durable log for a single machine, shared by all processes on the data folder.
 * One partition. Appends that come at the same time become one transaction (group commit), because what costs is
 * the flush to the disk and not the row.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate as afterOtherWork } from 'node:timers/promises'
import { PlatformError } from '../errors.ts'
import { TELEMETRY_TOPIC } from '../reading.ts'
import { inTransaction, openStreamFile, streamError, whenUnlocked } from './embedded-file.ts'
import type { PartitionBounds, ReadOptions, StreamLog, StreamMessage, StreamRecord } from './log.ts'

const PARTITION = 0
/** A transaction takes waiting appends until it holds so many messages or bytes. */
const GROUP_MESSAGES = 5_000
const GROUP_BYTES = 8 * 1024 * 1024
/** Several rows a statement: a third of the CPU time of one row each. */
const ROWS_PER_INSERT = 16
const ROWS_PER_TRIM = 5_000

/** A waiting reader looks often after something came, and seldom when nothing has come for long. */
const POLL_MS = [
  { idleUpToMs: 200, everyMs: 1 },
  { idleUpToMs: 2_000, everyMs: 5 },
  { idleUpToMs: Infinity, everyMs: 20 },
] as const

interface PendingAppend {
  messages: readonly StreamMessage[]
  bytes: number
  resolve: () => void
  reject: (error: unknown) => void
}

type InsertRow = [ingestionTimeUs: number, key: string | null, value: Uint8Array, headers: string | null]
type MessageRow = [
  offset: number,
  ingestionTimeUs: number,
  key: string | null,
  value: Uint8Array,
  headers: string | null,
]

export interface EmbeddedLogOptions {
  /** Folder of the file; created where it is absent. */
  dir: string
  topic?: string
  /** Offset of the first message (at least 1), used only when the file is created: a new log goes on where a lost one ended. */
  firstOffset?: number
  /** The clock, milliseconds since 1970. */
  nowMs?: () => number
}

/** Opens the log in `<dir>/<topic>.sqlite`. Throws `stream_corrupt` where the file is not a readable log. */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<StreamLog> {
  const topic = options.topic ?? TELEMETRY_TOPIC
  const firstOffset = Math.max(1, options.firstOffset ?? 1)
  const writer = await openStreamFile(options.dir, topic, firstOffset)
  const reader = await openStreamFile(options.dir, topic, firstOffset)
  return new EmbeddedLog(topic, writer, reader.database, options.nowMs ?? Date.now)
}

class EmbeddedLog implements StreamLog {
  readonly hasHoles = false
  readonly topic: string
  readonly id: string
  readonly #file: string
  readonly #writer: DatabaseSync
  readonly #reader: DatabaseSync
  readonly #nowMs: () => number
  readonly #insertOne: StatementSync
  readonly #insertMany: StatementSync
  readonly #tick: StatementSync
  readonly #selectFrom: StatementSync
  readonly #selectBounds: StatementSync
  readonly #dataVersion: StatementSync
  #pending: PendingAppend[] = []
  #draining: Promise<void> | undefined
  #trimming: Promise<void> = Promise.resolve()
  #lastArrivalMs = performance.now()
  /** Ends the current pause of every waiting reader of this process. */
  readonly #wake = new Set<() => void>()
  #closing: Promise<void> | undefined

  constructor(
    topic: string,
    writer: { file: string; database: DatabaseSync },
    reader: DatabaseSync,
    nowMs: () => number,
  ) {
    this.topic = topic
    this.id = topic
    this.#file = writer.file
    this.#writer = writer.database
    this.#reader = reader
    this.#nowMs = nowMs
    this.#insertOne = this.#writer.prepare(insertSql(1))
    this.#insertMany = this.#writer.prepare(insertSql(ROWS_PER_INSERT))
    this.#tick = this.#writer.prepare(
      'UPDATE clock SET last_ingestion_time_us = max(last_ingestion_time_us, ?) RETURNING last_ingestion_time_us AS us',
    )
    this.#selectFrom = reader.prepare(
      'SELECT offset, ingestion_time_us, key, value, headers FROM message WHERE offset >= ? ORDER BY offset LIMIT ?',
    )
    this.#selectFrom.setReturnArrays(true)
    this.#selectBounds = reader.prepare(`
      SELECT coalesce((SELECT min(offset) FROM message), seq + 1) AS first, seq + 1 AS next
      FROM sqlite_sequence WHERE name = 'message'`)
    this.#dataVersion = reader.prepare('PRAGMA data_version')
  }

  async append(messages: readonly StreamMessage[]): Promise<void> {
    this.#assertOpen()
    if (messages.length === 0) return
    let bytes = 0
    for (const message of messages) bytes += message.value.byteLength
    const appended = new Promise<void>((resolve, reject) => {
      this.#pending.push({ messages, bytes, resolve, reject })
    })
    this.#draining ??= this.#drain()
    await appended
  }

  async #drain(): Promise<void> {
    // One turn of the event loop lets appends that were called together be committed together.
    await afterOtherWork()
    while (this.#pending.length > 0) {
      const group = this.#takeGroup()
      try {
        await whenUnlocked(this.#file, () => {
          inTransaction(this.#writer, () => this.#insert(group))
        })
        for (const append of group) append.resolve()
        this.#notify()
      } catch (error) {
        for (const append of group) append.reject(error)
      }
      await afterOtherWork()
    }
    this.#draining = undefined
  }

  #takeGroup(): PendingAppend[] {
    let count = 0
    let messages = 0
    let bytes = 0
    while (count < this.#pending.length && messages < GROUP_MESSAGES && bytes < GROUP_BYTES) {
      const append = this.#pending[count++]!
      messages += append.messages.length
      bytes += append.bytes
    }
    return this.#pending.splice(0, count)
  }

  /** Runs inside the write transaction, so the order of the stamps is the order of the offsets over all processes. */
  #insert(group: readonly PendingAppend[]): void {
    const ingestionTimeUs = Number(this.#tick.get(Math.floor(this.#nowMs() * 1000))?.us)
    let rows: InsertRow[] = []
    for (const append of group) {
      for (const message of append.messages) {
        const headers = message.headers === undefined ? null : JSON.stringify(message.headers)
        rows.push([ingestionTimeUs, message.key, message.value, headers])
        if (rows.length < ROWS_PER_INSERT) continue
        this.#insertMany.run(...rows.flat())
        rows = []
      }
    }
    for (const row of rows) this.#insertOne.run(...row)
  }

  async read(options: ReadOptions): Promise<StreamRecord[]> {
    this.#assertOpen()
    checkPartition(options.partition)
    const deadline = performance.now() + (options.waitMs ?? 0)
    for (;;) {
      if (this.#closing || options.signal?.aborted) return []
      // Taken before the read: what is committed in between shows as a change.
      const seen = this.#version()
      const records = this.#readNow(options)
      if (records.length > 0) {
        this.#lastArrivalMs = performance.now()
        return records
      }
      if (performance.now() >= deadline) return []
      await this.#change(seen, deadline, options.signal)
    }
  }

  #readNow(options: ReadOptions): StreamRecord[] {
    const records: StreamRecord[] = []
    let bytes = 0
    try {
      for (const row of this.#selectFrom.iterate(options.offset, options.maxRecords)) {
        // setReturnArrays: rows come as arrays, which the types do not know.
        const record = this.#record(row as unknown as MessageRow)
        records.push(record)
        bytes += record.value.byteLength
        if (bytes >= (options.maxBytes ?? Infinity)) break
      }
    } catch (error) {
      throw streamError(error, this.#file)
    }
    // Offsets have no holes here, so a first record beyond the wanted offset means that the rest was trimmed.
    const start = records[0]?.offset ?? this.#bounds().start
    if (start > options.offset) {
      throw new PlatformError(
        'stream_gap',
        `The stream ${this.topic}/${PARTITION} begins at offset ${start}; offset ${options.offset} is no longer kept.`,
        'Read from the beginning that is kept, and count what lies between as lost.',
      )
    }
    return records
  }

  #record(row: MessageRow): StreamRecord {
    const [offset, ingestionTimeUs, key, value, headers] = row
    const record: StreamRecord = {
      topic: this.topic,
      partition: PARTITION,
      offset,
      ingestionTimeUs,
      key,
      value,
    }
    if (headers !== null) record.headers = JSON.parse(headers) as Record<string, string>
    return record
  }

  async bounds(): Promise<PartitionBounds[]> {
    this.#assertOpen()
    return [this.#bounds()]
  }

  #bounds(): PartitionBounds {
    try {
      const row = this.#selectBounds.get()
      return { partition: PARTITION, start: Number(row?.first), end: Number(row?.next) }
    } catch (error) {
      throw streamError(error, this.#file)
    }
  }

  async trim(partition: number, beforeOffset: number): Promise<void> {
    this.#assertOpen()
    checkPartition(partition)
    const trimmed = this.#trimming.then(() => this.#deleteBelow(beforeOffset))
    this.#trimming = trimmed.catch(() => undefined)
    await trimmed
  }

  /** In chunks, so that appends of this and of other processes wait for one chunk at the most. */
  async #deleteBelow(beforeOffset: number): Promise<void> {
    const remove = this.#writer.prepare('DELETE FROM message WHERE offset < ?')
    while (!this.#closing) {
      const { start, end } = this.#bounds()
      const upTo = Math.min(beforeOffset, end, start + ROWS_PER_TRIM)
      if (upTo <= start) return
      await whenUnlocked(this.#file, () => remove.run(upTo))
      await afterOtherWork()
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#finish()
    return this.#closing
  }

  async #finish(): Promise<void> {
    this.#notify()
    await this.#draining
    await this.#trimming
    // A reader that was just woken looks at `#closing` before it touches the file again.
    this.#reader.close()
    this.#writer.close()
  }

  #assertOpen(): void {
    if (this.#closing) throw new Error(`The stream ${this.topic} has been closed`)
  }

  #version(): number {
    return Number(this.#dataVersion.get()?.data_version)
  }

  #notify(): void {
    for (const wake of this.#wake) wake()
  }

  /** Resolves when another connection has committed, at the deadline, when aborted or closed. */
  async #change(seen: number, deadline: number, signal: AbortSignal | undefined): Promise<void> {
    const stopped = (): boolean => this.#closing !== undefined || signal?.aborted === true
    while (!stopped() && performance.now() < deadline) {
      const idleMs = performance.now() - this.#lastArrivalMs
      const everyMs = POLL_MS.find((step) => idleMs < step.idleUpToMs)?.everyMs ?? 20
      await this.#pause(Math.min(everyMs, deadline - performance.now()), signal)
      if (stopped() || this.#version() !== seen) return
    }
  }

  async #pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#wake.delete(end)
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      this.#wake.add(end)
      signal?.addEventListener('abort', end)
    })
  }
}

function insertSql(rows: number): string {
  const row = '(?, ?, ?, ?)'
  return `INSERT INTO message (ingestion_time_us, key, value, headers) VALUES ${Array.from({ length: rows }, () => row).join(', ')}`
}

function checkPartition(partition: number): void {
  if (partition !== PARTITION)
    throw new RangeError(`The embedded stream has partition 0 only, not ${partition}`)
}
