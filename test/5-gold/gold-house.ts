import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SILVER_READINGS, SILVER_REJECTS } from '../../src/4-silver/tables.ts'
import { GOLD_TABLES } from '../../src/5-gold/tables.ts'
import { openDuckDb, openLake } from '../../src/lake/index.ts'
import type { Engine, Lake, Session, TableDefinition } from '../../src/lake/types.ts'
import type { CatalogueRow } from '../../src/reference/catalogue.ts'
import { syncReference } from '../../src/reference/sync.ts'
import { REFERENCE_TABLES } from '../../src/reference/tables.ts'
import { tariffRows, type TariffBand } from '../../src/reference/tariffs.ts'

/** A lake with Silver rows as a test gives them. */
export interface GoldHouse {
  root: string
  lake: Lake
  engine: Engine
  session: Session
  close(): Promise<void>
}

/** A Silver row or reject as a test writes it: what is absent has a plain default. */
export type Given = Record<string, unknown>

export async function openHouse(): Promise<GoldHouse> {
  const root = await mkdtemp(join(tmpdir(), 'gold-'))
  const engine = await openDuckDb({ threads: 1 })
  const lake = await openLake({ root, engine })
  for (const table of [SILVER_READINGS, SILVER_REJECTS, ...REFERENCE_TABLES]) await lake.define(table)
  const session = await engine.session()
  return {
    root,
    lake,
    engine,
    session,
    close: async () => {
      await lake.close()
      await engine.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** Another lake beside the house's, to rebuild into; it begins with the calendar that the house has, which is no result. */
export async function openBeside(house: GoldHouse, name: string): Promise<Lake> {
  const root = join(house.root, name)
  const calendar = join('gold', 'calendar')
  await cp(join(house.root, calendar), join(root, calendar), { recursive: true })
  return await openLake({ root, engine: house.engine })
}

export async function setReference(
  house: GoldHouse,
  given: { zone?: string; catalogue?: readonly Given[]; bands?: readonly TariffBand[] },
): Promise<void> {
  await syncReference({
    lake: house.lake,
    engine: house.engine,
    catalogue: (given.catalogue ?? []).map(
      (row) => ({ tenant_id: 'home', ...row }) as unknown as CatalogueRow,
    ),
    tariffs: tariffRows({ currency: 'USD', bands: given.bands ?? [] }),
    settings: {
      time_zone: given.zone ?? 'UTC',
      late_watermark_hours: 48,
      currency: 'USD',
      format_version: 1,
    },
  })
}

let offset = 0

/** A whole row of `silver.readings`; `offset` numbers arrivals unless the test does. */
export function reading(given: Given): Given {
  offset += 1
  const timestamp = String(given.timestamp)
  return {
    ingestion_time: timestamp,
    stream_topic: 't',
    stream_partition: 0,
    stream_offset: offset,
    stream_index: 0,
    tenant_id: 'home',
    device_id: 'd',
    channel: '',
    ingest_kind: 'live',
    quality_score: '1.000000',
    is_valid: true,
    processing_delay_hours: 0,
    is_late_event: false,
    alert_frequency_1h: 0,
    energy_method: 'none',
    event_date: new Date(timestamp).toISOString().slice(0, 10),
    ...given,
  }
}

export function reject(given: Given): Given {
  offset += 1
  const at = String(given.timestamp ?? given.ingestion_time)
  return {
    ingestion_time: at,
    stream_topic: 't',
    stream_partition: 0,
    stream_offset: offset,
    stream_index: 0,
    tenant_id: 'home',
    channel: '',
    ingest_kind: 'live',
    reject_reason: 'temperature_out_of_range',
    reject_detail: '',
    counted_date: new Date(at).toISOString().slice(0, 10),
    ...given,
  }
}

const TYPES: Record<string, string> = { string: 'VARCHAR', long: 'BIGINT', timestamp: 'TIMESTAMPTZ' }

/** Replaces the rows of each partition that a row of `rows` or of `gone` belongs to: as Silver rewrites files. */
export async function writeRows(
  house: GoldHouse,
  definition: TableDefinition,
  rows: readonly Given[],
  options: { rewriteDates?: readonly string[] } = {},
): Promise<void> {
  const { lake, session } = house
  const partition = definition.partitionBy[0]!
  const snapshot = await lake.snapshot(definition.name)
  const remove = snapshot.files.filter((file) =>
    options.rewriteDates?.includes(file.partition[partition] ?? ''),
  )
  const names = definition.columns.map(({ name }) => name)
  const shape = JSON.stringify(Object.fromEntries(names.map((name) => [name, 'VARCHAR'])))
  const select = definition.columns.map(({ name, type }) => {
    if (type === 'array<string>') return `CAST([] AS VARCHAR[]) AS ${name}`
    if (type === 'map<string,double>') return `CAST(NULL AS MAP(VARCHAR, DOUBLE)) AS ${name}`
    return `CAST(item.${name} AS ${TYPES[type] ?? type}) AS ${name}`
  })
  await session.run(
    `CREATE OR REPLACE TEMP TABLE given_rows AS SELECT ${select.join(', ')}
     FROM (SELECT unnest(from_json($1, '[${shape}]')) AS item)`,
    [JSON.stringify(rows)],
  )
  const add = rows.length === 0 ? [] : await lake.write(session, definition.name, 'SELECT * FROM given_rows')
  await lake.commit(definition.name, { operation: 'WRITE', add, remove })
}

/** All rows of all Gold tables, ordered by key. */
export async function goldRows(house: GoldHouse, lake: Lake): Promise<Record<string, Given[]>> {
  const all: Record<string, Given[]> = {}
  for (const { name, key } of GOLD_TABLES) {
    const { files } = await lake.snapshot(name)
    all[name] = await house.session.rows(`SELECT * FROM ${lake.scan(name, files)} ORDER BY ${key.join(', ')}`)
  }
  return all
}
