/** Drawing only what is looked at: a slow phone answers sooner, and what nobody sees costs nothing. */
import { startTransition, useEffect, useRef, useState } from 'react'
import type { RefObject } from 'react'
import { flushSync } from 'react-dom'

/** Begins a little before it is seen, so that who scrolls finds it drawn. */
const MARGIN = '200px'

/** Whether the element has come near the window, or is to be printed; once it has, it stays so. */
export function useNear(): [RefObject<HTMLElement | null>, boolean] {
  const ref = useRef<HTMLElement | null>(null)
  const [near, setNear] = useState(false)
  useEffect(() => {
    if (near || !ref.current) return
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) startTransition(() => setNear(true))
      },
      { rootMargin: MARGIN },
    )
    observer.observe(ref.current)
    // The printed page is the whole page, and the browser does not wait for a later drawing.
    const print = () => flushSync(() => setNear(true))
    window.addEventListener('beforeprint', print)
    return () => {
      observer.disconnect()
      window.removeEventListener('beforeprint', print)
    }
  }, [near])
  return [ref, near]
}
