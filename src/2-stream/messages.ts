/** Messages as a person looks at them: decoded, filtered, from an offset or a time on. */
import { isUtf8 } from 'node:buffer'
import { PlatformError, isPlatformError } from '../errors.ts'
import type { PartitionBounds, ReadOptions, StreamLog, StreamRecord } from './log.ts'
import { firstOffsetSince } from './seek.ts'
import type { MessageFilter, MessageQuery, Messages } from './types.ts'

/** One request looks at so many messages at the most; whoever wants more reads on from `next`. */
const MOST_SCANNED = 50_000
const CHUNK = 1_000
/** One read of the log holds about so much in memory. */
const READ_BYTES = 4 * 1024 * 1024
/** The first look back from the end, before it is known how large the messages are. */
const FIRST_BACK = 16

/** Of each message that matches only what `keep` gives is held while the others are looked at. */
export async function findMessages<T extends StreamRecord = StreamRecord>(
  log: StreamLog,
  query: MessageQuery,
  keep: (record: StreamRecord) => T = (record) => record as T,
): Promise<Messages<T>> {
  const matches = matcher(query.filter ?? {})
  const partitions = (await log.bounds()).filter(
    ({ partition }) => query.partition === undefined || partition === query.partition,
  )
  const found: Messages<T> = { messages: [], next: new Map(), scanned: 0 }
  const most = Math.max(CHUNK, Math.floor(MOST_SCANNED / Math.max(1, partitions.length)))
  const mostBytes = (query.mostBytes ?? Infinity) / Math.max(1, partitions.length)
  for (const bounds of partitions) {
    const begin = await beginOf(log, bounds, query)
    const look = { log, bounds, matches, keep, most, mostBytes, limit: query.limit }
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

interface Look<T> {
  log: StreamLog
  bounds: PartitionBounds
  matches: (record: StreamRecord) => boolean
  keep: (record: StreamRecord) => T
  most: number
  mostBytes: number
  limit: number
}

interface Found<T> {
  messages: T[]
  next: number
  scanned: number
}

/** The first that match from an offset on. */
async function onwards<T>(look: Look<T>, from: number): Promise<Found<T>> {
  const { log, bounds, matches, keep, most, mostBytes, limit } = look
  const { partition, start, end } = bounds
  const found: Found<T> = { messages: [], next: Math.max(start, from), scanned: 0 }
  let bytes = 0
  while (found.next < end && found.messages.length < limit && found.scanned < most && bytes < mostBytes) {
    const maxRecords = Math.min(CHUNK, most - found.scanned)
    const maxBytes = Math.min(READ_BYTES, mostBytes - bytes)
    const records = await readOn(log, { partition, offset: found.next, maxRecords, maxBytes })
    // Nothing from here to the end: marks of transactions, or what compaction took away.
    if (records.length === 0) found.next = end
    for (const record of records) {
      if (found.messages.length >= limit) break
      found.next = record.offset + 1
      found.scanned++
      bytes += record.value.byteLength
      if (matches(record)) found.messages.push(keep(record))
    }
    await others()
  }
  return found
}

/** The last that match, by pieces from the end backwards; each of about as many bytes as one read. */
async function lastOf<T>(look: Look<T>): Promise<Found<T>> {
  const { log, bounds, matches, keep, most, mostBytes, limit } = look
  const { partition, start, end } = bounds
  const found: Found<T> = { messages: [], next: end, scanned: 0 }
  let [bytes, back] = [0, FIRST_BACK]
  for (let upTo = end; upTo > start && found.messages.length < limit && found.scanned < most;) {
    if (bytes >= mostBytes) break
    const from = Math.max(start, upTo - back)
    const room = limit - found.messages.length
    const piece: T[] = []
    for (let offset = from; offset < upTo;) {
      const read = { partition, offset, maxRecords: Math.min(CHUNK, upTo - offset), maxBytes: READ_BYTES }
      const records = (await readOn(log, read)).filter((one) => one.offset < upTo)
      if (records.length === 0) break
      for (const record of records) {
        found.scanned++
        bytes += record.value.byteLength
        if (!matches(record)) continue
        piece.push(keep(record))
        if (piece.length > room) piece.shift()
      }
      offset = records.at(-1)!.offset + 1
      await others()
    }
    found.messages.unshift(...piece)
    upTo = from
    const fit = found.scanned === 0 ? CHUNK : Math.floor((READ_BYTES * found.scanned) / Math.max(1, bytes))
    back = Math.max(1, Math.min(fit, Math.max(CHUNK / 4, limit - found.messages.length)))
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

async function readOn(log: StreamLog, options: ReadOptions): Promise<StreamRecord[]> {
  try {
    return await log.read(options)
  } catch (error) {
    // Freed in front of us: what is left of it.
    if (!isPlatformError(error) || error.code !== 'stream_gap') throw error
    const bounds = (await log.bounds()).find((one) => one.partition === options.partition)!
    return await log.read({ ...options, offset: bounds.start })
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
export function parsePath(path: string | undefined): RegExpExecArray | null {
  const parsed = path === undefined ? null : PATH.exec(path)
  if (path !== undefined && !parsed)
    throw new PlatformError(
      'usage',
      `"${path}" is no path`,
      'Write it as $.device_id=plug-1, $.metrics.humidity_pct or $[0].status.',
    )
  return parsed
}

/** Throws `usage` where the path is none. */
function matcher({ key, text, path }: MessageFilter): (record: StreamRecord) => boolean {
  const parsed = parsePath(path)
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
