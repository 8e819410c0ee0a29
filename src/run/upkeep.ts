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
    const clean = performance.now() - cleanedMs >= HOUR_MS
    await lookAfter(warehouse, { layers, nowMs: Date.now(), clean, stop })
    if (clean) cleanedMs = performance.now()
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
      const { unread, readUpTo } = await readersOf(lake, tables, table, nowMs)
      if (!unread) await lake.vacuum(table, { nowMs })
      await lake.cleanUpLog(table, { nowMs, readUpTo })
    } catch (error) {
      if (!(error instanceof LakeError)) throw error
      errors.push(error)
    }
  }
  if (errors[0]) throw errors[0]
}

/**
 * How far the later layers have read a table (its log stays from there on), and whether they have yet to read what it
 * was an hour ago (then its files stay, however old). How far a table has come with another stands in its `txns`, under
 * the other's name; Silver's late pass has its own. A reader that cannot be read itself is an error: nobody knows how far it is.
 */
async function readersOf(
  lake: Lake,
  tables: readonly string[],
  table: string,
  nowMs: number,
): Promise<{ unread: boolean; readUpTo: number }> {
  const names = table === BRONZE_TELEMETRY.name ? [table, 'late'] : [table]
  const snapshots = await Promise.all(tables.map((reader) => lake.snapshot(reader)))
  const reached = snapshots.flatMap(({ txns }) => names.flatMap((name) => txns.get(name) ?? []))
  const readUpTo = Math.min(Infinity, ...reached)
  const hourAgo = await lake.snapshot(table, new Date(nowMs - HOUR_MS)).catch((error: unknown) => {
    if (error instanceof LakeError && (error.code === 'usage' || error.code === 'lake_expired'))
      return undefined
    throw error
  })
  // Younger than that: there is nothing to clean yet.
  if (!hourAgo) return { unread: true, readUpTo }
  if (readUpTo >= hourAgo.version) return { unread: false, readUpTo }
  const { added, removed } = await lake.changes(table, readUpTo, hourAgo.version)
  return { unread: added.length + removed.length > 0, readUpTo }
}
