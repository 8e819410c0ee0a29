/** Rounds of chaos on one data folder after another: load, faults, everything mended and drained, the account. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openEmbeddedLog } from '../../src/2-stream/embedded.ts'
import { openKafkaLog } from '../../src/2-stream/kafka.ts'
import { openDataFolder } from '../../src/data-folder.ts'
import type { StreamLog } from '../../src/2-stream/log.ts'
import { startKafka, type Kafka } from '../servers/kafka.ts'
import { account, isClean } from './account.ts'
import { openDisk, type Disk } from './disk.ts'
import { kills, rage, type Tally, type World } from './faults.ts'
import { freePort } from '../servers/ports.ts'
import { run, startPlatform, type Place } from './platform.ts'
import { randomOf, type Random } from './random.ts'
import { httpSender, mqttSender, streamSender, type ReadingId, type Sender } from './senders.ts'

export type StreamKind = 'embedded' | 'kafka'

export interface ChaosOptions {
  kills: number
  seed: number
  streams: readonly StreamKind[]
  say: (text: string) => void
}

export interface Outcome extends Tally {
  rounds: number
  acknowledged: number
  lost: number
  twice: number
  disk: Disk['kind']
  /** What went wrong, and where it can be looked at; empty: nothing. */
  problems: string[]
}

const KILLS_A_ROUND = 20
/** After so many rounds a folder is left: what is compared with a rebuild grows with each. */
const ROUNDS_A_FOLDER = 4
const MENDED_MS = 120_000
const PARTITIONS = 3

/** A home: one data folder, its processes and what was acknowledged of it. */
interface Home {
  dir: string
  place: Place
  disk: Disk
  kafka: Kafka | undefined
  httpPort: number
  mqttPort: number
  acknowledged: ReadingId[]
  rounds: number
}

/** Ends after the first round in which something is wrong; then the folder stays. */
export async function chaos({ kills: wanted, seed, streams, say }: ChaosOptions): Promise<Outcome> {
  const random = randomOf(seed)
  const outcome: Outcome = {
    rounds: 0,
    acknowledged: 0,
    lost: 0,
    twice: 0,
    killed: {},
    faults: {},
    disk: 'injected',
    problems: [],
  }
  const homes = new Map<StreamKind, Home>()
  try {
    while (kills(outcome) < wanted && outcome.problems.length === 0) {
      const stream = streams[outcome.rounds % streams.length]!
      let home = homes.get(stream)
      if (home && home.rounds >= ROUNDS_A_FOLDER) {
        await leave(home, true)
        home = undefined
      }
      home ??= await settle(stream)
      homes.set(stream, home)
      outcome.disk = home.disk.kind
      await round(home, stream, random, outcome, Math.min(KILLS_A_ROUND, wanted - kills(outcome)), say)
    }
  } finally {
    for (const home of homes.values()) await leave(home, outcome.problems.length === 0)
  }
  return outcome
}

async function settle(stream: StreamKind): Promise<Home> {
  const dir = mkdtempSync(join(tmpdir(), 'smarthouse-chaos-'))
  const kafka = stream === 'kafka' ? await startKafka() : undefined
  const place: Place = {
    data: join(dir, 'disk', 'data'),
    config: join(dir, 'smarthouse.yaml'),
    log: join(dir, 'platform.log'),
    clockFile: join(dir, 'clock'),
    fullFile: join(dir, 'full'),
  }
  const disk = openDisk(join(dir, 'disk'), place)
  openDataFolder(place.data, { create: true })
  const [httpPort, mqttPort] = [await freePort(), await freePort()]
  const lines = [
    'time_zone: Europe/Berlin',
    'simulator: { enabled: false }',
    `server: { port: ${httpPort} }`,
    `sources: { mqtt: { enabled: true, port: ${mqttPort} } }`,
    'bronze: { flush: 300ms }',
    'silver: { late_pass: 2s }',
    'gold: { every: 500ms }',
  ]
  // No jump of the clock takes away what a torn entry has to be read from again.
  if (!kafka) lines.push('stream: { retention: 30d }')
  else
    lines.push(
      `stream: { type: kafka, brokers: [${kafka.brokers.map((each) => `"${each}"`).join(', ')}], partitions: ${PARTITIONS} }`,
    )
  writeFileSync(place.config, `${lines.join('\n')}\n`)
  return { dir, place, disk, kafka, httpPort, mqttPort, acknowledged: [], rounds: 0 }
}

async function leave({ dir, disk, kafka }: Home, remove: boolean): Promise<void> {
  await kafka?.close()
  if (!remove) return
  disk.close()
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
}

/** One program that keeps its parts, or each stage as a process of its own; on Kafka then two workers share Bronze. */
function commandsOf(stream: StreamKind, isOne: boolean, httpPort: number): string[][] {
  if (isOne) return [['up', '--no-open', '--port', String(httpPort)]]
  return [
    ['bronze'],
    ...(stream === 'kafka' ? [['bronze']] : []),
    ['silver'],
    ['gold'],
    ['serve', '--port', String(httpPort)],
    ['broker'],
  ]
}

async function round(
  home: Home,
  stream: StreamKind,
  random: Random,
  outcome: Outcome,
  wanted: number,
  say: ChaosOptions['say'],
): Promise<void> {
  const { place, disk, kafka, httpPort, mqttPort } = home
  // So two rounds, one on each stream, are both ways of running it.
  const isOne = home.rounds % 2 === (stream === 'kafka' ? 1 : 0)
  const name = `r${home.rounds}`
  const beganMs = performance.now()
  const commands = commandsOf(stream, isOne, httpPort)
  const log = await openLog(home)
  const platform = startPlatform(place, commands)
  const url = `http://127.0.0.1:${httpPort}`
  const senders: Sender[] = [
    httpSender(`${name}-http-a`, url, random),
    httpSender(`${name}-http-b`, url, random),
    streamSender(`${name}-stream`, log, random),
    ...[0, 1, 2].map((n) => mqttSender(`${name}-mqtt-${n}`, `mqtt://127.0.0.1:${mqttPort}`, random)),
  ]
  const world: World = {
    place,
    disk,
    random,
    commands,
    platform,
    broker: kafka?.nodes[0],
    tally: outcome,
    imports: [],
    problems: [],
    say,
  }
  await rage(world, wanted)
  const problems = await drain(world, senders, log)
  home.acknowledged.push(
    ...senders.flatMap(({ acknowledged }) => acknowledged),
    ...world.imports.flatMap(({ ids }) => ids),
  )
  const result = problems.length > 0 ? undefined : await account(place, home.acknowledged)
  home.rounds += 1
  outcome.rounds += 1
  outcome.acknowledged += senders.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0)
  outcome.acknowledged += world.imports.reduce((sum, { ids }) => sum + ids.length, 0)
  outcome.lost += result?.lost.length ?? 0
  outcome.twice += result?.twice.length ?? 0
  if (result && !isClean(result)) problems.push(...told(result))
  const isFine = problems.length === 0
  say(
    `round ${outcome.rounds} (${stream}, ${isOne ? 'one program' : 'separate processes'}): ${kills(outcome)} kills so far, ` +
      `${result?.acknowledged ?? 0} readings in this folder, ${Math.round((performance.now() - beganMs) / 1000)} s: ` +
      (isFine ? '0 lost, 0 twice, equal to its rebuild' : 'WRONG'),
  )
  if (isFine) return
  outcome.problems.push(...problems, `Round ${outcome.rounds}; the folder is kept: ${home.dir}`)
}

function openLog({ place, kafka }: Home): Promise<StreamLog> {
  if (!kafka) return openEmbeddedLog({ dir: join(place.data, 'stream') })
  return openKafkaLog({
    connection: { brokers: kafka.brokers },
    create: true,
    partitions: PARTITIONS,
    replication: 1,
    retentionMs: 7 * 86_400_000,
  })
}

/** Everything mended and running: whoever has begun to send is answered, imports come to their end, all stops when asked. */
async function drain(world: World, senders: readonly Sender[], log: StreamLog): Promise<string[]> {
  const { problems } = world
  const late = new AbortController()
  const finished = Promise.all(senders.map((sender) => sender.finish().then(() => sender.name)))
  const waited = sleep(MENDED_MS, 'late' as const, { signal: late.signal }).catch(() => 'late' as const)
  if ((await Promise.race([finished, waited])) === 'late')
    problems.push(`after ${MENDED_MS / 1000} s without a fault some sender was not answered`)
  late.abort()
  for (const { file } of world.imports) {
    const { code, errors } = await run(world.place, ['import', file])
    if (code !== 0) problems.push(`import ended with ${code}: ${errors.trim()}`)
  }
  await log.close()
  const ended = await world.platform.stop()
  if (ended.length > 0) problems.push(`did not stop when asked: ${ended.join(', ')}`)
  return problems
}

function told({ lost, twice, unknown, problems }: Awaited<ReturnType<typeof account>>): string[] {
  const some = (what: string, ids: readonly string[]): string[] =>
    ids.length === 0 ? [] : [`${ids.length} ${what}: ${ids.slice(0, 5).join(', ')}`]
  return [
    ...some('lost', lost),
    ...some('twice', twice),
    ...some('in Silver that nobody sent', unknown),
    ...problems,
  ]
}
