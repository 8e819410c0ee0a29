/** Messages of a topic as the page shows them: asked for once, then followed, or read on, piece by piece. */
import { useCallback, useEffect, useRef, useState } from 'react'
import type { QueryOf, StreamMessage } from '../../6-serve/contract.ts'
import { ask } from '../api.ts'

const FOLLOW_EVERY_MS = 1000
/** So many are kept while they are followed. */
export const KEPT = 500

type Query = QueryOf<'streamMessages'>

export interface Tail {
  /** Newest first where the last are looked at; else in the order of the stream. */
  messages: readonly StreamMessage[]
  scanned: number
  state: 'loading' | 'ready' | 'failed'
  error: Error | null
  /** Asks for what comes behind the last one. */
  more(): Promise<void>
  again(): void
}

interface Seen {
  messages: StreamMessage[]
  next: string
  scanned: number
}

export function useTail(query: Query, following: boolean): Tail {
  const key = JSON.stringify(query)
  const [seen, setSeen] = useState<(Seen & { key: string }) | null>(null)
  const [error, setError] = useState<Error | null>(null)
  const [turn, setTurn] = useState(0)
  const latest = useRef(seen)
  latest.current = seen

  useEffect(() => {
    const stop = new AbortController()
    setError(null)
    ask('streamMessages', query, stop.signal).then(
      ({ messages, next, scanned }) => setSeen({ key, messages, next, scanned }),
      (failure: Error) => !stop.signal.aborted && setError(failure),
    )
    return () => stop.abort()
  }, [key, turn])

  const goOn = useCallback(
    async (signal?: AbortSignal) => {
      const from = latest.current
      if (from?.key !== key || from.next === '') return
      const { offset: _offset, since: _since, ...same } = query
      const more = await ask('streamMessages', { ...same, after: from.next, limit: 200 }, signal)
      setError(null)
      setSeen((old) =>
        old?.next === from.next
          ? {
              key,
              messages: [...old.messages, ...more.messages].slice(-KEPT),
              next: more.next || old.next,
              scanned: old.scanned + more.scanned,
            }
          : old,
      )
    },
    [key],
  )

  useEverySecond(following, goOn, setError)

  const own = seen?.key === key ? seen : null
  const fromEnd = query.offset === undefined && query.since === undefined
  return {
    messages: own ? (fromEnd ? own.messages.toReversed() : own.messages) : [],
    scanned: own?.scanned ?? 0,
    state: own ? 'ready' : error ? 'failed' : 'loading',
    error,
    more: () => goOn().catch((failure: Error) => setError(failure)),
    again: () => setTurn((n) => n + 1),
  }
}

/** Goes on once a second, one after the other, while the page is seen. */
function useEverySecond(
  on: boolean,
  goOn: (signal: AbortSignal) => Promise<void>,
  fail: (error: Error) => void,
): void {
  useEffect(() => {
    if (!on) return
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout>
    const wait = () => {
      timer = setTimeout(() => {
        const going = document.hidden ? Promise.resolve() : goOn(stop.signal)
        void going
          .catch((error: Error) => !stop.signal.aborted && fail(error))
          .then(() => !stop.signal.aborted && wait())
      }, FOLLOW_EVERY_MS)
    }
    wait()
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
  }, [on, goOn])
}
