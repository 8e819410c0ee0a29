/**
 * From a message of a device to the stream: decoded where a decoder knows it, else raw, and durable when `take` resolves.
 * What it teaches of devices stands in the registry.
 */
import { createHash } from 'node:crypto'
import { isUtf8 } from 'node:buffer'
import { isPlatformError } from '../errors.ts'
import type { Reading } from '../reading.ts'
import { isKept, type Context, type Decoded, type Outcome } from './decoders/decoder.ts'
import { decode } from './decoders/index.ts'
import type { Mapping } from './decoders/mapping.ts'
import { openZone } from './import/times.ts'
import type { Registry } from './registry/registry.ts'
import { strictlyLater } from './arrivals.ts'
import type { ReadableSink, Sink, StreamMessage } from './source.ts'

export interface Arrival {
  topic: string
  payload: Uint8Array
  /** Kept by a broker and sent again: state, not a reading. */
  retained: boolean
  /** Sent again, since its acknowledgement was not seen (DUP). */
  redelivered: boolean
  tenant: string
  /** The device, where its message need not name it: an address that is polled. */
  device?: string
}

/** `raw`: durable, but no reading yet. `state`: what a broker kept; durable too, but never a reading. The others need not be. */
export type Taken = 'stored' | 'raw' | 'state' | 'duplicate' | 'empty'

export interface Intake {
  take(arrival: Arrival): Promise<Taken>
  counts(): Readonly<Record<Taken, number>>
}

export interface IntakeOptions {
  sink: Sink
  registry: Registry
  timeZone: string
  mappings: readonly Mapping[]
  clock?: () => number
}

/** `event_id` of a raw message that a broker had kept. */
export const RETAINED_EVENT = 'retained'
/** Bytes that are no text stand in `raw` as Bronze writes them. */
const BYTES_PREFIX = 'data:application/octet-stream;base64,'
/** Topics whose last message is remembered. */
const MOST_TOPICS = 100_000
/** So many of the stream's newest messages tell, after a restart, what was the last of each topic. */
const RECALLED = 20_000

export function createIntake(options: IntakeOptions): Intake {
  const { sink, registry, mappings, clock = Date.now } = options
  const zone = openZone(options.timeZone)
  const last = new LastOfTopic()
  const counts: Record<Taken, number> = { stored: 0, raw: 0, state: 0, duplicate: 0, empty: 0 }
  const recalled = isReadable(sink) ? recall(sink, last) : Promise.resolve()
  // Whoever takes a message first waits for it, and hears of its failure.
  recalled.catch(() => undefined)

  const arrivals = strictlyLater(clock)

  async function store(arrival: Arrival): Promise<Taken> {
    await recalled
    const { topic, payload, retained, tenant, device } = arrival
    const arrivedMs = arrivals()
    const receivedMs = Math.floor(arrivedMs)
    const context: Context = {
      receivedMs: arrivedMs,
      retained,
      zone,
      lessons: registry.lessons,
      mappings,
      ...(device !== undefined && { device }),
    }
    const outcome = decode(topic, payload, context)
    if (isKept(outcome) && outcome.why === 'empty') return 'empty'
    const key = JSON.stringify([tenant, topic])
    const digest = digestOf(textOf(payload))
    const noted = { tenant, topic, payload, receivedMs, outcome }
    if (retained) {
      if (last.get(key) === digest || !registry.isNewState(tenant, topic, digest)) return 'state'
      await sink.append([rawMessage(arrival, outcome, receivedMs)])
      registry.note(noted)
      registry.stateStored(tenant, topic, digest)
      return 'state'
    }
    // Only what has no time of its own would count twice: with one, Silver knows it again by its identity.
    if (arrival.redelivered && !hasOwnTime(outcome) && last.get(key) === digest) return 'duplicate'
    const isRaw = isKept(outcome) || outcome.readings.length === 0
    await sink.append(isRaw ? [rawMessage(arrival, outcome, receivedMs)] : messagesOf(outcome, { tenant }))
    registry.note(noted)
    last.set(key, digest)
    return isRaw ? 'raw' : 'stored'
  }

  return {
    async take(arrival) {
      const taken = await store(arrival)
      counts[taken] += 1
      return taken
    },
    counts: () => counts,
  }
}

/** Digest of the newest stored message of each topic. */
class LastOfTopic {
  readonly #digests = new Map<string, string>()

  get(key: string): string | undefined {
    return this.#digests.get(key)
  }

  set(key: string, digest: string): void {
    this.#digests.delete(key)
    this.#digests.set(key, digest)
    if (this.#digests.size > MOST_TOPICS) this.#digests.delete(this.#digests.keys().next().value!)
  }
}

const digestOf = (text: string): string => createHash('sha1').update(text).digest('base64')

/** As it stands in `raw`: decoded messages without the space around them. */
function textOf(payload: Uint8Array): string {
  const text = isUtf8(payload) ? Buffer.from(payload).toString('utf8') : undefined
  const isPlain = text !== undefined && !text.startsWith(BYTES_PREFIX)
  return isPlain ? text.trim() : BYTES_PREFIX + Buffer.from(payload).toString('base64')
}

/** The bytes of a message from its text in `raw`. */
export function payloadOf(raw: string): Uint8Array {
  return Buffer.from(
    raw.startsWith(BYTES_PREFIX) ? raw.slice(BYTES_PREFIX.length) : raw,
    raw.startsWith(BYTES_PREFIX) ? 'base64' : 'utf8',
  )
}

const isReadable = (sink: Sink): sink is ReadableSink => 'read' in sink && 'bounds' in sink

/** A broker sends again what it saw no acknowledgement of, also to a platform that was killed after it had stored it. */
async function recall(log: ReadableSink, last: LastOfTopic): Promise<void> {
  for (const { partition, start, end } of await log.bounds()) {
    let offset = Math.max(start, end - RECALLED)
    while (offset < end) {
      const records = await log
        .read({ partition, offset, maxRecords: 5_000, maxBytes: 16 * 1024 * 1024 })
        .catch((error: unknown) => {
          // Trimmed meanwhile: too old to be sent again.
          if (isPlatformError(error) && error.code === 'stream_gap') return []
          throw error
        })
      if (records.length === 0) break
      for (const { value } of records) recallOne(value, last)
      offset = records.at(-1)!.offset + 1
    }
  }
}

function recallOne(value: Uint8Array, last: LastOfTopic): void {
  const text = Buffer.from(value).toString('utf8')
  if (!text.includes('"source_topic"')) return
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return
  }
  const { tenant_id, source_topic, raw } = (Array.isArray(message) ? message[0] : message) as Reading
  if (typeof source_topic === 'string' && typeof raw === 'string')
    last.set(JSON.stringify([tenant_id, source_topic]), digestOf(raw.trim()))
}

function hasOwnTime(outcome: Outcome): boolean {
  return !isKept(outcome) && (outcome.clock?.rule === 'message' || outcome.clock?.rule === 'other_zone')
}

/** The readings of one device are one message; those of several are appended together, all or none. */
export function messagesOf(
  { readings }: Decoded,
  { tenant, kind }: { tenant: string; kind?: 'backfill' },
): StreamMessage[] {
  const byDevice = Map.groupBy(readings, ({ device_id }) => device_id)
  return Array.from(byDevice, ([key, own]) => {
    const homed: Reading[] = own.map((reading) => ({
      ...reading,
      tenant_id: tenant,
      ...(kind && { ingest_kind: kind }),
    }))
    return { key, value: Buffer.from(JSON.stringify(homed.length === 1 ? homed[0] : homed)) }
  })
}

/** What no decoder reads, as it came: Bronze keeps it, and Silver's quarantine shows it, since it names no device. */
function rawMessage(
  { topic, payload, tenant, retained }: Arrival,
  outcome: Outcome,
  receivedMs: number,
): StreamMessage {
  const message = {
    tenant_id: tenant,
    timestamp: new Date(receivedMs).toISOString(),
    ...(retained && { event_id: RETAINED_EVENT }),
    protocol: outcome.protocol ?? 'unknown',
    source_topic: topic,
    raw: textOf(payload),
  }
  return { key: null, value: Buffer.from(JSON.stringify(message)) }
}
