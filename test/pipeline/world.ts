/** A platform in a temporary folder, whose stages can be stopped and whose commits can fail. */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '../../src/2-stream/embedded.ts'
import { createBronzeStage } from '../../src/3-bronze/land.ts'
import { BRONZE_TELEMETRY } from '../../src/3-bronze/tables.ts'
import { createSilverStage } from '../../src/4-silver/refine.ts'
import { SILVER_TABLES } from '../../src/4-silver/tables.ts'
import { createGoldStage } from '../../src/5-gold/aggregate.ts'
import { GOLD_CALENDAR, GOLD_TABLES } from '../../src/5-gold/tables.ts'
import { openLake } from '../../src/lake/index.ts'
import { readCorrections, recordCorrections } from '../../src/reference/corrections.ts'
import { readTariffs, recordRules, syncReference } from '../../src/reference/sync.ts'
import { REFERENCE_TABLES } from '../../src/reference/tables.ts'
import type { BronzeRow, House } from '../oracle/types.ts'
import type { Engine, Lake, TableDefinition } from '../../src/lake/types.ts'
import type { Stage } from '../../src/stage.ts'
import type { Case, Given, Happening } from './case.ts'

export const DERIVED_TABLES: readonly TableDefinition[] = [...SILVER_TABLES, ...GOLD_TABLES]
const ALL_TABLES = [BRONZE_TELEMETRY, ...DERIVED_TABLES, GOLD_CALENDAR, ...REFERENCE_TABLES]
const FOREVER_MS = 1e15

export interface World {
  lake: Lake
  /** What figures depend on besides readings, as it is now. */
  house: House
  happen(happening: Happening): Promise<void>
  /** Everything that is left: all messages, all stages, nothing pending. */
  finish(): Promise<void>
  close(): Promise<void>
}

const CALENDAR = join('gold', 'calendar')

/** Where the calendar of such cases is kept from one world to the next: it takes half a second and is always the same. */
function calendarFolder(calendars: string, { timeZone, messages }: Case): string {
  const year = new Date(messages[0]?.acceptedAtMs ?? 0).getUTCFullYear()
  return join(calendars, `${timeZone.replaceAll('/', '-')}-${year}`)
}

/** A lake in a folder of its own with every table defined; `calendar` is a kept `gold.calendar` to begin with. */
export async function openTestLake(
  engine: Engine,
  calendar?: string,
): Promise<{ lake: Lake; root: string; remove(): Promise<void> }> {
  const root = mkdtempSync(join(tmpdir(), 'smarthouse-pipeline-'))
  if (calendar !== undefined && existsSync(calendar))
    cpSync(calendar, join(root, 'lake', CALENDAR), { recursive: true })
  const lake = await openLake({ root: join(root, 'lake'), engine })
  for (const table of ALL_TABLES) await lake.define(table)
  const remove = async (): Promise<void> => {
    await lake.close()
    rmSync(root, { recursive: true, force: true, maxRetries: 5 })
  }
  return { lake, root, remove }
}

export async function recordHouse(
  lake: Lake,
  engine: Engine,
  given: Given & { timeZone: string },
): Promise<House> {
  const { timeZone, lateWatermarkHours, catalogue, periods = [], rules = [], corrections = [] } = given
  await recordRules(lake, engine, rules)
  await syncReference({
    lake,
    engine,
    catalogue,
    periods,
    tariffs: given.tariffs,
    settings: {
      time_zone: timeZone,
      late_watermark_hours: lateWatermarkHours,
      currency: 'USD',
      format_version: 1,
    },
  })
  if (corrections.length > 0)
    await recordCorrections(
      lake,
      engine,
      corrections.map((one) => ({
        ...one,
        recorded_at: '2024-01-01T00:00:00Z',
        recorded_by: 'ann',
        reason: 'a spike',
      })),
    )
  const tariffs = (await readTariffs(lake, engine)).value
  const recorded = await readCorrections(lake, engine)
  return { catalogue, periods, rules, corrections: recorded, tariffs, timeZone, lateWatermarkHours }
}

/** @param calendars a folder in which calendars are kept for the worlds to come */
export async function openWorld(engine: Engine, given: Case, calendars?: string): Promise<World> {
  const calendar = calendars === undefined ? undefined : calendarFolder(calendars, given)
  const { lake, root, remove } = await openTestLake(engine, calendar)
  let house = await recordHouse(lake, engine, given)
  let isChanged = given.later === undefined
  let nowMs = 0
  const log = await openEmbeddedLog({ dir: join(root, 'stream'), nowMs: () => nowMs })
  const { failing, arm } = failingLake(lake)
  const options = { lake: failing, engine }
  const stages = new Map<string, Stage>()
  const create: Record<Stage['name'], () => Promise<Stage>> = {
    bronze: () => createBronzeStage({ ...options, log, keepStreamMs: FOREVER_MS }),
    // Of every other case it is looked where what comes late ends; these histories are too short for that to be done by itself.
    silver: () => createSilverStage({ ...options, ...(given.messages.length % 2 === 0 && { fewRows: 0 }) }),
    gold: () => createGoldStage(options),
  }
  let next = 0

  const append = async (count: number): Promise<void> => {
    for (const message of given.messages.slice(next, next + count)) {
      nowMs = message.acceptedAtMs
      await log.append([{ key: null, value: new TextEncoder().encode(message.value) }])
    }
    next = Math.min(given.messages.length, next + count)
  }
  const change = async (): Promise<void> => {
    if (isChanged || given.later === undefined) return
    house = await recordHouse(lake, engine, { ...given.later, timeZone: given.timeZone })
    isChanged = true
  }
  const stop = async (name: Stage['name']): Promise<void> => {
    await stages.get(name)?.close()
    stages.delete(name)
  }
  const step = async (name: Stage['name'], final: boolean): Promise<boolean> => {
    const stage = stages.get(name) ?? (await create[name]())
    stages.set(name, stage)
    return (await stage.step({ final })).more
  }

  return {
    lake,
    get house() {
      return house
    },
    async happen(happening) {
      if (happening.do === 'change') return await change()
      if (happening.do === 'append') return await append(happening.messages)
      if (happening.do === 'restart') return await stop(happening.stage)
      const armed = arm(happening.fail)
      try {
        await step(happening.do, happening.final)
      } catch (error) {
        if (!armed.failed()) throw error
        await stop(happening.do)
      } finally {
        armed.disarm()
      }
    },
    async finish() {
      await append(given.messages.length)
      await change()
      for (const name of ['bronze', 'silver', 'gold'] as const) {
        for (let round = 0; await step(name, true); round++)
          if (round > 1000) throw new Error(`${name} never comes to an end`)
      }
    },
    async close() {
      for (const name of ['bronze', 'silver', 'gold'] as const) await stop(name)
      await log.close()
      if (calendar !== undefined && !existsSync(calendar))
        cpSync(join(root, 'lake', CALENDAR), calendar, { recursive: true })
      await remove()
    },
  }
}

/** A lake of which one commit can be made to fail, before or after it takes effect. */
function failingLake(lake: Lake): {
  failing: Lake
  arm(fail: { commit: number; when: 'before' | 'after' } | undefined): { failed(): boolean; disarm(): void }
} {
  let commits = 0
  let fail: { commit: number; when: 'before' | 'after' } | undefined
  let failed = false
  const failing: Lake = {
    ...lake,
    async commit(table, request) {
      const now = fail?.commit === commits++ ? fail.when : undefined
      if (now) failed = true
      if (now === 'before') throw new Error('the power went')
      const result = await lake.commit(table, request)
      if (now === 'after') throw new Error('the power went')
      return result
    },
  }
  return {
    failing,
    arm(given) {
      commits = 0
      failed = false
      fail = given
      return { failed: () => failed, disarm: () => (fail = undefined) }
    },
  }
}

export async function rowsOf(
  lake: Lake,
  engine: Engine,
  table: TableDefinition,
): Promise<Record<string, unknown>[]> {
  const session = await engine.session()
  try {
    const { files } = await lake.snapshot(table.name)
    const columns = table.columns.map(({ name }) => `"${name}"`).join(', ')
    return await session.rows(`SELECT ${columns} FROM ${lake.scan(table.name, files)}`)
  } finally {
    await session.close()
  }
}

export async function bronzeRows(lake: Lake, engine: Engine): Promise<BronzeRow[]> {
  return (await rowsOf(lake, engine, BRONZE_TELEMETRY)) as unknown as BronzeRow[]
}
