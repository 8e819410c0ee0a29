import { DAY_S, QUARTER_S, type Quarter } from './climate.ts'
import type { Load } from './appliances.ts'
import type { House } from './house.ts'
import { PLACE, peopleAt } from './people.ts'
import { noise, seedOf } from './random.ts'

/** Daylight below which people switch the light on and cameras their infrared lamps, lx. */
const DARK_LX = 900
/** Power above which a plug warns, mW. */
const HIGH_POWER_MW = 3_000_000

/** What a device does in the quarter-hour computed last. */
export interface Physics {
  /** Computes one quarter-hour; `powerMw[i]` is the power from second i to i + 1, mW, constant within it. */
  advance(quarter: Quarter, powerMw: Int32Array): void
  /** °C at the end of a second; undefined where the device measures none. */
  temperatureC(second: number): number | undefined
  /** `online` or `maintenance`. */
  status(second: number): string
  alert(second: number, powerMw: number): string
  /** JSON object of the other numbers. */
  metrics(second: number, powerMw: number): string
}

/** Switches the heater of its room; reports the room's temperature. */
export function thermostat(house: House, seed: number): Physics {
  const { room } = house
  const filterSeed = seedOf(seed, 'filter')
  let localDay = 0
  return {
    advance(quarter, powerMw) {
      localDay = quarter.localDay
      powerMw.set(room.heaterMw)
    },
    temperatureC: (second) => Math.round(room.temperatureMilliC[second]! / 10) / 100,
    status: () => 'online',
    alert(second) {
      const milliC = room.temperatureMilliC[second]!
      if (milliC < 15_000) return 'low_temperature'
      if (milliC > 29_000) return 'high_temperature'
      return noise(filterSeed, localDay) < 1 / 180 ? 'maintenance_required' : 'none'
    },
    metrics: (second) =>
      `{"setpoint_c":${room.setpointC[Math.floor(second / 60)]},"humidity_pct":${room.humidityPct}}`,
  }
}

/** Lights its room while it is dark outside and somebody is there, or was until two minutes ago; dimmed late in the evening. */
export function bulb(house: House, seed: number, room: 'living' | 'kitchen'): Physics {
  const ratedMw = 9_500
  const standbyMw = 350
  const brightnessPct = new Uint8Array(QUARTER_S)
  return {
    advance(quarter, powerMw) {
      for (let minute = 0; minute < 15; minute += 1) {
        const minuteOfDay = quarter.secondOfDay / 60 + minute
        const used = [0, 1, 2].some(
          (ago) => peopleAt(house.plan, PLACE[room], Math.max(minuteOfDay - ago, 0)) > 0,
        )
        const lit = used && quarter.daylightLx[minute]! < DARK_LX
        const pct = lit ? (minuteOfDay > 1290 ? 40 : 85) : 0
        const warmth = 1 - 0.02 * noise(seed, quarter.startS + minute * 60)
        const mw = standbyMw + Math.round(((ratedMw - standbyMw) * pct * warmth) / 100)
        powerMw.fill(mw, minute * 60, minute * 60 + 60)
        brightnessPct.fill(pct, minute * 60, minute * 60 + 60)
      }
    },
    temperatureC: () => undefined,
    status: () => 'online',
    alert: () => 'none',
    metrics: (second) => `{"brightness_pct":${brightnessPct[second]}}`,
  }
}

/** Measures what hangs on it; voltage sags a little under load. */
export function plug(house: House, seed: number, load: Load): Physics {
  let startS = 0
  return {
    advance(quarter, powerMw) {
      startS = quarter.startS
      load(quarter, house.plan, powerMw)
    },
    temperatureC: () => undefined,
    status: () => 'online',
    alert: (_, powerMw) => (powerMw > HIGH_POWER_MW ? 'high_power' : 'none'),
    metrics(second, powerMw) {
      const voltageV = Math.round((231 + 3 * noise(seed, startS + second) - powerMw * 1e-6) * 10) / 10
      return `{"voltage_v":${voltageV},"current_a":${Math.round(powerMw / voltageV) / 1000}}`
    },
  }
}

/** A small constant load that rises with what moves in the picture, and infrared lamps in the dark; now and then its firmware is updated. */
export function camera(seed: number): Physics {
  const updateSeed = seedOf(seed, 'update')
  const linkSeed = seedOf(seed, 'link')
  let at: Quarter | undefined
  const updating = (second: number): boolean =>
    at !== undefined &&
    noise(updateSeed, at.localDay) < 1 / 45 &&
    Math.abs(at.secondOfDay + second - 3 * 3600 - 450) <= 450
  const linkQuality = (second: number): number => {
    const minute = Math.floor(((at?.startS ?? 0) + second) / 120)
    const draw = noise(linkSeed, minute)
    return draw < 1 / 2000 ? 9 : Math.floor(90 + 130 * draw)
  }
  return {
    advance(quarter, powerMw) {
      at = quarter
      for (let second = 0; second < QUARTER_S; second += 1) {
        const scene = noise(seed, Math.floor((quarter.startS + second) / 10))
        const infraredMw = quarter.daylightLx[Math.floor(second / 60)]! < DARK_LX ? 2_600 : 0
        powerMw[second] = 4_200 + infraredMw + Math.floor(scene * 350)
      }
    },
    temperatureC: () => undefined,
    status: (second) => (updating(second) ? 'maintenance' : 'online'),
    alert: (second) => (linkQuality(second) < 10 ? 'connectivity_issue' : 'none'),
    metrics: (second) => `{"link_quality":${linkQuality(second)}}`,
  }
}

/** Sees the people who pass its room; lives on a battery of some 500 days. */
export function motionSensor(house: House, seed: number, room: 'hall' | 'living'): Physics {
  const lifeDays = 420 + Math.floor(160 * noise(seed, 0))
  const firstDay = Math.floor(lifeDays * noise(seed, 1))
  const occupied = new Uint8Array(QUARTER_S)
  let batteryPct = 100
  let daylightLx = 0
  return {
    advance(quarter, powerMw) {
      const ageDays = (quarter.localS / DAY_S + firstDay) % lifeDays
      batteryPct = Math.round(1000 - (1000 * ageDays) / lifeDays) / 10
      daylightLx = Math.round(quarter.daylightLx[0]! / 60)
      for (let second = 0; second < QUARTER_S; second += 1) {
        const minuteOfDay = quarter.secondOfDay / 60 + Math.floor(second / 60)
        const there = peopleAt(house.plan, PLACE[room], minuteOfDay) > 0
        // people who sit still are not seen all the time
        const moving =
          there && noise(seed, Math.floor((quarter.startS + second) / 20)) < (room === 'hall' ? 0.9 : 0.25)
        occupied[second] = moving ? 1 : 0
        powerMw[second] = moving ? 36 : 3
      }
    },
    temperatureC: (second) => Math.round(house.room.temperatureMilliC[second]! / 100) / 10,
    status: () => 'online',
    alert: () => (batteryPct < 4 ? 'low_battery' : 'none'),
    metrics: (second) =>
      `{"occupancy":${occupied[second]},"illuminance_lx":${daylightLx},"battery_pct":${batteryPct}}`,
  }
}
