/** What the routes answer from: the lake, the fork at the stream, the alerts, and the clocks that keep them going. */
import type { StreamLog } from '../2-stream/log.ts'
import type { Engine, Lake } from '../lake/types.ts'
import { createAlertWatch, type AlertThresholds, type AlertWatch } from './alerts.ts'
import type { DataStatus, LiveEvent, PartStatus } from './contract.ts'
import { createDataStatus } from './data-status.ts'
import { createDirectory, homeIn, type DirectoryReader } from './directory.ts'
import { createLakeReader, type LakeReader } from './lake-reader.ts'
import { createLiveEvents, type LiveEvents } from './live-events.ts'
import { startLive, type Live, type LiveOptions } from './live.ts'
import { powerNowOf } from './power-now.ts'

const DIRECTORY_EVERY_MS = 10_000
const ALERTS_EVERY_MS = 5_000
const STATUS_EVERY_MS = 2_000
const POWER_EVERY_MS = 1_000

export interface ServingOptions {
  lake: Lake
  engine: Engine
  /** null: figures of the lake only, nothing live. */
  log: StreamLog | null
  alertThresholds: AlertThresholds
  /** IANA zone of the home, as the lake has it. */
  timeZone: string
  /** ISO 4217 */
  currency: string
  /** Readings in the live list. */
  liveReadings: number
  /** What the supervisor knows of its parts. */
  partStatus?: () => Promise<PartStatus[]>
  clock: () => number
}

export interface Serving {
  reader: LakeReader
  directory: DirectoryReader
  alerts: AlertWatch
  events: LiveEvents
  live: Live | null
  powerNow(tenant: string): LiveEvent<'power'>
  /** What is wrong with the fork at the stream; null: nothing. */
  liveProblem(): Error | null
  dataStatus(): Promise<DataStatus>
  close(): Promise<void>
}

export async function startServing(options: ServingOptions): Promise<Serving> {
  const { log, clock, liveReadings } = options
  const reader = await createLakeReader(options)
  const directory = createDirectory(reader)
  await directory.read()
  const catalogued = (tenant: string, device: string) =>
    homeIn(directory.current(), tenant).catalogue.get(device)
  const alerts = createAlertWatch({
    thresholds: options.alertThresholds,
    expectedIntervalS: (tenant, device) => catalogued(tenant, device)?.expected_interval_s ?? undefined,
    clock,
  })
  let live: Live | null = null
  let problem: Error | null = null
  const powerNow = (tenant: string) =>
    powerNowOf({
      ...options,
      tenant,
      directory: directory.current(),
      live: live?.home(tenant),
      nowMs: clock(),
      freshS: options.alertThresholds.offline_s,
    })
  const events = createLiveEvents({
    snapshot: (tenant) => ({
      tenant,
      readings: live?.home(tenant)?.recent(liveReadings) ?? [],
      alerts: alerts.open(tenant),
      power_now: powerNow(tenant),
    }),
    clock,
  })
  const onReadings: LiveOptions['onReadings'] = (readings, replayed) => {
    const changes = alerts.observe(readings)
    if (replayed) return
    events.readings(readings)
    events.alerts(changes)
  }
  const onProblem: LiveOptions['onProblem'] = (error) => {
    problem = error
  }
  if (log) live = startLive({ log, factsOf: catalogued, onReadings, onProblem, clock })
  const dataStatus = createDataStatus(options)
  const stopTimers = startTimers({ directory, alerts, events, dataStatus, powerNow })
  return {
    reader,
    directory,
    alerts,
    events,
    live,
    powerNow,
    liveProblem: () => problem,
    dataStatus,
    close: async () => {
      await stopTimers()
      await live?.close()
      await reader.close()
    },
  }
}

/** Starts what happens by the clock; the answer stops it, and waits for what is under way. */
function startTimers(of: {
  directory: DirectoryReader
  alerts: AlertWatch
  events: LiveEvents
  dataStatus: () => Promise<DataStatus>
  powerNow: Serving['powerNow']
}): () => Promise<void> {
  let told = ''
  const toldPower = new Map<string, string>()
  let busy: Promise<unknown> = Promise.resolve()
  // A lake that cannot be read just now is told by the routes that need it; the next turn tries again.
  const background = (work: () => Promise<void>) => () => {
    busy = busy.then(work).catch(() => undefined)
  }
  const timers = [
    setInterval(
      background(async () => void (await of.directory.read())),
      DIRECTORY_EVERY_MS,
    ),
    setInterval(() => of.events.alerts(of.alerts.tick()), ALERTS_EVERY_MS),
    setInterval(() => {
      for (const tenant of of.events.heard()) {
        const power = of.powerNow(tenant)
        const news = JSON.stringify(power)
        if (news !== toldPower.get(tenant)) of.events.power(tenant, power)
        toldPower.set(tenant, news)
      }
    }, POWER_EVERY_MS),
    setInterval(
      background(async () => {
        if (of.events.clients() === 0) return
        const status = await of.dataStatus()
        const news = substance(status)
        if (news !== told) of.events.status(status)
        told = news
      }),
      STATUS_EVERY_MS,
    ),
  ]
  for (const timer of timers) timer.unref()
  return async () => {
    for (const timer of timers) clearInterval(timer)
    await busy
  }
}

/** What of a status is news: not that time has passed, nor that memory and counts have moved. */
function substance({ state, layers, stream, parts }: DataStatus): string {
  const tables = layers.flatMap((layer) => layer.tables.map(({ name, version }) => [name, version]))
  return JSON.stringify([
    state,
    layers.map((layer) => [layer.layer, layer.state]),
    tables,
    stream?.dropped,
    parts.map(({ name, state: how, since, restarts, pending, last_error }) => [
      name,
      how,
      since,
      restarts,
      pending,
      last_error,
    ]),
  ])
}
