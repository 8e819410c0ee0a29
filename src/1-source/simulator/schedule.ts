import { PlatformError } from '../../errors.ts'
import { QUARTER_S } from './climate.ts'

/** `count` readings in `perS` seconds. */
export interface Rate {
  count: number
  perS: number
}

const UNIT_S: Readonly<Record<string, number>> = { s: 1, min: 60, m: 60, h: 3600 }

/** Reads `1/s`, `2/min`, `1/10s`, `4/h`. At most one a second (readings lie on whole seconds), at least four an hour. */
export function parseRate(text: string): Rate {
  const [, count, times, unit] = /^(\d{1,6})\s*\/\s*(\d{0,6})\s*(s|min|m|h)$/.exec(text.trim()) ?? []
  const rate = { count: Number(count), perS: Number(times || 1) * UNIT_S[unit ?? '']! }
  if (unit === undefined || rate.count === 0 || rate.perS < rate.count || rate.perS > QUARTER_S * rate.count)
    throw new PlatformError(
      'usage',
      `No usable rate of readings: "${text}"`,
      'Write for example 1/s, 1/min or 1/10s: between four an hour and one a second.',
    )
  return rate
}

/** One reading in so many milliseconds: whole seconds, at most a quarter-hour. */
export function rateOfIntervalMs(ms: number): Rate {
  return parseRate(`1/${ms / 1000}s`)
}

/** Nominal time between two readings, seconds. */
export function intervalS(rate: Rate): number {
  return rate.perS / rate.count
}

/**
 * The seconds of a quarter-hour, 1…900, at which there is a reading: the rate counts anew from each quarter-hour and
 * there is always one at its end. So no reading's energy belongs to two quarter-hours, and a rate that does not
 * divide 900 s has one shorter interval at the end (7 s: …, 889, 896, 900).
 */
export function readingSeconds(rate: Rate): number[] {
  const seconds: number[] = []
  for (let n = 1; ; n += 1) {
    const second = Math.floor((n * rate.perS) / rate.count)
    if (second >= QUARTER_S) break
    seconds.push(second)
  }
  seconds.push(QUARTER_S)
  return seconds
}

/** Start of the quarter-hour (start, end] that holds a second: a boundary belongs to the quarter-hour that it ends. */
export function quarterOf(timeS: number): number {
  return Math.ceil(timeS / QUARTER_S) * QUARTER_S - QUARTER_S
}
