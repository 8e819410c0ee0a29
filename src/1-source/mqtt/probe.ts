/** Whether a broker takes us: a connection that is closed at once, in a session of its own. */
import mqtt from 'mqtt'
import { connectOptions, type Connection } from './listener.ts'

const PATIENCE_MS = 5_000

/** Why it does not; null: it does. */
export async function probe(connection: Connection): Promise<string | null> {
  const client = mqtt.connect(connection.url, {
    ...connectOptions(connection),
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: PATIENCE_MS,
  })
  try {
    return await new Promise<string | null>((resolve) => {
      client.once('connect', () => resolve(null))
      client.once('error', (error: Error & { code?: unknown }) =>
        resolve(error.message || String(error.code ?? 'it cannot be reached')),
      )
      client.once('close', () => resolve('it closed the connection, or does not answer'))
    })
  } finally {
    await client.endAsync(true)
  }
}
