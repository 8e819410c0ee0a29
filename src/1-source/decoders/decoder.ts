/**
 * The port of the decoders: from one message of a device to readings of the contract. A decoder is pure: what it knows
 * besides the message stands in the context, and what it learns it hands back. It never throws, whatever was sent, and its
 * work is bounded by the size of the message.
 */
import type { Reading } from '../../reading.ts'
import type { Zone } from '../import/times.ts'
import type { Mapping, MappingProposal } from './mapping.ts'
import type { Message } from './message.ts'

/** What is known when a message arrives. */
export interface Context {
  /** When it arrived, ms since 1970, with microseconds as fraction: the event time of what has no plausible time of its own. */
  receivedMs: number
  /** Whether the broker kept it and sent it again: then it is state, not a reading. */
  retained?: boolean
  /** Whose clock times without a zone are (`openZone` of `import/times.ts`). */
  zone: Zone
  /** The device, where the sender is known and its message need not name it: a polled address. */
  device?: string
  /** What earlier messages taught. */
  lessons: Lessons
  /** What the configuration says of topics that no decoder knows, in its order. */
  mappings?: readonly Mapping[]
}

/** One thing learned: JSON, so that it can be kept. It replaces what was learned under the key before. */
export interface Lesson {
  key: string
  value: unknown
}

export interface Lessons {
  get(key: string): unknown
}

/** What a message says of a device; only what it says. */
export interface DeviceFact {
  device_id: string
  protocol: string
  name?: string
  device_type?: string
  manufacturer?: string
  model?: string
  location?: string
  parent_device_id?: string
  /** Other names under which the same device is known: an address, an id of another protocol. */
  aliases?: readonly string[]
  /** Metric or field → unit as the device itself names it. */
  units?: Readonly<Record<string, string>>
  expected_interval_s?: number
}

export interface Presence {
  device_id: string
  status: 'online' | 'offline'
}

/** Where the event time came from, and by which rule a time in the message was not taken as it stands. */
export type TimeRule =
  /** The message's own time. */
  | 'message'
  /** It has none: the arrival. */
  | 'arrival'
  /** Before 2000, as of a clock that was never set: the arrival. */
  | 'clock_not_set'
  /** More than ten minutes ahead of the arrival: the arrival. */
  | 'ahead'
  /** A clock time without a zone that was no time of the house's zone, but fits the arrival in another: moved by quarter-hours. */
  | 'other_zone'
  /** No time at all by its form: the arrival. */
  | 'unreadable'

/** The clock of one device, as one message shows it. */
export interface Clock {
  device_id: string
  rule: TimeRule
  /** The message's own time minus its arrival, ms; absent where it has none that can be read. */
  offset_ms?: number
}

export interface Decoded {
  protocol: string
  readings: Reading[]
  /** What a retained message says: it was true when it was sent, and is nothing new. */
  state?: Reading[]
  devices?: DeviceFact[]
  presence?: Presence[]
  lessons?: Lesson[]
  clock?: Clock
  /** What was passed over: `not_a_number:2`, `sentinel:power_usage`. */
  faults?: string[]
}

export type WhyKept =
  /** Nothing in it: the usual way of clearing what was retained. */
  | 'empty'
  /** Larger than anything a device sends. */
  | 'too_large'
  /** Bytes that are no UTF-8. */
  | 'not_text'
  /** Begins like JSON and is none: cut off, or two messages in one. */
  | 'broken_json'
  /** A message of a known protocol that measures nothing: an answer, a log line, a command. */
  | 'no_telemetry'
  /** A known protocol, but the device cannot be told. */
  | 'no_device'
  /** `unknown`, `unavailable`, `nan`: the device has no value. */
  | 'no_value'
  /** A fault of a decoder: the message is whole and can be decoded when that is mended. */
  | 'decoder_failed'
  /** No decoder knows it. */
  | 'unknown'

/** The message stays as it is: it lands raw. */
export interface Kept {
  why: WhyKept
  /** The protocol, where it is known. */
  protocol?: string
  /** How it could be understood, for the configuration; a person decides. */
  proposal?: MappingProposal
}

export type Outcome = Decoded | Kept

export function isKept(outcome: Outcome): outcome is Kept {
  return 'why' in outcome
}

/** One protocol. `undefined`: not a message of this protocol. */
export interface Decoder {
  readonly protocol: string
  /** Whether what comes under this topic may be of the protocol, by the topic alone, which is remembered; absent: all may. */
  readonly mayRead?: (topic: string, levels: readonly string[]) => boolean
  decode(message: Message, context: Context): Outcome | undefined
}
