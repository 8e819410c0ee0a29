/**
 * Inputs on which something once went wrong, each in a folder: `kept/DOOR/NAME/given` and `expect.json`. The fuzzing writes them; what must
 * come of them is written by a person, who has read what the door promises.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Verdict } from './door.ts'

export const KEPT = join(import.meta.dirname, 'kept')

export interface KeptCase {
  name: string
  input: Buffer
  /** By which the door decided what else there was to decide. */
  seed: number
  /** Null: nobody has said yet what must come of it. */
  verdict: Verdict | null
}

interface Expected {
  seed: number
  verdict: Verdict | null
  /** What went wrong. */
  was: string
}

export function keptOf(folder: string, door: string): KeptCase[] {
  const own = join(folder, door.replaceAll(' ', '-'))
  if (!existsSync(own)) return []
  return readdirSync(own).map((name) => {
    const { seed, verdict } = JSON.parse(readFileSync(join(own, name, 'expect.json'), 'utf8')) as Expected
    return { name, input: readFileSync(join(own, name, 'given')), seed, verdict }
  })
}

/** Writes a new one; answers its name. */
export function keep(folder: string, door: string, input: Buffer, seed: number, was: string): string {
  const name = createHash('sha256').update(input).digest('hex').slice(0, 12)
  const own = join(folder, door.replaceAll(' ', '-'), name)
  mkdirSync(own, { recursive: true })
  writeFileSync(join(own, 'given'), input)
  const expected: Expected = { seed, verdict: null, was: was.split('\n')[0]! }
  writeFileSync(join(own, 'expect.json'), `${JSON.stringify(expected, null, 2)}\n`)
  return name
}

/** Most tries to make an input smaller. */
const TRIES = 400

/** The smallest part of the input on which it still fails in the same way: without this and that stretch of it. */
export async function shrunk(input: Buffer, fails: (input: Buffer) => Promise<boolean>): Promise<Buffer> {
  let best = input
  let tries = 0
  for (let size = Math.ceil(best.length / 2); size >= 1 && tries < TRIES; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length && tries < TRIES;) {
      const less = Buffer.concat([best.subarray(0, at), best.subarray(at + size)])
      tries += 1
      if (await fails(less)) best = less
      else at += size
    }
  }
  return best
}
