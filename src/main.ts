import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Registry } from './1-source/registry/registry.ts'
import { BRONZE_GAPS, BRONZE_TELEMETRY } from './3-bronze/tables.ts'
import { SILVER_TABLES } from './4-silver/tables.ts'
import { GOLD_CALENDAR, GOLD_TABLES } from './5-gold/tables.ts'
import type { Share, StreamLog } from './2-stream/log.ts'
import type { StreamLook, StreamView } from './2-stream/types.ts'
import type { Arguments } from './commands/command.ts'
import { ACCEPTED_CONFIG, loadConfig, requireNamedFiles, type LoadedConfig } from './config-file.ts'
import type { Config } from './config.ts'
import { isDataFolder, openDataFolder, type DataFolder } from './data-folder.ts'
import { isPlatformError } from './errors.ts'
import { kafkaSettings } from './kafka-settings.ts'
import type { Engine, Lake } from './lake/types.ts'
import { BRONZE_GROUP, DEAD_LETTER_TOPIC, TELEMETRY_TOPIC } from './reading.ts'
import { REFERENCE_TABLES } from './reference/tables.ts'
import { tellProblem } from './run/part.ts'
import type { Stage } from './stage.ts'

/**
 * The only file that names adapters: configuration in, parts out. Adapters are loaded when they are opened, so that
 * a process holds in memory only what its part needs.
 */

export const PROJECT_ROOT = fileURLToPath(new URL('..', import.meta.url))

export function programVersion(): string {
  return (JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as { version: string }).version
}

export interface Settings {
  config: Config
  /** Where relative paths of the configuration start. */
  baseDir: string
  folder: DataFolder
}

/** Where data and configuration lie by default: the project's folder, or, of an installed package, the one where it is started. */
const HOME = existsSync(join(PROJECT_ROOT, 'src', 'cli.ts')) ? PROJECT_ROOT : process.cwd()

/** The file that is named, else that of the house, else the one that comes with the program. */
export function configFile(args: Arguments): string {
  const files = [HOME, PROJECT_ROOT].map((folder) => join(folder, 'config', 'smarthouse.yaml'))
  return args.text('config') ?? files.find((file) => existsSync(file)) ?? files[0]!
}

/** Reads the configuration that the options name. */
export function openConfig(args: Arguments): LoadedConfig {
  return loadConfig({
    file: configFile(args),
    named: args.text('config') !== undefined,
    env: process.env,
    acceptedFile: process.env[ACCEPTED_CONFIG],
  })
}

/** Reads the configuration and opens the data folder that the options name; it must be there. */
export function openSettings(args: Arguments): Settings {
  const { config, baseDir } = openConfig(args)
  return { config, baseDir, folder: openDataFolder(dataPath(args), { create: false }) }
}

/**
 * As `openSettings`, for commands that begin the folder where it is absent. They do so only where the files that the
 * configuration names can be taken: what is refused leaves nothing behind. In a house that lives one may be wrong for a while.
 */
export async function beginSettings(args: Arguments): Promise<Settings> {
  const { config, baseDir } = openConfig(args)
  const path = dataPath(args)
  if (!isDataFolder(path)) {
    requireNamedFiles(config, baseDir)
    const { readBillingFile, readCatalogueFile } = await import('./reference/files.ts')
    await readCatalogueFile({ config, baseDir }, config.time_zone)
    await readBillingFile({ config, baseDir })
  }
  return { config, baseDir, folder: openDataFolder(path, { create: true }) }
}

export function dataPath(args: Arguments): string {
  return resolve(args.text('data') ?? join(HOME, 'data'))
}

export interface Warehouse {
  engine: Engine
  lake: Lake
  close(): Promise<void>
}

/** Opens the lake of the data folder as it lies there: also one of whose tables some cannot be read. */
export async function openLakeAlone({ config, folder }: Settings): Promise<Warehouse> {
  const { openDuckDb, openLake } = await import('./lake/index.ts')
  const engine = await openDuckDb({
    memoryLimitMb: config.engine.memory_limit_mb,
    threads: config.engine.threads,
    tempDirectory: folder.temp,
  })
  const lake = await openLake({ root: folder.lake, engine })
  return {
    engine,
    lake,
    close: async () => {
      await lake.close()
      await engine.close()
    },
  }
}

/** Opens the lake of the data folder; every table of the platform exists afterwards, if only empty. */
export async function openWarehouse(settings: Settings): Promise<Warehouse> {
  const warehouse = await openLakeAlone(settings)
  for (const table of [
    BRONZE_TELEMETRY,
    BRONZE_GAPS,
    ...SILVER_TABLES,
    GOLD_CALENDAR,
    ...GOLD_TABLES,
    ...REFERENCE_TABLES,
  ])
    await warehouse.lake.define(table)
  return warehouse
}

/**
 * Opens the stream. A new embedded log begins where Bronze ends, so that a deleted stream folder can neither hide
 * new readings below old offsets nor count any twice. `waiting`: see {@link openKafka}.
 */
export async function openStream(settings: Settings, lake: Lake, waiting?: AbortSignal): Promise<StreamLog> {
  if (settings.config.stream.type === 'kafka') return await openKafka(settings, waiting)
  const { folder } = settings
  const { openEmbeddedLog } = await import('./2-stream/embedded.ts')
  const bronze = await lake.snapshot(BRONZE_TELEMETRY.name)
  return await openEmbeddedLog({
    dir: folder.stream,
    firstOffset: bronze.txns.get(`stream:${TELEMETRY_TOPIC}/0`) ?? 0,
  })
}

/** `waiting`: until it is aborted (then its reason is thrown) a broker that is away is waited for; without it that is an error. */
async function openKafka({ config, baseDir }: Settings, waiting?: AbortSignal): Promise<StreamLog> {
  const { openKafkaLog } = await import('./2-stream/kafka.ts')
  const open = () => openKafkaLog({ ...kafkaSettings(config, baseDir), onProblem: tellProblem })
  if (!waiting) return await open()
  const { openWhenThere } = await import('./2-stream/later.ts')
  const log = await openWhenThere(open, {
    stop: waiting,
    onFailure(error) {
      if (!isPlatformError(error) || error.code !== 'stream_unreachable') throw error
      tellProblem(error)
    },
  })
  if (!log) throw waiting.reason
  tellProblem(null)
  return log
}

export type KafkaTopic = ReturnType<typeof kafkaSettings> & { topic: string }

/** Opens a topic on Kafka as it is there, and creates none; throws what it lacks of what is asked for. */
export async function openKafkaTopic(asked: KafkaTopic): Promise<StreamLog> {
  const { openKafkaLog } = await import('./2-stream/kafka.ts')
  return await openKafkaLog({ ...asked, create: false })
}

/** Opens the stream for a producer: without the lake, unless a lost stream must ask it where to begin. `waiting`: as of {@link openStream}. */
export async function openStreamAlone(settings: Settings, waiting?: AbortSignal): Promise<StreamLog> {
  if (settings.config.stream.type === 'kafka') return await openKafka(settings, waiting)
  const { stream, lake } = settings.folder
  const isLost = !existsSync(join(stream, `${TELEMETRY_TOPIC}.sqlite`)) && existsSync(join(lake, 'bronze'))
  if (!isLost) {
    const { openEmbeddedLog } = await import('./2-stream/embedded.ts')
    return await openEmbeddedLog({ dir: stream })
  }
  const warehouse = await openWarehouse(settings)
  try {
    return await openStream(settings, warehouse.lake)
  } finally {
    await warehouse.close()
  }
}

/** What is known of devices; in the folder of the stream, where requests and imports are remembered too. */
export async function openDevices({ folder }: Settings): Promise<Registry> {
  const { openRegistry } = await import('./1-source/registry/registry.ts')
  return openRegistry(folder.stream)
}

export type StageName = Stage['name']

/** `waiting`: as of {@link openStream}. */
export async function openStage(
  name: StageName,
  settings: Settings,
  warehouse: Warehouse,
  waiting?: AbortSignal,
): Promise<Stage> {
  const { lake, engine } = warehouse
  if (name === 'silver') {
    const { createSilverStage } = await import('./4-silver/refine.ts')
    return await createSilverStage({ lake, engine, lateEveryMs: settings.config.silver.late_pass })
  }
  if (name === 'gold') {
    const { createGoldStage } = await import('./5-gold/aggregate.ts')
    return await createGoldStage({ lake, engine })
  }
  return await openBronze(settings, warehouse, waiting)
}

/** Bronze on the embedded log lands and trims all of it; on Kafka it is one of any number of workers that share a topic. */
async function openBronze(
  settings: Settings,
  { lake, engine }: Warehouse,
  waiting?: AbortSignal,
): Promise<Stage> {
  const { createBronzeStage } = await import('./3-bronze/land.ts')
  const isKafka = settings.config.stream.type === 'kafka'
  const log = await openStream(settings, lake, waiting)
  const deadLetters = await openDeadLetters(settings)
  const share = isKafka ? await joinKafka(settings) : undefined
  const stage = await createBronzeStage({
    lake,
    engine,
    log,
    deadLetters,
    ...(share && { share }),
    keepStreamMs: isKafka ? null : settings.config.stream.retention,
  })
  return {
    name: stage.name,
    step: (options) => stage.step(options),
    close: async () => {
      await stage.close()
      await share?.close()
      await deadLetters.close()
      await log.close()
    },
  }
}

async function joinKafka({ config, baseDir }: Settings): Promise<Share> {
  const { joinShare } = await import('./2-stream/kafka-share.ts')
  return await joinShare({
    connection: kafkaSettings(config, baseDir).connection,
    topic: TELEMETRY_TOPIC,
    groupId: BRONZE_GROUP,
    onProblem: tellProblem,
  })
}

/** Copies of the messages that held no reading, in a stream of their own. */
export async function openDeadLetters({ config, baseDir, folder }: Settings): Promise<StreamLog> {
  if (config.stream.type === 'kafka') {
    const { openKafkaLog } = await import('./2-stream/kafka.ts')
    return await openKafkaLog({
      ...kafkaSettings(config, baseDir),
      topic: DEAD_LETTER_TOPIC,
      onProblem: tellProblem,
    })
  }
  const { openEmbeddedLog } = await import('./2-stream/embedded.ts')
  return await openEmbeddedLog({ dir: folder.stream, topic: DEAD_LETTER_TOPIC })
}

/** The stream as it is seen from outside. Without a lake at hand, the embedded log's readers are not known. */
export async function openStreamView(
  { config, baseDir, folder }: Settings,
  lake: Lake | null,
): Promise<StreamView> {
  if (config.stream.type === 'kafka') {
    const { openKafkaView } = await import('./2-stream/kafka-view.ts')
    return openKafkaView({ ...kafkaSettings(config, baseDir), onProblem: tellProblem })
  }
  const { openEmbeddedView } = await import('./2-stream/embedded-view.ts')
  return openEmbeddedView({
    dir: folder.stream,
    retentionMs: config.stream.retention,
    landed: async (topic) => (await lake?.snapshot(BRONZE_TELEMETRY.name))?.txns.get(`stream:${topic}/0`),
  })
}

/** The stream for a server, which shows the lake also while Kafka is away. */
export async function openServedStream(settings: Settings, lake: Lake): Promise<StreamLog> {
  if (settings.config.stream.type !== 'kafka') return await openStream(settings, lake)
  const { openLater } = await import('./2-stream/later.ts')
  return openLater({ topic: TELEMETRY_TOPIC, open: () => openKafka(settings), onProblem: tellProblem })
}

/** The stream for a page to look into. */
export async function openStreamLook(settings: Settings, lake: Lake): Promise<StreamLook> {
  const { openLook } = await import('./2-stream/look.ts')
  const { stream } = settings.config
  const where = stream.type === 'kafka' ? stream.brokers.join(', ') : settings.folder.stream
  return openLook(await openStreamView(settings, lake), { adapter: stream.type, where })
}
