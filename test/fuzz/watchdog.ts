/**
 * Sees an input that does not come back, also where it holds the whole thread: it looks on from a thread of its own, with a copy of the
 * input in memory that both share.
 */
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { keep } from './kept.ts'

const LARGEST = 1 << 20
const LOOKS_EVERY_MS = 500

/** One number each: which input, its length, its seed; 0 as the input means none. */
const [NUMBER, LENGTH, SEED] = [0, 1, 2]

interface Shared {
  state: SharedArrayBuffer
  bytes: SharedArrayBuffer
  door: string
  keepIn: string
  longestMs: number
}

export interface Watchdog {
  begins(input: Buffer, seed: number): void
  ended(): void
  close(): Promise<void>
}

/** Ends the process, and keeps the input, where one takes longer than `longestMs`. */
export async function watch(door: string, keepIn: string, longestMs: number): Promise<Watchdog> {
  const shared: Shared = {
    state: new SharedArrayBuffer(12),
    bytes: new SharedArrayBuffer(LARGEST),
    door,
    keepIn,
    longestMs,
  }
  const [state, bytes] = [new Int32Array(shared.state), new Uint8Array(shared.bytes)]
  const worker = new Worker(new URL(import.meta.url), { workerData: shared, execArgv: [] })
  // It looks on from now: what holds this thread from the first input on is seen, too.
  await once(worker, 'message')
  let number = 0
  return {
    begins(input, seed) {
      bytes.set(input.subarray(0, LARGEST))
      state[LENGTH] = Math.min(input.length, LARGEST)
      state[SEED] = seed
      number += 1
      Atomics.store(state, NUMBER, number)
    },
    ended: () => void Atomics.store(state, NUMBER, 0),
    close: async () => void (await worker.terminate()),
  }
}

function lookOn({ state: of, bytes, door, keepIn, longestMs }: Shared): void {
  const state = new Int32Array(of)
  let [seen, sinceMs] = [0, performance.now()]
  setInterval(() => {
    const now = Atomics.load(state, NUMBER)
    if (now !== seen) [seen, sinceMs] = [now, performance.now()]
    if (now === 0 || performance.now() - sinceMs < longestMs) return
    const input = Buffer.from(new Uint8Array(bytes, 0, state[LENGTH]))
    const was = `no answer after ${longestMs / 1000} s`
    const name = keep(keepIn, door, input, state[SEED]!, was)
    writeSync(2, `${door}, input ${now}: ${was} (kept as ${name})\n`)
    process.kill(process.pid, 'SIGKILL')
  }, LOOKS_EVERY_MS)
}

if (!isMainThread && (workerData as Shared | null)?.longestMs !== undefined) {
  lookOn(workerData as Shared)
  parentPort!.postMessage('ready')
}
