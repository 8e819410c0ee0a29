/**
 * Apache Kafka as a local process: for development (`smarthouse kafka up`) and for the tests. It is the real broker,
 * on Java, without a container; its jars come from a Kafka that is installed (`KAFKA_HOME`) or by Maven.
 */
import type { ChildProcess } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PlatformError } from '../errors.ts'
import { runBound, startBound } from './bound.ts'
import { classArchive, fetchKafka, kafkaClassPath } from './kafka-jars.ts'
import { isRunning } from './instance.ts'

const READY_MS = 120_000
const STOP_MS = 20_000
/** Any 16 bytes in base64 URL: nodes of one cluster share it. */
const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qg'

export interface BrokerOptions {
  /** Folder of the node: configuration, log and data. */
  dir: string
  nodeId: number
  /** `server.properties` besides what every node has. */
  properties: Readonly<Record<string, string | number | boolean>>
  /** SCRAM users, as `StorageTool --add-scram` takes them; they count when the node is formatted. */
  scram?: readonly string[]
  heapMb?: number
}

export interface Broker {
  pid: number
  /** Resolves when the process has ended, however. */
  ended: Promise<void>
  /** Ends it cleanly. */
  stop(): Promise<void>
  kill(): Promise<void>
}

const JAVA_WORDS = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dlog4j2.level=INFO']

/**
 * Formats the node's folder where it is new, starts the node and waits until it serves. It ends with this process. Throws the reason of
 * `stop` where that comes first.
 */
export async function startBroker(options: BrokerOptions, stop?: AbortSignal): Promise<Broker> {
  const { dir, heapMb = 512 } = options
  await fetchKafka(undefined, stop)
  mkdirSync(dir, { recursive: true })
  await untilBrokerEnded(dir, stop)
  const java = [...JAVA_WORDS, '-cp', kafkaClassPath()]
  const archive = classArchive()
  const file = writeProperties(options)
  // Only who ends cleanly after a while leaves an archive that is worth having: not this one.
  await format(options, [...archive.read, ...java, 'kafka.tools.StorageTool'], file, stop)
  stop?.throwIfAborted()
  const log = join(dir, 'broker.log')
  writeFileSync(log, '')
  const heap = [`-Xms${Math.min(128, heapMb)}m`, `-Xmx${heapMb}m`]
  const words = [...heap, ...archive.read, ...archive.write, ...java, 'kafka.Kafka', file]
  const child = startBound('java', words, lockOf(dir))
  const broker = brokerOf(child, archive.keep)
  let isReady = false
  const take = (text: Buffer): void => {
    appendFileSync(log, text)
    isReady ||= text.includes('Kafka Server started')
  }
  child.stdout!.on('data', take)
  child.stderr!.on('data', take)
  const deadline = performance.now() + READY_MS
  while (!isReady) {
    if (child.exitCode !== null || performance.now() > deadline || stop?.aborted) {
      await broker.kill()
      stop?.throwIfAborted()
      throw brokerFailed(dir, readFileSync(log, 'utf8'))
    }
    await sleep(20)
  }
  return broker
}

/** Held by whoever runs a broker in the folder. */
const lockOf = (dir: string): string => join(dir, 'run')

/** Where the one who started a broker was killed, it ends by itself in a moment. */
export async function untilBrokerEnded(dir: string, stop?: AbortSignal): Promise<void> {
  const deadline = performance.now() + STOP_MS
  while (isRunning(lockOf(dir))) {
    if (performance.now() > deadline) throw brokerFailed(dir, 'a broker runs on it already')
    await sleep(50, undefined, { signal: stop })
  }
}

function writeProperties({ dir, nodeId, properties }: BrokerOptions): string {
  const file = join(dir, 'server.properties')
  const lines = Object.entries({ 'node.id': nodeId, 'log.dirs': join(dir, 'data'), ...properties }).map(
    ([key, value]) => `${key}=${String(value).replaceAll('\\', '/')}`,
  )
  // The names of users and passwords stand in it.
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  return file
}

/** The file that says that a folder is formatted is the last that is written: ended before, it is done again. */
async function format(
  { dir, scram = [] }: BrokerOptions,
  tool: readonly string[],
  file: string,
  stop?: AbortSignal,
): Promise<void> {
  if (existsSync(join(dir, 'data', 'meta.properties'))) return
  const users = scram.flatMap((user) => ['--add-scram', user])
  const words = ['format', '-t', CLUSTER_ID, '-c', file, ...users]
  const { code, output } = await runBound('java', [...tool, ...words], stop)
  if (code !== 0 && !stop?.aborted) throw brokerFailed(dir, output)
}

function brokerFailed(dir: string, output: string): PlatformError {
  const reason =
    output.split('\n').find((line) => /exception|error|invalid/i.test(line)) ??
    output.trim().split('\n').at(-1)
  return new PlatformError(
    'kafka_not_installed',
    `The Kafka broker in ${dir} did not start: ${reason}`,
    `See ${join(dir, 'broker.log')}; a port may be taken, or the folder may be of another cluster.`,
  )
}

function brokerOf(child: ChildProcess, keepArchive: () => void): Broker {
  let pid = -1
  child.once('message', (message) => (pid = Number(message)))
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const signal = (name: NodeJS.Signals): void => {
    if (child.exitCode !== null || pid < 0) return void child.kill(name)
    try {
      process.kill(pid, name)
    } catch {
      // It ended just now.
    }
  }
  const end = async (name: NodeJS.Signals): Promise<void> => {
    signal(name)
    const timer = setTimeout(() => signal('SIGKILL'), STOP_MS)
    await ended
    clearTimeout(timer)
    keepArchive()
  }
  return {
    get pid() {
      return pid
    },
    ended,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

/** What every node of a small cluster has. */
export function clusterProperties(nodes: number): Record<string, string | number> {
  const copies = Math.min(nodes, 3)
  return {
    'process.roles': 'broker,controller',
    'controller.listener.names': 'CONTROLLER',
    'offsets.topic.num.partitions': 1,
    'offsets.topic.replication.factor': copies,
    'transaction.state.log.num.partitions': 1,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': Math.max(1, copies - 1),
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': Math.max(1, copies - 1),
    // A node that was killed is let in again only when its session of before has run out: 9 s by default, asked every 2 s.
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'log.cleaner.dedupe.buffer.size': 2_097_152,
    'auto.create.topics.enable': 'false',
  }
}

/** The words that run a tool of the broker's own, for example `ProducerPerformance`. */
export function kafkaTool(mainClass: string, words: readonly string[]): string[] {
  return ['-cp', [kafkaClassPath()].join(delimiter), mainClass, ...words]
}
