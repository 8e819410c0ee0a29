/**
 * How time, memory, files and bytes grow with devices and with history, at one reading a minute: from 1 device to 1,000 over a day, and
 * of ten devices over more and more days; `--large`: up to three years. Each point is measured in processes of its own, so that its memory
 * is its own; a history's Bronze is made by the engine alone.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rebuildSilver } from '../src/4-silver/rebuild.ts'
import { createSilverStage } from '../src/4-silver/refine.ts'
import { createGoldStage } from '../src/5-gold/aggregate.ts'
import { rebuildGold } from '../src/5-gold/rebuild.ts'
import type { Stage } from '../src/stage.ts'
import { benchApp } from './app.ts'
import { END_US, makeHistory, peakMb, sizeOf, taken, type History } from './history.ts'
import { percentile, printRows } from './rows.ts'

interface Point {
  devices: number
  days: number
  /** Takes minutes: only with `--large`. */
  large?: true
}

const POINTS: readonly Point[] = [
  { devices: 1, days: 1 },
  { devices: 10, days: 1 },
  { devices: 100, days: 1 },
  { devices: 1000, days: 1 },
  { devices: 10, days: 30 },
  { devices: 10, days: 90, large: true },
  { devices: 10, days: 365, large: true },
  { devices: 10, days: 3 * 365, large: true },
]
const FEW_READINGS = 10
const TIMES = 5
/** Noon of the last day: it is open. */
const NOW_MS = END_US / 1000 - 43_200_000
const here = fileURLToPath(import.meta.url)

const nameOf = ({ devices, days }: Point): string => `${devices} devices, ${days} days`
const historyOf = ({ devices, days }: Point, root: string): Promise<History> =>
  makeHistory({ devices, everyS: 60, readings: devices * days * 1440 }, root)

async function rebuild(point: Point, root: string): Promise<void> {
  const history = await historyOf(point, root)
  const silver = await taken(() => rebuildSilver(history))
  const gold = await taken(() => rebuildGold(history))
  const at = nameOf(point)
  printRows([
    { at, what: 'readings', figure: point.devices * point.days * 1440, unit: '' },
    { at, what: 'Silver rebuilt', figure: silver.seconds, unit: 's' },
    { at, what: 'Gold rebuilt', figure: gold.seconds, unit: 's' },
    { at, what: 'most memory of the two', figure: peakMb(), unit: 'MB' },
  ])
  for (const layer of ['bronze', 'silver', 'gold']) {
    const { files, bytes } = await sizeOf(history.lake, layer)
    printRows([
      { at, what: `${layer}: files`, figure: files, unit: '' },
      { at, what: `${layer}: size`, figure: bytes / 1e6, unit: 'MB' },
    ])
  }
  await history.close()
}

async function live(point: Point, root: string): Promise<void> {
  const history = await historyOf(point, root)
  const at = nameOf(point)
  const stages = [await createSilverStage({ ...history, lateEveryMs: 0 }), await createGoldStage(history)]
  const work = (): Promise<void> => worked(stages)
  const start = await taken(work)
  const steps: number[] = []
  const cpu: number[] = []
  for (let n = 0; n < TIMES; n++) {
    await history.landNext(FEW_READINGS)
    const step = await taken(work)
    steps.push(step.seconds)
    cpu.push(step.cpuSeconds)
  }
  printRows([
    { at, what: 'first step after a start', figure: start.seconds, unit: 's' },
    { at, what: `${FEW_READINGS} new readings to Gold`, figure: percentile(steps, 0.5), unit: 's' },
    { at, what: `${FEW_READINGS} new readings to Gold: CPU`, figure: percentile(cpu, 0.5), unit: 's' },
    { at, what: 'most memory of the stages', figure: peakMb(), unit: 'MB' },
  ])
  for (const stage of stages) await stage.close()
  await history.close()
}

/** Until nothing is left to do in any of them. */
async function worked(stages: readonly Stage[]): Promise<void> {
  for (const stage of stages) while ((await stage.step({ final: true })).more);
}

async function asked(point: Point, root: string): Promise<void> {
  const history = await historyOf(point, root)
  const app = await benchApp(history, NOW_MS)
  const day = (before: number): string => new Date(NOW_MS - before * 86_400_000).toISOString().slice(0, 10)
  const times: number[] = []
  for (const days of [1, 7]) {
    const began = performance.now()
    const { statusCode } = await app.inject(
      `/api/v1/overview?range=custom&from=${day(days - 1)}&to=${day(0)}`,
    )
    if (statusCode !== 200) throw new Error(`the overview was answered with ${statusCode}`)
    times.push(performance.now() - began)
  }
  const at = nameOf(point)
  printRows([
    { at, what: 'first overview of a process', figure: times[0]!, unit: 'ms' },
    { at, what: 'overview of 7 days, not asked before', figure: times[1]!, unit: 'ms' },
  ])
  await app.close()
  await history.close()
}

const PARTS = { rebuild, live, asked }

const at = process.argv.indexOf('--part')
if (at >= 0) {
  const [part, point, root] = process.argv.slice(at + 1)
  await PARTS[part as keyof typeof PARTS](POINTS[Number(point)]!, root!)
} else
  for (const [index, { large }] of POINTS.entries()) {
    if (large && !process.argv.includes('--large')) continue
    const root = mkdtempSync(join(tmpdir(), 'smarthouse-bench-growth-'))
    try {
      for (const part of Object.keys(PARTS)) {
        const words = [here, '--part', part, `${index}`, root]
        const { status } = spawnSync(process.execPath, words, { stdio: 'inherit' })
        if (status !== 0) process.exit(status ?? 1)
      }
    } finally {
      rmSync(root, { recursive: true, force: true, maxRetries: 5 })
    }
  }
