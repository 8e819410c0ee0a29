import { QUARTER_S, type Quarter } from './climate.ts'
import { awakeAtHome, type DayPlan } from './people.ts'
import { createRandom, noise, seedOf } from './random.ts'

/** Largest power of the electric heater that a thermostat switches, W. */
export const HEATER_W = 2000
/** The thermostat's own electronics, mW. */
const CONTROLLER_MW = 1_500
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
  /** Of each of the 15 minutes. */
  setpointC: Float64Array
  humidityPct: number
  advance(quarter: Quarter, plan: DayPlan): void
}

/**
 * Two thermal masses: air with furniture, and walls. Air loses heat to the outdoors, takes it from the heater, the
 * people and the sun, and shares it with the walls (explicit Euler, one second, far below the air's time constant):
 * C_air dT/dt = P + K (T_walls − T) − U (T − T_outdoor), C_walls dT_walls/dt = K (T − T_walls).
 */
export function createRoom(houseSeed: number): Room {
  const walls = createWalls(houseSeed)
  const windowSeed = seedOf(houseSeed, 'window')
  const voltageSeed = seedOf(houseSeed, 'heater voltage')
  const room: Room = {
    temperatureMilliC: new Int32Array(QUARTER_S),
    heaterMw: new Int32Array(QUARTER_S),
    setpointC: new Float64Array(15).fill(SETBACK_C),
    humidityPct: 45,
    advance(quarter, plan) {
      for (let minute = 0; minute < 15; minute += 1) {
        const minuteOfDay = quarter.secondOfDay / 60 + minute
        const awake = awakeAtHome(plan, minuteOfDay)
        const outdoorC = quarter.outdoorC[minute]!
        const cooling = awake > 0 && walls.airC > 25 && outdoorC < walls.airC
        room.setpointC[minute] = awake > 0 ? COMFORT_C : SETBACK_C
        advanceMinute(room, walls, minute, {
          outdoorC,
          gainsW: awake * PERSON_W + quarter.daylightLx[minute]! * SUN_W_PER_LX,
          open: cooling || airing(windowSeed, quarter.localDay, minuteOfDay),
          // mains voltage moves a resistive heater's power by a few per cent, never above its rating
          heaterW: HEATER_W * (0.96 + 0.04 * noise(voltageSeed, quarter.startS + minute * 60)),
        })
      }
      // warm air in a cold season is dry
      const humidityPct = Math.min(70, Math.max(25, 48 + (quarter.outdoorC[0]! - 10) * 0.8))
      room.humidityPct = Math.round(humidityPct * 10) / 10
    },
  }
  return room
}

/** What the room is built of, and its state. */
interface Walls {
  lossWPerK: number
  exchangeWPerK: number
  airJPerK: number
  wallsJPerK: number
  airC: number
  wallsC: number
  heating: boolean
}

function createWalls(houseSeed: number): Walls {
  const random = createRandom(seedOf(houseSeed, 'room'))
  return {
    lossWPerK: random.between(38, 50),
    exchangeWPerK: random.between(150, 190),
    airJPerK: random.between(600_000, 800_000),
    wallsJPerK: random.between(4e6, 6e6),
    airC: COMFORT_C - 1,
    wallsC: COMFORT_C - 1.5,
    heating: false,
  }
}

interface MinuteConditions {
  outdoorC: number
  gainsW: number
  open: boolean
  heaterW: number
}

/** Sixty steps of a second; the state is held in local variables, since this is the innermost loop of the simulation. */
function advanceMinute(room: Room, walls: Walls, minute: number, now: MinuteConditions): void {
  const { temperatureMilliC, heaterMw } = room
  const { exchangeWPerK, airJPerK, wallsJPerK } = walls
  const { outdoorC, gainsW, heaterW } = now
  const lossWPerK = walls.lossWPerK + (now.open ? WINDOW_W_PER_K : 0)
  const onBelowC = room.setpointC[minute]! - HYSTERESIS_K
  const offAboveC = room.setpointC[minute]! + HYSTERESIS_K
  const onMw = Math.floor(heaterW * 1000)
  let { airC, wallsC, heating } = walls
  for (let second = minute * 60; second < minute * 60 + 60; second += 1) {
    if (airC < onBelowC) heating = true
    else if (airC > offAboveC) heating = false
    const toWallsW = exchangeWPerK * (airC - wallsC)
    airC += ((heating ? heaterW : 0) + gainsW - toWallsW - lossWPerK * (airC - outdoorC)) / airJPerK
    wallsC += toWallsW / wallsJPerK
    heaterMw[second] = heating ? onMw : CONTROLLER_MW
    temperatureMilliC[second] = Math.round(airC * 1000)
  }
  walls.airC = airC
  walls.wallsC = wallsC
  walls.heating = heating
}

/** On one day in thirty somebody leaves a window open for half an hour to an hour and a half. */
function airing(seed: number, localDay: number, minuteOfDay: number): boolean {
  if (noise(seed, localDay) >= 1 / 30) return false
  const from = 480 + noise(seed, localDay + 1_000_000) * 700
  return minuteOfDay >= from && minuteOfDay < from + 30 + noise(seed, localDay + 2_000_000) * 60
}
