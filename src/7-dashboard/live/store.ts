/**
 * What the live view knows of one home: rings for the charts, the last readings, the newest value of each
 * device, the connection. It takes every event at once and tells its listeners once per animation frame.
 */
import type { AnswerOf, LiveEvent, LiveReading } from '../../6-serve/contract.ts'
import { otherTask } from '../kit/paint.ts'
import type { ConnectionState } from './events.ts'
import { createRings } from './rings.ts'
import type { Rings } from './rings.ts'

export const READINGS_SHOWN = 100
/** Silence from which on the view is stale; longer where the house itself speaks more rarely. */
const STALE_AFTER_MS = 30_000

/** Until the house has said how long a value is of now. */
const FRESH_S = 300

export type Measure = 'power' | 'temperature'

export interface LiveState {
  connection: ConnectionState
  paused: boolean
  /** Machine time of the newest arrival, ms; null before the first. */
  lastArrivalMs: number | null
  /** Silence from which on the view is stale, ms. */
  staleAfterMs: number
  /** Whether the last hour has been asked for and answered, or cannot be told. */
  filled: boolean
}

/** What is known of a device beside its values. */
export interface LiveDevice {
  device_type: string | null
  location: string | null
}

const FIRST_STATE: LiveState = {
  connection: 'connecting',
  paused: false,
  lastArrivalMs: null,
  staleAfterMs: STALE_AFTER_MS,
  filled: false,
}

export interface LiveStore {
  readonly rings: Record<Measure, Rings>
  /** All devices heard of, by id in order; a new map with every new device. */
  devices(): ReadonlyMap<string, LiveDevice>
  /** Last readings, newest first; a new array with every change. */
  readings(): readonly LiveReading[]
  /** Values from this second on are of now, s since the epoch: as in "Power now". */
  freshFromS(): number
  /** The house's power as last told; null before the first time, and while the connection is down. */
  power(): LiveEvent<'power'> | null
  state(): LiveState
  /** Increases with every change that listeners were told of. */
  version(): number
  subscribe(listener: () => void): () => void
  takeReadings(readings: LiveEvent<'readings'>['readings']): void
  takeSnapshot(readings: readonly LiveReading[]): void
  takePower(power: LiveEvent<'power'>): void
  /** Takes the last hour device by device, in a task each: it can be 100,000 values. null: it cannot be told. */
  takeSeries(series: AnswerOf<'series'> | null): Promise<void>
  setConnection(state: ConnectionState): void
  setPaused(paused: boolean): void
}

export function createLiveStore(): LiveStore {
  const rings = { power: createRings(), temperature: createRings() }
  const { changed, version, subscribe } = createAnnouncer()
  let readings: readonly LiveReading[] = []
  let devices: ReadonlyMap<string, LiveDevice> = new Map()
  let power: LiveEvent<'power'> | null = null
  let state = FIRST_STATE

  function meet(fresh: Iterable<readonly [string, LiveDevice]>): void {
    devices = withDevices(devices, fresh)
  }

  function plot(reading: LiveReading): void {
    meet([[reading.device_id, reading]])
    plotReading(rings, reading)
  }

  return {
    rings,
    readings: () => readings,
    freshFromS: () => Date.now() / 1000 - (power?.within_s ?? FRESH_S),
    power: () => (state.connection === 'open' ? power : null),
    devices: () => devices,
    state: () => state,
    version,
    subscribe,
    takeReadings(batch) {
      if (batch.length === 0) return
      batch.forEach(plot)
      readings = newestFirst(batch.toReversed(), readings)
      state = arrived(state, Date.now())
      changed()
    },
    takeSnapshot(snapshot) {
      snapshot.forEach(plot)
      readings = newestFirst(snapshot, readings)
      changed()
    },
    takePower(fresh) {
      power = fresh
      changed()
    },
    async takeSeries(series) {
      if (series) {
        meet(Object.entries(series.devices))
        await plotSeries(rings, series)
      }
      state = { ...state, filled: true }
      changed()
    },
    setConnection(connection) {
      state = { ...state, connection }
      changed()
    },
    setPaused(paused) {
      state = { ...state, paused }
      changed()
    },
  }
}

/** Tells listeners of changes, once per animation frame however many there were. */
function createAnnouncer(): Pick<LiveStore, 'version' | 'subscribe'> & { changed(): void } {
  const listeners = new Set<() => void>()
  let version = 0
  let frame = 0
  return {
    changed() {
      frame ||= requestAnimationFrame(() => {
        frame = 0
        version++
        for (const listener of listeners) listener()
      })
    },
    version: () => version,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

type AllRings = LiveStore['rings']

function plotReading(rings: AllRings, reading: LiveReading): void {
  // A device with several channels shows its main one: values of two channels in one line would jump.
  if (reading.channel !== '') return
  const second = Math.floor(Date.parse(reading.timestamp) / 1000)
  if (reading.power_usage !== null) rings.power.set(reading.device_id, second, reading.power_usage)
  if (reading.temperature !== null) rings.temperature.set(reading.device_id, second, reading.temperature)
}

async function plotSeries(rings: AllRings, series: AnswerOf<'series'>): Promise<void> {
  for (const measure of ['power', 'temperature'] as const) {
    for (const [device, values] of Object.entries(series[measure])) {
      rings[measure].fill(device, series.t, values)
      await otherTask()
    }
  }
}

/** In the order of their ids, so that a device keeps its colour however it was first heard of; the same map where none is new. */
function withDevices(
  known: ReadonlyMap<string, LiveDevice>,
  fresh: Iterable<readonly [string, LiveDevice]>,
): ReadonlyMap<string, LiveDevice> {
  const added = [...fresh].filter(([id]) => !known.has(id))
  return added.length === 0 ? known : new Map([...known, ...added].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function arrived(state: LiveState, nowMs: number): LiveState {
  const gapMs = state.lastArrivalMs === null ? 0 : nowMs - state.lastArrivalMs
  // Slow devices are no fault: three times the usual gap, remembered as a moving mean.
  const usualMs = (state.staleAfterMs / 3) * 0.9 + Math.min(gapMs, 600_000) * 0.1
  return { ...state, lastArrivalMs: nowMs, staleAfterMs: Math.max(STALE_AFTER_MS, usualMs * 3) }
}

/** Key of a row: its identity in the telemetry contract, as far as the live view knows it. */
export const keyOf = (reading: LiveReading) => `${reading.device_id} ${reading.channel} ${reading.timestamp}`

function newestFirst(fresh: readonly LiveReading[], known: readonly LiveReading[]): LiveReading[] {
  const byKey = new Map<string, LiveReading>()
  for (const reading of fresh) byKey.set(keyOf(reading), reading)
  for (const reading of known) if (!byKey.has(keyOf(reading))) byKey.set(keyOf(reading), reading)
  return [...byKey.values()]
    .toSorted((a, b) => (a.timestamp < b.timestamp ? 1 : a.timestamp > b.timestamp ? -1 : 0))
    .slice(0, READINGS_SHOWN)
}
