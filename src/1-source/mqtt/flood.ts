/**
 * Bounds what one client may take of the broker: so many messages at once, and then so many a second. One that sends more is
 * not answered before its turn, so that it waits; nothing of it is lost, and the others go on.
 */
export interface FloodGate {
  /** ms to wait before the next message of this client is taken. */
  delayMs(client: string): number
  /** How many messages were made to wait since the last time this was asked, by client. */
  takeWaited(): ReadonlyMap<string, number>
  forget(client: string): void
}

export function createFloodGate(options: {
  perSecond: number
  burst: number
  /** ms of a clock that nobody sets: one that was set back would let the clients wait for as long. */
  clock?: () => number
}): FloodGate {
  const { perSecond, burst, clock = () => performance.now() } = options
  const stepMs = 1000 / perSecond
  /** Per client: until when the messages taken so far would last at the rate. */
  const dueMs = new Map<string, number>()
  let waited = new Map<string, number>()
  return {
    delayMs(client) {
      const nowMs = clock()
      const before = Math.max(dueMs.get(client) ?? 0, nowMs)
      dueMs.set(client, before + stepMs)
      const delay = Math.max(0, before - nowMs - (burst - 1) * stepMs)
      if (delay > 0) waited.set(client, (waited.get(client) ?? 0) + 1)
      return delay
    },
    takeWaited() {
      const taken = waited
      waited = new Map()
      return taken
    },
    forget: (client) => void dueMs.delete(client),
  }
}
