import { PlatformError } from '../../errors.ts'
import { nearest } from '../../units.ts'
import { createRandom, noise, seedOf, type Random } from './random.ts'

/** These disturb the way of a reading; what it says arrives all the same. */
export const HARMLESS_FAULTS = ['duplicate', 'out_of_order', 'late'] as const
/** These destroy what a reading says. */
export const DESTROYING_FAULTS = ['missing', 'spike', 'malformed', 'clock_skew', 'status_only'] as const

export type HarmlessFault = (typeof HARMLESS_FAULTS)[number]
export type DestroyingFault = (typeof DESTROYING_FAULTS)[number]
export type FaultName = HarmlessFault | DestroyingFault

/** How likely a reading has a harmless fault. */
const PER_READING: Readonly<Record<HarmlessFault, number>> = {
  duplicate: 0.003,
  out_of_order: 0.003,
  late: 0.001,
}
/** How often a device destroys something in a day, whatever its rate. */
const PER_DAY: Readonly<Record<DestroyingFault, number>> = {
  missing: 1.5,
  spike: 1,
  malformed: 1,
  clock_skew: 0.3,
  status_only: 1,
}
/** The furthest that a device's clock is off, seconds: more than the ten minutes ahead that are accepted. */
export const MAX_SKEW_S = 1500

/** Reads `none`, `harmless`, `default` (all) or names with commas between them. */
export function parseFaults(text: string): FaultName[] {
  const all = [...HARMLESS_FAULTS, ...DESTROYING_FAULTS]
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
  if (words.length === 1 && words[0] === 'none') return []
  if (words.length === 1 && words[0] === 'harmless') return [...HARMLESS_FAULTS]
  if (words.length === 1 && words[0] === 'default') return all
  const wrong = words.find((word) => !all.includes(word as FaultName))
  if (wrong === undefined && words.length > 0) return all.filter((name) => words.includes(name))
  const meant = nearest(wrong ?? '', ['none', 'harmless', 'default', ...all])
  throw new PlatformError(
    'usage',
    `No such fault: "${wrong ?? text}"${meant ? `; did you mean ${meant}?` : ''}`,
    `Write none, harmless, default, or some of ${all.join(', ')} with commas between them.`,
  )
}

/** One arrival of a reading: its text and how long after the reading's own time it is sent, seconds. */
export interface Delivery {
  text: string
  delayS: number
}

export interface Fate {
  deliveries: readonly Delivery[]
  /** Event times whose quarter-hours lost or may have gained something; empty for a harmless fault. */
  touchedS: readonly number[]
}

/** The faults of one device. Readings are asked for in the order of their times. */
export interface FaultInjector {
  /** The fault of the reading at this time, if it has one. */
  draw(timeS: number, intervalS: number): FaultName | undefined
  /** What becomes of a reading that has a fault. */
  suffer(fault: FaultName, text: string, timeS: number, intervalS: number): Fate
}

/** Draws depend on the device's seed and the reading's time alone, and on the windows of outages that they open. */
export function createFaultInjector(names: readonly FaultName[], deviceSeed: number): FaultInjector {
  const seed = seedOf(deviceSeed, 'faults')
  let missingUntilS = -Infinity
  let skewUntilS = -Infinity
  let skewS = 0

  function openWindow(fault: FaultName, timeS: number): void {
    const random = createRandom(seedOf(seed, fault, timeS))
    if (fault === 'missing' && random.chance(0.5)) missingUntilS = timeS + random.integer(60, 2700)
    if (fault === 'clock_skew') {
      skewUntilS = timeS + random.integer(300, 2400)
      skewS = random.integer(30, MAX_SKEW_S) * (random.chance(0.5) ? 1 : -1)
    }
  }

  return {
    draw(timeS, intervalS) {
      if (timeS <= missingUntilS) return 'missing'
      if (timeS <= skewUntilS) return 'clock_skew'
      let left = noise(seed, timeS)
      for (const fault of names) {
        left -=
          fault in PER_READING
            ? PER_READING[fault as HarmlessFault]
            : (PER_DAY[fault as DestroyingFault] * intervalS) / 86_400
        if (left >= 0) continue
        openWindow(fault, timeS)
        return fault
      }
      return undefined
    },
    suffer(fault, text, timeS, intervalS) {
      const random = createRandom(seedOf(seed, 'fate', timeS))
      switch (fault) {
        case 'duplicate':
          return { deliveries: [...now(text), { text, delayS: random.integer(0, 120) }], touchedS: [] }
        case 'out_of_order':
          return { deliveries: [{ text, delayS: Math.ceil(intervalS) * random.integer(1, 5) }], touchedS: [] }
        case 'late':
          return { deliveries: [{ text, delayS: random.integer(300, 10_800) }], touchedS: [] }
        case 'missing':
          return { deliveries: [], touchedS: [timeS] }
        case 'spike':
          return { deliveries: now(spike(text, random)), touchedS: [timeS] }
        case 'malformed':
          return { deliveries: now(malform(text, random)), touchedS: [timeS] }
        case 'clock_skew':
          return {
            deliveries: now(text.replace(isoTime(timeS), isoTime(timeS + skewS))),
            touchedS: [timeS, timeS + skewS],
          }
        case 'status_only':
          return { deliveries: now(statusOnly(text)), touchedS: [timeS] }
      }
    },
  }
}

const now = (text: string): Delivery[] => [{ text, delayS: 0 }]

/** `2024-01-15T10:30:00Z` */
export function isoTime(timeS: number): string {
  return new Date(timeS * 1000).toISOString().replace('.000', '')
}

type Fields = Record<string, unknown>

/** A value that no such device can have: the whole reading is rejected, its energy with it. */
function spike(text: string, random: Random): string {
  const fields = JSON.parse(text) as Fields
  if ('temperature' in fields && random.chance(0.5)) fields['temperature'] = random.integer(150, 400)
  else fields['power_usage'] = random.integer(12_000, 60_000)
  return JSON.stringify(fields)
}

function malform(text: string, random: Random): string {
  const fields = JSON.parse(text) as Fields
  switch (random.integer(0, 4)) {
    case 0:
      return text.slice(0, random.integer(1, text.length - 1))
    case 1:
      return JSON.stringify({ ...fields, power_usage: 'n/a', energy_consumption_wh: 'n/a' })
    case 2:
      return JSON.stringify({ ...fields, timestamp: undefined })
    case 3:
      return JSON.stringify({ ...fields, timestamp: 'yesterday' })
    default:
      return JSON.stringify({ ...fields, device_id: undefined })
  }
}

function statusOnly(text: string): string {
  const fields = JSON.parse(text) as Fields
  const kept = ['device_id', 'device_type', 'user_id', 'timestamp', 'status', 'tenant_id', 'ingest_kind']
  return JSON.stringify(Object.fromEntries(kept.map((name) => [name, fields[name]])))
}
