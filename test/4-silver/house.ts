/** A house for Silver's tests: a lake in a temporary folder whose Bronze is filled row by row. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BRONZE_TELEMETRY } from '../../src/3-bronze/tables.ts'
import { rebuildSilver } from '../../src/4-silver/rebuild.ts'
import { SILVER_TABLES } from '../../src/4-silver/tables.ts'
import { openLake } from '../../src/lake/index.ts'
import type { Engine, Lake, Session } from '../../src/lake/types.ts'
import type { CataloguePeriod } from '../../src/reference/catalogue.ts'
import { recordCorrections, type CorrectionDraft } from '../../src/reference/corrections.ts'
import { loadRows } from '../../src/reference/rows.ts'
import { recordRules, type RuleRow } from '../../src/reference/sync.ts'
import { REFERENCE_CATALOGUE, REFERENCE_PERIODS, REFERENCE_TABLES } from '../../src/reference/tables.ts'

/** An arrival as a test writes it: Bronze fields that matter, the rest null. `at` is the ingestion time. */
export interface Arrival {
  /** Ingestion time; by default one second after the event time. */
  at?: string
  device_id?: string | null
  timestamp?: string | null
  [field: string]: unknown
}

export interface House {
  root: string
  engine: Engine
  lake: Lake
  session: Session
  /** One Bronze commit with these arrivals; offsets go on. */
  land(arrivals: readonly Arrival[]): Promise<void>
  setCatalogue(rows: readonly Record<string, unknown>[]): Promise<void>
  /** Periods and rules replace those before, corrections are added. */
  setReference(
    periods: readonly CataloguePeriod[],
    rules: readonly RuleRow[],
    corrections: readonly CorrectionDraft[],
  ): Promise<void>
  /** All rows of a table as text, every column to the last digit, in the order of their positions. */
  contents(table: string): Promise<string[]>
  close(): Promise<void>
}

export async function openHouse(engine: Engine): Promise<House> {
  const folder = await mkdtemp(join(tmpdir(), 'silver-'))
  const lake = await openLake({ root: folder, engine: engine })
  for (const table of [BRONZE_TELEMETRY, ...REFERENCE_TABLES, ...SILVER_TABLES]) await lake.define(table)
  const session = await engine.session()
  let offset = 0
  return {
    root: folder,
    engine,
    lake,
    session,
    async land(arrivals) {
      const rows = arrivals.map((arrival) => bronzeRow(arrival, offset++))
      const files = await lake.write(session, BRONZE_TELEMETRY.name, bronzeSelect(rows))
      await lake.commit(BRONZE_TELEMETRY.name, {
        operation: 'WRITE',
        add: files,
        txns: { 'stream:test/0': offset },
      })
    },
    async setCatalogue(rows) {
      const columns = REFERENCE_CATALOGUE.columns.map(
        ({ name, type }) => `${name}: '${type === 'string' ? 'VARCHAR' : type.toUpperCase()}'`,
      )
      const before = await lake.snapshot(REFERENCE_CATALOGUE.name)
      const files =
        rows.length === 0
          ? []
          : await lake.write(
              session,
              REFERENCE_CATALOGUE.name,
              `SELECT r.* FROM (SELECT unnest(from_json('${quoted(rows.map(withHome))}', '[{${columns.map(jsonType).join(', ')}}]')) AS r)`,
            )
      await lake.commit(REFERENCE_CATALOGUE.name, { operation: 'WRITE', add: files, remove: before.files })
    },
    async setReference(periods, rules, corrections) {
      await recordRules(lake, engine, rules)
      const { files } = await lake.snapshot(REFERENCE_PERIODS.name)
      await loadRows(session, 'period_rows', REFERENCE_PERIODS.columns, periods)
      const add = await lake.write(session, REFERENCE_PERIODS.name, 'SELECT * FROM period_rows')
      await lake.commit(REFERENCE_PERIODS.name, { operation: 'WRITE', add, remove: files })
      if (corrections.length > 0) await recordCorrections(lake, engine, corrections)
    },
    async contents(table) {
      const snapshot = await lake.snapshot(table)
      const rows = await session.rows<{ row: string }>(
        `SELECT CAST(x AS VARCHAR) AS row FROM (SELECT * FROM ${lake.scan(table, snapshot.files)}
         ORDER BY ingestion_time, stream_partition, stream_offset, stream_index) x`,
      )
      return rows.map(({ row }) => row)
    },
    async close() {
      await session.close()
      await lake.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Bronze = readings + rejects + duplicates, each arrival exactly once. */
export async function assertAccounted({ lake, session }: House): Promise<void> {
  const positions: string[] = []
  for (const { name } of SILVER_TABLES) {
    const { files } = await lake.snapshot(name)
    positions.push(`SELECT stream_offset FROM ${lake.scan(name, files)}`)
  }
  const bronze = await lake.snapshot(BRONZE_TELEMETRY.name)
  const wrong = await session.rows(
    `SELECT b.stream_offset, count(s.stream_offset) AS times FROM ${lake.scan(BRONZE_TELEMETRY.name, bronze.files)} b
     LEFT JOIN (${positions.join(' UNION ALL ')}) s ON s.stream_offset = b.stream_offset GROUP BY ALL HAVING times <> 1`,
  )
  assert.deepEqual(wrong, [])
}

/** Every table, row for row, every column, as a rebuild beside it makes it. */
export async function assertEqualsRebuild(house: House): Promise<void> {
  const found = new Map<string, string[]>()
  for (const { name } of SILVER_TABLES) found.set(name, await house.contents(name))
  await rebuildSilver({ lake: house.lake, engine: house.engine })
  for (const { name } of SILVER_TABLES) assert.deepEqual(found.get(name), await house.contents(name), name)
}

const withHome = (row: Record<string, unknown>) => ({ tenant_id: 'home', ...row })
const quoted = (value: unknown) => JSON.stringify(value).replaceAll("'", "''")
const jsonType = (column: string) => {
  const [name, type] = column.split(': ')
  return `"${name}": "${type?.replaceAll("'", '')}"`
}

function bronzeRow(arrival: Arrival, offset: number): Record<string, unknown> {
  const { at, ...fields } = arrival
  const ingestion = at ?? new Date(Date.parse(String(arrival.timestamp)) + 1000).toISOString()
  return {
    tenant_id: 'home',
    channel: '',
    ingest_kind: 'live',
    stream_offset: offset,
    ...fields,
    ingestion_time: ingestion,
    stream_topic: 'test',
    stream_partition: 0,
    stream_index: 0,
    ingestion_date: ingestion.slice(0, 10),
  }
}

const SQL_TYPES: Record<string, string> = {
  string: 'VARCHAR',
  timestamp: 'TIMESTAMPTZ',
  integer: 'INTEGER',
  long: 'BIGINT',
  double: 'DOUBLE',
  date: 'DATE',
}

function bronzeSelect(rows: readonly Record<string, unknown>[]): string {
  const columns = BRONZE_TELEMETRY.columns.map(({ name, type }) => {
    if (type === 'array<string>') return `"${name}": ["VARCHAR"]`
    if (type === 'map<string,double>') return `"${name}": "MAP(VARCHAR, DOUBLE)"`
    return `"${name}": "${SQL_TYPES[type]}"`
  })
  return `SELECT r.* FROM (SELECT unnest(from_json('${quoted(rows)}', '[{${columns.join(', ')}}]')) AS r)`
}
