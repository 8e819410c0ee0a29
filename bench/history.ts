/** A Bronze table of so many devices over so much time, made by the engine alone, and what is measured over it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BRONZE_TELEMETRY } from '../src/3-bronze/tables.ts'
import { SILVER_TABLES } from '../src/4-silver/tables.ts'
import { GOLD_CALENDAR, GOLD_TABLES } from '../src/5-gold/tables.ts'
import { FORMAT_VERSION } from '../src/data-folder.ts'
import { openLake } from '../src/lake/index.ts'
import { sqlType } from '../src/lake/schema.ts'
import type { Engine, Lake, Session } from '../src/lake/types.ts'
import { syncReference } from '../src/reference/sync.ts'
import { REFERENCE_TABLES } from '../src/reference/tables.ts'
import { DEFAULT_PRICE, tariffRows } from '../src/reference/tariffs.ts'
import { openBenchEngine } from './engine.ts'

export interface Shape {
  devices: number
  /** Seconds between two readings of a device. */
  everyS: number
  /** Readings of all devices together. */
  readings: number
}

export interface History {
  lake: Lake
  engine: Engine
  /** Lands readings that follow what is there. */
  landNext(readings: number): Promise<void>
  /** Lands one reading of the first device, so much older than the newest one. */
  landLate(ageS: number): Promise<void>
  close(): Promise<void>
}

/** Where what takes long to make is kept, for the data format that this program writes. */
export const CACHE = fileURLToPath(new URL(`cache/format-${FORMAT_VERSION}`, import.meta.url))

/** 2026-01-01; history ends here. */
export const END_US = 1_767_225_600_000_000
const PER_COMMIT = 2_000_000

/** In a folder of its own that goes with `close`, or in one that stays; there it is made where it is not yet. */
export async function makeHistory({ devices, everyS, readings }: Shape, folder?: string): Promise<History> {
  const root = folder ?? mkdtempSync(join(tmpdir(), 'smarthouse-bench-history-'))
  const engine = await openBenchEngine({ tempDirectory: join(root, 'temp') })
  const lake = await openLake({ root: join(root, 'lake'), engine })
  for (const table of [
    BRONZE_TELEMETRY,
    ...SILVER_TABLES,
    GOLD_CALENDAR,
    ...GOLD_TABLES,
    ...REFERENCE_TABLES,
  ])
    await lake.define(table)
  await syncReference({
    lake,
    engine,
    catalogue: [],
    tariffs: tariffRows({ currency: 'USD', price: DEFAULT_PRICE, bands: [] }),
    settings: { time_zone: 'Europe/Berlin', late_watermark_hours: 48, currency: 'USD', format_version: 1 },
  })
  const session = await engine.session()
  const startUs = END_US - Math.ceil(readings / devices) * everyS * 1_000_000
  let landed = 0
  const rows = (from: number, until: number): string =>
    bronzeRows(`SELECT i AS n, i % ${devices} AS device, ${startUs} + i // ${devices} * ${everyS * 1_000_000} AS t_us
      FROM range(${from}, ${until}) r(i)`)
  const landNext = async (count: number): Promise<void> => {
    const until = landed + count
    for (; landed < until; landed = Math.min(until, landed + PER_COMMIT))
      await land(lake, session, rows(landed, Math.min(until, landed + PER_COMMIT)))
  }
  if ((await lake.snapshot(BRONZE_TELEMETRY.name)).files.length === 0) await landNext(readings)
  else landed = readings
  let late = 0
  return {
    lake,
    engine,
    landNext,
    async landLate(ageS) {
      const newestUs = startUs + Math.floor((landed - 1) / devices) * everyS * 1_000_000
      late += 1
      // Half an interval aside, so that it is no duplicate.
      const us = newestUs - ageS * 1_000_000 + Math.round(everyS * 500_000) + late
      await land(
        lake,
        session,
        bronzeRows(`SELECT ${1_000_000_000 + late} AS n, 0 AS device, ${us} AS t_us`, newestUs),
      )
    },
    async close() {
      await lake.close()
      await engine.close()
      if (folder === undefined) rmSync(root, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function land(lake: Lake, session: Session, select: string): Promise<void> {
  const add = await lake.write(session, BRONZE_TELEMETRY.name, select)
  await lake.commit(BRONZE_TELEMETRY.name, { operation: 'WRITE', add })
}

/** From (n, device, t_us) to rows of Bronze; a reading arrives a second after its time, or at `arrivedUs`. */
function bronzeRows(source: string, arrivedUs?: number): string {
  const arrived = `make_timestamptz(${arrivedUs ?? 't_us'} + 1000000)`
  const values: Record<string, string> = {
    ingestion_time: arrived,
    stream_topic: "'smart_home.telemetry'",
    stream_partition: '0',
    stream_offset: 'n + 1',
    stream_index: '0',
    tenant_id: "'home'",
    device_id: "'plug-' || device",
    channel: "''",
    timestamp: 'make_timestamptz(t_us)',
    device_type: "'smart_plug'",
    user_id: "'user-' || device % 7",
    temperature: 'round(20 + 5 * sin(n / 7000), 1)',
    power_usage: 'round(100 * abs(sin(n)), 1)',
    energy_consumption_wh: 'round(1.5 * abs(sin(n)), 4)',
    status: "'online'",
    alert: "'none'",
    location: "'Kitchen'",
    manufacturer: "'Acme'",
    model: "'P1'",
    ingest_kind: "'live'",
    ingestion_date: `CAST(${arrived} AS DATE)`,
  }
  const columns = BRONZE_TELEMETRY.columns.map(
    ({ name, type }) => `CAST(${values[name] ?? 'NULL'} AS ${sqlType(type)}) AS ${name}`,
  )
  return `SELECT ${columns.join(', ')} FROM (${source})`
}

export interface Taken {
  seconds: number
  /** Of this process, user and system. */
  cpuSeconds: number
}

export async function taken(work: () => Promise<unknown>): Promise<Taken> {
  const before = process.cpuUsage()
  const began = performance.now()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6 }
}

/** The most memory that this process has held, MB. */
export const peakMb = (): number => process.resourceUsage().maxRSS / 1024

/** The files of a layer's tables as they are now. */
export async function sizeOf(lake: Lake, layer: string): Promise<{ files: number; bytes: number }> {
  let [files, bytes] = [0, 0]
  for (const table of await lake.tables()) {
    if (!table.startsWith(`${layer}.`)) continue
    for (const file of (await lake.snapshot(table)).files) {
      files += 1
      bytes += file.bytes
    }
  }
  return { files, bytes }
}
