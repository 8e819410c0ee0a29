/** The jars of a Kafka broker: of one that is installed (`KAFKA_HOME`), or fetched by Maven, once for every data folder. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { PlatformError } from '../errors.ts'
import { removeLeftOf } from '../leftovers.ts'
import { runBound } from './bound.ts'

export const KAFKA_VERSION = '4.2.0'
const DEPENDENCY_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'
const LEAST_JAVA = 17

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
  if (process.env.KAFKA_HOME || areFetched(jarsDir())) return null
  if (spawnSync('mvn', ['-version'], { shell: process.platform === 'win32' }).status === 0) return null
  return new PlatformError(
    'kafka_not_installed',
    "Kafka's jars are not here, and there is no Maven to fetch them",
    'Install Maven, or unpack Apache Kafka and set KAFKA_HOME to its folder.',
  )
}

const jarsDir = (): string => join(homedir(), '.cache', 'smarthouse', `kafka-${KAFKA_VERSION}`)
const areFetched = (dir: string): boolean => existsSync(join(dir, 'complete'))

/** The class path of the broker, once {@link fetchKafka} has seen to it that it is there. */
export function kafkaClassPath(): string {
  const installed = process.env.KAFKA_HOME
  return installed ? join(installed, 'libs', '*') : join(jarsDir(), 'lib', '*')
}

/** Fetches the jars where they are absent (about 45 MB, once). */
export async function fetchKafka(
  say: (line: string) => void = () => undefined,
  stop?: AbortSignal,
): Promise<void> {
  const dir = jarsDir()
  if (process.env.KAFKA_HOME || areFetched(dir)) return
  say(`Fetching Apache Kafka ${KAFKA_VERSION} by Maven into ${dir} (about 45 MB, once) …`)
  // Into a folder of its own, renamed when complete: two that fetch at once do not see each other's halves.
  const making = `${dir}.${process.pid}`
  removeLeftOf(dir)
  mkdirSync(making, { recursive: true })
  try {
    const pom = join(making, 'pom.xml')
    writeFileSync(pom, POM)
    const words = ['-B', '-q', '-ntp', '-f', pom, `${DEPENDENCY_PLUGIN}:copy-dependencies`]
    const into = [`-DoutputDirectory=${join(making, 'lib')}`, '-DincludeScope=runtime']
    const { code, output } = await runBound('mvn', [...words, ...into], stop)
    stop?.throwIfAborted()
    if (code !== 0)
      throw new PlatformError(
        'kafka_not_installed',
        `Maven could not fetch Apache Kafka ${KAFKA_VERSION}: ${output.trim().split('\n')[0]}`,
        'Check the network, or unpack Apache Kafka and set KAFKA_HOME to its folder.',
      )
    writeFileSync(join(making, 'complete'), '')
    if (areFetched(dir)) return
    // A folder without the file that says that it is complete: nothing that anybody could use.
    rmSync(dir, { recursive: true, force: true })
    renameSync(making, dir)
  } catch (error) {
    // Another one was faster.
    if (!areFetched(dir)) throw error
  } finally {
    rmSync(making, { recursive: true, force: true, maxRetries: 5 })
  }
}

/**
 * Java reads the broker's classes from an archive in half the time; the first broker that ends cleanly leaves one.
 * A Java that does not understand the archive passes it over.
 */
export function classArchive(): { read: string[]; write: string[]; keep: () => void } {
  const none = { read: [], write: [], keep: () => undefined }
  if (process.env.KAFKA_HOME) return none
  const file = join(jarsDir(), 'classes.jsa')
  if (existsSync(file)) return { ...none, read: [`-XX:SharedArchiveFile=${file}`] }
  removeLeftOf(file)
  const making = `${file}.${process.pid}.${Date.now()}`
  const keep = (): void => {
    if (existsSync(making)) renameSync(making, file)
  }
  return { read: [], write: [`-XX:ArchiveClassesAtExit=${making}`], keep }
}
