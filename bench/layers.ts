/** What `bench/silver.ts` and `bench/gold.ts` share: the cases, each in a process of its own so that its memory is its own. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGoldStage } from '../src/5-gold/aggregate.ts'
import { rebuildGold } from '../src/5-gold/rebuild.ts'
import { rebuildSilver } from '../src/4-silver/rebuild.ts'
import { createSilverStage } from '../src/4-silver/refine.ts'
import type { Stage } from '../src/stage.ts'
import { CACHE, type History, makeHistory, peakMb, type Shape, sizeOf, taken } from './history.ts'
import { profiled } from './profile.ts'
import { printRows } from './rows.ts'

export type Layer = 'silver' | 'gold'

const NEW_READINGS = 10_000
/** What ten devices send in a second. */
const FEW_READINGS = 10
/** Section 6 of the design: of a rebuild of Silver, and of Gold. */
const LEAST_READINGS_PER_S: Record<Layer, number> = { silver: 500_000, gold: 5_000_000 }
const MOST_MB = 1024
const MOST_BYTES_PER_READING = 25
const MINUTE_S = 60
const DAY_S = 86_400
const DAYS = (days: number): Shape => ({ devices: 10, everyS: MINUTE_S, readings: days * 14_400 })
const BUSY_HOUR: Shape = { devices: 1_000, everyS: 1, readings: 3_600_000 }

/** The profile names so many statements, those that take the most. */
const SHOWN = 8

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
    // A year of a hundred devices, as api.ts asks about.
    shape: { devices: 100, everyS: MINUTE_S, readings: 52_560_000 },
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
  const at = process.argv.findIndex((word) => word === '--make' || word === '--case')
  if (at >= 0) return runCase(layer, process.argv[at]!, process.argv[at + 1]!, process.argv[at + 2]!)
  const large = process.argv.includes('--large')
  const onlyAt = process.argv.indexOf('--only')
  const only = onlyAt < 0 ? '' : process.argv[onlyAt + 1]!
  const cases = [...REBUILDS, ...STEPS].filter((one) => large || one.large === undefined)
  for (const each of cases.filter(({ name }) => name.includes(only))) {
    const root = mkdtempSync(join(tmpdir(), 'smarthouse-bench-history-'))
    const inOwnProcess = (word: string, folder: string): void => {
      const { status } = spawnSync(process.execPath, [script, word, each.name, folder], { stdio: 'inherit' })
      if (status !== 0) process.exit(status ?? 1)
    }
    try {
      // Made by another process, so that the memory of the one that is measured is its own.
      if (each.large) cpSync(kept(each, layer, inOwnProcess), root, { recursive: true })
      else inOwnProcess('--make', root)
      inOwnProcess('--case', root)
      if (each.large && REBUILDS.includes(each)) keepMade(each, layer, root)
    } finally {
      rmSync(root, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}

const folderOf = ({ name }: Case): string => join(CACHE, name.replaceAll(/[^a-z0-9]+/g, '-'))
/** A kept history has this file where it is made up to that layer. */
const markOf = (folder: string, layer: 'bronze' | Layer): string => join(folder, `${layer}-done`)

/** The history of a large case: made once, for both layers and for every run to come. */
function kept(each: Case, layer: Layer, make: (word: string, folder: string) => void): string {
  const folder = folderOf(each)
  const wanted = !REBUILDS.includes(each) ? 'gold' : layer === 'gold' ? 'silver' : 'bronze'
  if (existsSync(markOf(folder, wanted))) return folder
  if (!existsSync(markOf(folder, 'bronze'))) rmSync(folder, { recursive: true, force: true })
  make('--make', folder)
  writeFileSync(markOf(folder, wanted), '')
  return folder
}

/** What was just rebuilt takes too long to be made once more: Gold's rebuild needs that Silver, and `api.ts` that Gold. */
function keepMade(each: Case, layer: Layer, root: string): void {
  const folder = folderOf(each)
  if (existsSync(markOf(folder, layer))) return
  rmSync(folder, { recursive: true, force: true })
  cpSync(root, folder, { recursive: true })
  writeFileSync(markOf(folder, layer), '')
}

async function runCase(layer: Layer, word: string, name: string, root: string): Promise<void> {
  const rebuild = REBUILDS.find((each) => each.name === name)
  const step = STEPS.find((each) => each.name === name)
  const history = await makeHistory((rebuild ?? step)!.shape, root)
  try {
    if (word === '--make') {
      if (step || layer === 'gold') await rebuildSilver(history)
      if (step) await rebuildGold(history)
    } else if (rebuild) await rebuildRows(layer, history, rebuild)
    else await stepRows(layer, history, step!)
  } finally {
    await history.close()
  }
}

async function rebuildRows(layer: Layer, history: History, { name, shape }: Case): Promise<void> {
  const { engine, spent } = profiled(history.engine)
  const { seconds, cpuSeconds } = await taken(() =>
    (layer === 'silver' ? rebuildSilver : rebuildGold)({ ...history, engine }),
  )
  const most = peakMb()
  const { bytes } = await sizeOf(history.lake, layer)
  const least = await taken(() => copyInput(layer, history))
  const data = `${shape.readings.toLocaleString('en')} readings of ${shape.devices} devices`
  printRows([
    {
      what: `${layer}, ${name}`,
      figure: shape.readings / seconds,
      unit: 'readings/s',
      limit: { figure: shape.readings / least.seconds, of: 'its input read and written as it is' },
      budget: { atLeast: LEAST_READINGS_PER_S[layer] },
      data,
    },
    { what: `${layer}, ${name}: CPU`, figure: (cpuSeconds * 1e6) / shape.readings, unit: 'µs/reading', data },
    { what: `${layer}, ${name}: most memory`, figure: most, unit: 'MB', budget: { atMost: MOST_MB }, data },
    {
      what: `${layer}, ${name}: storage`,
      figure: bytes / shape.readings,
      unit: 'B/reading',
      data,
      ...(layer === 'silver' && { budget: { atMost: MOST_BYTES_PER_READING } }),
    },
    ...spent()
      .slice(0, SHOWN)
      .map(([what, s]) => ({
        what: `${layer}, ${name}: share of ${what}`,
        figure: (s / seconds) * 100,
        unit: '% of the time',
        data,
      })),
  ])
}

/** The least that a rebuild has to do: every row read and written once. */
async function copyInput(layer: Layer, { lake, engine }: History): Promise<void> {
  const table = layer === 'silver' ? 'bronze.telemetry' : 'silver.readings'
  const session = await engine.session()
  await lake.write(session, table, `SELECT * FROM ${lake.scan(table, (await lake.snapshot(table)).files)}`, {
    sorted: true,
  })
  await session.close()
}

async function stepRows(layer: Layer, history: History, { name, shape }: Case): Promise<void> {
  const silver = await createSilverStage({ ...history, lateEveryMs: 0 })
  const gold = await createGoldStage(history)
  const data = `${shape.readings.toLocaleString('en')} readings of ${shape.devices} devices before`
  const measure = async (what: string): Promise<void> => {
    const inSilver = await taken(() => worked(silver))
    const { seconds, cpuSeconds } = layer === 'silver' ? inSilver : await taken(() => worked(gold))
    if (layer === 'silver') await worked(gold)
    printRows([
      { what: `${layer}, ${name}: ${what}`, figure: seconds, unit: 's', data },
      { what: `${layer}, ${name}: ${what}: CPU`, figure: cpuSeconds, unit: 's', data },
    ])
  }
  await measure('first step after a start')
  await history.landNext(NEW_READINGS)
  await measure(`${NEW_READINGS.toLocaleString('en')} new readings, the first time`)
  await history.landNext(NEW_READINGS)
  await measure(`${NEW_READINGS.toLocaleString('en')} new readings, the second time`)
  await history.landNext(FEW_READINGS)
  await worked(silver)
  await worked(gold)
  await history.landNext(FEW_READINGS)
  await measure(`${FEW_READINGS} new readings`)
  await measure('nothing new')
  const spanS = (shape.readings / shape.devices) * shape.everyS
  for (const [age, ageS] of [
    ['a minute', MINUTE_S],
    ['a day', DAY_S],
    ['a year', 365 * DAY_S],
  ] as const) {
    if (ageS >= spanS) continue
    await history.landLate(ageS)
    await measure(`one reading ${age} late`)
  }
  printRows([
    {
      what: `${layer}, ${name}: most memory`,
      figure: peakMb(),
      unit: 'MB',
      budget: { atMost: MOST_MB },
      data,
    },
  ])
  await silver.close()
  await gold.close()
}

async function worked(stage: Stage): Promise<void> {
  while ((await stage.step({ final: true })).more);
}
