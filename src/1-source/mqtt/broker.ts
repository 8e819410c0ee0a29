/**
 * The embedded MQTT broker (3.1.1), for devices that are pointed at us. A reading is written inside `authorizePublish`,
 * which comes before the PUBACK: what is acknowledged is durable.
 */
import { Aedes, type AedesOptions, type AuthenticateError, type Client } from 'aedes'
import { createHash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { PlatformError } from '../../errors.ts'
import { DEFAULT_TENANT } from '../../reading.ts'
import type { Intake } from '../intake.ts'
import type { Say } from '../../log.ts'
import { createFloodGate, type FloodGate } from './flood.ts'
import { matches } from './topics.ts'

export interface BrokerUser {
  user: string
  password: string
  tenant_id: string
  /** Topic filters. */
  publish: readonly string[]
  subscribe: readonly string[]
}

export interface BrokerOptions {
  host: string
  /** 0: a free one. */
  port: number
  /** None: whoever reaches the address may publish and subscribe, which is loopback only. */
  users: readonly BrokerUser[]
  intake: Intake
  /** What one client may send a second for long, and at once; what is more waits. */
  messagesPerSecond: number
  burst: number
  say: Say
}

const TELL_FLOODS_EVERY_MS = 10_000
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '::1'])
const NOT_AUTHORISED = 5
const ANYBODY: BrokerUser = {
  user: '',
  password: '',
  tenant_id: DEFAULT_TENANT,
  publish: ['#'],
  subscribe: ['#'],
}

const digest = (secret: string | Uint8Array): Buffer => createHash('sha256').update(secret).digest()

/** Listens; throws `port_in_use`, and `config_invalid` where others than this machine could come in without a password. */
export async function startBroker(options: BrokerOptions) {
  const { users, say } = options
  requireUsers(options)
  const gate = createFloodGate({ perSecond: options.messagesPerSecond, burst: options.burst })
  const telling = setInterval(() => {
    for (const [client, messages] of gate.takeWaited())
      say(`${client} floods: ${messages} of its messages had to wait`, 'warn')
  }, TELL_FLOODS_EVERY_MS)
  const userOf = new WeakMap<Client, BrokerUser>()
  const broker = await Aedes.createBroker({
    authenticate: (client, user, password, done) => {
      const found = users.length === 0 ? ANYBODY : findUser(users, user, password)
      if (found) userOf.set(client, found)
      const refusal = Object.assign(new Error('wrong user or password'), { returnCode: NOT_AUTHORISED })
      if (found) done(null, true)
      else done(refusal as AuthenticateError, false)
    },
    authorizePublish: takePublished(options, gate, (client) => userOf.get(client)),
    authorizeSubscribe: (client, subscription, done) => {
      const { topic } = subscription
      const isAllowed =
        // Shared subscriptions would be accepted and never served.
        !topic.startsWith('$') && userOf.get(client)?.subscribe.some((filter) => covers(filter, topic))
      done(null, isAllowed ? subscription : null)
    },
  })
  broker.on('clientDisconnect', (client) => gate.forget(client.id))
  broker.on('clientError', (client, error) => say(`${client.id} was disconnected: ${error.message}`, 'warn'))
  broker.on('connectionError', (_client, error) => say(`A connection was refused: ${error.message}`, 'warn'))
  const server = createServer((socket) => void broker.handle(socket))
  server.listen(options.port, options.host)
  try {
    await Promise.race([
      once(server, 'listening'),
      once(server, 'error').then(([cause]) => Promise.reject(inUse(options, cause))),
    ])
  } catch (error) {
    // What was started would keep the process alive without a door.
    clearInterval(telling)
    await new Promise<void>((resolve) => broker.close(resolve))
    throw error
  }
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : options.port,
    clients: () => broker.connectedClients,
    close: async (): Promise<void> => {
      clearInterval(telling)
      const closed = once(server, 'close')
      server.close()
      await new Promise<void>((resolve) => broker.close(resolve))
      await closed
    },
  }
}

type AuthorizePublish = NonNullable<AedesOptions['authorizePublish']>

/** Writes each message that its sender may publish; calls back, which acknowledges it, when it is durable. */
function takePublished(
  { intake, say }: BrokerOptions,
  gate: FloodGate,
  userOf: (client: Client) => BrokerUser | undefined,
): AuthorizePublish {
  return (client, { topic, payload, dup }, done) => {
    const user = client ? userOf(client) : undefined
    if (!user || !user.publish.some((filter) => matches(filter, topic)))
      return done(new Error(`may not publish to ${topic.slice(0, 200)}`))
    // A publisher's RETAIN asks us to keep it; the message itself is new.
    const arrival = {
      topic,
      payload: Buffer.from(payload),
      retained: false,
      redelivered: dup,
      tenant: user.tenant_id,
    }
    const take = (): void =>
      void intake.take(arrival).then(
        () => done(null),
        (error: Error) => {
          say(`Not acknowledged, since it could not be stored: ${error.message}`, 'error')
          done(error)
        },
      )
    const waitMs = client ? gate.delayMs(client.id) : 0
    if (waitMs > 0) setTimeout(take, waitMs)
    else take()
  }
}

function requireUsers({ host, users }: BrokerOptions): void {
  if (users.length === 0 && !LOOPBACK.has(host))
    throw new PlatformError(
      'config_invalid',
      `sources.mqtt.host is ${host}, and there is no user: whoever reaches it could publish`,
      'Add sources.mqtt.users, or listen on 127.0.0.1.',
    )
}

function inUse({ host, port }: BrokerOptions, cause: unknown): PlatformError {
  return new PlatformError(
    'port_in_use',
    `The MQTT broker cannot listen on ${host}:${port}: ${(cause as Error).message}`,
    'Choose another sources.mqtt.port.',
    { cause },
  )
}

function findUser(
  users: readonly BrokerUser[],
  name: string | undefined,
  password: Uint8Array | undefined,
): BrokerUser | undefined {
  const asked = digest(password ?? '')
  return users.find(({ user, password: right }) => timingSafeEqual(digest(right), asked) && user === name)
}

/** Whether everything that a subscription asks for is in the filter. */
function covers(filter: string, asked: string): boolean {
  const allowed = filter.split('/')
  const levels = asked.split('/')
  for (const [index, level] of allowed.entries()) {
    if (level === '#') return true
    if (levels[index] === undefined || levels[index] === '#') return false
    if (level !== '+' && level !== levels[index]) return false
  }
  return allowed.length === levels.length
}
