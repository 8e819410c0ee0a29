import { createSimulation, type SimulatedMessage } from '../../../src/1-source/simulator/simulate.ts'
import { parseFaults } from '../../../src/1-source/simulator/faults.ts'
import { parseRate } from '../../../src/1-source/simulator/schedule.ts'
import type { TruthRow } from '../../../src/1-source/simulator/truth.ts'
import type { Reading } from '../../../src/reading.ts'

/** Wednesday, 2025-01-15T00:00:00Z. */
export const WINTER_S = Date.UTC(2025, 0, 15) / 1000
export const SUMMER_S = Date.UTC(2025, 6, 16) / 1000

export interface Produced {
  messages: SimulatedMessage[]
  texts: string[]
  truth: TruthRow[]
  faults: Record<string, number>
}

export interface Wanted {
  devices?: number
  seed?: number
  rate?: string
  faults?: string
  fromS?: number
  forS?: number
  timeZone?: string
  batch?: number
}

/** Runs a simulation to its end. */
export function produce(wanted: Wanted = {}): Produced {
  const fromS = wanted.fromS ?? WINTER_S
  const simulation = createSimulation({
    devices: wanted.devices ?? 10,
    seed: wanted.seed ?? 7,
    tenantId: 'demo',
    timeZone: wanted.timeZone ?? 'UTC',
    faults: parseFaults(wanted.faults ?? 'none'),
    spans: [
      {
        fromS,
        toS: fromS + (wanted.forS ?? 3600),
        rate: parseRate(wanted.rate ?? '1/min'),
        ingestKind: 'live',
      },
    ],
  })
  const messages: SimulatedMessage[] = []
  const truth: TruthRow[] = []
  while (simulation.nextAtMs() !== undefined) {
    messages.push(...simulation.next(Infinity, wanted.batch ?? 1000))
    truth.push(...simulation.takeTruth())
  }
  messages.push(...simulation.flush())
  truth.push(...simulation.takeTruth())
  return { messages, texts: messages.map(textOf), truth, faults: simulation.counts.faults }
}

export function textOf(message: { value: Uint8Array }): string {
  return Buffer.from(message.value).toString('utf8')
}

export function readingOf(message: { value: Uint8Array }): Reading {
  return JSON.parse(textOf(message)) as Reading
}

export function secondOf(reading: Reading): number {
  return Date.parse(reading.timestamp) / 1000
}

/** nWh of a reading: round(Wh × 10⁹). */
export function energyNwh(reading: Reading): bigint {
  return BigInt(Math.round(reading.energy_consumption_wh! * 1e9))
}

/** Start of the quarter-hour (start, end] that holds a second, counted by steps. */
export function slotStart(timeS: number): number {
  let start = timeS - (timeS % 900)
  if (start === timeS) start -= 900
  return start
}
