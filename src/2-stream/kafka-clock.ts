/** Whether the brokers' clocks go with ours: the times of arrival are theirs, and readings are judged by them. */
import { PlatformError } from '../errors.ts'
import type { StreamRecord } from './log.ts'

/** Silver takes readings for wrong that are ten minutes ahead of their arrival; long before that it is said. */
export const MOST_APART_MS = 60_000
const LOOK_EVERY_MS = 60_000

export interface ClockWatch {
  /** Whether it is time to look again; then it counts as done. */
  isDue(): boolean
  /** Holds the broker's time of a record against when it was sent and acknowledged here, ms. */
  look(sent: { beganMs: number; endedMs: number }, record: StreamRecord | undefined): void
  /** For problems of another kind: when they are over, that of the clock still stands. */
  others(problem: PlatformError | null): void
}

export function clockWatch(options: {
  brokers: readonly string[]
  topic: string
  onProblem: (problem: PlatformError | null) => void
  clock: () => number
}): ClockWatch {
  const { brokers, topic, onProblem, clock } = options
  let problem: PlatformError | null = null
  let lookedMs = -Infinity
  return {
    isDue() {
      if (clock() - lookedMs < LOOK_EVERY_MS) return false
      lookedMs = clock()
      return true
    },
    look({ beganMs, endedMs }, record) {
      if (!record) return
      const atMs = record.ingestionTimeUs / 1000
      const apartMs = atMs > endedMs ? atMs - endedMs : Math.min(0, atMs - beganMs)
      const had = problem
      problem = Math.abs(apartMs) > MOST_APART_MS ? clockOff(brokers, topic, apartMs) : null
      if (problem || had) onProblem(problem)
    },
    others: (other) => onProblem(other ?? problem),
  }
}

function clockOff(brokers: readonly string[], topic: string, apartMs: number): PlatformError {
  const way = apartMs > 0 ? 'ahead of' : 'behind'
  return new PlatformError(
    'stream_clock_off',
    `The clock of a broker of ${topic} (Kafka at ${brokers.join(', ')}) is ${Math.round(Math.abs(apartMs) / 1000)} s ${way} this machine's`,
    'Set both clocks (NTP): readings are late, or rejected as ahead of time, by the time at which the broker says that it took them.',
  )
}
