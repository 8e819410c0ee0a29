import { DAY_S, QUARTER_S, type Quarter } from './climate.ts'
import { PLACE, awakeAtHome, peopleAt, type DayPlan } from './people.ts'
import { createRandom, noise, seedOf } from './random.ts'

/** Something that runs through its phases once: begin (local second of the day) and [seconds, W] of each phase. */
interface Run {
  beginS: number
  phases: readonly (readonly [durationS: number, powerW: number])[]
}

/** What hangs on a plug: writes the power of every second of a quarter-hour, mW. */
export type Load = (quarter: Quarter, plan: DayPlan, powerMw: Int32Array) => void

/** The plug's own electronics, mW. */
const PLUG_MW = 450

/** What hangs on the plug of the house with this index (from 1), and in which room. */
export function plugLoad(houseIndex: number, seed: number): { load: Load; location: string } {
  const kinds = [
    { location: 'Kitchen', load: kitchen(seed) },
    { location: 'Laundry', load: runsOnly(seed, washing) },
    { location: 'Living Room', load: television(seed) },
    { location: 'Office', load: runsOnly(seed, desk) },
  ]
  return kinds[(houseIndex - 1) % kinds.length]!
}

/** A power strip: fridge, kettle and toaster. */
function kitchen(seed: number): Load {
  const runs = runsOnly(seed, kettleAndToaster)
  const fridge = createFridge(seedOf(seed, 'fridge'))
  return (quarter, plan, powerMw) => {
    runs(quarter, plan, powerMw)
    for (let second = 0; second < QUARTER_S; second += 1) powerMw[second]! += fridge(quarter.startS + second)
  }
}

/** A compressor that runs a third of the time or so; its motor draws four times as much for its first second. */
function createFridge(seed: number): (utcS: number) => number {
  const cycleS = 2400 + Math.floor(noise(seed, 0) * 900)
  const phaseS = Math.floor(noise(seed, 1) * cycleS)
  const runningMw = 78_000 + Math.floor(noise(seed, 2) * 22_000)
  return (utcS) => {
    const cycle = Math.floor((utcS + phaseS) / cycleS)
    const inCycleS = utcS + phaseS - cycle * cycleS
    const onS = cycleS * (0.28 + 0.12 * noise(seed, cycle))
    if (inCycleS >= onS) return 1_100
    if (inCycleS === 0) return runningMw * 4
    // the motor's load falls as the gas warms up
    return Math.round(runningMw * (1 - (0.08 * inCycleS) / onS))
  }
}

/** A set that is watched when somebody sits in the living room in the evening; half a watt else. */
function television(seed: number): Load {
  const sceneSeed = seedOf(seed, 'scene')
  return (quarter, plan, powerMw) => {
    for (let minute = 0; minute < 15; minute += 1) {
      const minuteOfDay = quarter.secondOfDay / 60 + minute
      const watched = minuteOfDay >= 1020 && peopleAt(plan, PLACE.living, minuteOfDay) > 0
      for (let second = minute * 60; second < minute * 60 + 60; second += 1) {
        const scene = noise(sceneSeed, Math.floor((quarter.startS + second) / 7))
        powerMw[second] = PLUG_MW + (watched ? 82_000 + Math.floor(scene * 38_000) : 500)
      }
    }
  }
}

/** A load that draws nothing but in the runs of the day. */
function runsOnly(seed: number, runsOfDay: (plan: DayPlan, seed: number, localDay: number) => Run[]): Load {
  let today: { localDay: number; runs: Run[] } | undefined
  return (quarter, plan, powerMw) => {
    if (today?.localDay !== quarter.localDay)
      today = { localDay: quarter.localDay, runs: runsOfDay(plan, seed, quarter.localDay) }
    powerMw.fill(PLUG_MW)
    for (const run of today.runs) addRun(run, quarter.secondOfDay, powerMw)
  }
}

function addRun(run: Run, quarterS: number, powerMw: Int32Array): void {
  let beginS = run.beginS - quarterS
  for (const [durationS, powerW] of run.phases) {
    const endS = beginS + durationS
    for (let s = Math.max(beginS, 0); s < Math.min(endS, QUARTER_S); s += 1) powerMw[s]! += powerW * 1000
    if (endS >= QUARTER_S) return
    beginS = endS
  }
}

/** A kettle boils on every third walk into the kitchen; a toaster beside it at breakfast. */
function kettleAndToaster(plan: DayPlan, seed: number, localDay: number): Run[] {
  const random = createRandom(seedOf(seed, 'kettle', localDay))
  const runs: Run[] = []
  let freeFromS = 0
  for (let minute = 1; minute < 1430; minute += 1) {
    const entered = peopleAt(plan, PLACE.kitchen, minute) > peopleAt(plan, PLACE.kitchen, minute - 1)
    if (!entered || minute * 60 < freeFromS || !random.chance(minute < 600 ? 0.8 : 0.35)) continue
    const beginS = minute * 60 + random.integer(5, 90)
    const durationS = random.integer(75, 230)
    runs.push({ beginS, phases: [[durationS, 2150 + random.integer(0, 60)]] })
    if (minute < 600 && random.chance(0.5))
      runs.push({ beginS: beginS + random.integer(20, 240), phases: [[random.integer(110, 180), 870]] })
    freeFromS = beginS + durationS + 600
  }
  return runs
}

/** The drum turns for 12 s and rests for 8. */
function drum(turns: number, powerW: number): [number, number][] {
  return Array.from({ length: turns }, (): [number, number][] => [
    [12, powerW],
    [8, 6],
  ]).flat()
}

/** On two days of five a wash of about an hour and a half, begun while somebody is at home and awake. */
function washing(plan: DayPlan, seed: number, localDay: number): Run[] {
  const random = createRandom(seedOf(seed, 'washing', localDay))
  if (!random.chance(0.4)) return []
  const from = random.integer(480, 1140)
  for (let minute = from; minute < 1230; minute += 1) {
    if (awakeAtHome(plan, minute) === 0) continue
    const program: [number, number][] = [
      [150, 12], // water runs in
      [random.integer(780, 1200), 1980], // heating
      ...drum(110, 140), // washing
      [180, 35], // pumping
      ...drum(60, 120), // rinsing
      [240, 310],
      [360, 480], // spinning
    ]
    return [{ beginS: minute * 60, phases: program }]
  }
  return []
}

/** A computer with its screen, on while somebody is in the office. */
function desk(plan: DayPlan, seed: number, localDay: number): Run[] {
  const random = createRandom(seedOf(seed, 'desk', localDay))
  const runs: Run[] = []
  for (let minute = 0; minute < DAY_S / 60; minute += 1)
    if (peopleAt(plan, PLACE.office, minute) > 0)
      runs.push({ beginS: minute * 60, phases: [[60, 65 + random.integer(0, 70)]] })
  return runs
}
