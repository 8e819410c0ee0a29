/** Numbers of the stream as people read them. */
import type { StreamGroup } from '../../6-serve/contract.ts'
import { NOT_KNOWN, formatCount } from '../format.ts'
import { texts } from './texts.ts'

const one = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })

export const formatRate = (perS: number | null): string =>
  perS === null ? NOT_KNOWN : `${perS < 1000 ? one.format(perS) : formatCount(perS)}/s`

/** `7 d`, `1 h`, `30 min`. */
export function formatKept(ms: number | null): string {
  if (ms === null) return texts.topics.forEver
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
  ] as const
  const [unit, size] = units.find(([, each]) => ms >= each) ?? ['s', 1000]
  return `${one.format(ms / size)} ${unit}`
}

export type Way = 'growing' | 'shrinking' | 'steady' | 'unknown'

/** Which way a lag goes; less than one message in ten seconds is no way at all. */
export function wayOf(trendPerS: number | null): { way: Way; words: string } {
  if (trendPerS === null) return { way: 'unknown', words: texts.groups.unknown }
  if (Math.abs(trendPerS) < 0.1) return { way: 'steady', words: texts.groups.steady }
  const way = trendPerS > 0 ? 'growing' : 'shrinking'
  return { way, words: texts.groups[way](one.format(Math.abs(trendPerS))) }
}

/** How far a group is behind in one topic. */
export const lagIn = (group: StreamGroup, topic: string): number =>
  group.partitions.reduce((sum, each) => (each.topic === topic ? sum + each.lag : sum), 0)

/** The instant of a wall-clock time `2026-01-15T10:00[:00]` in a zone. */
export function instantOf(wall: string, timeZone: string): Date {
  const asUtc = Date.parse(`${wall}Z`)
  const format = new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
  const wallAt = (ms: number) => Date.parse(`${format.format(ms).replace(' ', 'T')}Z`)
  // The zone's offset at about that time, and once more at the time that it gives.
  const first = asUtc - (wallAt(asUtc) - asUtc)
  return new Date(asUtc - (wallAt(first) - first))
}

/** The wall-clock time of an instant in a zone, as an input takes it. */
export const wallOf = (instant: string, timeZone: string): string =>
  new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'medium' })
    .format(Date.parse(instant))
    .replace(' ', 'T')
