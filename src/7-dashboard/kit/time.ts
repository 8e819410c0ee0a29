/** The time of the page, for "2 s ago". */
import { useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()
let nowMs = Date.now()
let timer: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(() => {
    if (document.hidden) return
    nowMs = Date.now()
    for (const each of listeners) each()
  }, 1000)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** Machine time, ms, anew every second; one timer for the whole page, at rest while the page is hidden. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => nowMs)
}

/** Age of an instant, ms, never negative; null where there is none. */
export const ageOf = (instant: string | null, now: number) =>
  instant === null ? null : Math.max(0, now - Date.parse(instant))
