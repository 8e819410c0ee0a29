/** A simulated week with every fault, landed in Bronze and built into Silver and Gold by the rebuild. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DESTROYING_FAULTS, HARMLESS_FAULTS } from '../../src/1-source/simulator/faults.ts'
import { runSimulation } from '../../src/1-source/simulator/run.ts'
import type { StreamMessage } from '../../src/1-source/source.ts'
import { openEmbeddedLog } from '../../src/2-stream/embedded.ts'
import { createBronzeStage } from '../../src/3-bronze/land.ts'
import { rebuildSilver } from '../../src/4-silver/rebuild.ts'
import { rebuildGold } from '../../src/5-gold/rebuild.ts'
import { openDuckDb, openLake } from '../../src/lake/index.ts'
import type { Engine, Lake } from '../../src/lake/types.ts'
import { readCatalogueCsv } from '../../src/reference/catalogue.ts'
import { syncReference } from '../../src/reference/sync.ts'
import { DEFAULT_PRICE, readBillingCsv, tariffRows } from '../../src/reference/tariffs.ts'
import { HOUSE_TABLES } from '../lake/readers/house.ts'

export const ZONE = 'Europe/Berlin'
export const LATE_WATERMARK_HOURS = 48
/**
 * Every five minutes: what a device's faults are does not depend on how often it tells, and Spark takes as long for a row as for
 * a plan. With this seed the week has alerts close together, too, and clocks that are ahead.
 */
const RATE = { count: 1, perS: 300 }
const SEED = 14
/** The week holds the end of a month and a day of 23 hours. */
const FROM_MS = Date.parse('2026-03-26T00:00:00Z')
const DAYS = 7
const DAY_MS = 86_400_000

export interface Week {
  lake: Lake
  engine: Engine
  close(): Promise<void>
}

export async function makeWeek(): Promise<Week> {
  const root = mkdtempSync(join(tmpdir(), 'smarthouse-week-'))
  const engine = await openDuckDb({ threads: 2, memoryLimitMb: 1024 })
  const lake = await openLake({ root: join(root, 'lake'), engine })
  for (const table of HOUSE_TABLES) await lake.define(table)
  await recordReference(lake, engine)
  await land(lake, engine, join(root, 'stream'))
  await rebuildSilver({ lake, engine })
  await rebuildGold({ lake, engine })
  return {
    lake,
    engine,
    close: async () => {
      await lake.close()
      await engine.close()
      rmSync(root, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function recordReference(lake: Lake, engine: Engine): Promise<void> {
  const config = (name: string): string => fileURLToPath(new URL(`../../config/${name}`, import.meta.url))
  const { rows } = await readCatalogueCsv(config('device_catalog.csv'), 'UTC')
  const bands = await readBillingCsv(config('billing_data.csv'))
  await syncReference({
    lake,
    engine,
    catalogue: rows,
    tariffs: tariffRows({ currency: 'USD', price: DEFAULT_PRICE, bands }),
    settings: {
      time_zone: ZONE,
      late_watermark_hours: LATE_WATERMARK_HOURS,
      currency: 'USD',
      format_version: 1,
    },
  })
}

/** Each day's messages arrive at its end. */
async function land(lake: Lake, engine: Engine, dir: string): Promise<void> {
  let nowMs = FROM_MS
  const log = await openEmbeddedLog({ dir, nowMs: () => nowMs })
  const messages = await simulated()
  const perDay = Math.ceil(messages.length / DAYS)
  const stage = await createBronzeStage({ lake, engine, log, keepStreamMs: 1e15 })
  for (let day = 0; day < DAYS; day++) {
    nowMs += DAY_MS
    await log.append(messages.slice(day * perDay, (day + 1) * perDay))
    while ((await stage.step({ final: true })).more);
  }
  await stage.close()
  await log.close()
}

async function simulated(): Promise<StreamMessage[]> {
  const messages: StreamMessage[] = []
  await runSimulation({
    to: { log: { append: async (batch: readonly StreamMessage[]) => void messages.push(...batch) } },
    devices: 4,
    rate: RATE,
    seed: SEED,
    faults: [...HARMLESS_FAULTS, ...DESTROYING_FAULTS],
    tenantId: 'home',
    timeZone: ZONE,
    fromMs: FROM_MS,
    forMs: DAYS * DAY_MS,
  })
  return messages.map(metered)
}

/** Wh since each meter was made, or reset. */
const meters = new Map<string, number>()

/**
 * The simulator reports energy per interval; so that all three methods are met, every third device has a counter
 * instead, which falls back to zero above 300 Wh, and another third tells its power alone, some of them offline at times.
 */
function metered(message: StreamMessage, at: number): StreamMessage {
  const reading = parsed(message.value)
  const id = reading?.['device_id']
  if (reading === undefined || typeof id !== 'string') return message
  const kind = [...id].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 3
  const { energy_consumption_wh: energy, ...rest } = reading
  if (kind === 0 || typeof energy !== 'number') return message
  if (kind === 2) {
    const status = at % 40 < 3 ? 'offline' : at % 40 === 9 ? 'maintenance' : rest['status']
    return { ...message, value: encoded({ ...rest, status }) }
  }
  const before = meters.get(id) ?? 0
  const total = before > 300 ? energy : before + energy
  meters.set(id, total)
  return { ...message, value: encoded({ ...rest, energy_total_wh: Math.round(total * 1000) / 1000 }) }
}

function parsed(value: Uint8Array): Record<string, unknown> | undefined {
  try {
    const found: unknown = JSON.parse(new TextDecoder().decode(value))
    return typeof found === 'object' && found !== null && !Array.isArray(found)
      ? (found as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

const encoded = (reading: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(reading))
