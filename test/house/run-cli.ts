import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'node:test'
import { runWords } from '../../src/commands/run.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CLI = join(ROOT, 'bin', 'smarthouse.mjs')

// Of the engine's two threads one waits for the other by asking again and again, the longer the more the machine has to do: a quarter
// of the CPU time of a test that runs beside others. A first start (browser.test.ts) has both.
process.env['SMARTHOUSE_ENGINE_THREADS'] ??= '1'

export interface Outcome {
  status: number | null
  stdout: string
  stderr: string
}

/** The program as a person runs it, in a process of its own. */
export function smarthouse(...words: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...words], {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  })
  return { status, stdout, stderr }
}

/**
 * As `smarthouse`, in this process: the same words, output and exit code, without a start of the program for each, which takes most of
 * the time of a short command. Not for what runs on, nor beside anything else that prints text.
 */
export async function smarthouseHere(...words: string[]): Promise<Outcome> {
  const said = { stdout: '', stderr: '' }
  const streams = ['stdout', 'stderr'] as const
  const writes = streams.map((name) => process[name].write)
  for (const name of streams) {
    const write = process[name].write.bind(process[name]) as (...given: unknown[]) => boolean
    // What the test runner tells of itself is bytes.
    process[name].write = (...given: unknown[]) =>
      typeof given[0] === 'string' ? ((said[name] += given[0]), true) : write(...given)
  }
  try {
    const status = await runWords(words, () => new AbortController().signal)
    return { status, ...said }
  } finally {
    for (const [n, name] of streams.entries()) process[name].write = writes[n]!
  }
}

/** As `smarthouse`, without waiting. */
export function start(words: readonly string[], options: { env?: NodeJS.ProcessEnv } = {}) {
  const child = spawn(process.execPath, [CLI, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  return { child, ended, output: () => output }
}

/** An absent folder that is removed after the test. */
export function dataFolder(t: TestContext): string {
  const parent = mkdtempSync(join(tmpdir(), 'smarthouse-'))
  t.after(() => rmSync(parent, { recursive: true, force: true, maxRetries: 5 }))
  return join(parent, 'data')
}

export async function sql<T>(data: string, query: string): Promise<T[]> {
  const { status, stdout, stderr } = await smarthouseHere('sql', query, '--data', data, '--format', 'json')
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as T[]
}
