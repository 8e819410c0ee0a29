import { setTimeout as sleep } from 'node:timers/promises'
import type { Stage, StepReport } from '../stage.ts'

export interface LoopOptions {
  /** Work off all that is there, pending included, then end. */
  once: boolean
  /** Shortest time between two steps that find work, ms; a look that finds none costs next to nothing. */
  pauseMs: number
  /** On a schedule: the time between two steps, whatever they find, ms. */
  everyMs?: number | null
  stop: AbortSignal
  onStep?: (stage: Stage, report: StepReport, tookMs: number) => void
}

/** How often a stage looks whether there is work, ms. */
const LOOK_EVERY_MS = 250
/** A stage that keeps up rests nine times as long as it worked: some tenth of a core, however small the machine. */
const REST_PER_WORK = 9
/** But never so long that Silver would be more than some seconds behind: what comes as a step begins waits for that, the rest, and the next step. */
const LONGEST_REST_MS = 2000
const LONGEST_WAIT_MS = 3000
/** More rows than this in one step are a backlog (an import, a first start): there is no rest until it is worked off. */
const BACKLOG_ROWS = 5000

/** Runs a stage until it is stopped, or (`once`) until nothing is left to do. */
export async function runStage(stage: Stage, options: LoopOptions): Promise<void> {
  while (!options.stop.aborted) {
    const beganMs = performance.now()
    const report = await stage.step({ final: options.once })
    const tookMs = performance.now() - beganMs
    options.onStep?.(stage, report, tookMs)
    if (report.more) continue
    if (options.once) return
    const restingMs = options.everyMs ?? restMs(report, tookMs, options.pauseMs)
    await pause(restingMs, options.stop)
  }
}

function restMs({ rows }: StepReport, tookMs: number, pauseMs: number): number {
  if (rows === 0 || rows > BACKLOG_ROWS) return Math.min(LOOK_EVERY_MS, pauseMs)
  return Math.max(pauseMs, Math.min(tookMs * REST_PER_WORK, LONGEST_REST_MS, LONGEST_WAIT_MS - 2 * tookMs))
}

/** Waits; returns early, without an error, when stopped. */
export async function pause(ms: number, stop: AbortSignal): Promise<void> {
  if (stop.aborted) return
  await sleep(ms, undefined, { signal: stop }).catch(() => undefined)
}
