/**
 * Other people's brokers: what devices publish there is taken in. The session is kept by the broker (`clean: false`), and a
 * message is acknowledged only when it is durable in the stream; what was not is sent again.
 */
import { readFileSync } from 'node:fs'
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt'
import type { Say } from '../../log.ts'
import type { Intake } from '../intake.ts'

/** How a broker is reached. */
export interface Connection {
  /** `mqtt://…` or `mqtts://…`, with the port. */
  url: string
  /** 4: MQTT 3.1.1. */
  version: 4 | 5
  username?: string | undefined
  password?: string | undefined
  /** Stable, since the broker keeps the session under it. */
  clientId: string
  /** PEM files. */
  caFile?: string | undefined
  certFile?: string | undefined
  keyFile?: string | undefined
}

export interface ListenerOptions extends Connection {
  /** Topic filters. */
  topics: readonly string[]
  tenant: string
  intake: Intake
  say: Say
}

export interface Listener {
  isConnected(): boolean
  close(): Promise<void>
}

/** Seconds that a broker of version 5 keeps the session of a client that is away. */
const SESSION_S = 7 * 86_400
/** Messages that the broker may send before the first of them is acknowledged. */
const IN_FLIGHT = 100
const RETRY_MS = 1_000

/** Connects, and connects again for as long as it is not closed. */
export function listen(options: ListenerOptions): Listener {
  const { url, topics, intake, say, tenant } = options
  // The address may carry a password.
  const shown = url.replace(/\/\/[^@/]*@/, '//')
  const client = mqtt.connect(url, connectOptions(options))
  client.on('connect', ({ sessionPresent }) => {
    say(`${shown}: connected${sessionPresent ? ', the session goes on' : ''}`)
    // Asked for anew each time: a broker that was started again may know nothing of it.
    client.subscribe([...topics], { qos: 1 }, (error, granted) => {
      const refused = granted?.filter(({ qos }) => qos >= 128).map(({ topic }) => topic) ?? []
      if (error || refused.length > 0)
        say(`${shown}: may not listen to ${refused.join(', ') || (error?.message ?? '')}`, 'warn')
    })
  })
  client.on('error', (error) => say(`${shown}: ${error.message}`, 'warn'))
  client.on('close', () => say(`${shown}: not connected; trying again`, 'warn'))
  takeEach(client, intake, {
    tenant,
    failed: (message) => say(`${shown}: not acknowledged: ${message}`, 'error'),
  })
  return {
    isConnected: () => client.connected,
    close: async () => {
      client.removeAllListeners('close')
      await client.endAsync()
    },
  }
}

export function connectOptions(options: Connection): IClientOptions {
  const { version, username, password, clientId, caFile, certFile, keyFile } = options
  return {
    protocolVersion: version,
    clean: false,
    clientId,
    reconnectPeriod: RETRY_MS,
    resubscribe: false,
    ...(version === 5 && { properties: { sessionExpiryInterval: SESSION_S, receiveMaximum: IN_FLIGHT } }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(caFile !== undefined && { ca: readFileSync(caFile) }),
    ...(certFile !== undefined && { cert: readFileSync(certFile) }),
    ...(keyFile !== undefined && { key: readFileSync(keyFile) }),
  }
}

/** The client acknowledges a message when `handleMessage` calls back without an error. */
function takeEach(
  client: MqttClient,
  intake: Intake,
  { tenant, failed }: { tenant: string; failed: (message: string) => void },
): void {
  client.handleMessage = (packet: IPublishPacket, done) => {
    const { topic, payload, retain, dup } = packet
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
    intake.take({ topic, payload: bytes, retained: retain, redelivered: dup, tenant }).then(
      () => done(),
      (error: Error) => {
        failed(error.message)
        // Connected anew, the broker sends again what it has no acknowledgement of.
        client.stream.destroy()
        done(error)
      },
    )
  }
}
