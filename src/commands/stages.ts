import { COMMON_OPTIONS, JSON_OPTION, type Arguments, type Command } from './command.ts'
import { rebuildStage } from './rebuild.ts'
import {
  beginSettings,
  openStage,
  openWarehouse,
  type Settings,
  type StageName,
  type Warehouse,
} from '../main.ts'
import { watchReference } from '../run/reference.ts'
import { pause, runStage } from '../run/loop.ts'
import { beginLog, log } from '../run/log.ts'
import { isSupervised, tellDoing } from '../run/part.ts'
import { keepUp } from '../run/upkeep.ts'
import type { Say } from '../log.ts'
import type { StepReport } from '../stage.ts'

const ALL: readonly StageName[] = ['bronze', 'silver', 'gold']

const SUMMARY: Record<StageName, string> = {
  bronze: 'land the stream in Bronze, as received',
  silver: 'refine Bronze to Silver: validated, cleaned, enriched',
  gold: 'aggregate Silver to Gold: energy, cost, health',
}

function stageCommand(name: StageName | 'stages', names: readonly StageName[], summary: string): Command {
  return {
    name,
    summary,
    options: {
      ...COMMON_OPTIONS,
      once: { description: 'work off all that is there, pending included, then end' },
      ...JSON_OPTION,
    },
    examples: [`smarthouse ${name} --once`, `smarthouse ${name} --data /srv/house`],
    run: (args, stop) => runStages(names, args, stop),
  }
}

export const BRONZE = stageCommand('bronze', ['bronze'], SUMMARY.bronze)
export const SILVER = stageCommand('silver', ['silver'], SUMMARY.silver)
export const GOLD = stageCommand('gold', ['gold'], SUMMARY.gold)
export const STAGES = stageCommand('stages', ALL, 'bronze, silver and gold in one process, as `up` runs them')

async function runStages(names: readonly StageName[], args: Arguments, stop: AbortSignal): Promise<number> {
  const settings = await beginSettings(args)
  const say = beginLog(names.length === 1 ? names[0]! : 'stages', settings)
  const warehouse = await openWarehouse(settings)
  const once = args.flag('once')
  let reference: Awaited<ReturnType<typeof watchReference>> | undefined
  try {
    reference = await watchReference(settings, warehouse, say)
    const totals = new Totals()
    if (once) {
      for (const name of names) await runOne(name, settings, warehouse, { once, say, stop, totals })
      totals.print(args.flag('json'))
      return stop.aborted ? 130 : 0
    }
    // The first failure stops the others too, so that the part ends as a whole and is started again as a whole.
    const failed = new AbortController()
    const both = AbortSignal.any([stop, failed.signal])
    const endless = [
      ...names.map((name) => runOne(name, settings, warehouse, { once, say, stop: both, totals })),
      reference.run(both),
      keepUp(warehouse, names, both),
    ]
    const results = await Promise.allSettled(
      endless.map((work) => work.catch((error: unknown) => (failed.abort(), Promise.reject(error)))),
    )
    // One that is stopped while it waits for the stream has failed at nothing.
    const failure = results.find((result) => result.status === 'rejected' && result.reason !== both.reason)
    if (failure?.status === 'rejected') throw failure.reason
    return 0
  } finally {
    reference?.close()
    await warehouse.close()
  }
}

interface RunContext {
  once: boolean
  say: Say
  stop: AbortSignal
  totals: Totals
}

async function runOne(
  name: StageName,
  settings: Settings,
  warehouse: Warehouse,
  context: RunContext,
): Promise<void> {
  const schedule = settings.config.schedules[name]
  if (schedule.full && !context.once && name !== 'bronze') {
    while (!context.stop.aborted) {
      await rebuildStage(name, warehouse, () => undefined)
      await pause(schedule.everyMs!, context.stop)
    }
    return
  }
  const continuousMs = {
    bronze: settings.config.bronze.flush,
    silver: 500,
    gold: settings.config.gold.every,
  }[name]
  const stage = await openStage(name, settings, warehouse, context.once ? undefined : context.stop)
  try {
    await runStage(stage, {
      once: context.once,
      pauseMs: continuousMs,
      everyMs: schedule.everyMs,
      stop: context.stop,
      onStep: (_, report, tookMs) => {
        for (const notice of report.notices ?? []) context.say(`${name}: ${notice}`)
        context.totals.add(name, report, tookMs)
      },
    })
  } finally {
    await stage.close()
  }
}

/** What the stages of this process have done since it began. */
class Totals {
  readonly #figures: Record<string, number> = {}
  #toldMs = -Infinity

  add(name: StageName, report: StepReport, tookMs: number): void {
    const sum = (figure: string, value: number): void => {
      this.#figures[`${name}_${figure}`] = (this.#figures[`${name}_${figure}`] ?? 0) + value
    }
    sum('rows', report.rows)
    // A look that finds nothing is no work: it would hide how long the work takes.
    if (report.rows > 0) {
      sum('steps', 1)
      sum('step_ms', tookMs)
      this.#figures[`${name}_last_step_ms`] = tookMs
    }
    this.#figures[`${name}_pending`] = report.pending
    for (const [key, value] of Object.entries(report.detail)) sum(key, value)
    if (report.rows > 0 && !isSupervised() && report.more)
      log(`${name}: ${this.#figures[`${name}_rows`]} rows`)
    if (performance.now() - this.#toldMs < 1000) return
    this.#toldMs = performance.now()
    tellDoing(this.#line(), this.#figures)
  }

  #line(): string {
    return ALL.filter((name) => `${name}_rows` in this.#figures)
      .map((name) => `${name} ${this.#figures[`${name}_rows`]} rows`)
      .join(' · ')
  }

  print(json: boolean): void {
    console.log(json ? JSON.stringify(this.#figures) : this.#line())
  }
}
