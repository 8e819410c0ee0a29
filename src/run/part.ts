import { monitorEventLoopDelay } from 'node:perf_hooks'
import { log } from './log.ts'

/** What a part tells the supervisor that started it, over the channel between the two processes. */
export type PartMessage =
  | {
      kind: 'doing'
      doing: string
      figures: Record<string, number>
      memoryBytes: number
      eventLoopDelayMs: number
    }
  | { kind: 'listening'; url: string }
  | { kind: 'problem'; text: string | null }

/** Reports to the supervisor; does nothing where the part was started by hand. */
export function tellSupervisor(message: PartMessage): void {
  // The channel closes when this part is asked to stop; what it says after that nobody needs.
  if (process.connected) process.send!(message)
}

export const isSupervised = (): boolean => process.send !== undefined

/** How late timers fire: what a request or a device would have waited for this process at the worst. */
const delay = monitorEventLoopDelay({ resolution: 20 })
// Nobody else hears of it, and it would wake a command fifty times a second.
if (process.send) delay.enable()

/** Of the time since the last call: 99 of 100 timers were not later than that, ms. */
function eventLoopDelayMs(): number {
  const ms = delay.percentile(99) / 1e6
  delay.reset()
  return Number.isFinite(ms) ? Math.round(ms * 100) / 100 : 0
}

export function tellDoing(doing: string, figures: Record<string, number> = {}): void {
  tellSupervisor({
    kind: 'doing',
    doing,
    figures,
    memoryBytes: process.memoryUsage.rss(),
    eventLoopDelayMs: eventLoopDelayMs(),
  })
}

/** Says what is wrong while the part goes on trying, and (null) that it works again; `status` shows it. */
export function tellProblem(problem: { message: string; cure: string } | null): void {
  const text = problem && `${problem.message}. ${problem.cure}`
  if (text === told) return
  told = text
  log(text ?? 'The stream works again.', text === null ? 'info' : 'error')
  tellSupervisor({ kind: 'problem', text })
}
let told: string | null = null
