/** Programs of others, which end when this process ends: whatever ends it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { extname, join } from 'node:path'

const RUNNER = join(import.meta.dirname, `bound-process${extname(import.meta.filename)}`)

/** Starts it; `lock` is a folder that it holds for as long as it runs. What it writes is the child's output. */
export function startBound(program: string, words: readonly string[], lock = '-'): ChildProcess {
  return spawn(process.execPath, [RUNNER, lock, program, ...words], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    windowsHide: true,
  })
}

/** Runs it to its end, or (`stop`) until nobody wants it any more; throws the reason of `stop` where that has come before. */
export async function runBound(
  program: string,
  words: readonly string[],
  stop?: AbortSignal,
): Promise<{ code: number; output: string }> {
  stop?.throwIfAborted()
  const child = startBound(program, words)
  let output = ''
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const end = (): void => void (child.connected && child.disconnect())
  stop?.addEventListener('abort', end)
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => resolve({ code: code ?? 1, output }))
      // One whose channel is closed while it begins exits, and is never said to be closed.
      child.once('exit', (code) => stop?.aborted && resolve({ code: code ?? 1, output }))
    })
  } finally {
    stop?.removeEventListener('abort', end)
  }
}
