import { setTimeout as sleep } from 'node:timers/promises'
import type { Stage, StepReport } from '../stage.ts'

export interface LoopOptions {
  /** Work off all that is there, pending included, then end. */
  once: boolean
  /** Pause after a step that found nothing more, ms. */
  pauseMs: number
  stop: AbortSignal
  onStep?: (stage: Stage, report: StepReport) => void
}

/** Runs a stage until it is stopped, or (`once`) until nothing is left to do. */
export async function runStage(stage: Stage, options: LoopOptions): Promise<void> {
  while (!options.stop.aborted) {
    const beganMs = performance.now()
    const report = await stage.step({ final: options.once })
    options.onStep?.(stage, report)
    if (report.more) continue
    if (options.once) return
    const tookMs = performance.now() - beganMs
    await pause(Math.max(options.pauseMs, Math.min(tookMs * REST_PER_WORK, LONGEST_REST_MS)), options.stop)
  }
}

/** A stage that has nothing more to do rests nine times as long as it worked: some tenth of a core, however small the machine. */
const REST_PER_WORK = 9
/** But never so long that Silver would be more than some seconds behind. */
const LONGEST_REST_MS = 2000

/** Waits; returns early, without an error, when stopped. */
export async function pause(ms: number, stop: AbortSignal): Promise<void> {
  if (stop.aborted) return
  await sleep(ms, undefined, { signal: stop }).catch(() => undefined)
}
