/** Hostile inputs on every door: each is taken or refused with a reason, in bounded time and memory, and what was taken is there. */
import { randomOf } from '../chaos/random.ts'
import type { Door, Verdict } from './door.ts'
import { keep, keptOf, shrunk } from './kept.ts'
import { mutated } from './mutate.ts'
import { otherDoors } from './other-doors.ts'
import { streamDoors } from './stream-doors.ts'
import { watch, type Watchdog } from './watchdog.ts'

export interface FuzzOptions {
  /** Of each door. */
  inputs: number
  seed: number
  /** Only doors with one of these words in their names; none: all. */
  doors?: readonly string[]
  /** Doors besides those that need no server. */
  more?: readonly Door[]
  /** Where the cases lie that are tried first, and where an input that was neither taken nor refused is kept. */
  keptIn: string
  say: (text: string) => void
}

/** An answer takes milliseconds; on a machine that has much else to do it may take seconds. */
const LONGEST_MS = 60_000
const MOST_FAILURES = 5
/** What a single input may add to the memory that the process needs at the most, and what all inputs of a door together may, MB. */
const MOST_MB_OF_ONE = 300
const MOST_MB_OF_ALL = 700

/** The most memory that was resident until now, MB. */
const peakMb = (): number => process.resourceUsage().maxRSS / 1024

/** What went wrong, one sentence each. */
export async function fuzz(options: FuzzOptions): Promise<string[]> {
  const failures: string[] = []
  const hear = (error: unknown): void => void failures.push(`an error that nobody caught: ${textOf(error)}`)
  process.on('unhandledRejection', hear)
  process.on('uncaughtException', hear)
  const [into, elsewhere] = [await streamDoors(), await otherDoors()]
  const { doors: words = [], more = [] } = options
  try {
    for (const [number, door] of [...into.doors, ...elsewhere.doors, ...more].entries())
      if (words.length === 0 || words.some((word) => door.name.includes(word)))
        failures.push(...(await fuzzDoor(door, { ...options, seed: options.seed + number })))
      else await door.close()
  } finally {
    await into.close()
    await elsewhere.close()
    process.off('unhandledRejection', hear)
    process.off('uncaughtException', hear)
  }
  return failures
}

export async function fuzzDoor(
  door: Door,
  { inputs: asked, seed, keptIn, say }: Omit<FuzzOptions, 'doors'>,
): Promise<string[]> {
  const inputs = Math.ceil(asked * (door.share ?? 1))
  const failures: string[] = []
  const beganMs = performance.now()
  const watchdog = await watch(door.name, keptIn, LONGEST_MS)
  const count = new Map<Verdict, number>()
  /** Of each kind of failure one is kept. */
  const kinds = new Set<string | undefined>()
  let slowestMs = 0
  for (const { name, input, seed: own, verdict } of keptOf(keptIn, door.name)) {
    const { failure, answer } = await tried(door, input, own, watchdog)
    if (failure !== undefined) failures.push(`${door.name}, kept ${name}: ${failure}`)
    else if (verdict === null)
      failures.push(
        `${door.name}, kept ${name}: ${answer}; write into its expect.json what must come of it, and why`,
      )
    else if (answer !== verdict) failures.push(`${door.name}, kept ${name}: ${answer}, not ${verdict}`)
  }
  const before = process.memoryUsage.rss() / 2 ** 20
  for (let n = 0; n < inputs && failures.length < MOST_FAILURES; n++) {
    const own = (Math.imul(seed, 0x9e3779b1) + n) | 0
    const random = randomOf(own)
    const input = random() < 0.5 && door.spoil ? door.spoil(door.seeds, random) : mutated(door.seeds, random)
    const { failure, answer, ms } = await tried(door, input, own, watchdog)
    slowestMs = Math.max(slowestMs, ms)
    if (failure === undefined) {
      count.set(answer, (count.get(answer) ?? 0) + 1)
      continue
    }
    if (kinds.has(kindOf(failure))) continue
    kinds.add(kindOf(failure))
    const fails = async (less: Buffer): Promise<boolean> =>
      kindOf((await tried(door, less, own, watchdog)).failure) === kindOf(failure)
    const name = keep(keptIn, door.name, await shrunk(input, fails), own, failure)
    failures.push(`${door.name}, input ${n} of seed ${seed} (kept as ${name}): ${failure}`)
  }
  const grownMb = Math.round(process.memoryUsage.rss() / 2 ** 20 - before)
  if (grownMb > MOST_MB_OF_ALL) failures.push(`${door.name}: ${grownMb} MB more are resident after all`)
  const after = door.check && (await failureOf(() => door.check!()))
  if (after !== undefined) failures.push(`${door.name}, after all: ${after}`)
  await door.close()
  await watchdog.close()
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(1)
  const answers = [...count].toSorted(([, a], [, b]) => b - a).map(([answer, times]) => `${times} ${answer}`)
  say(
    `${door.name}: ${inputs} inputs in ${seconds} s, the slowest ${Math.round(slowestMs)} ms, ${grownMb} MB more resident: ` +
      `${failures.length === 0 ? 'fine' : 'WRONG'} (${answers.join(', ')})`,
  )
  return failures
}

interface Tried {
  failure: string | undefined
  answer: Verdict
  ms: number
}

/** One input: what became of it, how long it took, and whether it took too much. */
async function tried(door: Door, input: Buffer, seed: number, watchdog: Watchdog): Promise<Tried> {
  const [mb, beganMs] = [peakMb(), performance.now()]
  watchdog.begins(input, seed)
  let answer = ''
  let failure = await failureOf(async () => {
    answer = await door.take(input, randomOf(seed ^ 0x5bd1e995))
  })
  watchdog.ended()
  const grownMb = Math.round(peakMb() - mb)
  if (failure === undefined && grownMb > MOST_MB_OF_ONE)
    failure = `it took ${grownMb} MB more than all before it`
  return { failure, answer, ms: performance.now() - beganMs }
}

async function failureOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    return textOf(error)
  }
}

/** Of two failures the same: the first line, without what is only the input's. */
const kindOf = (failure: string | undefined): string | undefined =>
  failure
    ?.split('\n')[0]!
    .slice(0, 60)
    .replaceAll(/\d+|"[^"]*"/g, '#')

function textOf(error: unknown): string {
  return error instanceof Error
    ? (error.stack ?? error.message).split('\n').slice(0, 6).join('\n')
    : String(error)
}
