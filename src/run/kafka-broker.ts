/**
 * Apache Kafka as a local process: for development (`smarthouse kafka up`) and for the tests. It is the real broker,
 * on Java, without a container; its jars come from a Kafka that is installed (`KAFKA_HOME`) or by Maven.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PlatformError } from '../errors.ts'

export const KAFKA_VERSION = '4.2.0'
const DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'
const LEAST_JAVA = 17
const READY_MS = 120_000
const STOP_MS = 20_000
/** Any 16 bytes in base64 URL: nodes of one cluster share it. */
const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qg'

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
 <groupId>local</groupId><artifactId>kafka-broker</artifactId><version>1</version><packaging>pom</packaging>
 <dependencies>
  <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version></dependency>
  <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>${KAFKA_VERSION}</version></dependency>
  <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version></dependency>
 </dependencies></project>
`

/** Why no broker can be started here; null: one can. */
export function brokerObstacle(): PlatformError | null {
  const { stderr, error } = spawnSync('java', ['-version'], { encoding: 'utf8' })
  const version = Number(/version "(\d+)/.exec(stderr ?? '')?.[1])
  if (error || !(version >= LEAST_JAVA))
    return new PlatformError(
      'kafka_not_installed',
      `A Kafka broker needs Java ${LEAST_JAVA} or newer, and ${error ? 'there is no java on the path' : `java is ${version}`}`,
      'Install a Java runtime (on Debian: apt-get install openjdk-17-jre-headless), or use a broker that runs elsewhere.',
    )
  if (process.env.KAFKA_HOME || existsSync(join(jarsDir(), 'complete'))) return null
  if (spawnSync('mvn', ['-version'], { shell: process.platform === 'win32' }).status === 0) return null
  return new PlatformError(
    'kafka_not_installed',
    "Kafka's jars are not here, and there is no Maven to fetch them",
    'Install Maven, or unpack Apache Kafka and set KAFKA_HOME to its folder.',
  )
}

const jarsDir = (): string => join(homedir(), '.cache', 'smarthouse', `kafka-${KAFKA_VERSION}`)

/** The class path of the broker; fetches the jars where they are absent (about 45 MB, once). */
export function kafkaClassPath(say: (line: string) => void = () => undefined): string {
  const installed = process.env.KAFKA_HOME
  if (installed) return join(installed, 'libs', '*')
  const dir = jarsDir()
  if (!existsSync(join(dir, 'complete'))) fetchJars(dir, say)
  return join(dir, 'lib', '*')
}

function fetchJars(dir: string, say: (line: string) => void): void {
  say(`Fetching Apache Kafka ${KAFKA_VERSION} by Maven into ${dir} (about 45 MB, once) …`)
  // Into a folder of its own, renamed when complete: two that fetch at once do not see each other's halves.
  const making = `${dir}.${process.pid}`
  mkdirSync(making, { recursive: true })
  writeFileSync(join(making, 'pom.xml'), POM)
  const words = ['-B', '-q', '-ntp', '-f', join(making, 'pom.xml'), `${DEPENDENCY_PLUGIN}:copy-dependencies`]
  const { status, stdout, stderr } = spawnSync(
    'mvn',
    [...words, `-DoutputDirectory=${join(making, 'lib')}`, '-DincludeScope=runtime'],
    { encoding: 'utf8', shell: process.platform === 'win32' },
  )
  if (status !== 0) {
    rmSync(making, { recursive: true, force: true })
    throw new PlatformError(
      'kafka_not_installed',
      `Maven could not fetch Apache Kafka ${KAFKA_VERSION}: ${`${stdout}${stderr}`.trim().split('\n')[0]}`,
      'Check the network, or unpack Apache Kafka and set KAFKA_HOME to its folder.',
    )
  }
  writeFileSync(join(making, 'complete'), '')
  if (existsSync(join(dir, 'complete'))) rmSync(making, { recursive: true, force: true })
  else renameSync(making, dir)
}

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
 * Java reads the broker's classes from an archive in half the time; the first broker that ends cleanly leaves one.
 * A Java that does not understand the archive passes it over.
 */
function classArchive(): { words: string[]; keep: () => void } {
  if (process.env.KAFKA_HOME) return { words: [], keep: () => undefined }
  const file = join(jarsDir(), 'classes.jsa')
  if (existsSync(file)) return { words: [`-XX:SharedArchiveFile=${file}`], keep: () => undefined }
  const making = `${file}.${process.pid}.${Date.now()}`
  const keep = (): void => {
    if (existsSync(making)) renameSync(making, file)
  }
  return { words: [`-XX:ArchiveClassesAtExit=${making}`], keep }
}

/** Formats the node's folder where it is new, starts the node and waits until it serves. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { dir, nodeId, heapMb = 512 } = options
  const classPath = kafkaClassPath()
  mkdirSync(dir, { recursive: true })
  const file = join(dir, 'server.properties')
  const properties = { 'node.id': nodeId, 'log.dirs': join(dir, 'data'), ...options.properties }
  const lines = Object.entries(properties).map(
    ([key, value]) => `${key}=${String(value).replaceAll('\\', '/')}`,
  )
  // The names of users and passwords stand in it.
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 })
  const java = ['-cp', classPath]
  if (!existsSync(join(dir, 'data', 'meta.properties'))) {
    const users = (options.scram ?? []).flatMap((user) => ['--add-scram', user])
    const words = ['format', '-t', CLUSTER_ID, '-c', file, ...users]
    const { status, stdout, stderr } = spawnSync('java', [...java, 'kafka.tools.StorageTool', ...words], {
      encoding: 'utf8',
    })
    if (status !== 0) throw brokerFailed(dir, `${stdout}${stderr}`)
  }
  const log = join(dir, 'broker.log')
  writeFileSync(log, '')
  const heap = [`-Xms${Math.min(128, heapMb)}m`, `-Xmx${heapMb}m`]
  const archive = classArchive()
  const child = spawn('java', [...heap, ...JAVA_WORDS, ...archive.words, ...java, 'kafka.Kafka', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  })
  const broker = brokerOf(child, archive.keep)
  let isReady = false
  const take = (text: Buffer): void => {
    appendFileSync(log, text)
    isReady ||= text.includes('Kafka Server started')
  }
  child.stdout.on('data', take)
  child.stderr.on('data', take)
  const deadline = performance.now() + READY_MS
  while (!isReady) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await broker.kill()
      throw brokerFailed(dir, readFileSync(log, 'utf8'))
    }
    await sleep(20)
  }
  return broker
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
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await ended
    clearTimeout(timer)
    keepArchive()
  }
  return { pid: child.pid ?? -1, ended, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
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
