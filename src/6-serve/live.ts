/**
 * The fork at the stream: reads what arrives from its end, past Bronze, and keeps the last of it per home. At the
 * start it reads the last minutes back, so that charts and the list of readings are not empty after a restart.
 */
import type { PartitionBounds, StreamLog, StreamRecord } from '../2-stream/log.ts'
import { isPlatformError } from '../errors.ts'
import { LiveHome } from './live-home.ts'
import { parseLiveReadings, type DeviceFacts, type TimedReading } from './live-reading.ts'

const BACK_MS = 10 * 60_000
const MOST_RECORDS = 2_000
/** Wait of one read; a stop or a new reading ends it early. */
const WAIT_MS = 1_000
const MOST_HOMES = 1_000
const RETRY_MS = 1_000

export interface LiveOptions {
  log: StreamLog
  factsOf(tenant: string, device: string): DeviceFacts | undefined
  /** Called with what arrived, in order; `replayed` for what was there before the start. */
  onReadings(readings: readonly TimedReading[], replayed: boolean): void
  /** Called when reading fails and when it works again (null). */
  onProblem(problem: Error | null): void
  clock: () => number
}

export interface Live {
  home(tenant: string): LiveHome | undefined
  homes(): ReadonlyMap<string, LiveHome>
  /** Resolves when what was there at the start has been read. */
  ready: Promise<void>
  close(): Promise<void>
}

/** Starts to read; it does not wait for the readings of the last minutes (`ready` does). */
export function startLive(options: LiveOptions): Live {
  const homes = new Map<string, LiveHome>()
  const stop = new AbortController()

  function take(records: readonly StreamRecord[], replayed: boolean): void {
    const readings = records.flatMap((record) =>
      parseLiveReadings(record.value, record.ingestionTimeUs / 1000, options.factsOf),
    )
    for (const timed of readings) homeOf(homes, timed.reading.tenant_id).add(timed)
    if (readings.length > 0) options.onReadings(readings, replayed)
  }

  const { promise: ready, resolve: isReady } = Promise.withResolvers<void>()
  async function run(): Promise<void> {
    const bounds = await untilItWorks(() => options.log.bounds(), options, stop.signal)
    if (!bounds) return isReady()
    const replays: Promise<void>[] = []
    const tails = bounds.map((partition) => {
      const replayed = Promise.withResolvers<void>()
      replays.push(replayed.promise)
      return tail(options, partition, take, replayed.resolve, stop.signal).finally(replayed.resolve)
    })
    void Promise.all(replays).then(() => isReady())
    await Promise.all(tails)
  }
  const running = run()

  return {
    home: (tenant) => homes.get(tenant),
    homes: () => homes,
    ready,
    close: async () => {
      stop.abort()
      await running
    },
  }
}

/** Reads one partition until the stop: first back over the last minutes, then what comes. */
async function tail(
  options: LiveOptions,
  { partition, start, end }: PartitionBounds,
  take: (records: readonly StreamRecord[], replayed: boolean) => void,
  replayDone: () => void,
  signal: AbortSignal,
): Promise<void> {
  let offset =
    (await untilItWorks(() => firstSince(options, { partition, start, end }), options, signal)) ?? end
  while (!signal.aborted) {
    const replayed = offset < end
    if (!replayed) replayDone()
    const read = () => readOn(options.log, partition, offset, replayed ? 0 : WAIT_MS, signal)
    const records = await untilItWorks(read, options, signal)
    if (records && records.length > 0) {
      take(records, replayed)
      offset = records.at(-1)!.offset + 1
      // Others get their turn: a long replay must not hold up the first answers of the server.
      await new Promise((resolve) => setImmediate(resolve))
    } else offset = Math.max(offset, end)
  }
}

/** The next records; where the stream was trimmed in front of us, from what is left of it. */
async function readOn(
  log: StreamLog,
  partition: number,
  offset: number,
  waitMs: number,
  signal: AbortSignal,
): Promise<StreamRecord[]> {
  try {
    return await log.read({ partition, offset, maxRecords: MOST_RECORDS, waitMs, signal })
  } catch (error) {
    if (!isPlatformError(error) || error.code !== 'stream_gap') throw error
    const bounds = (await log.bounds()).find((candidate) => candidate.partition === partition)
    return await log.read({ partition, offset: bounds!.start, maxRecords: MOST_RECORDS, waitMs: 0 })
  }
}

/** The first offset that was accepted in the last minutes, by bisection: times never decrease in a partition. */
async function firstSince({ log, clock }: LiveOptions, bounds: PartitionBounds): Promise<number> {
  const sinceUs = (clock() - BACK_MS) * 1000
  let [low, high] = [bounds.start, bounds.end]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [record] = await log.read({ partition: bounds.partition, offset: middle, maxRecords: 1, waitMs: 0 })
    if (!record || record.offset >= bounds.end || record.ingestionTimeUs >= sinceUs) high = middle
    else low = record.offset + 1
  }
  return low
}

/** Tries again until it works, saying what is wrong; undefined where it was stopped before. */
async function untilItWorks<T>(
  attempt: () => Promise<T>,
  { onProblem }: LiveOptions,
  signal: AbortSignal,
): Promise<T | undefined> {
  let failed = false
  while (!signal.aborted) {
    try {
      const result = await attempt()
      if (failed) onProblem(null)
      return result
    } catch (error) {
      if (signal.aborted) return undefined
      failed = true
      onProblem(error instanceof Error ? error : new Error(String(error)))
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, RETRY_MS)
        function done(): void {
          clearTimeout(timer)
          signal.removeEventListener('abort', done)
          resolve()
        }
        signal.addEventListener('abort', done)
      })
    }
  }
  return undefined
}

function homeOf(homes: Map<string, LiveHome>, tenant: string): LiveHome {
  const known = homes.get(tenant)
  if (known) return known
  const home = new LiveHome()
  homes.set(tenant, home)
  if (homes.size > MOST_HOMES) homes.delete(homes.keys().next().value!)
  return home
}
