/** A server of its own that takes readings and nothing else: for devices on the network, while the dashboard stays on this machine. */
import fastify from 'fastify'
import { PlatformError } from '../../errors.ts'
import { endLastConnections } from '../../last-answers.ts'
import { ingestion, type IngestionOptions } from './ingestion.ts'

export interface Door {
  url: string
  close(): Promise<void>
}

/** Throws `config_invalid` without keys, and `port_in_use`. */
export async function openDoor({
  host,
  port,
  ...options
}: IngestionOptions & { host: string; port: number }): Promise<Door> {
  if (options.keys.length === 0)
    throw new PlatformError(
      'config_invalid',
      `sources.http.host is ${host}, and there are no keys: whoever reaches it could send`,
      'Add sources.http.keys, or leave sources.http.host out.',
    )
  const app = fastify()
  endLastConnections(app)
  await ingestion(app, options)
  await app.listen({ host, port }).catch((cause: Error) => {
    throw new PlatformError(
      'port_in_use',
      `Readings cannot be taken on ${host}:${port}: ${cause.message}`,
      'Choose another sources.http.port.',
      { cause },
    )
  })
  const address = app.server.address()
  const bound = typeof address === 'object' && address ? address.port : port
  return { url: `http://${host}:${bound}`, close: () => app.close() }
}
