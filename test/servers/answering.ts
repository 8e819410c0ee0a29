/** A child process that answers each line of JSON with a line of JSON: `{"rows": […]}` or `{"error": "…"}`. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export type Row = Record<string, unknown>

export interface Answering {
  /** Throws an error with the other program's own words. */
  ask(question: unknown): Promise<Row[]>
  close(): Promise<void>
}

export function startAnswering(program: string, words: readonly string[], folder: string): Answering {
  const child = spawn(program, words, { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] })
  const waiting: PromiseWithResolvers<Row[]>[] = []
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4000)
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { rows, error } = JSON.parse(line) as { rows?: Row[]; error?: string }
    const next = waiting.shift()
    if (rows) next?.resolve(rows)
    else next?.reject(new Error(error))
  })
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => (complaints += error.message))
    child.once('close', (code) => {
      for (const each of waiting) each.reject(new Error(`${program} ended with ${code}: ${complaints}`))
      resolve()
    })
  })
  // What could not be written shows as the end of the child.
  child.stdin.on('error', () => undefined)
  return {
    ask(question) {
      const answer = Promise.withResolvers<Row[]>()
      waiting.push(answer)
      child.stdin.write(`${JSON.stringify(question)}\n`)
      return answer.promise
    },
    async close() {
      child.stdin.end()
      await ended
    },
  }
}
