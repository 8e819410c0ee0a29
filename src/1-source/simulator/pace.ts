import { setTimeout as delay } from 'node:timers/promises'
import type { SimulatedMessage, Simulation } from './simulate.ts'

/** The clock that the simulation keeps behind. */
export interface Clock {
  nowMs(): number
  /** Resolves after about so long, or at once when the signal is aborted; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const SYSTEM_CLOCK: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined),
}

export interface Pace {
  clock: Clock
  /** Seconds of event time per second of the clock; Infinity: as fast as it can. */
  speed: number
  /** Event time at which the run begins, ms since 1970. */
  fromMs: number
  /** Largest batch, messages. */
  maxMessages: number
  signal?: AbortSignal
}

/** The longest sleep, ms: the clock may be set while we wait. */
const MAX_SLEEP_MS = 1000

/**
 * The messages of a simulation as their time comes: event time runs `speed` times as fast as the clock from the
 * begin on, never ahead of the clock; once it has caught up it goes on live. The next batch is made when the caller
 * asks for it, so a slow sink only delays. Ends with what faults still held back, also when it is aborted.
 */
export async function* paced(simulation: Simulation, pace: Pace): AsyncGenerator<SimulatedMessage[]> {
  const { clock, speed, fromMs, signal } = pace
  const startedMs = clock.nowMs()
  const horizonMs = (): number => {
    const nowMs = clock.nowMs()
    return speed === Infinity ? nowMs : Math.min(nowMs, fromMs + (nowMs - startedMs) * speed)
  }
  for (;;) {
    const dueMs = simulation.nextAtMs()
    if (dueMs === undefined || signal?.aborted) break
    const batch = simulation.next(horizonMs(), pace.maxMessages)
    if (batch.length > 0) yield batch
    else if (simulation.nextAtMs() === dueMs) {
      const atMs = speed === Infinity ? dueMs : Math.max(dueMs, startedMs + (dueMs - fromMs) / speed)
      await clock.sleep(Math.min(Math.max(Math.ceil(atMs - clock.nowMs()), 1), MAX_SLEEP_MS), signal)
    }
  }
  const rest = simulation.flush()
  if (rest.length > 0) yield rest
}

/** All messages of a simulation whose spans have an end, as fast as they are asked for, without a clock. */
export async function* unpaced(
  simulation: Simulation,
  maxMessages: number,
): AsyncGenerator<SimulatedMessage[]> {
  while (simulation.nextAtMs() !== undefined) {
    const batch = simulation.next(Infinity, maxMessages)
    if (batch.length > 0) yield batch
  }
  const rest = simulation.flush()
  if (rest.length > 0) yield rest
}
