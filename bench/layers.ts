/** What `bench/silver.ts` and `bench/gold.ts` share: the cases, each in a process of its own so that its memory is its own. */
import { spawnSync } from 'node:child_process'
import { createGoldStage } from '../src/5-gold/aggregate.ts'
import { rebuildGold } from '../src/5-gold/rebuild.ts'
import { rebuildSilver } from '../src/4-silver/rebuild.ts'
import { createSilverStage } from '../src/4-silver/refine.ts'
import type { Stage } from '../src/stage.ts'
import { type History, makeHistory, peakMb, type Shape, taken } from './history.ts'
import { printRows, type Row } from './rows.ts'

export type Layer = 'silver' | 'gold'

const NEW_READINGS = 10_000
const MINUTE_S = 60
const DAY_S = 86_400
const DAYS = (days: number): Shape => ({ devices: 10, everyS: MINUTE_S, readings: days * 14_400 })
const BUSY_HOUR: Shape = { devices: 1_000, everyS: 1, readings: 3_600_000 }

interface Case {
  name: string
  shape: Shape
  /** Takes minutes: only with `--large`. */
  large?: true
}

/** Ten devices at one reading a minute, unless the name says otherwise. */
const REBUILDS: readonly Case[] = [
  { name: 'rebuild of 1 million', shape: { ...DAYS(0), readings: 1_000_000 } },
  { name: 'rebuild of 10 million', shape: { ...DAYS(0), readings: 10_000_000 }, large: true },
  {
    name: 'rebuild of 50 million',
    shape: { devices: 50, everyS: MINUTE_S, readings: 50_000_000 },
    large: true,
  },
]
const STEPS: readonly Case[] = [
  { name: 'after 1 day', shape: DAYS(1) },
  { name: 'after 30 days', shape: DAYS(30) },
  { name: 'after 3 years', shape: DAYS(3 * 365), large: true },
  { name: '1,000 devices at 1/s, after an hour', shape: BUSY_HOUR, large: true },
]

export function benchLayer(layer: Layer, script: string): Promise<void> | void {
  const at = process.argv.indexOf('--case')
  if (at >= 0) return runCase(layer, process.argv[at + 1]!)
  const large = process.argv.includes('--large')
  for (const { name } of [...REBUILDS, ...STEPS].filter((each) => large || each.large === undefined)) {
    const { status, stdout } = spawnSync(process.execPath, [script, '--case', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    if (status !== 0) process.exit(status ?? 1)
    process.stdout.write(stdout)
  }
}

async function runCase(layer: Layer, name: string): Promise<void> {
  const rebuild = REBUILDS.find((each) => each.name === name)
  const step = STEPS.find((each) => each.name === name)
  const history = await makeHistory((rebuild ?? step)!.shape)
  try {
    printRows(rebuild ? await rebuildRows(layer, history, rebuild) : await stepRows(layer, history, step!))
  } finally {
    await history.close()
  }
}

async function rebuildRows(layer: Layer, history: History, { name, shape }: Case): Promise<Row[]> {
  if (layer === 'gold') await rebuildSilver(history)
  const { seconds, cpuSeconds } = await taken(() =>
    (layer === 'silver' ? rebuildSilver : rebuildGold)(history),
  )
  return [
    { what: `${layer}, ${name}`, figure: shape.readings / seconds, unit: 'readings/s' },
    { what: '  CPU time', figure: (cpuSeconds * 1e6) / shape.readings, unit: 'µs/reading' },
    { what: '  most memory, history included', figure: peakMb(), unit: 'MB' },
  ]
}

async function stepRows(layer: Layer, history: History, { name, shape }: Case): Promise<Row[]> {
  await rebuildSilver(history)
  await rebuildGold(history)
  const silver = await createSilverStage({ ...history, lateEveryMs: 0 })
  const gold = await createGoldStage(history)
  const rows: Row[] = []
  const measure = async (what: string): Promise<void> => {
    const inSilver = await taken(() => worked(silver))
    const { seconds, cpuSeconds } = layer === 'silver' ? inSilver : await taken(() => worked(gold))
    if (layer === 'silver') await worked(gold)
    rows.push({ what: `${layer}, ${what}`, figure: seconds, unit: 's' })
    rows.push({ what: '  CPU time', figure: cpuSeconds, unit: 's' })
  }
  // Once to have what is carried from step to step in memory, as it is while the platform runs.
  await measure(`${name}: first step after a start`)
  await history.landNext(NEW_READINGS)
  await measure(`${name}: ${NEW_READINGS.toLocaleString('en')} new readings, the first time`)
  await history.landNext(NEW_READINGS)
  await measure(`${name}: ${NEW_READINGS.toLocaleString('en')} new readings, the second time`)
  const spanS = (shape.readings / shape.devices) * shape.everyS
  for (const [age, ageS] of [
    ['a minute', MINUTE_S],
    ['a day', DAY_S],
    ['a year', 365 * DAY_S],
  ] as const) {
    if (ageS >= spanS) continue
    await history.landLate(ageS)
    await measure(`${name}: one reading ${age} late`)
  }
  rows.push({ what: '  most memory, history included', figure: peakMb(), unit: 'MB' })
  await silver.close()
  await gold.close()
  return rows
}

async function worked(stage: Stage): Promise<void> {
  while ((await stage.step({ final: true })).more);
}
