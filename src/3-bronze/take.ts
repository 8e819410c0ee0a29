/** Reading a partition on from where Bronze stands: nothing twice, and nothing passed over without a word. */
import type { StreamLog, StreamRecord } from '../2-stream/log.ts'
import { isPlatformError, PlatformError } from '../errors.ts'

/** One round of reading and typing: about so much is in memory as text; larger rounds take more memory and no less time. */
const CHUNK_RECORDS = 5_000
const CHUNK_BYTES = 8 * 1024 * 1024
/** A partition that answers differently each time it is asked is broken. */
const MOST_DISAGREEMENTS = 5

/** Offsets that no message has: said by the log twice. */
export interface Gap {
  partition: number
  /** First offset that is missing. */
  from: number
  /** First offset that is there again. */
  to: number
  /** `retention`: it was there and is no longer kept. `hole`: compaction or a transaction left it. */
  reason: 'retention' | 'hole'
}

export interface Taking {
  log: StreamLog
  partition: number
  /** The expected offset. */
  from: number
  /** The end of the partition when the step began. */
  end: number
  limit: { records: number; bytes: number }
  add(records: readonly StreamRecord[]): Promise<void>
}

/** Reads up to the limits or the end; returns the next offset and what was missing on the way. */
export async function takePartition(taking: Taking): Promise<{ next: number; gaps: Gap[] }> {
  const { log, partition, end, limit } = taking
  const gaps: Gap[] = []
  let offset = taking.from
  let [records, bytes, disagreements] = [0, 0, 0]
  while (records < limit.records && bytes < limit.bytes) {
    const maxRecords = Math.min(CHUNK_RECORDS, limit.records - records)
    const read = (from: number): Promise<StreamRecord[]> =>
      log.read({ partition, offset: from, maxRecords, maxBytes: CHUNK_BYTES })
    const begin = await startOf(taking, offset, read)
    if (begin.start > offset) {
      gaps.push({ partition, from: offset, to: begin.start, reason: 'retention' })
      offset = begin.start
    }
    const chunk = await fence(taking, offset, begin.records, read)
    if (chunk.next === offset && offset < end && ++disagreements >= MOST_DISAGREEMENTS)
      throw missing(log, partition, offset, 'another offset each time that it is read')
    await taking.add(chunk.records)
    gaps.push(...chunk.gaps)
    for (const record of chunk.records) bytes += record.value.byteLength
    records += chunk.records.length
    offset = chunk.next
    if (chunk.records.length === 0 && offset >= end) break
  }
  return { next: offset, gaps }
}

/** The records from an offset on; from the start that is kept, where a log that others administer begins behind it. */
async function startOf(
  { log, partition }: Taking,
  offset: number,
  read: (from: number) => Promise<StreamRecord[]>,
): Promise<{ start: number; records: StreamRecord[] }> {
  try {
    return { start: offset, records: await read(offset) }
  } catch (error) {
    if (!log.hasHoles || !isPlatformError(error) || error.code !== 'stream_gap') throw error
    const start = (await log.bounds()).find((bounds) => bounds.partition === partition)!.start
    if (start <= offset) throw error
    return { start, records: await read(start) }
  }
}

interface Chunk {
  records: StreamRecord[]
  next: number
  gaps: Gap[]
}

/**
 * The offset fence. What is below the expected offset was landed before and is dropped. Where something is missing
 * above it, the log is asked again from there: only what it says twice is believed, and only of a log that may have holes.
 */
async function fence(
  { log, partition, end }: Taking,
  offset: number,
  chunk: readonly StreamRecord[],
  read: (from: number) => Promise<StreamRecord[]>,
): Promise<Chunk> {
  const records = chunk.filter((record) => record.offset >= offset)
  const first = firstGap(records, offset)
  const whole = first === records.length
  const expected = whole ? (records.at(-1)?.offset ?? offset - 1) + 1 : expectedAt(records, first, offset)
  // A read that finds nothing before the end says that nothing is there.
  if (whole && (records.length > 0 || offset >= end)) return { records, next: expected, gaps: [] }
  if (!log.hasHoles) {
    if (whole) return { records, next: expected, gaps: [] }
    throw missing(log, partition, expected, `offset ${records[first]!.offset}`)
  }
  const head = records.slice(0, first)
  const again = (await read(expected)).filter((record) => record.offset >= expected)
  if (whole && again.length === 0)
    return { records: [], next: end, gaps: [{ partition, from: expected, to: end, reason: 'hole' }] }
  const rest = records.slice(first)
  const common = rest.findIndex((record, index) => record.offset !== again[index]?.offset)
  const confirmed = common === -1 ? rest : rest.slice(0, common)
  return {
    records: [...head, ...confirmed],
    next: (confirmed.at(-1)?.offset ?? expected - 1) + 1,
    gaps: gapsOf(partition, confirmed, expected),
  }
}

const expectedAt = (records: readonly StreamRecord[], index: number, offset: number): number =>
  index === 0 ? offset : records[index - 1]!.offset + 1

/** Index of the first record that does not follow the one before it; their number where all do. */
function firstGap(records: readonly StreamRecord[], offset: number): number {
  const index = records.findIndex((record, at) => record.offset > expectedAt(records, at, offset))
  return index === -1 ? records.length : index
}

function gapsOf(partition: number, records: readonly StreamRecord[], from: number): Gap[] {
  const gaps: Gap[] = []
  let expected = from
  for (const { offset } of records) {
    if (offset > expected) gaps.push({ partition, from: expected, to: offset, reason: 'hole' })
    expected = offset + 1
  }
  return gaps
}

const missing = (log: StreamLog, partition: number, expected: number, found: string): PlatformError =>
  new PlatformError(
    'stream_gap',
    `The stream ${log.topic}/${partition} goes from offset ${expected} to ${found}: what lies between is missing.`,
    'Restore the stream from a copy that has these offsets, or read on from what is kept and count them as lost.',
  )
