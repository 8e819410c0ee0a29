/**
 * Stream → Bronze. The offsets live in the table itself: each commit carries, with the rows, the next offset to read
 * (`txn`), and is only applied to a table that still stands where the rows begin. So a killed, repeated or
 * overtaken landing neither loses a message nor lands one twice.
 */
import { isPlatformError, PlatformError } from '../errors.ts'
import type { Engine, Lake, Session } from '../lake/types.ts'
import type { PartitionBounds, Share, StreamLog, StreamMessage, StreamRecord } from '../2-stream/log.ts'
import type { Stage, StepReport } from '../stage.ts'
import { createArrivals } from './arrivals.ts'
import { recordGaps } from './gaps.ts'
import { BRONZE_GAPS, BRONZE_TELEMETRY } from './tables.ts'
import { takePartition, type Gap } from './take.ts'
import { Templates } from './templates.ts'
import { trimLanded } from './trim.ts'

/** A commit takes at most so many bytes of messages, however few they are. */
const STEP_BYTES = 128 * 1024 * 1024
const TRIM_EVERY_MS = 60_000
const HOUR_MS = 3_600_000
/** After a leader has changed, Kafka may say for a moment that a partition ends before what was read of it. */
const END_CATCHES_UP_MS = 60_000

export interface BronzeOptions {
  lake: Lake
  engine: Engine
  log: StreamLog
  /** A commit takes about so many messages at most. */
  maxRecords?: number
  /** How long the stream keeps what has been landed, for readers at the fork, ms; null: others see to that. */
  keepStreamMs?: number | null
  /** This worker's part, where several land one stream; absent: all of it. */
  share?: Share
  /** Takes copies of messages that hold no reading at all; Bronze has them whole as well. */
  deadLetters?: Pick<StreamLog, 'append'>
}

/** The stage that lands the stream in `bronze.telemetry`. It does not close the log. */
export async function createBronzeStage(options: BronzeOptions): Promise<Stage> {
  const { lake, engine, log, maxRecords = 100_000, keepStreamMs = HOUR_MS } = options
  await lake.define(BRONZE_TELEMETRY)
  await lake.define(BRONZE_GAPS)
  const sessions = [await engine.session(), await engine.session()] as const
  const landing: Landing = {
    ...options,
    sessions,
    maxRecords,
    templates: new Templates(),
    behindSinceMs: new Map(),
  }
  let trimmedMs = -Infinity
  return {
    name: 'bronze',
    async step() {
      const report = await land(landing)
      if (keepStreamMs !== null && performance.now() - trimmedMs >= TRIM_EVERY_MS) {
        await trimLanded(log, (await positions(lake, log)).next, Date.now() - keepStreamMs)
        trimmedMs = performance.now()
      }
      return report
    },
    async close() {
      await landing.ahead?.batch
      for (const session of sessions) await session.close()
    },
  }
}

interface Landing extends BronzeOptions {
  /** While one writes what is to be committed, the other takes what comes behind it. */
  sessions: readonly [Session, Session]
  maxRecords: number
  templates: Templates
  /** Per partition: since when it has been said to end before what was landed. */
  behindSinceMs: Map<number, number>
  /** What comes behind the last commit, being taken already; undefined in place of a batch: it has to be taken again. */
  ahead?: { from: ReadonlyMap<number, number>; batch: Promise<Batch | undefined> }
}

/** Messages of some partitions, typed, in a session. */
interface Batch {
  session: Session
  /** Per partition that came further: the offset to go on with. */
  next: Map<number, number>
  gaps: Gap[]
  rows: number
  faulty: number
  dead: StreamRecord[]
}

/** The application id under which the table keeps the next offset of a partition. */
export function txnOf(log: StreamLog, partition: number): string {
  return `stream:${log.id}/${partition}`
}

interface Positions {
  bounds: PartitionBounds[]
  /** Offset to read next. */
  next: Map<number, number>
  /** What the table has; -1: nothing yet. */
  landed: Map<number, number>
}

/** Where each partition is to be read from: after what the table holds, else from its beginning. */
async function positions(lake: Lake, log: StreamLog): Promise<Positions> {
  // The stream first: what the table says afterwards can only be further on.
  const bounds = await log.bounds()
  const { txns } = await lake.snapshot(BRONZE_TELEMETRY.name)
  const next = new Map<number, number>()
  const landed = new Map<number, number>()
  for (const { partition, start } of bounds) {
    const txn = txns.get(txnOf(log, partition))
    next.set(partition, txn ?? start)
    landed.set(partition, txn ?? -1)
  }
  return { bounds, next, landed }
}

/** Throws where a partition ends before what has been landed of it: at once, or where that does not pass by itself. */
function checkEnds({ log, behindSinceMs }: Landing, { bounds, next }: Positions): void {
  for (const { partition, end } of bounds) {
    if (next.get(partition)! <= end) {
      behindSinceMs.delete(partition)
      continue
    }
    const sinceMs = behindSinceMs.get(partition) ?? performance.now()
    behindSinceMs.set(partition, sinceMs)
    if (!log.hasHoles || performance.now() - sinceMs > END_CATCHES_UP_MS)
      throw behindLake(log, partition, end, next.get(partition)!)
  }
}

function behindLake(log: StreamLog, partition: number, end: number, txn: number): PlatformError {
  return new PlatformError(
    'stream_behind_lake',
    `The stream ${log.topic}/${partition} ends at offset ${end}, but Bronze has landed all below ${txn}: the stream was replaced by an older or an empty one.`,
    `Put the right stream folder back, or move it aside and start again, so that a new stream goes on at offset ${txn}.`,
  )
}

async function land(landing: Landing): Promise<StepReport> {
  const { lake, log, share } = landing
  const at = await positions(lake, log)
  checkEnds(landing, at)
  const own = share?.partitions()
  const waiting = at.bounds.filter(
    ({ partition, end }) => at.next.get(partition)! < end && (own?.has(partition) ?? true),
  )
  if (waiting.length === 0) return { rows: 0, more: false, pending: 0, detail: {} }

  const batch = (await takenAhead(landing, waiting, at.next)) ?? (await take(landing, waiting, at))
  if (batch === 'overtaken') return overtaken()
  if (batch.next.size === 0) return { rows: 0, more: true, pending: 0, detail: {} }
  const lag = waiting.reduce(
    (sum, { partition, end }) =>
      sum + Math.max(0, end - (batch.next.get(partition) ?? at.next.get(partition)!)),
    0,
  )
  if (lag > 0) takeAhead(landing, waiting, at, batch)
  const { session, rows, faulty, dead } = batch
  await session.expect(rows)
  await landing.deadLetters?.append(dead.map(deadLetter))
  await recordGaps(lake, session, log.id, batch.gaps)
  const files = rows > 0 ? await lake.write(session, BRONZE_TELEMETRY.name, 'SELECT * FROM arrivals') : []
  try {
    const { applied } = await lake.commit(BRONZE_TELEMETRY.name, {
      operation: 'WRITE',
      add: files,
      txns: byTxn(log, batch.next, ([, offset]) => offset),
      expectTxns: byTxn(log, batch.next, ([partition]) => at.landed.get(partition)!),
    })
    if (!applied) return overtaken()
  } catch (error) {
    if (isPlatformError(error) && error.code === 'lake_conflict') return overtaken()
    throw error
  }
  await share?.landed(batch.next)
  const missing = batch.gaps.reduce((sum, { from, to }) => sum + to - from, 0)
  const detail = { lag, faulty, dead: dead.length, missing, files: files.length }
  return { rows, more: lag > 0, pending: 0, detail }
}

/** Takes what comes behind a batch while that is being written. */
function takeAhead(
  landing: Landing,
  waiting: readonly PartitionBounds[],
  at: Positions,
  { session, next }: Batch,
): void {
  const from = new Map([...at.next, ...next])
  const rest = waiting.filter(({ partition, end }) => from.get(partition)! < end)
  const [first, second] = landing.sessions
  const free = session === first ? second : first
  const batch = take(landing, rest, { ...at, next: from }, free).then(
    (taken) => (taken === 'overtaken' ? undefined : taken),
    // Whatever it was, it is met again where it is taken again.
    () => undefined,
  )
  landing.ahead = { from, batch }
}

/** What was taken ahead, if the table stands where it begins and all of it is still this worker's to land. */
async function takenAhead(
  landing: Landing,
  waiting: readonly PartitionBounds[],
  next: ReadonlyMap<number, number>,
): Promise<Batch | undefined> {
  const { ahead } = landing
  delete landing.ahead
  const batch = await ahead?.batch
  if (!ahead || !batch) return undefined
  const own = new Set(waiting.map(({ partition }) => partition))
  const fits = [...batch.next.keys()].every(
    (partition) => own.has(partition) && ahead.from.get(partition) === next.get(partition),
  )
  return fits ? batch : undefined
}

/** Reads and types what waits, partition after partition. */
async function take(
  { lake, log, maxRecords, sessions, templates }: Landing,
  waiting: readonly PartitionBounds[],
  at: Positions,
  session: Session = sessions[0],
): Promise<Batch | 'overtaken'> {
  const arrivals = await createArrivals(session, log.id, templates)
  const next = new Map<number, number>()
  const gaps: Gap[] = []
  const limit = { records: Math.ceil(maxRecords / waiting.length), bytes: STEP_BYTES / waiting.length }
  for (const { partition, end } of waiting) {
    const from = at.next.get(partition)!
    try {
      const add = (records: readonly StreamRecord[]): Promise<void> => arrivals.add(records)
      const taken = await takePartition({ log, partition, from, end, limit, add })
      if (taken.next > from) next.set(partition, taken.next)
      gaps.push(...taken.gaps)
    } catch (error) {
      if (await isOvertaken(lake, log, partition, at.landed.get(partition)!, error)) return 'overtaken'
      throw error
    }
  }
  return { session, next, gaps, ...(await arrivals.finish()) }
}

/** A message without a reading, with where it stands in the stream, so that it is found there and in Bronze. */
function deadLetter({ key, value, headers, topic, partition, offset }: StreamRecord): StreamMessage {
  const place = { dead_reason: 'not_json', dead_topic: topic, dead_partition: String(partition) }
  return { key, value, headers: { ...headers, ...place, dead_offset: String(offset) } }
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
