/**
 * Producers, Bronze workers and the broker, each a process, killed at random while readings flow; what was acknowledged is
 * then held against what stands in Bronze. The test does it a few times, the soak a few hundred.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openKafkaLog, type KafkaLogOptions } from '../../src/2-stream/kafka.ts'
import { openReadOnly, type ReadOnlyLake } from './kill-lake.ts'
import { smarthouseHere, start } from '../house/run-cli.ts'
import { startKafka, type Kafka } from '../servers/kafka.ts'

export interface KillRun {
  kills: number
  seed: number
  producers: number
  workers: number
  /** Of all producers together, readings/s. */
  perSecond: number
  /** What must be acknowledged on average, readings/s. */
  leastPerSecond: number
  /** Longest pause between two kills, ms. */
  pauseMs: number
  say?: (line: string) => void
}

export interface KillReport {
  killed: { producer: number; worker: number; broker: number }
  acknowledged: number
  landed: number
  /** Acknowledged, and not in Bronze. */
  lost: number
  /** Readings that stand in Bronze more than once. */
  twice: number
  /** From the first acknowledgement to the last, with the times in which the broker was away. */
  perSecond: number
  /** What `smarthouse verify` ended with, and said. */
  verify: { status: number | null; output: string }
}

const PRODUCER = fileURLToPath(new URL('killed-producer.ts', import.meta.url))
const PARTITIONS = 4
const CATCH_UP_MS = 300_000

export async function killAtRandom(run: KillRun): Promise<KillReport> {
  const dir = mkdtempSync(join(tmpdir(), 'smarthouse-kill-'))
  const kafka = await startKafka()
  const options: KafkaLogOptions = {
    connection: { brokers: kafka.brokers },
    create: true,
    partitions: PARTITIONS,
    replication: 1,
    retentionMs: 7 * 86_400_000,
  }
  const config = join(dir, 'smarthouse.yaml')
  writeFileSync(
    config,
    `time_zone: UTC\nstream: { type: kafka, brokers: ['${kafka.brokers[0]}'], partitions: ${PARTITIONS} }\n`,
  )
  const words = ['--data', join(dir, 'data'), '--config', config]
  const crowd = new Crowd(run, options, words)
  try {
    // The topic is there before anybody asks for it.
    const log = await openKafkaLog(options)
    crowd.start()
    const killed = await killEach(run, kafka, crowd)
    await crowd.caughtUp()
    await crowd.endProducers()
    const lake = await openReadOnly(join(dir, 'data', 'lake'))
    await allLanded(log, lake)
    await crowd.endWorkers()
    const counts = await lake.countReadings()
    await lake.close()
    await log.close()
    run.say?.('Silver, Gold and verify …')
    return { killed, ...crowd.heldAgainst(counts), verify: await verified(words) }
  } finally {
    crowd.killAll()
    await kafka.close()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function killEach(run: KillRun, kafka: Kafka, crowd: Crowd): Promise<KillReport['killed']> {
  const random = randomOf(run.seed)
  const killed = { producer: 0, worker: 0, broker: 0 }
  // A fifth of them at the broker, the rest at producers and workers alike; in an order of chance.
  const kinds = Array.from({ length: run.kills }, (_, n) =>
    n % 5 === 0 ? ('broker' as const) : n % 2 === 0 ? ('producer' as const) : ('worker' as const),
  ).toSorted(() => random() - 0.5)
  for (const [n, kind] of kinds.entries()) {
    const before = crowd.acknowledged()
    // Nobody is killed before what came back has worked again: a second without a reading would prove nothing.
    while (crowd.acknowledged() === before) await sleep(20)
    await sleep(random() * run.pauseMs)
    killed[kind]++
    if (kind === 'broker') {
      await kafka.nodes[0]!.kill()
      await kafka.nodes[0]!.start()
    } else crowd.kill(kind, random())
    run.say?.(`${n + 1} of ${run.kills}: ${kind}; ${crowd.acknowledged()} acknowledged`)
  }
  return killed
}

interface Member {
  child: ChildProcess
  /** It ends when it is asked to, and is not started again. */
  isLeaving: boolean
}

/** The processes that are killed; each is started again when it has ended, as the supervisor of `up` does. */
class Crowd {
  readonly #run: KillRun
  readonly #options: KafkaLogOptions
  readonly #words: readonly string[]
  readonly #members: Record<'producer' | 'worker', Map<number, Member>> = {
    producer: new Map(),
    worker: new Map(),
  }
  /** Per producer process: ranges of acknowledged numbers. */
  readonly #acknowledged = new Map<string, [from: number, to: number][]>()
  #count = 0
  #startMs = 0
  #firstMs = 0
  #lastMs = 0
  #generation = 0

  constructor(run: KillRun, options: KafkaLogOptions, words: readonly string[]) {
    this.#run = run
    this.#options = options
    this.#words = words
  }

  start(): void {
    for (let n = 0; n < this.#run.producers; n++) this.#startProducer(n)
    for (let n = 0; n < this.#run.workers; n++) this.#startWorker(n)
  }

  #startProducer(place: number): void {
    const name = `p${place}.${this.#generation++}`
    this.#startMs ||= Date.now()
    const perSecond = this.#run.perSecond / this.#run.producers
    // What its forerunners were asked for and had no acknowledgement of is due from it.
    const sinceMs = this.#startMs + (this.#acknowledgedOf(place) * 1000) / perSecond
    const words = [JSON.stringify(this.#options), name, perSecond, Math.round(sinceMs)]
    const child = spawn(process.execPath, [PRODUCER, ...words.map(String)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ranges: [number, number][] = []
    this.#acknowledged.set(name, ranges)
    createInterface({ input: child.stdout }).on('line', (line) => {
      // A line that a kill cut short was not told.
      const [, from, to] = /^(\d+) (\d+)$/.exec(line) ?? []
      if (from === undefined) return
      ranges.push([Number(from), Number(to)])
      this.#count += Number(to) - Number(from)
      this.#firstMs ||= Date.now()
      this.#lastMs = Date.now()
    })
    this.#watch('producer', place, child, () => this.#startProducer(place))
  }

  #startWorker(place: number): void {
    const { child } = start(['bronze', ...this.#words])
    this.#watch('worker', place, child, () => this.#startWorker(place))
  }

  #watch(kind: 'producer' | 'worker', place: number, child: ChildProcess, again: () => void): void {
    const member: Member = { child, isLeaving: false }
    this.#members[kind].set(place, member)
    child.once('close', () => {
      if (!member.isLeaving) again()
    })
  }

  #acknowledgedOf(place: number): number {
    const own = [...this.#acknowledged].filter(([name]) => name.startsWith(`p${place}.`))
    return own.flatMap(([, ranges]) => ranges).reduce((sum, [from, to]) => sum + to - from, 0)
  }

  kill(kind: 'producer' | 'worker', where: number): void {
    const all = [...this.#members[kind].values()]
    all[Math.floor(where * all.length)]!.child.kill('SIGKILL')
  }

  acknowledged(): number {
    return this.#count
  }

  /** Waits until what was asked for is there on average, with all the times in which somebody was away. */
  async caughtUp(): Promise<void> {
    const deadline = Date.now() + CATCH_UP_MS
    while (this.#perSecond() < this.#run.leastPerSecond) {
      if (Date.now() > deadline) throw new Error(`Only ${this.#perSecond()} readings/s were acknowledged`)
      await sleep(50)
    }
  }

  #perSecond(): number {
    return Math.round((this.#count * 1000) / Math.max(1, this.#lastMs - this.#firstMs))
  }

  async #end(kind: 'producer' | 'worker'): Promise<void> {
    await Promise.all(
      [...this.#members[kind].values()].map(async (member) => {
        member.isLeaving = true
        const { child } = member
        if (child.exitCode !== null || child.signalCode !== null) return
        const closed = new Promise((resolve) => child.once('close', resolve))
        child.kill('SIGTERM')
        await closed
      }),
    )
  }

  endProducers(): Promise<void> {
    return this.#end('producer')
  }

  endWorkers(): Promise<void> {
    return this.#end('worker')
  }

  killAll(): void {
    for (const members of Object.values(this.#members))
      for (const member of members.values()) {
        member.isLeaving = true
        member.child.kill('SIGKILL')
      }
  }

  /** `counts`: how often each reading stands in Bronze, by its `event_id`. */
  heldAgainst(
    counts: ReadonlyMap<string, number>,
  ): Pick<KillReport, 'acknowledged' | 'landed' | 'lost' | 'twice' | 'perSecond'> {
    let lost = 0
    for (const [name, ranges] of this.#acknowledged)
      for (const [from, to] of ranges) for (let n = from; n < to; n++) if (!counts.has(`${name}/${n}`)) lost++
    return {
      acknowledged: this.#count,
      landed: counts.size,
      lost,
      twice: [...counts.values()].filter((count) => count > 1).length,
      perSecond: this.#perSecond(),
    }
  }
}

/** Waits until Bronze has come to the end of every partition. */
async function allLanded(
  log: { id: string; bounds(): Promise<{ partition: number; end: number }[]> },
  lake: ReadOnlyLake,
): Promise<void> {
  const deadline = Date.now() + 180_000
  for (;;) {
    const bounds = await log.bounds()
    const landed = await lake.landed(log.id)
    if (bounds.every(({ partition, end }) => (landed.get(partition) ?? 0) >= end)) return
    if (Date.now() > deadline) throw new Error('Bronze did not come to the end of the topic')
    await sleep(200)
  }
}

async function verified(words: readonly string[]): Promise<KillReport['verify']> {
  const worked = await smarthouseHere('stages', '--once', ...words)
  if (worked.status !== 0)
    return { status: worked.status, output: `stages: ${worked.stdout}${worked.stderr}` }
  const { status, stdout, stderr } = await smarthouseHere('verify', ...words)
  return { status, output: `${stdout}${stderr}`.trim() }
}

/** mulberry32: the same seed, the same kills. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
