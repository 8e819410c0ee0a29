/** The page's end of the live view: follows while the page is visible, by the shared worker where there is one. */
import { followEvents } from './events.ts'
import type { LiveMessage, WorkerRequest } from './events.ts'

/** Follows `url` while the page is visible; the returned function ends it. */
export function followWhileVisible(url: string, listener: (message: LiveMessage) => void): () => void {
  const follow = 'SharedWorker' in globalThis ? followByWorker : followEvents
  let stop: (() => void) | undefined

  const start = () => {
    stop ??= follow(url, listener)
  }
  const end = () => {
    stop?.()
    stop = undefined
  }
  const change = () => (document.hidden ? end() : start())

  change()
  document.addEventListener('visibilitychange', change)
  addEventListener('pagehide', end)
  addEventListener('pageshow', change)
  return () => {
    document.removeEventListener('visibilitychange', change)
    removeEventListener('pagehide', end)
    removeEventListener('pageshow', change)
    end()
  }
}

let worker: SharedWorker | undefined

function followByWorker(url: string, listener: (message: LiveMessage) => void): () => void {
  worker ??= new SharedWorker(new URL('./worker.ts', import.meta.url), {
    type: 'module',
    name: 'smarthouse-live',
  })
  const { port } = worker
  const receive = (event: MessageEvent<LiveMessage>) => listener(event.data)
  port.addEventListener('message', receive)
  port.start()
  port.postMessage({ kind: 'follow', url } satisfies WorkerRequest)
  return () => {
    port.removeEventListener('message', receive)
    port.postMessage({ kind: 'leave' } satisfies WorkerRequest)
  }
}
