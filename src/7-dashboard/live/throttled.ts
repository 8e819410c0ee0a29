import { startTransition, useEffect, useState } from 'react'
import type { LiveStore } from './store.ts'

/** Renders anew after changes of the store, at most once in `everyMs`: text that people read need not flicker. */
export function useThrottled(store: LiveStore, everyMs: number): number {
  const [version, setVersion] = useState(store.version())
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const stop = store.subscribe(() => {
      if (store.state().paused) return
      timer ??= setTimeout(() => {
        timer = undefined
        startTransition(() => setVersion(store.version()))
      }, everyMs)
    })
    return () => {
      clearTimeout(timer)
      stop()
    }
  }, [store, everyMs])
  return version
}
