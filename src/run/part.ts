/** What a part tells the supervisor that started it, over the channel between the two processes. */
export type PartMessage =
  | { kind: 'doing'; doing: string; figures: Record<string, number>; memoryBytes: number }
  | { kind: 'listening'; url: string }
  | { kind: 'problem'; text: string | null }

/** Reports to the supervisor; does nothing where the part was started by hand. */
export function tellSupervisor(message: PartMessage): void {
  // The channel closes when this part is asked to stop; what it says after that nobody needs.
  if (process.connected) process.send!(message)
}

export const isSupervised = (): boolean => process.send !== undefined

export function tellDoing(doing: string, figures: Record<string, number> = {}): void {
  tellSupervisor({ kind: 'doing', doing, figures, memoryBytes: process.memoryUsage.rss() })
}

/** Says what is wrong while the part goes on trying, and (null) that it works again; `status` shows it. */
export function tellProblem(problem: { message: string; cure: string } | null): void {
  const text = problem && `${problem.message}. ${problem.cure}`
  if (text === told) return
  told = text
  process.stderr.write(text === null ? 'The stream works again.\n' : `${text}\n`)
  tellSupervisor({ kind: 'problem', text })
}
let told: string | null = null
