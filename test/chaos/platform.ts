/** The platform as separate processes on one data folder: each is started again when it dies, until it is stopped. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readStatus } from '../../src/run/instance.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CLI = join(ROOT, 'bin', 'smarthouse.mjs')
const INJECT = new URL('inject.ts', import.meta.url).href
const RESTART_MS = 300
const STOP_MS = 30_000

export interface Place {
  /** The data folder. */
  data: string
  config: string
  /** The output of all processes. */
  log: string
  clockFile: string
  fullFile: string
}

export interface Target {
  name: string
  pid: number
}

export interface Platform {
  /** The processes that run now; of `up` its parts, too. */
  targets(): Target[]
  /** Asks all to end, and ends what does not. Resolves to the names of those that had to be ended. */
  stop(): Promise<string[]>
}

export function environment({ clockFile, fullFile }: Place): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: options = '', ...rest } = process.env
  return {
    ...rest,
    NODE_OPTIONS: `${options} --import=${INJECT}`.trim(),
    CHAOS_CLOCK_FILE: clockFile,
    CHAOS_FULL_FILE: fullFile,
    // Little data, many processes.
    SMARTHOUSE_ENGINE_THREADS: '1',
  }
}

/** A command of the platform, on its folder. */
export function command(place: Place, words: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [CLI, ...words, '--data', place.data, '--config', place.config], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(place),
  })
  const log = createWriteStream(place.log, { flags: 'a' })
  log.write(`--- ${new Date().toISOString()} ${words.join(' ')} (${child.pid})\n`)
  child.stdout!.pipe(log, { end: false })
  child.stderr!.pipe(log, { end: false })
  child.once('close', (code, signal) =>
    log.end(`--- ${new Date().toISOString()} ${words[0]} (${child.pid}) ended: ${signal ?? code}\n`),
  )
  return child
}

export interface Ended {
  code: number | null
  output: string
  errors: string
}

/** Runs a command to its end. */
export async function run(place: Place, words: readonly string[]): Promise<Ended> {
  const child = command(place, words)
  let [output, errors] = ['', '']
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, output, errors }
}

interface Part {
  words: readonly string[]
  child: ChildProcess | undefined
  timer: NodeJS.Timeout | undefined
}

/** Starts each of the commands as a process of its own. */
export function startPlatform(place: Place, commands: readonly (readonly string[])[]): Platform {
  let isStopping = false
  const parts = commands.map((words): Part => ({ words, child: undefined, timer: undefined }))
  const start = (part: Part): void => {
    const child = command(place, part.words)
    part.child = child
    child.once('exit', () => {
      part.child = undefined
      if (!isStopping) part.timer = setTimeout(() => start(part), RESTART_MS)
    })
  }
  for (const part of parts) start(part)
  return {
    targets: () =>
      parts.flatMap(({ words, child }) => {
        if (child?.pid === undefined) return []
        const own = { name: words[0]!, pid: child.pid }
        return words[0] === 'up' ? [own, ...partsOfUp(place, child.pid)] : [own]
      }),
    async stop() {
      isStopping = true
      for (const { timer } of parts) clearTimeout(timer)
      const ended = await Promise.all(parts.map((part) => stopPart(part)))
      return ended.flatMap((name) => name ?? [])
    },
  }
}

/** What the status file says runs below that process; only what the system says is of this folder. */
function partsOfUp({ data }: Place, pid: number): Target[] {
  const status = readStatus(join(data, 'run'))
  if (status?.pid !== pid) return []
  return status.parts.flatMap((part) =>
    part.pid !== null && isOf(part.pid, data) ? [{ name: `up/${part.name}`, pid: part.pid }] : [],
  )
}

/** Whether the process works on that folder: a number may have gone to another process meanwhile. */
function isOf(pid: number, data: string): boolean {
  if (process.platform !== 'linux') return true
  const file = `/proc/${pid}/cmdline`
  try {
    return existsSync(file) && readFileSync(file, 'utf8').split('\0').includes(data)
  } catch {
    return false
  }
}

async function stopPart({ child, words }: Part): Promise<string | undefined> {
  if (!child) return undefined
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGCONT')
  child.kill('SIGINT')
  let ended: string | undefined
  const timer = setTimeout(() => {
    ended = words[0]
    child.kill('SIGKILL')
  }, STOP_MS)
  await gone
  clearTimeout(timer)
  return ended
}
