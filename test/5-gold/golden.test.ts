import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { SILVER_READINGS, SILVER_REJECTS } from '../../src/4-silver/tables.ts'
import { createGoldStage } from '../../src/5-gold/aggregate.ts'
import { rebuildGold } from '../../src/5-gold/rebuild.ts'
import type { TariffBand } from '../../src/reference/tariffs.ts'
import {
  goldRows,
  openBeside,
  openHouse,
  reading,
  reject,
  setReference,
  writeRows,
  type Given,
} from './gold-house.ts'

/**
 * Each folder of `golden/` is a condition: `given.json` (zone, catalogue, tariffs, Silver rows), `expected.json`
 * (per table all its rows, with the columns that the condition is about) and `arithmetic.md`, which works them out.
 */

interface GivenHouse {
  zone?: string
  catalogue?: Given[]
  tariffs?: TariffBand[]
  readings?: Given[]
  rejects?: Given[]
}

const GOLDEN = join(import.meta.dirname, 'golden')

/** The rows with only the columns that are expected of them. */
function asExpected(
  expected: Record<string, Given[]>,
  actual: Record<string, Given[]>,
): Record<string, Given[]> {
  return Object.fromEntries(
    Object.entries(expected).map(([table, rows]) => {
      const columns = Object.keys(rows[0] ?? {})
      return [
        table,
        actual[table]!.map((row) => Object.fromEntries(columns.map((name) => [name, row[name]]))),
      ]
    }),
  )
}

const readCase = (condition: string, name: string): string =>
  readFileSync(join(GOLDEN, condition, name), 'utf8')

for (const condition of readdirSync(GOLDEN)) {
  test(`golden: ${condition.replaceAll('-', ' ')}`, async () => {
    const given = JSON.parse(readCase(condition, 'given.json')) as GivenHouse
    const expected = JSON.parse(readCase(condition, 'expected.json')) as Record<string, Given[]>
    assert.ok(readCase(condition, 'arithmetic.md').length > 0)
    const house = await openHouse()
    try {
      await setReference(house, { zone: given.zone, catalogue: given.catalogue, bands: given.tariffs })
      const stage = await createGoldStage(house)
      // The later half first, so that the earlier one has to find what it touches.
      await stage.step({ final: true })
      const rows = (given.readings ?? []).map(reading)
      const half = Math.floor(rows.length / 2)
      for (const part of [rows.slice(half), rows.slice(0, half)]) {
        if (part.length > 0) await writeRows(house, SILVER_READINGS, part)
        await stage.step({ final: true })
      }
      for (const row of given.rejects ?? []) await writeRows(house, SILVER_REJECTS, [reject(row)])
      await stage.step({ final: true })
      const incremental = await goldRows(house, house.lake)
      const beside = await openBeside(house, 'beside')
      await rebuildGold({ ...house, target: beside })
      assert.deepEqual(incremental, await goldRows(house, beside))
      const actual = asExpected(expected, incremental)
      const actualFile = join(GOLDEN, condition, 'actual.json')
      rmSync(actualFile, { force: true })
      // What came out lies beside what was expected, for a person to compare.
      if (JSON.stringify(actual) !== JSON.stringify(expected)) {
        writeFileSync(actualFile, `${JSON.stringify(actual, null, 2)}\n`)
      }
      assert.deepEqual(actual, expected)
    } finally {
      await house.close()
    }
  })
}
