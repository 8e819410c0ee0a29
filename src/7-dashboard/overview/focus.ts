/** Which devices have the focus, kept in the address: `?dev=a,b`. */
import { useCallback, useMemo } from 'react'
import { useSearchState } from '../useHouse.ts'

export function useFocus() {
  const [{ dev }, change] = useSearchState()
  const focused = useMemo<ReadonlySet<string>>(() => new Set(dev ? dev.split(',') : []), [dev])

  /** Focuses one device; with `add` beside the others; one that has the focus alone loses it. */
  const choose = useCallback(
    (id: string, add = false) => {
      const next = new Set(add ? focused : [])
      if (!focused.has(id)) next.add(id)
      else if (add) next.delete(id)
      else if (focused.size > 1) next.add(id)
      change({ dev: next.size ? [...next].join(',') : undefined })
    },
    [focused, change],
  )
  const clear = useCallback(() => {
    if (dev !== undefined) change({ dev: undefined })
  }, [dev, change])
  return { focused, choose, clear }
}
