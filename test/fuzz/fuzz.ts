/** Hostile inputs on every door: each is taken or refused with a reason, in bounded time and memory, and what was taken is there. */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomOf } from '../chaos/random.ts'
import type { Door } from './door.ts'
import { mutated } from './mutate.ts'
import { otherDoors } from './other-doors.ts'
import { streamDoors } from './stream-doors.ts'

export interface FuzzOptions {
  /** Of each door. */
  inputs: number
  seed: number
  /** Where an input that was neither taken nor refused is kept. */
  keepIn: string
  say: (text: string) => void
}

const HANGS_MS = 60_000
const MOST_FAILURES = 5

/** What went wrong, one sentence each. */
export async function fuzz(options: FuzzOptions): Promise<string[]> {
  const failures: string[] = []
  const hear = (error: unknown): void => void failures.push(`an error that nobody caught: ${textOf(error)}`)
  process.on('unhandledRejection', hear)
  process.on('uncaughtException', hear)
  const [into, elsewhere] = [await streamDoors(), await otherDoors()]
  try {
    for (const [number, door] of [...into.doors, ...elsewhere.doors].entries())
      failures.push(...(await fuzzDoor(door, { ...options, seed: options.seed + number })))
  } finally {
    await into.close()
    await elsewhere.close()
    process.off('unhandledRejection', hear)
    process.off('uncaughtException', hear)
  }
  return failures
}

async function fuzzDoor(door: Door, { inputs, seed, keepIn, say }: FuzzOptions): Promise<string[]> {
  const failures: string[] = []
  const random = randomOf(seed)
  const beganMs = performance.now()
  for (let n = 0; n < inputs && failures.length < MOST_FAILURES; n++) {
    const input = mutated(door.seeds, random)
    const failure = await failureOf(() => door.take(input, random))
    if (failure === undefined) continue
    const name = createHash('sha256').update(input).digest('hex').slice(0, 16)
    const folder = join(keepIn, door.name.replaceAll(' ', '-'))
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, name), input)
    failures.push(`${door.name}, input ${n} of seed ${seed} (kept as ${name}): ${failure}`)
  }
  const after = door.check && (await failureOf(() => door.check!()))
  if (after !== undefined) failures.push(`${door.name}, after all: ${after}`)
  await door.close()
  const seconds = Math.round((performance.now() - beganMs) / 100) / 10
  const memoryMb = Math.round(process.memoryUsage.rss() / 2 ** 20)
  say(
    `${door.name}: ${inputs} inputs, ${seconds} s, ${memoryMb} MB resident: ${failures.length === 0 ? 'fine' : 'WRONG'}`,
  )
  return failures
}

async function failureOf(work: () => Promise<void>): Promise<string | undefined> {
  const late = new AbortController()
  const hangs = sleep(HANGS_MS, `no answer after ${HANGS_MS / 1000} s`, { signal: late.signal }).catch(
    () => undefined,
  )
  try {
    return await Promise.race([work().then(() => undefined), hangs])
  } catch (error) {
    return textOf(error)
  } finally {
    late.abort()
  }
}

function textOf(error: unknown): string {
  return error instanceof Error
    ? (error.stack ?? error.message).split('\n').slice(0, 6).join('\n')
    : String(error)
}
