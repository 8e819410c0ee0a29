/** A program that is ended just before one of its calls to the file system. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'

const DYING = pathToFileURL(join(import.meta.dirname, 'dying-fs.ts')).href

export interface Moment {
  at: number
  by: 'SIGKILL' | 'SIGINT'
  /** What it removes at that moment is half gone. */
  half?: boolean
  aheadDays?: number
}

export const textOf = ({ at, by, half = false }: Moment): string => `${by}${half ? ' half way' : ''} at ${at}`

/** Starts it. Resolves to whether it was ended before it was done; `isDone`, given its output, says that it need not go on. */
export async function endedAt(
  words: readonly string[],
  { at, by, half = false, aheadDays = 0 }: Moment,
  options: { env?: NodeJS.ProcessEnv; isDone?: (output: string) => boolean } = {},
): Promise<boolean> {
  const child = spawn(process.execPath, ['--import', DYING, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      ...options.env,
      DIE_AT: String(at),
      DIE_BY: by,
      AHEAD_DAYS: String(aheadDays),
      ...(half && { DIE_HALF: '1' }),
    },
  })
  let output = ''
  let isDone = false
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (!isDone && options.isDone?.(output)) isDone = child.kill('SIGTERM')
    })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  const isClean = signal === 'SIGKILL' || signal === by || code === 0 || code === 130
  assert.ok(isClean, `${words.join(' ')}, ${textOf({ at, by, half })}: ${code} ${signal} ${output}`)
  return !isDone && (signal !== null || code === 130)
}
