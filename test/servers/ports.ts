/** Ports for servers that a test starts a moment later, and that cannot be told to take any. */
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below those that a system gives to whoever connects (Linux from 32768, others from 49152): none of these is taken meanwhile by a client. */
const FIRST = 20_000
const COUNT = 12_000

/** So many ports in a row that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  for (;;) {
    const first = FIRST + Math.floor(Math.random() * (COUNT - count))
    const ports = Array.from({ length: count }, (_, n) => first + n)
    const free = await Promise.all(ports.map(isFree))
    if (free.every(Boolean)) return ports
  }
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1)
  return port!
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
