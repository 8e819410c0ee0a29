import { BRONZE_TELEMETRY } from '../3-bronze/tables.ts'
import { compactTable, LakeError } from '../lake/index.ts'
import type { Lake } from '../lake/types.ts'
import type { StageName, Warehouse } from '../main.ts'
import { pause } from './loop.ts'

const EVERY_MS = 120_000
const HOUR_MS = 3_600_000

/** Looks after the layers' tables while the stages run; never in their way: a lost race is tried again the next time. */
export async function keepUp(
  warehouse: Warehouse,
  layers: readonly StageName[],
  stop: AbortSignal,
): Promise<void> {
  let cleanedMs = -Infinity
  await pause(EVERY_MS, stop)
  while (!stop.aborted) {
    const nowMs = Date.now()
    const clean = nowMs - cleanedMs >= HOUR_MS
    await lookAfter(warehouse, { layers, nowMs, clean, stop })
    if (clean) cleanedMs = nowMs
    await pause(EVERY_MS, stop)
  }
}

export interface Round {
  /** What Bronze's process looks after besides: the reference. */
  layers: readonly StageName[]
  nowMs: number
  /** Give up old dates, delete what no version names any more, shorten the logs; else merge only. */
  clean: boolean
  stop: AbortSignal
}

/** Every table once. One that cannot be looked after keeps no other from it: the first error is thrown at the end. */
export async function lookAfter(
  { lake, engine }: Pick<Warehouse, 'lake' | 'engine'>,
  { layers, nowMs, clean, stop }: Round,
): Promise<void> {
  const ours = new Set<string>(layers.includes('bronze') ? [...layers, 'reference'] : layers)
  const tables = await lake.tables()
  const errors: LakeError[] = []
  for (const table of tables) {
    if (stop.aborted) break
    if (!ours.has(table.slice(0, table.indexOf('.')))) continue
    try {
      await compactTable({ lake, engine, table })
      if (!clean) continue
      await lake.retain(table, { nowMs })
      if (await isNeeded(lake, tables, table, nowMs)) continue
      await lake.vacuum(table, { nowMs })
      await lake.cleanUpLog(table, { nowMs })
    } catch (error) {
      if (!(error instanceof LakeError)) throw error
      errors.push(error)
    }
  }
  if (errors[0]) throw errors[0]
}

/**
 * Whether a later layer has yet to read what the table was an hour ago: then its files and log entries stay, however
 * old. How far a table has come with another stands in its `txns`, under the other's name; Silver's late pass has its own.
 */
async function isNeeded(
  lake: Lake,
  tables: readonly string[],
  table: string,
  nowMs: number,
): Promise<boolean> {
  const hourAgo = await lake.snapshot(table, new Date(nowMs - HOUR_MS)).catch((error: unknown) => {
    if (error instanceof LakeError && (error.code === 'usage' || error.code === 'lake_expired'))
      return undefined
    throw error
  })
  // Younger than that: there is nothing to clean yet.
  if (!hourAgo) return true
  for (const reader of tables) {
    const { txns } = await lake.snapshot(reader)
    const names = table === BRONZE_TELEMETRY.name ? [table, 'late'] : [table]
    for (const upTo of names.flatMap((name) => txns.get(name) ?? [])) {
      if (upTo >= hourAgo.version) continue
      const { added, removed } = await lake.changes(table, upTo, hourAgo.version)
      if (added.length + removed.length > 0) return true
    }
  }
  return false
}
