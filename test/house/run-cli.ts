import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'node:test'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CLI = join(ROOT, 'bin', 'smarthouse.mjs')

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

export function sql<T>(data: string, query: string): T[] {
  const { status, stdout, stderr } = smarthouse('sql', query, '--data', data, '--format', 'json')
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as T[]
}
