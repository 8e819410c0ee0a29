/** A real Kafka broker for the tests: one node or three, in a temporary folder, on free ports. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clusterProperties, startBroker, type Broker } from '../../src/run/kafka-broker.ts'
import { brokerObstacle, fetchKafka } from '../../src/run/kafka-jars.ts'
import { freePorts } from './ports.ts'

/** Why the tests against a broker cannot run here; false: they can. In CI they must. */
export function kafkaSkip(): string | false {
  const obstacle = brokerObstacle()
  if (!obstacle) return false
  if (process.env.CI) throw obstacle
  return `no Kafka broker: ${obstacle.message}`
}

export interface KafkaNode {
  /** `host:port` of the plain listener. */
  address: string
  start(): Promise<void>
  stop(): Promise<void>
  kill(): Promise<void>
}

export interface Kafka {
  brokers: string[]
  nodes: KafkaNode[]
  dir: string
  close(): Promise<void>
}

export interface KafkaOptions {
  nodes?: number
  /** Listeners besides the plain one: name, protocol. Their ports are in `ports`. */
  listeners?: Readonly<Record<string, string>>
  /** `server.properties`, given the ports of the listeners. */
  properties?: Readonly<Record<string, string | number>>
  scram?: readonly string[]
}

export async function startKafka(
  options: KafkaOptions = {},
): Promise<Kafka & { ports: Record<string, number> }> {
  const count = options.nodes ?? 1
  await fetchKafka()
  const extra = Object.entries(options.listeners ?? {})
  const ports = await freePorts(count * 2 + extra.length)
  const dir = mkdtempSync(join(tmpdir(), 'smarthouse-kafka-'))
  const voters = Array.from({ length: count }, (_, n) => `${n + 1}@127.0.0.1:${ports[n * 2 + 1]}`).join(',')
  const extraPorts = Object.fromEntries(extra.map(([name], n) => [name, ports[count * 2 + n]!]))
  const nodes = Array.from({ length: count }, (_, n) => {
    const plain = `PLAINTEXT://127.0.0.1:${ports[n * 2]}`
    const others = extra.map(([name]) => `${name}://127.0.0.1:${extraPorts[name]}`)
    const protocols = extra.map(([name, protocol]) => `${name}:${protocol}`)
    return nodeOf(join(dir, `node-${n + 1}`), n + 1, `127.0.0.1:${ports[n * 2]}`, options.scram, {
      ...clusterProperties(count),
      'controller.quorum.voters': voters,
      listeners: [plain, `CONTROLLER://127.0.0.1:${ports[n * 2 + 1]}`, ...others].join(','),
      'advertised.listeners': [plain, ...others].join(','),
      'inter.broker.listener.name': 'PLAINTEXT',
      'listener.security.protocol.map': ['PLAINTEXT:PLAINTEXT', 'CONTROLLER:PLAINTEXT', ...protocols].join(
        ',',
      ),
      ...options.properties,
    })
  })
  await Promise.all(nodes.map((node) => node.start()))
  return {
    brokers: nodes.map((node) => node.address),
    nodes,
    ports: extraPorts,
    dir,
    close: async () => {
      await Promise.all(nodes.map((node) => node.kill()))
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function nodeOf(
  dir: string,
  nodeId: number,
  address: string,
  scram: readonly string[] | undefined,
  properties: Record<string, string | number>,
): KafkaNode {
  let broker: Broker | undefined
  const end = async (how: 'stop' | 'kill'): Promise<void> => {
    await broker?.[how]()
    broker = undefined
  }
  return {
    address,
    start: async () => {
      broker = await startBroker({ dir, nodeId, properties, ...(scram && { scram }), heapMb: 384 })
    },
    stop: () => end('stop'),
    kill: () => end('kill'),
  }
}
