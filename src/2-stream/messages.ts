/** Messages as a person looks at them: decoded, filtered, from an offset or a time on. */
import { isUtf8 } from 'node:buffer'
import { PlatformError, isPlatformError } from '../errors.ts'
import type { PartitionBounds, StreamLog, StreamRecord } from './log.ts'
import { firstOffsetSince } from './seek.ts'

export interface MessageQuery {
  /** Absent: all partitions. */
  partition?: number
  /** Where to begin: per partition, or one offset, or a time; absent: with the last messages. */
  from?: ReadonlyMap<number, number>
  offset?: number
  sinceMs?: number
  limit: number
  filter?: MessageFilter
}

export interface MessageFilter {
  key?: string
  /** Somewhere in the key, the value's text or a header. */
  text?: string
  /** A path such as `$.metrics.humidity_pct`, alone (it is there) or with a value: `$.device_id=plug-1`. */
  path?: string
}

export interface Messages {
  messages: StreamRecord[]
  /** Per partition: where to read on, for a live view or the next page. */
  next: Map<number, number>
  /** How many were looked at for that. */
  scanned: number
}

/** One request looks at so many messages at the most; whoever wants more reads on from `next`. */
const MOST_SCANNED = 50_000
const CHUNK = 1_000

export async function findMessages(log: StreamLog, query: MessageQuery): Promise<Messages> {
  const matches = matcher(query.filter ?? {})
  const partitions = (await log.bounds()).filter(
    ({ partition }) => query.partition === undefined || partition === query.partition,
  )
  const found: Messages = { messages: [], next: new Map(), scanned: 0 }
  const each = Math.max(CHUNK, Math.floor(MOST_SCANNED / Math.max(1, partitions.length)))
  for (const bounds of partitions) {
    const { partition, start, end } = bounds
    let offset = Math.max(start, await beginOf(log, bounds, query))
    const own: StreamRecord[] = []
    for (let looked = 0; offset < end && own.length < query.limit && looked < each;) {
      const records = await readOn(log, partition, offset, Math.min(CHUNK, each - looked))
      if (records.length === 0) {
        offset = end
        break
      }
      for (const record of records) {
        looked++
        offset = record.offset + 1
        if (matches(record)) own.push(record)
        if (own.length >= query.limit) break
      }
      found.scanned += records.length
    }
    found.messages.push(...own)
    found.next.set(partition, offset)
  }
  found.messages.sort(
    (a, b) => a.ingestionTimeUs - b.ingestionTimeUs || a.partition - b.partition || a.offset - b.offset,
  )
  return found
}

async function beginOf(log: StreamLog, bounds: PartitionBounds, query: MessageQuery): Promise<number> {
  if (query.from) return query.from.get(bounds.partition) ?? bounds.end
  if (query.offset !== undefined) return query.offset
  if (query.sinceMs !== undefined) return await firstOffsetSince(log, bounds, query.sinceMs * 1000)
  // With a filter the last messages that match may lie far back; without one these are exactly the last.
  return query.filter && Object.keys(query.filter).length > 0
    ? bounds.end - MOST_SCANNED
    : bounds.end - query.limit
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
export function textOf({ value }: StreamRecord): string | null {
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
