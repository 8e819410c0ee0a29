/**
 * A log that is opened as soon as that works. Until then whoever appends waits, unacknowledged, and whoever reads is told
 * why; so a server can show what lies in the lake while the broker is away.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isPlatformError, PlatformError } from '../errors.ts'
import type { StreamLog } from './log.ts'

const FIRST_BACKOFF_MS = 250
const LONGEST_BACKOFF_MS = 10_000

/** Opens it as soon as that works, with pauses that grow. Undefined: stopped before. Throws what `onFailure` throws. */
export async function openWhenThere<T>(
  open: () => Promise<T>,
  { stop, onFailure }: { stop: AbortSignal; onFailure: (error: unknown) => void },
): Promise<T | undefined> {
  for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(backoffMs * 2, LONGEST_BACKOFF_MS)) {
    try {
      return await open()
    } catch (error) {
      onFailure(error)
      await sleep(backoffMs, undefined, { signal: stop }).catch(() => undefined)
      if (stop.aborted) return undefined
    }
  }
}

export interface LaterOptions {
  topic: string
  open: () => Promise<StreamLog>
  /** Called while it cannot be opened, and with null when it is. */
  onProblem: (problem: PlatformError | null) => void
}

export function openLater({ topic, open, onProblem }: LaterOptions): StreamLog {
  let log: StreamLog | undefined
  let problem: Error = new PlatformError(
    'stream_unreachable',
    `The stream ${topic} is still being opened`,
    'Try again in some seconds.',
  )
  const stop = new AbortController()
  const opening = openWhenThere(open, {
    stop: stop.signal,
    onFailure(error) {
      problem = error as Error
      if (isPlatformError(error)) onProblem(error)
    },
  }).then((opened) => {
    if (!opened) throw problem
    log = opened
    onProblem(null)
    return opened
  })
  opening.catch(() => undefined) // Told to each who waits for it.
  const now = (): StreamLog => {
    if (log) return log
    throw problem
  }
  return {
    topic,
    hasHoles: true,
    get id() {
      return now().id
    },
    append: async (messages) => await (await opening).append(messages),
    read: async (options) => await now().read(options),
    bounds: async () => await now().bounds(),
    trim: async (partition, beforeOffset) => await now().trim(partition, beforeOffset),
    async close() {
      stop.abort()
      await opening.then((opened) => opened.close()).catch(() => undefined)
    },
  }
}
