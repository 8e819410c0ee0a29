/**
 * How fast and how rightly messages are decoded, by protocol: those of the golden folders, and where the collection of real messages
 * lies beside the project, those. Wrong: of the messages whose answer is known by itself (the golden folders' `expect.json`; of real
 * messages what `claims.ts` reads off them) those that say something else. The limit is to read the bytes as text and parse the JSON
 * of the same messages. CPU time of this process, once its code is compiled.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { isKept, type Context, type Outcome } from '../src/1-source/decoders/decoder.ts'
import { decode } from '../src/1-source/decoders/index.ts'
import { LessonBook } from '../src/1-source/decoders/lessons.ts'
import { openZone } from '../src/1-source/import/times.ts'
import { claimsOf, unmet } from '../test/1-source/decoders/claims.ts'
import { goldenNames, readGolden } from '../test/1-source/decoders/golden.ts'
import { printRows } from './rows.ts'

const GOAL = 200_000
const WARM_MS = 250
const SECONDS = 0.3

interface Sample {
  topic: string
  payload: Uint8Array
  kept: boolean
  /** Whether it says something else than is known of it; absent where nothing is. */
  wrong?: boolean
}

const corpus = join(
  dirname(fileURLToPath(import.meta.url)),
  '..',
  '..',
  'shared',
  'data',
  'payloads',
  'corpus_dev.jsonl',
)
const zone = openZone('Europe/Berlin')

function newContext(): Context {
  return { receivedMs: Date.UTC(2026, 0, 15), zone, lessons: new LessonBook(), device: 'polled' }
}

function goldenSamples(): Map<string, Sample[]> {
  const found = new Map<string, Sample[]>()
  for (const name of goldenNames())
    for (const { topic, payload, outcome, actual, expected } of readGolden(name)) {
      const protocol = protocolOf(expected as Outcome)
      const samples = found.get(protocol) ?? []
      found.set(protocol, samples)
      samples.push({
        topic,
        payload,
        kept: isKept(outcome),
        wrong: !isDeepStrictEqual(actual, expected),
      })
    }
  return found
}

function protocolOf({ protocol }: Outcome): string {
  return protocol ?? 'no protocol'
}

function realSamples(): Map<string, Sample[]> {
  const found = new Map<string, Sample[]>()
  for (const line of readFileSync(corpus, 'utf8').split('\n').filter(Boolean)) {
    const { protocol, topic, payload } = JSON.parse(line) as Record<'protocol' | 'topic', string> & {
      payload: unknown
    }
    const bytes = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
    const outcome = decode(topic, bytes, newContext())
    const claims = claimsOf(protocol, topic, payload)
    const samples = found.get(protocol) ?? []
    found.set(protocol, samples)
    samples.push({
      topic,
      payload: bytes,
      kept: isKept(outcome),
      ...(Object.keys(claims).length > 0 && { wrong: unmet(claims, outcome).length > 0 }),
    })
  }
  return found
}

/** Calls a second of CPU. */
function rate(list: readonly Sample[], call: (sample: Sample) => void): number {
  let calls = 0
  const pass = (): void => {
    for (const sample of list) call(sample)
    calls += list.length
  }
  for (const end = performance.now() + WARM_MS; performance.now() < end;) pass()
  calls = 0
  const cpu = process.cpuUsage()
  for (const end = performance.now() + SECONDS * 1000; performance.now() < end;) pass()
  const { user, system } = process.cpuUsage(cpu)
  return (calls / (user + system)) * 1e6
}

function rates(list: readonly Sample[]): { decoded: number; parsed: number } {
  const context = newContext()
  let receivedMs = context.receivedMs
  const decoded = rate(list, ({ topic, payload }) => {
    // A hundred messages a millisecond.
    receivedMs += 0.01
    context.receivedMs = Math.floor(receivedMs)
    decode(topic, payload, context)
  })
  const parsed = rate(list, ({ payload }) => {
    const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')
    if (text[0] === '{' || text[0] === '[')
      try {
        JSON.parse(text)
      } catch {
        // Broken on purpose.
      }
  })
  return { decoded, parsed }
}

function tableRow(protocol: string, list: readonly Sample[]) {
  const { decoded, parsed } = rates(list)
  const known = list.filter(({ wrong }) => wrong !== undefined)
  const kept = list.filter((sample) => sample.kept).length
  return {
    protocol,
    messages: list.length,
    'bytes each': Math.round(list.reduce((sum, { payload }) => sum + payload.length, 0) / list.length),
    decoded: list.length - kept,
    'kept raw': kept,
    'answer known': known.length,
    wrong: known.filter(({ wrong }) => wrong).length,
    'decodes/s': Math.round(decoded),
    'text and JSON/s': Math.round(parsed),
  }
}

function report(title: string, samples: ReadonlyMap<string, readonly Sample[]>): void {
  const whole = tableRow('all of them', [...samples.values()].flat())
  console.log(`\n${title}`)
  console.table([...Array.from(samples, ([protocol, list]) => tableRow(protocol, list)), whole])
  const data = `${whole.messages} messages of ${whole['bytes each']} B`
  printRows([
    {
      what: `${title}: decoded`,
      figure: whole['decodes/s'],
      unit: 'messages/s',
      limit: { figure: whole['text and JSON/s'], of: 'bytes to text, JSON.parse' },
      budget: { atLeast: GOAL },
      data,
    },
    {
      what: `${title}: wrong`,
      figure: whole.wrong,
      unit: 'messages',
      budget: { atMost: 0 },
      data: `${whole['answer known']} messages whose answer is known`,
    },
  ])
}

report('Golden folders', goldenSamples())
if (existsSync(corpus)) report('Real messages', realSamples())
else
  console.log('The collection of real messages is not beside the project (../shared): golden folders only.')
