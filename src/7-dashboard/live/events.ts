/**
 * The event stream of one home. Runs in the SharedWorker (one connection for all tabs: HTTP/1.1 admits six to a
 * server, and the seventh tab would not load), or in the page where there is none.
 */
import type { LiveEventName } from '../../6-serve/contract.ts'

export type ConnectionState = 'connecting' | 'open'

export type LiveMessage =
  | { kind: 'connection'; state: ConnectionState }
  | { kind: 'event'; name: LiveEventName; data: string }

/** What a page tells the worker. */
export type WorkerRequest = { kind: 'follow'; url: string } | { kind: 'leave' }

const NAMES: readonly LiveEventName[] = ['snapshot', 'readings', 'power', 'status', 'alert', 'resync']
const FIRST_RETRY_MS = 2_000
const LAST_RETRY_MS = 30_000

/** Follows the stream until the returned function is called; comes back by itself after any failure. */
export function followEvents(url: string, listener: (message: LiveMessage) => void): () => void {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let retryMs = FIRST_RETRY_MS

  function open(): void {
    listener({ kind: 'connection', state: 'connecting' })
    source = new EventSource(url)
    source.addEventListener('open', () => {
      retryMs = FIRST_RETRY_MS
      listener({ kind: 'connection', state: 'open' })
    })
    source.addEventListener('error', () => {
      listener({ kind: 'connection', state: 'connecting' })
      // A broken connection is opened again by the browser; an answer that is no stream ends it for good.
      if (source?.readyState !== EventSource.CLOSED) return
      timer = setTimeout(open, retryMs)
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS)
    })
    for (const name of NAMES) {
      source.addEventListener(name, (event: MessageEvent<string>) =>
        listener({ kind: 'event', name, data: event.data }),
      )
    }
  }

  open()
  return () => {
    clearTimeout(timer)
    source?.close()
  }
}
