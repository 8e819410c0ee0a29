/** Single-key shortcuts. They can be turned off (WCAG 2.1.4), and never act while somebody types. */
import { useEffect, useRef } from 'react'
import { useFlag } from '../preferences.ts'

/** `g o` is two keys, one after the other within this time. */
const SEQUENCE_MS = 1200

export const useSingleKeys = () => useFlag('single-keys', true)

let pending: { key: string } | null = null

/** Calls `act` when the key, or the two keys of a sequence such as `g o`, are pressed. */
export function useShortcut(keys: string, act: () => void): void {
  const latest = useRef(act)
  useEffect(() => void (latest.current = act))
  const [enabled] = useSingleKeys()

  useEffect(() => {
    if (!enabled) return
    const [first, second] = keys.split(' ')
    function press(event: KeyboardEvent): void {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.repeat) return
      if (isTyping(event.target) || document.querySelector('[role="dialog"]')) return
      if (second === undefined) {
        if (event.key === first && !pending) latest.current()
        return
      }
      if (event.key === first) {
        const begun = { key: first }
        pending = begun
        // The key after the sequence's time stands for itself again; a sequence begun since has its own time.
        setTimeout(() => {
          if (pending === begun) pending = null
        }, SEQUENCE_MS)
      } else if (pending?.key === first && event.key === second) {
        pending = null
        latest.current()
      }
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [keys, enabled])
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return (
    target.isContentEditable || target.matches('input:not([type=radio], [type=checkbox]), textarea, select')
  )
}
