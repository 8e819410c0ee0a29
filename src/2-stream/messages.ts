/** Messages as a person looks at them: decoded, filtered, from an offset or a time on. */
import { isUtf8 } from 'node:buffer'
import { PlatformError, isPlatformError } from '../errors.ts'
import type { PartitionBounds, StreamLog, StreamRecord } from './log.ts'
import { firstOffsetSince } from './seek.ts'
import type { MessageFilter, MessageQuery, Messages } from './types.ts'

/** One request looks at so many messages at the most; whoever wants more reads on from `next`. */
const MOST_SCANNED = 50_000
const CHUNK = 1_000

export async function findMessages(log: StreamLog, query: MessageQuery): Promise<Messages> {
  const matches = matcher(query.filter ?? {})
  const partitions = (await log.bounds()).filter(
    ({ partition }) => query.partition === undefined || partition === query.partition,
  )
  const found: Messages = { messages: [], next: new Map(), scanned: 0 }
  const most = Math.max(CHUNK, Math.floor(MOST_SCANNED / Math.max(1, partitions.length)))
  for (const bounds of partitions) {
    const begin = await beginOf(log, bounds, query)
    const look = { log, bounds, matches, most, limit: query.limit }
    const own = begin === 'last' ? await lastOf(look) : await onwards(look, begin)
    found.messages.push(...own.messages)
    found.next.set(bounds.partition, own.next)
    found.scanned += own.scanned
  }
  found.messages.sort(
    (a, b) => a.ingestionTimeUs - b.ingestionTimeUs || a.partition - b.partition || a.offset - b.offset,
  )
  return found
}

interface Look {
  log: StreamLog
  bounds: PartitionBounds
  matches: (record: StreamRecord) => boolean
  most: number
  limit: number
}

interface Found {
  messages: StreamRecord[]
  next: number
  scanned: number
}

/** The first that match from an offset on. */
async function onwards({ log, bounds, matches, most, limit }: Look, from: number): Promise<Found> {
  const { partition, start, end } = bounds
  const found: Found = { messages: [], next: Math.max(start, from), scanned: 0 }
  while (found.next < end && found.messages.length < limit && found.scanned < most) {
    const records = await readOn(log, partition, found.next, Math.min(CHUNK, most - found.scanned))
    // Nothing from here to the end: marks of transactions, or what compaction took away.
    if (records.length === 0) found.next = end
    for (const record of records) {
      if (found.messages.length >= limit) break
      found.next = record.offset + 1
      found.scanned++
      if (matches(record)) found.messages.push(record)
    }
    await others()
  }
  return found
}

/** The last that match, by pieces from the end backwards. */
async function lastOf({ log, bounds, matches, most, limit }: Look): Promise<Found> {
  const { partition, start, end } = bounds
  const found: Found = { messages: [], next: end, scanned: 0 }
  for (let upTo = end; upTo > start && found.messages.length < limit && found.scanned < most;) {
    const from = Math.max(start, upTo - Math.max(CHUNK / 4, limit - found.messages.length))
    const piece: StreamRecord[] = []
    for (let offset = from; offset < upTo;) {
      const records = (await readOn(log, partition, offset, CHUNK)).filter((one) => one.offset < upTo)
      if (records.length === 0) break
      piece.push(...records)
      offset = records.at(-1)!.offset + 1
      await others()
    }
    found.scanned += piece.length
    const room = limit - found.messages.length
    found.messages.unshift(...piece.filter(matches).slice(-room))
    upTo = from
  }
  return found
}

/** A long look does not keep the process from its other work. */
const others = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function beginOf(
  log: StreamLog,
  bounds: PartitionBounds,
  query: MessageQuery,
): Promise<number | 'last'> {
  if (query.from) return query.from.get(bounds.partition) ?? bounds.end
  if (query.offset !== undefined) return query.offset
  if (query.sinceMs !== undefined) return await firstOffsetSince(log, bounds, query.sinceMs * 1000)
  return 'last'
}

async function readOn(
  log: StreamLog,
  partition: number,
  offset: number,
  maxRecords: number,
): Promise<StreamRecord[]> {
  try {
    return await log.read({ partition, offset, maxRecords })
  } catch (error) {
    // Freed in front of us: what is left of it.
    if (!isPlatformError(error) || error.code !== 'stream_gap') throw error
    const bounds = (await log.bounds()).find((one) => one.partition === partition)!
    return await log.read({ partition, offset: bounds.start, maxRecords })
  }
}

/** The text of a value; null where the bytes are none. */
export function textOf({ value }: Pick<StreamRecord, 'value'>): string | null {
  return isUtf8(value) ? Buffer.from(value).toString() : null
}

/** The value as JSON, also behind the prefix of a schema registry; undefined where it is none. */
export function decodedOf({ value }: StreamRecord): unknown {
  const body = value[0] === 0 && value.length > 5 ? value.subarray(5) : value
  try {
    return JSON.parse(Buffer.from(body).toString()) as unknown
  } catch {
    return undefined
  }
}

const PATH = /^\$((?:\.[^.[\]=]+|\[\d+\])*)(?:=(.*))?$/s

/** Throws `usage` where the path is none. */
function matcher({ key, text, path }: MessageFilter): (record: StreamRecord) => boolean {
  const parsed = path === undefined ? null : PATH.exec(path)
  if (path !== undefined && !parsed)
    throw new PlatformError(
      'usage',
      `"${path}" is no path`,
      'Write it as $.device_id=plug-1, $.metrics.humidity_pct or $[0].status.',
    )
  const steps = parsed?.[1]?.match(/[^.[\]]+/g) ?? []
  const wanted = parsed?.[2]
  return (record) => {
    if (key !== undefined && record.key !== key) return false
    if (text !== undefined && !textsOf(record).some((one) => one.includes(text))) return false
    if (!parsed) return true
    const value = steps.reduce<unknown>(
      (at, step) =>
        typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[step] : undefined,
      decodedOf(record),
    )
    if (wanted === undefined) return value !== undefined
    return value === wanted || JSON.stringify(value) === wanted
  }
}

const textsOf = (record: StreamRecord): string[] => [
  record.key ?? '',
  Buffer.from(record.value).toString(),
  ...Object.entries(record.headers ?? {}).flat(),
]
