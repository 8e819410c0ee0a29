import { noise, seedOf } from './random.ts'

/** Seconds of a quarter-hour: the step in which the houses are computed. */
export const QUARTER_S = 900
export const DAY_S = 86_400

/** What all houses share in one quarter-hour. Local seconds and days count from 1970-01-01T00:00 of the local clock. */
export interface Quarter {
  /** UTC, seconds since 1970. */
  startS: number
  localS: number
  localDay: number
  /** Local second of the day at the start. */
  secondOfDay: number
  /** Outdoor temperature of each of the 15 minutes, °C. */
  outdoorC: Float64Array
  /** Daylight outdoors in each of the 15 minutes, lx. */
  daylightLx: Float64Array
}

export interface Climate {
  quarter(startS: number): Quarter
}

/** 0 at mid-winter (20 January), 1 a year later. */
function yearPhase(localDay: number): number {
  return ((localDay - 19) / 365.2425) % 1
}

/** Between the values of two days, level at both ends. */
function smooth(from: number, to: number, share: number): number {
  return from + (to - from) * share * share * (3 - 2 * share)
}

/**
 * Weather of a temperate place (about 48° north): a yearly wave, a daily wave with its low at 05:00, and a
 * deviation of each day of at most 5 °C that goes over smoothly into the next day's.
 */
export function createClimate(seed: number, timeZone: string): Climate {
  const weatherSeed = seedOf(seed, 'weather')
  const cloudSeed = seedOf(seed, 'clouds')

  function outdoorC(localS: number): number {
    const day = Math.floor(localS / DAY_S)
    const ofDay = localS / DAY_S - day
    const season = 10.5 - 9.5 * Math.cos(2 * Math.PI * yearPhase(day + ofDay))
    const clear = 1 - noise(cloudSeed, day)
    const daily = (2.5 + 3 * clear) * -Math.cos(2 * Math.PI * (ofDay - 5 / 24))
    const deviation = smooth(noise(weatherSeed, day), noise(weatherSeed, day + 1), ofDay) * 10 - 5
    return season + daily + deviation
  }

  function daylightLx(localS: number): number {
    const day = Math.floor(localS / DAY_S)
    const hour = (localS / DAY_S - day) * 24
    const summer = -Math.cos(2 * Math.PI * (yearPhase(day) + 30 / 365))
    const dayHours = 12.2 + 3.9 * summer
    const elevation = Math.sin((Math.PI * (hour - 13 + dayHours / 2)) / dayHours)
    if (Math.abs(hour - 13) >= dayHours / 2 || elevation <= 0) return 0
    return elevation * (35_000 + 35_000 * summer * 0.6) * (1 - 0.8 * noise(cloudSeed, day))
  }

  return {
    quarter(startS) {
      const localS = startS + offsetS(timeZone, startS)
      const minutes = Array.from({ length: 15 }, (_, minute) => localS + minute * 60)
      const localDay = Math.floor(localS / DAY_S)
      return {
        startS,
        localS,
        localDay,
        secondOfDay: localS - localDay * DAY_S,
        outdoorC: Float64Array.from(minutes, outdoorC),
        daylightLx: Float64Array.from(minutes, daylightLx),
      }
    },
  }
}

const clocks = new Map<string, Intl.DateTimeFormat>()

/** How far the local clock is ahead of UTC, seconds. Every zone's offset of today is a multiple of a quarter-hour. */
function offsetS(timeZone: string, utcS: number): number {
  if (timeZone === 'UTC') return 0
  let clock = clocks.get(timeZone)
  if (!clock) {
    clock = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
    clocks.set(timeZone, clock)
  }
  const name = clock.formatToParts(utcS * 1000).find((part) => part.type === 'timeZoneName')?.value ?? ''
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(name) ?? []
  if (!sign) return 0
  return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60)
}
