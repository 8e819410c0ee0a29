import assert from 'node:assert/strict'
import { readdirSync, readFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { rebuildSilver } from '../../src/4-silver/rebuild.ts'
import { createSilverStage } from '../../src/4-silver/refine.ts'
import { SILVER_TABLES } from '../../src/4-silver/tables.ts'
import { openDuckDb } from '../../src/lake/index.ts'
import type { Engine } from '../../src/lake/types.ts'
import type { CataloguePeriod } from '../../src/reference/catalogue.ts'
import type { CorrectionDraft } from '../../src/reference/corrections.ts'
import type { RuleRow } from '../../src/reference/sync.ts'
import { assertAccounted, openHouse, type Arrival, type House } from './house.ts'

/** Each folder is a device of one house: `given.jsonl` are its arrivals, `expect.json` what becomes of each line. */
const FOLDER = join(import.meta.dirname, 'golden')
/** Stream offsets of a folder begin at its index times this. */
const STRIDE = 1000

const RECORDED = {
  tenant_id: 'home',
  recorded_at: '2024-01-16T00:00:00Z',
  recorded_by: 'ann',
  reason: 'wrong',
}

interface Expectation {
  /** The arithmetic, in words. */
  note: string[]
  /** Line → columns; `null_reasons` and `energy_reasons` are those parts of `quality_reasons`. */
  readings: Record<string, Record<string, unknown>>
  rejects: Record<string, string>
  /** Line → line that it repeats. */
  duplicates: Record<string, number>
}

const cases = readdirSync(FOLDER)
  .toSorted()
  .map((name, index) => {
    const path = (file: string) => join(FOLDER, name, file)
    const own = <T extends object>(row: T): T =>
      'device_id' in row && row.device_id === 'd' ? { ...row, device_id: name } : row
    const rows = (kind: string): Record<string, unknown>[] =>
      existsSync(path(`${kind}.json`))
        ? (JSON.parse(readFileSync(path(`${kind}.json`), 'utf8')) as Record<string, unknown>[]).map(own)
        : []
    const lines = readFileSync(path('given.jsonl'), 'utf8').trim().split('\n')
    return {
      name,
      first: index * STRIDE,
      given: lines.map((line, number) => ({
        ...own(JSON.parse(line) as Arrival),
        stream_offset: index * STRIDE + number,
      })),
      catalogue: rows('catalogue'),
      periods: (rows('periods') as unknown as CataloguePeriod[]).map((one) => ({
        ...one,
        tenant_id: 'home',
      })),
      rules: rows('rules') as unknown as RuleRow[],
      corrections: (rows('corrections') as unknown as CorrectionDraft[]).map((one) => ({
        ...RECORDED,
        ...one,
      })),
      expect: JSON.parse(readFileSync(path('expect.json'), 'utf8')) as Expectation,
    }
  })

/** Undone corrections are named by their place in their own folder; in the lake they stand behind those of the others. */
function allCorrections(): CorrectionDraft[] {
  const all: CorrectionDraft[] = []
  for (const { corrections } of cases) {
    const others = all.length
    for (const one of corrections)
      all.push({ ...one, undoes: one.undoes === null ? null : one.undoes + others })
  }
  return all
}

async function setHouse(house: House): Promise<void> {
  await house.setCatalogue(cases.flatMap(({ catalogue }) => catalogue))
  await house.setReference(
    cases.flatMap(({ periods }) => periods),
    cases.flatMap(({ rules }) => rules),
    allCorrections(),
  )
}

let engine: Engine
before(async () => {
  engine = await openDuckDb({ threads: 1, memoryLimitMb: 2000 })
})
after(() => engine.close())

const NULL_RULES = /^(not_a_number|sentinel|power_up|too_large|corrected):/
const ENERGY_REASONS = /^counter_/

/** A column of a row as `expect.json` writes it; what is text there (decimals, means) is compared as text. */
function found(row: Record<string, unknown>, column: string): unknown {
  const reasons = row.quality_reasons as string[]
  if (column === 'null_reasons') return reasons.filter((reason) => NULL_RULES.test(reason))
  if (column === 'energy_reasons') return reasons.filter((reason) => ENERGY_REASONS.test(reason))
  const value = row[column]
  return typeof value === 'string' && /^energy_(from|to)$/.test(column)
    ? value.replace('.000000Z', 'Z')
    : value
}

const close = (actual: unknown, expected: unknown) =>
  typeof expected === 'string' && typeof actual === 'number' ? actual === Number(expected) : undefined

async function tableRows({ lake, session }: House, table: string): Promise<Record<string, unknown>[]> {
  const { files } = await lake.snapshot(table)
  return session.rows(`SELECT * FROM ${lake.scan(table, files)} ORDER BY stream_offset`)
}

/** Every table of the house as a rebuild makes it: whatever way the arrivals come must end so. */
const rebuilt = new Map<string, string[]>()

describe('golden folders, rebuilt', () => {
  let house: House
  before(async () => {
    house = await openHouse(engine)
    await setHouse(house)
    await house.land(cases.flatMap(({ given }) => given))
    await rebuildSilver({ lake: house.lake, engine })
    for (const { name } of SILVER_TABLES) rebuilt.set(name, await house.contents(name))
  })
  after(() => house.close())

  for (const { name, first, given, expect } of cases) {
    test(name, async () => {
      const mine = (row: Record<string, unknown>) =>
        Math.floor(Number(row.stream_offset) / STRIDE) * STRIDE === first
      const line = (row: Record<string, unknown>) => String(Number(row.stream_offset) - first)
      const readings = (await tableRows(house, 'silver.readings')).filter(mine)
      const rejects = (await tableRows(house, 'silver.rejects')).filter(mine)
      const duplicates = (await tableRows(house, 'silver.duplicates')).filter(mine)
      assert.ok(expect.note.length > 0, 'the arithmetic stands beside the case')
      assert.deepEqual(readings.map(line), Object.keys(expect.readings))
      for (const row of readings) {
        for (const [column, expected] of Object.entries(expect.readings[line(row)] ?? {})) {
          const actual = found(row, column)
          assert.deepEqual(
            close(actual, expected) === true ? expected : actual,
            expected,
            `line ${line(row)}: ${column}`,
          )
        }
      }
      assert.deepEqual(
        Object.fromEntries(rejects.map((row) => [line(row), row.reject_reason])),
        expect.rejects,
      )
      assert.deepEqual(
        Object.fromEntries(duplicates.map((row) => [line(row), Number(row.of_stream_offset) - first])),
        expect.duplicates,
      )
      assert.equal(readings.length + rejects.length + duplicates.length, given.length)
    })
  }
})

const LONGEST = Math.max(...cases.map(({ given }) => given.length))
/** Batch n has the n-th arrival of every folder. */
const oneByOne = Array.from({ length: LONGEST }, (_, n) =>
  cases.flatMap(({ given }) => given.slice(n, n + 1)),
)
/** The same in as many batches as most folders have lines: those of the few longer ones come by two and three. */
const USUAL = 6
const inFew = Array.from({ length: USUAL }, (_, n) =>
  cases.flatMap(({ given }) => {
    const part = Math.max(1, given.length / USUAL)
    return given.slice(Math.round(n * part), Math.round((n + 1) * part))
  }),
)

for (const [cut, batches, final] of [
  ['one by one', oneByOne, false],
  ['one by one, each worked off at once', inFew, true],
  ['landed in reverse', inFew.toReversed(), true],
  ['landed in reverse, worked off at the end', inFew.toReversed(), false],
  ['two halves', [oneByOne.slice(0, 3).flat(), oneByOne.slice(3).flat()], false],
] as const) {
  test(`golden folders, ${cut}: as rebuilt`, async () => {
    const house = await openHouse(engine)
    try {
      await setHouse(house)
      const stage = await createSilverStage({ lake: house.lake, engine })
      for (const batch of batches) {
        await house.land(batch)
        await stage.step({ final })
      }
      await stage.step({ final: true })
      await stage.close()
      await assertAccounted(house)
      for (const { name } of SILVER_TABLES)
        assert.deepEqual(await house.contents(name), rebuilt.get(name), name)
    } finally {
      await house.close()
    }
  })
}
