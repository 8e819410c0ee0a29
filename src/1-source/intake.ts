/**
 * From a message of a device to the stream: decoded where a decoder knows it, else raw, and durable when `take` resolves.
 * What is learned of devices on the way stays in memory; retained messages teach it again.
 */
import { isUtf8 } from 'node:buffer'
import type { Reading } from '../reading.ts'
import { isKept, type Decoded, type Outcome } from './decoders/decoder.ts'
import { decode } from './decoders/index.ts'
import { LessonBook } from './decoders/lessons.ts'
import { openZone } from './import/times.ts'
import type { Sink, StreamMessage } from './source.ts'

export interface Arrival {
  topic: string
  payload: Uint8Array
  /** Kept by a broker and sent again: state, not a reading. */
  retained: boolean
  /** Sent again, since its acknowledgement was not seen (DUP). */
  redelivered: boolean
  tenant: string
}

/** `raw`: durable, but no reading yet. The others are not in the stream, and need not be. */
export type Taken = 'stored' | 'raw' | 'state' | 'duplicate' | 'empty'

export interface Intake {
  take(arrival: Arrival): Promise<Taken>
  counts(): Readonly<Record<Taken, number>>
}

/** Bytes that are no text stand in `raw` as Bronze writes them. */
const BYTES_PREFIX = 'data:application/octet-stream;base64,'
/** Topics whose last message is remembered. */
const MOST_TOPICS = 100_000

export function createIntake(options: { sink: Sink; timeZone: string; clock?: () => number }): Intake {
  const { sink, clock = Date.now } = options
  const zone = openZone(options.timeZone)
  const lessons = new LessonBook()
  const last = new Map<string, Uint8Array>()
  const counts: Record<Taken, number> = { stored: 0, raw: 0, state: 0, duplicate: 0, empty: 0 }

  async function store(arrival: Arrival): Promise<Taken> {
    const { topic, payload, retained, tenant } = arrival
    const receivedMs = clock()
    const outcome = decode(topic, payload, { receivedMs, retained, zone, lessons })
    if (!isKept(outcome) && outcome.lessons) lessons.learn(outcome.lessons)
    if (retained) return 'state'
    if (isKept(outcome) && outcome.why === 'empty') return 'empty'
    const key = JSON.stringify([tenant, topic])
    const before = last.get(key)
    // Only what has no time of its own would count twice: with one, Silver knows it again by its identity.
    if (
      arrival.redelivered &&
      !hasOwnTime(outcome) &&
      before !== undefined &&
      Buffer.from(before).equals(payload)
    )
      return 'duplicate'
    const isRaw = isKept(outcome) || outcome.readings.length === 0
    await sink.append(isRaw ? [rawMessage(arrival, outcome, receivedMs)] : messagesOf(outcome, tenant))
    last.delete(key)
    last.set(key, Uint8Array.from(payload))
    if (last.size > MOST_TOPICS) last.delete(last.keys().next().value!)
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

function hasOwnTime(outcome: Outcome): boolean {
  return !isKept(outcome) && (outcome.clock?.rule === 'message' || outcome.clock?.rule === 'other_zone')
}

/** The readings of one device are one message; those of several are appended together, all or none. */
function messagesOf({ readings }: Decoded, tenant: string): StreamMessage[] {
  const byDevice = Map.groupBy(readings, ({ device_id }) => device_id)
  return Array.from(byDevice, ([key, own]) => {
    const homed: Reading[] = own.map((reading) => ({ ...reading, tenant_id: tenant }))
    return { key, value: Buffer.from(JSON.stringify(homed.length === 1 ? homed[0] : homed)) }
  })
}

/** What no decoder reads, as it came: Bronze keeps it, and Silver's quarantine shows it, since it names no device. */
function rawMessage(
  { topic, payload, tenant }: Arrival,
  outcome: Outcome,
  receivedMs: number,
): StreamMessage {
  const text = isUtf8(payload) ? Buffer.from(payload).toString('utf8') : undefined
  const isPlain = text !== undefined && !text.startsWith(BYTES_PREFIX)
  const message = {
    tenant_id: tenant,
    timestamp: new Date(receivedMs).toISOString(),
    protocol: outcome.protocol ?? 'unknown',
    source_topic: topic,
    raw: isPlain ? text : BYTES_PREFIX + Buffer.from(payload).toString('base64'),
  }
  return { key: null, value: Buffer.from(JSON.stringify(message)) }
}
