/** What a part tells the supervisor that started it, over the channel between the two processes. */
export type PartMessage =
  | { kind: 'doing'; doing: string; figures: Record<string, number>; memoryBytes: number }
  | { kind: 'listening'; url: string }

/** Reports to the supervisor; does nothing where the part was started by hand. */
export function tellSupervisor(message: PartMessage): void {
  // The channel closes when this part is asked to stop; what it says after that nobody needs.
  if (process.connected) process.send!(message)
}

export const isSupervised = (): boolean => process.send !== undefined

export function tellDoing(doing: string, figures: Record<string, number> = {}): void {
  tellSupervisor({ kind: 'doing', doing, figures, memoryBytes: process.memoryUsage.rss() })
}
