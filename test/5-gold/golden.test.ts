import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
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
 * Those of a zone are homes of one house, which goes through incremental and rebuild once.
 */

interface GivenHouse {
  zone?: string
  catalogue?: Given[]
  tariffs?: TariffBand[]
  readings?: Given[]
  rejects?: Given[]
}

const GOLDEN = join(import.meta.dirname, 'golden')

const readCase = (condition: string, name: string): string =>
  readFileSync(join(GOLDEN, condition, name), 'utf8')

const conditions = readdirSync(GOLDEN).map((name) => {
  const given = JSON.parse(readCase(name, 'given.json')) as GivenHouse
  const ofHome = <T extends object>(rows: readonly T[] = []): (T & { tenant_id: string })[] =>
    rows.map((row) => ({ ...row, tenant_id: name }))
  return {
    name,
    zone: given.zone ?? 'UTC',
    catalogue: ofHome(given.catalogue),
    bands: ofHome(given.tariffs),
    readings: ofHome(given.readings),
    rejects: ofHome(given.rejects),
  }
})

/** All Gold rows of the homes of a zone, worked off in steps; the later half first, so that the earlier one has to find what it touches. */
async function workedOff(zone: string, homes: typeof conditions): Promise<Record<string, Given[]>> {
  const house = await openHouse()
  try {
    await setReference(house, {
      zone,
      catalogue: homes.flatMap(({ catalogue }) => catalogue),
      bands: homes.flatMap(({ bands }) => bands),
    })
    const stage = await createGoldStage(house)
    await stage.step({ final: true })
    const halves = homes.map(({ readings }) => {
      const rows = readings.map(reading)
      const half = Math.floor(rows.length / 2)
      return { later: rows.slice(half), earlier: rows.slice(0, half) }
    })
    for (const part of [halves.flatMap(({ later }) => later), halves.flatMap(({ earlier }) => earlier)]) {
      await writeRows(house, SILVER_READINGS, part)
      await stage.step({ final: true })
    }
    for (const { rejects } of homes)
      for (const row of rejects) await writeRows(house, SILVER_REJECTS, [reject(row)])
    await stage.step({ final: true })
    await stage.close()
    const incremental = await goldRows(house, house.lake)
    const beside = await openBeside(house, 'beside')
    await rebuildGold({ ...house, target: beside })
    assert.deepEqual(incremental, await goldRows(house, beside))
    return incremental
  } finally {
    await house.close()
  }
}

/** The rows of a home with only the columns that are expected of them. */
function asExpected(
  home: string,
  expected: Record<string, Given[]>,
  actual: Record<string, Given[]>,
): Record<string, Given[]> {
  return Object.fromEntries(
    Object.entries(expected).map(([table, rows]) => {
      const columns = Object.keys(rows[0] ?? {})
      const own = actual[table]!.filter((row) => row.tenant_id === home)
      return [table, own.map((row) => Object.fromEntries(columns.map((name) => [name, row[name]])))]
    }),
  )
}

for (const [zone, homes] of Map.groupBy(conditions, (condition) => condition.zone))
  describe(`golden, ${zone}`, () => {
    let rows: Record<string, Given[]>
    before(async () => {
      rows = await workedOff(zone, homes)
    })
    for (const { name } of homes)
      test(name.replaceAll('-', ' '), () => {
        assert.ok(readCase(name, 'arithmetic.md').length > 0)
        const expected = JSON.parse(readCase(name, 'expected.json')) as Record<string, Given[]>
        const actual = asExpected(name, expected, rows)
        const actualFile = join(GOLDEN, name, 'actual.json')
        rmSync(actualFile, { force: true })
        // What came out lies beside what was expected, for a person to compare.
        if (JSON.stringify(actual) !== JSON.stringify(expected)) {
          writeFileSync(actualFile, `${JSON.stringify(actual, null, 2)}\n`)
        }
        assert.deepEqual(actual, expected)
      })
  })
