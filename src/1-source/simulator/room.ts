import { QUARTER_S, type Quarter } from './climate.ts'
import { awakeAtHome, type DayPlan } from './people.ts'
import { createRandom, noise, seedOf } from './random.ts'

/** Largest power of the electric heater that a thermostat switches, W. */
export const HEATER_W = 2000
/** The thermostat's own electronics, W. */
const CONTROLLER_W = 1.5
/** The heater goes on this far below the setpoint and off as far above it, K. */
const HYSTERESIS_K = 0.25
const COMFORT_C = 21
const SETBACK_C = 17.5
/** Heat of a person who is awake, W. */
const PERSON_W = 90
/** Heat through the windows per lux of daylight outdoors, W/lx: 3 m² of glass, 110 lx per W/m², half of it stays. */
const SUN_W_PER_LX = (3 * 0.5) / 110
/** Extra heat loss through an open window, W/K. */
const WINDOW_W_PER_K = 140

/** The heated room of a house, second by second. */
export interface Room {
  /** Air temperature at the end of each second, m°C. */
  temperatureMilliC: Int32Array
  /** Power of the heater and its thermostat in each second, mW. */
  heaterMw: Int32Array
  setpointC: number
  humidityPct: number
  advance(quarter: Quarter, plan: DayPlan): void
}

/**
 * Two thermal masses: air with furniture, and walls. Air loses heat to the outdoors, takes it from the heater, the
 * people and the sun, and shares it with the walls (explicit Euler, one second, far below the air's time constant):
 * C_air dT/dt = P + K (T_walls − T) − U (T − T_outdoor), C_walls dT_walls/dt = K (T − T_walls).
 */
export function createRoom(houseSeed: number): Room {
  const random = createRandom(seedOf(houseSeed, 'room'))
  const lossWPerK = random.between(38, 50)
  const wallsWPerK = random.between(150, 190)
  const airJPerK = random.between(600_000, 800_000)
  const wallsJPerK = random.between(4e6, 6e6)
  const windowSeed = seedOf(houseSeed, 'window')
  const voltageSeed = seedOf(houseSeed, 'heater voltage')
  let airC = COMFORT_C - 1
  let wallsC = COMFORT_C - 1.5
  let heating = false

  const room: Room = {
    temperatureMilliC: new Int32Array(QUARTER_S),
    heaterMw: new Int32Array(QUARTER_S),
    setpointC: SETBACK_C,
    humidityPct: 45,
    advance(quarter, plan) {
      for (let minute = 0; minute < 15; minute += 1) {
        const minuteOfDay = quarter.secondOfDay / 60 + minute
        const awake = awakeAtHome(plan, minuteOfDay)
        const outdoorC = quarter.outdoorC[minute]!
        const setpointC = awake > 0 ? COMFORT_C : SETBACK_C
        const gainsW = awake * PERSON_W + quarter.daylightLx[minute]! * SUN_W_PER_LX
        const cooling = awake > 0 && airC > 25 && outdoorC < airC
        const open = cooling || airing(windowSeed, quarter.localDay, minuteOfDay)
        const lossOutWPerK = lossWPerK + (open ? WINDOW_W_PER_K : 0)
        // mains voltage moves a resistive heater's power by a few per cent, never above its rating
        const heaterW = HEATER_W * (0.96 + 0.04 * noise(voltageSeed, quarter.startS + minute * 60))
        const onMw = Math.floor(heaterW * 1000)
        for (let second = minute * 60; second < minute * 60 + 60; second += 1) {
          if (airC < setpointC - HYSTERESIS_K) heating = true
          else if (airC > setpointC + HYSTERESIS_K) heating = false
          const toWallsW = wallsWPerK * (airC - wallsC)
          const outW = lossOutWPerK * (airC - outdoorC)
          airC += ((heating ? heaterW : 0) + gainsW - toWallsW - outW) / airJPerK
          wallsC += toWallsW / wallsJPerK
          room.heaterMw[second] = heating ? onMw : CONTROLLER_W * 1000
          room.temperatureMilliC[second] = Math.round(airC * 1000)
        }
        room.setpointC = setpointC
      }
      // warm air in a cold season is dry
      room.humidityPct =
        Math.round(Math.min(70, Math.max(25, 48 + (quarter.outdoorC[0]! - 10) * 0.8)) * 10) / 10
    },
  }
  return room
}

/** On one day in thirty somebody leaves a window open for half an hour to an hour and a half. */
function airing(seed: number, localDay: number, minuteOfDay: number): boolean {
  if (noise(seed, localDay) >= 1 / 30) return false
  const from = 480 + noise(seed, localDay + 1_000_000) * 700
  return minuteOfDay >= from && minuteOfDay < from + 30 + noise(seed, localDay + 2_000_000) * 60
}
