/**
 * Mutated messages of every protocol: whatever comes, a decoder answers, in bounded time, with whole readings or a reason. More of them with
 * `npm run soak -- decoders`.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { isKept } from '../../../src/1-source/decoders/decoder.ts'
import { decode } from '../../../src/1-source/decoders/index.ts'
import { LessonBook } from '../../../src/1-source/decoders/lessons.ts'
import { openZone } from '../../../src/1-source/import/times.ts'
import { checkReading } from './reading-shape.ts'

interface Seed {
  topic: string
  payload?: unknown
}

const root = join(dirname(fileURLToPath(import.meta.url)), 'golden')
const seeds = readdirSync(root)
  .flatMap(
    (name) =>
      (JSON.parse(readFileSync(join(root, name, 'given.json'), 'utf8')) as { messages: Seed[] }).messages,
  )
  .filter(({ payload }) => payload !== undefined)

/** What devices send where a number or a text was expected. */
const ODD: readonly unknown[] = [
  null,
  true,
  '',
  'nan',
  'unavailable',
  '1e999',
  -0,
  1e308,
  2147483647,
  -8000,
  127.99,
  [],
  [1, 'x', null],
  {},
  { a: { a: { a: 1 } } },
  '\uD800',
  '__proto__',
  'x'.repeat(300),
  [[[[[[1]]]]]],
]

/** A value of a message, one of its members replaced, removed or doubled. */
function mutate(value: unknown, pick: () => number): unknown {
  if (pick() % 4 === 0) return ODD[pick() % ODD.length]
  if (Array.isArray(value)) return value.map((one) => (pick() % 3 === 0 ? mutate(one, pick) : one))
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(() => pick() % 8 !== 0)
    const odd = pick() % 10 === 0 ? [['constructor', pick()] as const] : []
    return Object.fromEntries([
      ...entries.map(([key, one]) => [key, pick() % 3 === 0 ? mutate(one, pick) : one] as const),
      ...odd,
    ])
  }
  return value
}

function bytesOf(payload: unknown, cut: number, flip: number): Uint8Array {
  const bytes = Buffer.from(typeof payload === 'string' ? payload : (JSON.stringify(payload) ?? ''))
  const part = cut % 5 === 0 ? bytes.subarray(0, cut % (bytes.length + 1)) : bytes
  if (flip % 7 === 0 && part.length > 0) part[flip % part.length] = flip & 0xff
  return part
}

/** Of this thread: on a machine that has much else to do, the clock says little. */
const computingMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

const runs = process.env.SOAK === undefined ? 3_000 : 1_000_000

test('mutated messages of every protocol: whole readings or a reason, in bounded time', (t) => {
  /** Of each protocol; `kept`: raw, with a reason. */
  const count = new Map<string, number>()
  let slowestMs = 0
  const zone = openZone('Europe/Berlin')
  const lessons = new LessonBook(10_000)
  const message = fc.tuple(
    fc.nat(seeds.length - 1),
    fc.array(fc.nat(1_000_000), { minLength: 40, maxLength: 40 }),
    fc.boolean(),
  )
  fc.assert(
    fc.property(message, ([index, numbers, retained]) => {
      let at = 0
      const pick = (): number => numbers[at++ % numbers.length]!
      const { topic, payload } = seeds[index]!
      const levels = topic.split('/')
      if (pick() % 6 === 0)
        levels.splice(pick() % levels.length, pick() % 2, String(ODD[pick() % ODD.length]))
      const bytes = bytesOf(mutate(payload, pick), pick(), pick())
      const start = computingMs()
      const outcome = decode(levels.join('/'), bytes, {
        receivedMs: Date.UTC(2024, 0, 15),
        zone,
        lessons,
        retained,
        ...(pick() % 2 === 0 && { device: 'polled' }),
      })
      const ms = computingMs() - start
      slowestMs = Math.max(slowestMs, ms)
      assert.ok(ms < 1000, 'bounded time')
      const protocol = isKept(outcome) ? 'kept' : (outcome.readings[0]?.protocol ?? 'no reading')
      count.set(protocol, (count.get(protocol) ?? 0) + 1)
      assert.ok(!isKept(outcome) || outcome.why !== 'decoder_failed', `${topic} failed`)
      if (isKept(outcome)) return
      if (outcome.lessons) lessons.learn(JSON.parse(JSON.stringify(outcome.lessons)))
      for (const reading of [...outcome.readings, ...(outcome.state ?? [])]) checkReading(reading, topic)
    }),
    { numRuns: runs },
  )
  const times = [...count].toSorted(([, a], [, b]) => b - a).map(([protocol, n]) => `${n} ${protocol}`)
  t.diagnostic(`${runs} messages, the slowest ${slowestMs.toFixed(1)} ms: ${times.join(', ')}`)
})

test('deep, long and hostile payloads of every protocol are answered in bounded time', () => {
  const zone = openZone('UTC')
  const hostile = [
    Buffer.from('['.repeat(100_000)),
    Buffer.from(`{"a":${'['.repeat(4000)}1${']'.repeat(4000)}}`),
    Buffer.from(`"${'a'.repeat(200_000)}`),
    Buffer.from('{"power":nan,'.repeat(20_000)),
    Buffer.from([0xfe, 0xff, 0x00, 0x31]),
    Buffer.from('9'.repeat(100_000)),
  ]
  for (const topic of new Set(seeds.map((seed) => seed.topic)))
    for (const payload of hostile) {
      const start = performance.now()
      const outcome = decode(topic, payload, {
        receivedMs: Date.UTC(2024, 0, 15),
        zone,
        lessons: new LessonBook(),
        device: 'polled',
      })
      assert.ok(performance.now() - start < 2000, `${topic}: ${performance.now() - start} ms`)
      assert.ok(!isKept(outcome) || outcome.why !== 'decoder_failed', `${topic} failed`)
      if (!isKept(outcome)) for (const reading of outcome.readings) checkReading(reading, topic)
    }
})

test('a message of a thousand numbers is a reading of five hundred, and of no more', () => {
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`number${n}`, n]))
  const outcome = decode('zigbee2mqtt/many', Buffer.from(JSON.stringify(many)), {
    receivedMs: Date.UTC(2024, 0, 15),
    zone: openZone('UTC'),
    lessons: new LessonBook(),
  })
  assert.ok(!isKept(outcome))
  const metrics = Object.keys(outcome.readings[0]!.metrics!)
  assert.equal(metrics.length, 500)
  assert.equal(metrics.at(-1), 'number499')
})
