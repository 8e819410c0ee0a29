/**
 * Stream → Bronze. The offsets live in the table itself: each commit carries, with the rows, the next offset to read
 * (`txn`), and is only applied to a table that still stands where the rows begin. So a killed, repeated or
 * overtaken landing neither loses a message nor lands one twice.
 */
import { isPlatformError, PlatformError } from '../errors.ts'
import type { Engine, Lake, Session } from '../lake/types.ts'
import { DEFAULT_TENANT, NUMBER_FIELDS, TEXT_FIELDS } from '../reading.ts'
import type { PartitionBounds, StreamLog, StreamRecord } from '../2-stream/log.ts'
import type { Stage, StepReport } from '../stage.ts'
import { parseRecord } from './parse.ts'
import { BRONZE_TELEMETRY } from './tables.ts'
import { trimLanded } from './trim.ts'

/** One round of reading and typing: about so much is in memory as text; larger rounds take more memory and no less time. */
const CHUNK_RECORDS = 5_000
const CHUNK_BYTES = 8 * 1024 * 1024
/** A commit takes at most so many bytes of messages, however few they are. */
const STEP_BYTES = 128 * 1024 * 1024
const TRIM_EVERY_MS = 60_000
const HOUR_MS = 3_600_000

export interface BronzeOptions {
  lake: Lake
  engine: Engine
  log: StreamLog
  /** A commit takes about so many messages at most. */
  maxRecords?: number
  /** How long the stream keeps what has been landed, for readers at the fork, ms. */
  keepStreamMs?: number
}

/** The stage that lands the stream in `bronze.telemetry`. It does not close the log. */
export async function createBronzeStage(options: BronzeOptions): Promise<Stage> {
  const { lake, engine, log, maxRecords = 20_000, keepStreamMs = HOUR_MS } = options
  await lake.define(BRONZE_TELEMETRY)
  const session = await engine.session()
  let trimmedMs = -Infinity
  return {
    name: 'bronze',
    async step() {
      const report = await land({ lake, log, session, maxRecords })
      if (Date.now() - trimmedMs >= TRIM_EVERY_MS) {
        await trimLanded(log, (await positions(lake, log)).next, Date.now() - keepStreamMs)
        trimmedMs = Date.now()
      }
      return report
    },
    close: () => session.close(),
  }
}

interface Landing {
  lake: Lake
  log: StreamLog
  session: Session
  maxRecords: number
}

/** The application id under which the table keeps the next offset of a partition. */
export function txnOf(log: StreamLog, partition: number): string {
  return `stream:${log.topic}/${partition}`
}

/** Where each partition is to be read from: after what the table holds, else from its beginning. */
async function positions(
  lake: Lake,
  log: StreamLog,
): Promise<{ bounds: PartitionBounds[]; next: Map<number, number>; landed: Map<number, number> }> {
  const { txns } = await lake.snapshot(BRONZE_TELEMETRY.name)
  const bounds = await log.bounds()
  const next = new Map<number, number>()
  const landed = new Map<number, number>()
  for (const { partition, start, end } of bounds) {
    const txn = txns.get(txnOf(log, partition))
    if (txn !== undefined && txn > end) throw behindLake(log, partition, end, txn)
    next.set(partition, txn ?? start)
    landed.set(partition, txn ?? -1)
  }
  return { bounds, next, landed }
}

function behindLake(log: StreamLog, partition: number, end: number, txn: number): PlatformError {
  return new PlatformError(
    'stream_behind_lake',
    `The stream ${log.topic}/${partition} ends at offset ${end}, but Bronze has landed all below ${txn}: the stream was replaced by an older or an empty one.`,
    `Put the right stream folder back, or move it aside and start again, so that a new stream goes on at offset ${txn}.`,
  )
}

async function land({ lake, log, session, maxRecords }: Landing): Promise<StepReport> {
  const { bounds, next, landed } = await positions(lake, log)
  const waiting = bounds.filter(({ partition, end }) => next.get(partition)! < end)
  if (waiting.length === 0) return { rows: 0, more: false, pending: 0, detail: {} }

  const arrivals = await createArrivals(session, log.topic)
  let lag = 0
  for (const { partition, end } of waiting) {
    const from = next.get(partition)!
    const limit = { records: Math.ceil(maxRecords / waiting.length), bytes: STEP_BYTES / waiting.length }
    let reached: number
    try {
      reached = await takePartition(log, arrivals, partition, from, limit)
    } catch (error) {
      if (await isOvertaken(lake, log, partition, landed.get(partition)!, error)) return overtaken()
      throw error
    }
    next.set(partition, reached)
    lag += Math.max(0, end - reached)
  }
  const { rows, faulty } = await arrivals.finish()
  const files = await lake.write(session, BRONZE_TELEMETRY.name, 'SELECT * FROM arrivals')
  const txns = new Map(waiting.map(({ partition }) => [partition, next.get(partition)!]))
  try {
    const { applied } = await lake.commit(BRONZE_TELEMETRY.name, {
      operation: 'WRITE',
      add: files,
      txns: byTxn(log, txns, ([, offset]) => offset),
      expectTxns: byTxn(log, txns, ([partition]) => landed.get(partition)!),
    })
    if (!applied) return overtaken()
  } catch (error) {
    if (isPlatformError(error) && error.code === 'lake_conflict') return overtaken()
    throw error
  }
  return { rows, more: lag > 0, pending: 0, detail: { lag, faulty, files: files.length } }
}

function byTxn(
  log: StreamLog,
  partitions: ReadonlyMap<number, number>,
  version: (entry: [partition: number, offset: number]) => number,
): Record<string, number> {
  return Object.fromEntries([...partitions].map((entry) => [txnOf(log, entry[0]), version(entry)]))
}

/** Another worker has landed this part of the stream: nothing was done, look again. */
function overtaken(): StepReport {
  return { rows: 0, more: true, pending: 0, detail: {} }
}

/** Another worker may have landed, and then trimmed, what was about to be read: no gap, its rows are in the table. */
async function isOvertaken(
  lake: Lake,
  log: StreamLog,
  partition: number,
  landed: number,
  error: unknown,
): Promise<boolean> {
  if (!isPlatformError(error) || error.code !== 'stream_gap') return false
  const { txns } = await lake.snapshot(BRONZE_TELEMETRY.name)
  return (txns.get(txnOf(log, partition)) ?? -1) > landed
}

/** Reads one partition from an offset on, up to the limits or its end, and returns the next offset. */
async function takePartition(
  log: StreamLog,
  arrivals: Arrivals,
  partition: number,
  from: number,
  limit: { records: number; bytes: number },
): Promise<number> {
  let offset = from
  let [records, bytes] = [0, 0]
  while (records < limit.records && bytes < limit.bytes) {
    const maxRecords = Math.min(CHUNK_RECORDS, limit.records - records)
    const chunk = await log.read({ partition, offset, maxRecords, maxBytes: CHUNK_BYTES })
    if (chunk.length === 0) break
    const expected = fence(chunk, offset)
    await arrivals.add(expected)
    for (const record of expected) bytes += record.value.byteLength
    records += chunk.length
    offset = chunk.at(-1)!.offset + 1
  }
  return offset
}

/** The offset fence: what is below the expected offset was landed before, what is above it says that something is missing. */
function fence(chunk: readonly StreamRecord[], offset: number): StreamRecord[] {
  const records = chunk.filter((record) => record.offset >= offset)
  let expected = offset
  for (const record of records) {
    if (record.offset > expected) {
      throw new PlatformError(
        'stream_gap',
        `The stream ${record.topic}/${record.partition} goes from offset ${expected} to ${record.offset}: what lies between is missing.`,
        'Restore the stream from a copy that has these offsets, or read on from what is kept and count them as lost.',
      )
    }
    expected = record.offset + 1
  }
  return records
}

const READING_TYPES = JSON.stringify({
  stream_offset: 'BIGINT',
  stream_index: 'INTEGER',
  ingestion_time_us: 'BIGINT',
  ...Object.fromEntries(TEXT_FIELDS.map((name) => [name, 'VARCHAR'])),
  ...Object.fromEntries(NUMBER_FIELDS.map((name) => [name, 'DOUBLE'])),
  timestamp: 'TIMESTAMPTZ',
  metrics: 'MAP(VARCHAR, DOUBLE)',
  faults: 'VARCHAR[]',
})

interface Arrivals {
  /** Types the records into the session's table `arrivals`; the engine works while the next ones are read. */
  add(records: readonly StreamRecord[]): Promise<void>
  finish(): Promise<{ rows: number; faulty: number }>
}

async function createArrivals(session: Session, topic: string): Promise<Arrivals> {
  const select = `
    SELECT make_timestamptz(r.ingestion_time_us) AS ingestion_time, '${topic.replaceAll("'", "''")}' AS stream_topic,
      CAST($2 AS INTEGER) AS stream_partition, CAST(make_timestamptz(r.ingestion_time_us) AS DATE) AS ingestion_date,
      r.* REPLACE (coalesce(r.tenant_id, '${DEFAULT_TENANT}') AS tenant_id, coalesce(r.channel, '') AS channel,
        coalesce(r.ingest_kind, 'live') AS ingest_kind)
    FROM (SELECT from_json(line, '${READING_TYPES}') AS r FROM (SELECT unnest(string_split($1, chr(10))) AS line))`
  await session.run(`CREATE OR REPLACE TEMP TABLE arrivals AS ${select} LIMIT 0`, ['{}', 0])
  let inserting: Promise<void> = Promise.resolve()
  let [rows, faulty] = [0, 0]
  return {
    async add(records) {
      if (records.length === 0) return
      const lines: string[] = []
      for (const record of records) {
        const parsed = parseRecord(record)
        for (const row of parsed.rows) lines.push(row)
        faulty += parsed.faulty
      }
      rows += lines.length
      await inserting
      inserting = session.run(`INSERT INTO arrivals ${select}`, [lines.join('\n'), records[0]!.partition])
      inserting.catch(() => undefined) // Thrown where it is awaited.
    },
    async finish() {
      await inserting
      return { rows, faulty }
    },
  }
}
