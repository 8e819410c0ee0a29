import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { understandFiles, type CheckOptions } from '../../src/1-source/import/check.ts'
import { importFiles } from '../../src/1-source/import/import.ts'
import type { ReadableSink, StreamMessage } from '../../src/1-source/source.ts'
import { isPlatformError } from '../../src/errors.ts'
import { openDuckDb } from '../../src/lake/index.ts'
import type { Engine } from '../../src/lake/types.ts'
import { DEFAULT_TARIFF, catalogued } from '../oracle/arrivals.ts'
import type { CatalogueEntry } from '../oracle/types.ts'
import type { Case, Happening, Message } from './case.ts'
import { workedOff, type WorkedOff } from './property.ts'

/**
 * Each folder is a way in which real data is bad (docs/conditions.md lists them), as a home of its own in one house: `given.jsonl` (readings as
 * they arrive, `at` their arrival, else a second after their time) or `given.csv` with `import.json` (how it is imported);
 * `expect.json` (what becomes of each line, from 1, and rows of Gold, with the columns that the condition is about); `arithmetic.md`. All of them
 * go through incremental, rebuild and oracle at once.
 */
const FOLDER = join(import.meta.dirname, 'golden')
/** When files are imported: after everything else. */
const IMPORTED_MS = Date.parse('2025-01-01T00:00:00Z')

interface Expectation {
  readings: Record<string, Row>
  rejects: Record<string, string>
  duplicates: Record<string, number>
  gold: Record<string, Row[]>
  /** Rows of a file that are no readings, by reason; cells that are no numbers; the option that it needs. */
  unreadable?: Record<string, number>
  cells?: number
  refused_without?: keyof CheckOptions
}
type Row = Record<string, unknown>

const conditions = readdirSync(FOLDER).toSorted()
const path = (name: string, file: string): string => join(FOLDER, name, file)
const readJson = <T>(name: string, file: string): T => JSON.parse(readFileSync(path(name, file), 'utf8')) as T

/** The messages of a condition, in the order of its lines. */
async function messagesOf(name: string, ledgerDir: string): Promise<Message[]> {
  if (existsSync(path(name, 'given.csv'))) return await importedOf(name, ledgerDir)
  const lines = readFileSync(path(name, 'given.jsonl'), 'utf8').trim().split('\n')
  return lines.map((line) => {
    const { at, ...reading } = JSON.parse(line) as { at?: string; timestamp?: string }
    const acceptedAtMs = at === undefined ? Date.parse(reading.timestamp!) + 1000 : Date.parse(at)
    return { acceptedAtMs, value: JSON.stringify({ ...reading, tenant_id: name }) }
  })
}

/** What an import of the condition's file appends; its report must say what the condition expects of it. */
async function importedOf(name: string, ledgerDir: string): Promise<Message[]> {
  const appended: StreamMessage[] = []
  const log: ReadableSink = {
    append: async (messages) => void appended.push(...messages),
    bounds: async () => [],
    read: async () => [],
  }
  const expect = readJson<Expectation>(name, 'expect.json')
  const options = {
    ...readJson<Partial<CheckOptions>>(name, 'import.json'),
    paths: [path(name, 'given.csv')],
    tenant: name,
    timeZone: 'Europe/Berlin',
  }
  if (expect.refused_without !== undefined) {
    const { [expect.refused_without]: _without, ...others } = options
    await assert.rejects(understandFiles(others as CheckOptions), (error) => isPlatformError(error))
  }
  const report = await importFiles(await understandFiles(options), { log, ledgerDir })
  const counts = Object.entries(report.unreadable).map(([reason, { count }]) => [reason, count])
  assert.deepEqual(Object.fromEntries(counts), expect.unreadable ?? {}, name)
  assert.equal(report.cells, expect.cells ?? 0, name)
  return appended.map(({ value }) => ({ acceptedAtMs: IMPORTED_MS, value: Buffer.from(value).toString() }))
}

/** Lines of conditions by the number of their message in the stream. */
let places: { name: string; line: number }[]
let engine: Engine
let house: WorkedOff

before(async () => {
  engine = await openDuckDb({ threads: 2 })
  const ledgerDir = mkdtempSync(join(tmpdir(), 'smarthouse-golden-'))
  const all: (Message & { name: string; line: number })[] = []
  for (const name of conditions)
    for (const [index, message] of (await messagesOf(name, ledgerDir)).entries())
      all.push({ ...message, name, line: index + 1 })
  rmSync(ledgerDir, { recursive: true, force: true })
  // Those that come at the same time come in the order of their lines.
  all.sort((a, b) => a.acceptedAtMs - b.acceptedAtMs)
  places = all.map(({ name, line }) => ({ name, line }))
  const catalogue = conditions.flatMap((name) =>
    existsSync(path(name, 'catalogue.json'))
      ? readJson<Partial<CatalogueEntry>[]>(name, 'catalogue.json').map((entry) =>
          catalogued({ ...entry, tenant_id: name }),
        )
      : [],
  )
  const given: Case = {
    timeZone: 'Europe/Berlin',
    lateWatermarkHours: 48,
    catalogue,
    tariffs: [DEFAULT_TARIFF],
    messages: all.map(({ acceptedAtMs, value }) => ({ acceptedAtMs, value })),
    schedule: batches(all.length),
  }
  house = await workedOff(engine, given)
})
after(() => engine.close())

/** Batches whose ends fall into the conditions, some with arrivals left pending, a new process in the middle. */
function batches(messages: number): Happening[] {
  const happenings: Happening[] = []
  for (let done = 0, batch = 0; done < messages; done += 37, batch++) {
    const final = batch % 2 === 1
    happenings.push(
      { do: 'append', messages: 37 },
      { do: 'bronze', final },
      { do: 'silver', final },
      { do: 'gold', final },
    )
    if (batch === 1) happenings.push({ do: 'restart', stage: 'silver' }, { do: 'restart', stage: 'gold' })
  }
  return happenings
}

test('every condition: incremental = rebuild = oracle, and Bronze = readings + rejects + duplicates', () => {
  assert.deepEqual(house.faults, [])
})

/** A value as `expect.json` writes it: decimals are text in the tables. */
function asExpected(expected: unknown, actual: unknown): unknown {
  if (typeof expected === 'number' && typeof actual === 'string') return Number(actual)
  if (typeof expected === 'string' && typeof actual === 'string' && !expected.includes('.'))
    return actual.replace('.000000Z', 'Z')
  return actual
}

function column(row: Row, name: string): unknown {
  // Places, makers and models are nobody's subject here.
  if (name === 'reasons')
    return (row.quality_reasons as string[]).filter((reason) => !reason.startsWith('unknown_'))
  return row[name]
}

const only = (expected: Row, actual: Row): Row =>
  Object.fromEntries(
    Object.keys(expected).map((name) => [name, asExpected(expected[name], column(actual, name))]),
  )

for (const name of conditions) {
  test(`golden: ${name.replaceAll('-', ' ')}`, () => {
    const expect = readJson<Expectation>(name, 'expect.json')
    assert.ok(readFileSync(path(name, 'arithmetic.md'), 'utf8').length > 0)
    const first = Math.min(...house.bronze.map((row) => Number(row.stream_offset)))
    const place = (offset: unknown): { name: string; line: number } => places[Number(offset) - first]!
    const mine = (table: string): Row[] =>
      house.tables
        .get(table)!
        .filter((row) => place(row.stream_offset).name === name)
        .toSorted((a, b) => place(a.stream_offset).line - place(b.stream_offset).line)
    const lineOf = (row: Row): string => String(place(row.stream_offset).line)
    const readings = mine('silver.readings')
    assert.deepEqual(readings.map(lineOf), Object.keys(expect.readings), 'lines that are readings')
    for (const row of readings) {
      const expected = expect.readings[lineOf(row)]!
      assert.deepEqual(only(expected, row), expected, `line ${lineOf(row)}`)
    }
    const rejects = mine('silver.rejects').map((row) => [lineOf(row), row.reject_reason])
    assert.deepEqual(Object.fromEntries(rejects), expect.rejects)
    const duplicates = mine('silver.duplicates').map((row) => [lineOf(row), place(row.of_stream_offset).line])
    assert.deepEqual(Object.fromEntries(duplicates), expect.duplicates)
    for (const [table, expected] of Object.entries(expect.gold)) {
      const order = (row: Row): string =>
        `${String(row.device_id ?? '')} ${String(row.date ?? '')} ${String(row.hour_start ?? '')}`
      const rows = house.tables
        .get(table)!
        .filter((row) => row.tenant_id === name)
        .toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
      assert.deepEqual(
        rows.map((row, index) => only(expected[index] ?? expected[0]!, row)),
        expected,
        table,
      )
    }
  })
}
