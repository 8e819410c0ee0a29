/** Whether the screen is wide: what is not shown is not drawn either, and costs a phone nothing. */
import { useSyncExternalStore } from 'react'

/** The breakpoint `md` of `styles.css`. */
const wide = matchMedia('(min-width: 761px)')

function subscribe(listener: () => void): () => void {
  wide.addEventListener('change', listener)
  return () => wide.removeEventListener('change', listener)
}

export const useWide = () => useSyncExternalStore(subscribe, () => wide.matches)
