/** The tables of a pipeline run over six hours of a simulated house, with merging, checkpoints, a change of schema and retention. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HARMLESS_FAULTS, DESTROYING_FAULTS } from '../../../src/1-source/simulator/faults.ts'
import { runSimulation } from '../../../src/1-source/simulator/run.ts'
import type { StreamMessage } from '../../../src/1-source/source.ts'
import { openEmbeddedLog } from '../../../src/2-stream/embedded.ts'
import { createBronzeStage } from '../../../src/3-bronze/land.ts'
import { BRONZE_TELEMETRY } from '../../../src/3-bronze/tables.ts'
import { createSilverStage } from '../../../src/4-silver/refine.ts'
import { SILVER_READINGS, SILVER_TABLES } from '../../../src/4-silver/tables.ts'
import { createGoldStage } from '../../../src/5-gold/aggregate.ts'
import { GOLD_CALENDAR, GOLD_TABLES } from '../../../src/5-gold/tables.ts'
import { compactTable, openDuckDb, openLake } from '../../../src/lake/index.ts'
import type { Engine, Lake, TableDefinition } from '../../../src/lake/types.ts'
import { readCatalogueCsv } from '../../../src/reference/catalogue.ts'
import { syncReference } from '../../../src/reference/sync.ts'
import { REFERENCE_TABLES } from '../../../src/reference/tables.ts'
import { DEFAULT_PRICE, readBillingCsv, tariffRows } from '../../../src/reference/tariffs.ts'

export const HOUSE_TABLES: readonly TableDefinition[] = [
  BRONZE_TELEMETRY,
  ...SILVER_TABLES,
  GOLD_CALENDAR,
  ...GOLD_TABLES,
  ...REFERENCE_TABLES,
]
const HALF_HOUR_MS = 1_800_000
/** 19:30 to 01:30 UTC: nine half-hours on one day of ingestion, enough to merge, and three on the next. */
const FROM_MS = Date.parse('2026-03-28T19:30:00Z')
const HALF_HOURS = 12

export interface HouseLake {
  engine: Engine
  lake: Lake
  /** Removes the folder. */
  close(): Promise<void>
}

export async function makeHouseLake(): Promise<HouseLake> {
  const root = mkdtempSync(join(tmpdir(), 'smarthouse-readers-'))
  const engine = await openDuckDb({ threads: 2, memoryLimitMb: 512 })
  const lake = await openLake({ root: join(root, 'lake'), engine })
  for (const table of HOUSE_TABLES)
    await lake.define({ ...table, properties: { ...table.properties, 'delta.checkpointInterval': '2' } })
  await recordReference(lake, engine)
  await runPipeline(lake, engine, join(root, 'stream'))
  for (const table of await lake.tables()) await compactTable({ lake, engine, table })
  await addColumn(lake, engine)
  await giveUpOldDates(lake)
  await clean(lake)
  return {
    engine,
    lake,
    close: async () => {
      await lake.close()
      await engine.close()
      rmSync(root, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function recordReference(lake: Lake, engine: Engine): Promise<void> {
  const config = (name: string): string => fileURLToPath(new URL(`../../../config/${name}`, import.meta.url))
  const { rows } = await readCatalogueCsv(config('device_catalog.csv'), 'UTC')
  const bands = await readBillingCsv(config('billing_data.csv'))
  await syncReference({
    lake,
    engine,
    catalogue: rows,
    tariffs: tariffRows({ currency: 'USD', price: DEFAULT_PRICE, bands }),
    settings: {
      time_zone: 'Europe/Berlin',
      late_watermark_hours: 48,
      currency: 'USD',
      format_version: 1,
    },
  })
}

/** Bronze takes what arrived every half-hour, Silver every hour, Gold every three; at the end nothing is left pending. */
async function runPipeline(lake: Lake, engine: Engine, streamFolder: string): Promise<void> {
  const messages = await sixHours()
  let nowMs = FROM_MS
  const log = await openEmbeddedLog({ dir: streamFolder, nowMs: () => nowMs })
  const stages = [
    { every: 1, stage: await createBronzeStage({ lake, engine, log, keepStreamMs: 1e15 }) },
    { every: 2, stage: await createSilverStage({ lake, engine }) },
    { every: 6, stage: await createGoldStage({ lake, engine }) },
  ]
  const perHalfHour = Math.ceil(messages.length / HALF_HOURS)
  for (let step = 1; step <= HALF_HOURS; step++) {
    nowMs = FROM_MS + step * HALF_HOUR_MS
    await log.append(messages.slice((step - 1) * perHalfHour, step * perHalfHour))
    const final = step === HALF_HOURS
    for (const { every, stage } of stages) while (step % every === 0 && (await stage.step({ final })).more);
  }
  for (const { stage } of stages) await stage.close()
  await log.close()
}

async function sixHours(): Promise<StreamMessage[]> {
  const messages: StreamMessage[] = []
  const keep = async (batch: readonly StreamMessage[]): Promise<void> => void messages.push(...batch)
  await runSimulation({
    to: { log: { append: keep } },
    devices: 10,
    rate: { count: 1, perS: 60 },
    seed: 7,
    faults: [...HARMLESS_FAULTS, ...DESTROYING_FAULTS],
    tenantId: 'demo',
    timeZone: 'Europe/Berlin',
    fromMs: FROM_MS,
    forMs: HALF_HOURS * HALF_HOUR_MS,
  })
  return messages
}

/** Bronze arrived on two dates; it keeps the second. */
async function giveUpOldDates(lake: Lake): Promise<void> {
  await lake.setProperties(BRONZE_TELEMETRY.name, { 'lake.retentionDays': '1' })
  const files = await lake.retain(BRONZE_TELEMETRY.name, { nowMs: Date.parse('2026-03-30T12:00:00Z') })
  assert.ok(files.length > 0 && files.every(({ partition }) => Object.values(partition)[0] === '2026-03-28'))
}

/** As if two months had passed: of this table the newest version alone is left. */
export const CLEANED = 'gold.hourly_energy'
async function clean(lake: Lake): Promise<void> {
  const nowMs = Date.now() + 60 * 86_400_000
  assert.notEqual((await lake.cleanUpLog(CLEANED, { nowMs })).length, 0)
  assert.notEqual((await lake.vacuum(CLEANED, { nowMs })).length, 0)
}

/** Silver as a later version of the program would have it: one more column, which only some rows have. */
async function addColumn(lake: Lake, engine: Engine): Promise<void> {
  const column = {
    name: 'added_later_w',
    type: 'double',
    description: 'Known of newer rows only, W.',
  } as const
  await lake.define({ ...SILVER_READINGS, columns: [...SILVER_READINGS.columns, column] })
  const session = await engine.session()
  const { files } = await lake.snapshot(SILVER_READINGS.name)
  const again = `SELECT * REPLACE (stream_offset + 1000000 AS stream_offset, stream_offset / 4.0 AS added_later_w)
    FROM ${lake.scan(SILVER_READINGS.name, files)} WHERE stream_offset % 10 = 0`
  const add = await lake.write(session, SILVER_READINGS.name, again)
  await lake.commit(SILVER_READINGS.name, { operation: 'WRITE', add })
  await session.close()
}
