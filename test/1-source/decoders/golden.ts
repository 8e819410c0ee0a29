/**
 * Golden folders: `given.json` holds messages in the order in which they come, `expect.json` what each of them says, as a person
 * works it out from the protocol's documentation; `why.md` has the arithmetic.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isKept, type Outcome } from '../../../src/1-source/decoders/decoder.ts'
import { decode } from '../../../src/1-source/decoders/index.ts'
import { LessonBook } from '../../../src/1-source/decoders/lessons.ts'
import type { Mapping } from '../../../src/1-source/decoders/mapping.ts'
import { openZone } from '../../../src/1-source/import/times.ts'
import type { Reading } from '../../../src/reading.ts'

interface Given {
  zone?: string
  mappings?: Mapping[]
  messages: GivenMessage[]
}

interface GivenMessage {
  topic: string
  /** A text, or JSON that is sent as such. */
  payload?: unknown
  hex?: string
  /** A payload too long for a file: this text so often. */
  repeat?: [text: string, times: number]
  /** So many letters stand where the payload says `@pad@`. */
  pad?: number
  received?: string
  retained?: boolean
  device?: string
}

const root = join(dirname(fileURLToPath(import.meta.url)), 'golden')

function payloadOf(message: GivenMessage): Uint8Array {
  if (message.hex !== undefined) return Buffer.from(message.hex, 'hex')
  if (message.repeat) return Buffer.from(message.repeat[0].repeat(message.repeat[1]))
  const { payload } = message
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  return Buffer.from(message.pad === undefined ? text : text.replace('@pad@', 'x'.repeat(message.pad)))
}

/** What every decoded message has is checked here and left out of the files: its topic, the protocol, its raw text. */
function asWritten(outcome: Outcome, message: GivenMessage): unknown {
  if (isKept(outcome)) return outcome
  const bare = (readings: Reading[]): unknown[] =>
    readings.map(({ raw, source_topic, protocol, ...rest }, index) => {
      assert.equal(source_topic, message.topic)
      assert.equal(protocol, outcome.protocol)
      if (index === 0) assert.equal(raw, Buffer.from(payloadOf(message)).toString('utf8').trim())
      else assert.equal(raw, undefined)
      return rest
    })
  const { lessons: _, readings, state, clock, ...rest } = outcome
  return JSON.parse(
    JSON.stringify({
      ...rest,
      ...(readings.length > 0 && { readings: bare(readings) }),
      ...(state && { state: bare(state) }),
      ...(clock && clock.rule !== 'arrival' && { clock: { rule: clock.rule, offset_ms: clock.offset_ms } }),
    }),
  )
}

export function goldenNames(): string[] {
  return readdirSync(root).toSorted()
}

/** One message of a golden folder: what came, what it says, and what it must say. */
export interface GoldenAnswer {
  topic: string
  payload: Uint8Array
  outcome: Outcome
  actual: unknown
  expected: unknown
}

export function readGolden(name: string): GoldenAnswer[] {
  const read = (file: string): unknown => JSON.parse(readFileSync(join(root, name, file), 'utf8'))
  const given = read('given.json') as Given
  const expected = read('expect.json') as unknown[]
  assert.equal(given.messages.length, expected.length, `${name}: one answer for each message`)
  const lessons = new LessonBook()
  const zone = openZone(given.zone ?? 'UTC')
  return given.messages.map((message, n) => {
    const payload = payloadOf(message)
    const outcome = decode(message.topic, payload, {
      receivedMs: Date.parse(message.received ?? '2024-01-15T10:30:00Z'),
      zone,
      lessons,
      ...(message.retained !== undefined && { retained: message.retained }),
      ...(message.device !== undefined && { device: message.device }),
      ...(given.mappings && { mappings: given.mappings }),
    })
    if (!isKept(outcome) && outcome.lessons) lessons.learn(outcome.lessons)
    return {
      topic: message.topic,
      payload,
      outcome,
      actual: asWritten(outcome, message),
      expected: expected[n],
    }
  })
}
