/**
 * How fast messages are decoded, by protocol: those of the golden folders, and where the collection of real messages lies beside the
 * project, those, with how many say something and how many are kept raw. Wrong is judged by the golden folders (`npm test -- decoders`).
 * The limit beside it is to read the bytes as text and parse the JSON, of the same messages. CPU time of this process.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isKept, type Context } from '../src/1-source/decoders/decoder.ts'
import { decode } from '../src/1-source/decoders/index.ts'
import { LessonBook } from '../src/1-source/decoders/lessons.ts'
import { openZone } from '../src/1-source/import/times.ts'

const GOAL = 200_000
const SECONDS = 0.4

interface Sample {
  topic: string
  payload: Buffer
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const golden = join(root, 'test', '1-source', 'decoders', 'golden')
const corpus = join(root, '..', 'shared', 'data', 'payloads', 'corpus_dev.jsonl')

function bytesOf(payload: unknown): Buffer {
  return Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
}

function samples(): Map<string, Sample[]> {
  const found = new Map<string, Sample[]>()
  const add = (name: string, topic: string, payload: unknown): void => {
    if (payload === undefined) return
    found.set(name, [...(found.get(name) ?? []), { topic, payload: bytesOf(payload) }])
  }
  for (const name of readdirSync(golden)) {
    const given = readFileSync(join(golden, name, 'given.json'), 'utf8')
    const { messages } = JSON.parse(given) as { messages: { topic: string; payload?: unknown }[] }
    for (const { topic, payload } of messages) add(`golden/${name}`, topic, payload)
  }
  if (existsSync(corpus))
    for (const line of readFileSync(corpus, 'utf8').split('\n').filter(Boolean)) {
      const { protocol, topic, payload } = JSON.parse(line) as {
        protocol: string
        topic: string
        payload: unknown
      }
      add(protocol, topic, payload)
      add('all real messages', topic, payload)
    }
  else console.log('The collection of real messages is not beside the project: golden folders only.')
  return found
}

/** Calls a second of CPU. */
function rate(list: readonly Sample[], call: (sample: Sample) => void): number {
  let calls = 0
  const pass = (): void => {
    for (const sample of list) call(sample)
    calls += list.length
  }
  for (const end = performance.now() + 150; performance.now() < end;) pass()
  calls = 0
  const cpu = process.cpuUsage()
  for (const end = performance.now() + SECONDS * 1000; performance.now() < end;) pass()
  const { user, system } = process.cpuUsage(cpu)
  return (calls / (user + system)) * 1e6
}

const zone = openZone('Europe/Berlin')
const rows = []
for (const [name, list] of samples()) {
  const context: Context = {
    receivedMs: Date.UTC(2024, 0, 15),
    zone,
    lessons: new LessonBook(),
    device: 'polled',
  }
  const kept = list.filter(({ topic, payload }) => isKept(decode(topic, payload, context))).length
  const decoded = rate(list, ({ topic, payload }) => {
    // A hundred messages a millisecond.
    context.receivedMs += 0.01
    decode(topic, payload, { ...context, receivedMs: Math.floor(context.receivedMs) })
  })
  const parsed = rate(list, ({ payload }) => {
    const text = payload.toString('utf8')
    if (text[0] === '{' || text[0] === '[')
      try {
        JSON.parse(text)
      } catch {
        // Broken on purpose.
      }
  })
  const bytes = list.reduce((sum, { payload }) => sum + payload.length, 0)
  rows.push({
    what: name,
    messages: list.length,
    'bytes a message': Math.round(bytes / list.length),
    decoded: list.length - kept,
    'kept raw': kept,
    'decodes/s': Math.round(decoded),
    'limit: text and JSON/s': Math.round(parsed),
    ratio: Number((decoded / parsed).toFixed(2)),
    goal: decoded >= GOAL ? 'met' : `${GOAL} not met`,
  })
}
console.table(rows)
