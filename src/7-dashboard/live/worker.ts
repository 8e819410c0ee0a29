/** SharedWorker: one event stream per home for all tabs that look at it; none where no tab is visible. */
import { followEvents } from './events.ts'
import type { ConnectionState, LiveMessage, WorkerRequest } from './events.ts'

interface Stream {
  ports: Set<MessagePort>
  state: ConnectionState
  stop: () => void
}

const streams = new Map<string, Stream>()

function follow(port: MessagePort, url: string): void {
  const known = streams.get(url)
  if (known) {
    known.ports.add(port)
    port.postMessage({ kind: 'connection', state: known.state } satisfies LiveMessage)
    return
  }
  const stream: Stream = { ports: new Set([port]), state: 'connecting', stop: () => {} }
  streams.set(url, stream)
  stream.stop = followEvents(url, (message) => {
    if (message.kind === 'connection') stream.state = message.state
    for (const each of stream.ports) each.postMessage(message)
  })
}

function leave(port: MessagePort): void {
  for (const [url, stream] of streams) {
    if (!stream.ports.delete(port) || stream.ports.size > 0) continue
    stream.stop()
    streams.delete(url)
  }
}

// The event is one of the worker's own global, which the DOM library does not know.
addEventListener('connect', (event) => {
  const port = (event as MessageEvent).ports[0]
  if (!port) return
  port.addEventListener('message', (message: MessageEvent<WorkerRequest>) => {
    leave(port)
    if (message.data.kind === 'follow') follow(port, message.data.url)
  })
  port.start()
})
