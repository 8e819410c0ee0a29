import type { Writable } from 'node:stream'
import { PlatformError } from '../../errors.ts'
import type { Sink } from '../source.ts'
import type { FaultName } from './faults.ts'
import { SYSTEM_CLOCK, paced, type Clock } from './pace.ts'
import { quarterOf, readingSeconds, type Rate } from './schedule.ts'
import { createSimulation, type SimulatedMessage, type SimulationCounts, type Span } from './simulate.ts'
import { createTruthFile, type TruthFile } from './truth.ts'

export interface RunOptions {
  /** Where the readings go: the stream, or JSON lines. */
  to: { log: Sink } | { out: Writable }
  devices: number
  rate: Rate
  seed: number
  faults: readonly FaultName[]
  tenantId: string
  /** IANA zone by whose clock the people live. */
  timeZone: string
  /** Seconds of event time per second; absent: as fast as it can up to the clock. */
  speed?: number
  /** Begin, ms since 1970. Absent: now − `forMs`; 24 h ago where there is a `speed` only; else now. */
  fromMs?: number
  /** Event time to run; absent: until it is stopped. */
  forMs?: number
  /** The first start of a house: so much history up to now, marked `backfill`, and then live at `rate`. */
  history?: History
  /** File for the truth, CSV. */
  truthPath?: string
  signal?: AbortSignal
  onProgress?: (progress: Progress) => void
  clock?: Clock
}

export interface Progress extends SimulationCounts {
  /** Event time reached, ms since 1970. */
  atMs: number
}

export interface RunReport extends SimulationCounts {
  fromMs: number
  /** Event time of the end; where it was stopped, how far it came. */
  toMs: number
}

/** Generated history before the live readings. */
export interface History {
  days: number
  rate: Rate
  /** Where it ends, ms since 1970; absent: now. A first start that was killed names the time of its first attempt. */
  nowMs?: number
}

/** Messages handed over at once: some tens of milliseconds of work. */
const BATCH_MESSAGES = 5000

/**
 * Everything behind `smarthouse simulate`, and the simulated house of `up`. The next batch is made only when the sink
 * has taken the last one. Resolves at the end, or soon after the signal is aborted, when all is handed over and the
 * truth is written. Errors: `usage` where the begin lies ahead of the clock or the truth cannot be written; what the sink throws.
 */
export async function runSimulation(options: RunOptions): Promise<RunReport> {
  requirePositive('number of devices', options.devices)
  requirePositive('speed', options.speed ?? 1)
  const clock = options.clock ?? SYSTEM_CLOCK
  const spans = spansOf(options, clock.nowMs())
  const fromMs = spans[0]!.fromS * 1000
  const simulation = createSimulation({ ...options, spans })
  const send = sinkOf(options.to)
  const truth = options.truthPath === undefined ? undefined : await openTruth(options.truthPath)
  let atMs = fromMs
  try {
    const speed = options.speed ?? Infinity
    const pace = { clock, speed, fromMs, maxMessages: BATCH_MESSAGES, signal: options.signal }
    for await (const batch of paced(simulation, pace)) {
      await send(batch)
      atMs = batch.at(-1)!.atMs
      await truth?.write(simulation.takeTruth())
      options.onProgress?.({ ...simulation.counts, atMs })
    }
    await truth?.write(simulation.takeTruth())
    await truth?.close()
  } catch (error) {
    await truth?.discard()
    throw error
  }
  return { ...simulation.counts, fromMs, toMs: Math.min(spans.at(-1)!.toS * 1000, atMs) }
}

/** The stretches of event time that the options mean, by the clock of now. Begins and ends on whole seconds. */
export function spansOf(
  options: Pick<RunOptions, 'rate' | 'speed' | 'fromMs' | 'forMs' | 'history'>,
  nowMs: number,
): Span[] {
  const { rate, history, forMs } = options
  if (history) return firstStartSpans(history.nowMs ?? nowMs, history, rate)
  const agoMs = forMs ?? (options.speed === undefined ? 0 : 86_400_000)
  const fromS = Math.floor((options.fromMs ?? nowMs - agoMs) / 1000)
  if (fromS * 1000 > nowMs)
    throw new PlatformError(
      'usage',
      `The begin, ${new Date(fromS * 1000).toISOString()}, lies ahead of the clock`,
      'Name a begin in the past: no device reports the future.',
    )
  const toS = forMs === undefined ? Infinity : fromS + Math.floor(forMs / 1000)
  return [{ fromS, toS, rate, ingestKind: 'live' }]
}

/**
 * History from a whole quarter-hour on, up to the last time before now at which its rate has a reading, and from there
 * live: the first live reading's energy begins where the last one of the history ends. Called again with the same time
 * and seed it gives the same history, so a first start that was killed can be begun anew: what was there already is
 * a duplicate.
 */
export function firstStartSpans(nowMs: number, history: History, rate: Rate): Span[] {
  const nowS = Math.floor(nowMs / 1000)
  const quarterS = quarterOf(nowS)
  const seamS = quarterS + (readingSeconds(history.rate).findLast((s) => quarterS + s <= nowS) ?? 0)
  const fromS = quarterOf(seamS - Math.round(history.days * 86_400))
  return [
    { fromS, toS: seamS, rate: history.rate, ingestKind: 'backfill' },
    { fromS: seamS, toS: Infinity, rate, ingestKind: 'live' },
  ]
}

function requirePositive(name: string, value: number): void {
  if (value > 0) return
  throw new PlatformError('usage', `The ${name} is ${value}`, 'Name a number above zero.')
}

type Send = (batch: readonly SimulatedMessage[]) => Promise<void>

function sinkOf(to: RunOptions['to']): Send {
  if ('log' in to) return (batch) => to.log.append(batch.map(({ key, value }) => ({ key, value })))
  const newline = Buffer.from('\n')
  return (batch) =>
    new Promise((resolve, reject) => {
      const lines = Buffer.concat(batch.flatMap(({ value }) => [value, newline]))
      to.out.write(lines, (error) => (error ? reject(error) : resolve()))
    })
}

async function openTruth(path: string): Promise<TruthFile> {
  try {
    return await createTruthFile(path)
  } catch (error) {
    throw new PlatformError(
      'usage',
      `The truth cannot be written to ${path}: ${error instanceof Error ? error.message : String(error)}`,
      'Name a file in a folder that exists and is writable.',
      { cause: error },
    )
  }
}
