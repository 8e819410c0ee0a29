/** The property: incremental = rebuild = oracle, row for row, whatever the batches, restarts and failures. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import fc from 'fast-check'
import { rebuildSilver } from '../../src/4-silver/rebuild.ts'
import { rebuildGold } from '../../src/5-gold/rebuild.ts'
import { oracle } from '../oracle/oracle.ts'
import { differences } from './compare.ts'
import { anyCase } from './generate.ts'
import { DERIVED_TABLES, bronzeRows, openWorld, rowsOf } from './world.ts'
import type { Engine } from '../../src/lake/types.ts'
import type { Case } from './case.ts'

export const KEPT = fileURLToPath(new URL('kept', import.meta.url))

/** What a case came to. */
export interface WorkedOff {
  bronze: Record<string, unknown>[]
  /** Every derived table as incremental runs have built it. */
  tables: Map<string, Record<string, unknown>[]>
  /** What is wrong with it against rebuild and oracle; empty where nothing is. */
  faults: string[]
}

/** What is wrong with the platform's way of working off a case; empty where nothing is. */
export async function faultsOf(engine: Engine, given: Case, calendars?: string): Promise<string[]> {
  return (await workedOff(engine, given, calendars)).faults
}

/** Works a case off as its schedule says, and compares what came out with a rebuild and with the oracle. */
export async function workedOff(engine: Engine, given: Case, calendars?: string): Promise<WorkedOff> {
  const world = await openWorld(engine, given, calendars)
  const { lake } = world
  try {
    for (const happening of given.schedule) await world.happen(happening)
    await world.finish()
    const incremental = new Map<string, Record<string, unknown>[]>()
    for (const table of DERIVED_TABLES) incremental.set(table.name, await rowsOf(lake, engine, table))
    const bronze = await bronzeRows(lake, engine)
    const expected = oracle(bronze, world.house)
    await rebuildSilver({ lake, engine })
    await rebuildGold({ lake, engine })

    const faults: string[] = []
    const silverRows = ['silver.readings', 'silver.rejects', 'silver.duplicates'].map(
      (name) => incremental.get(name)?.length ?? 0,
    )
    if (silverRows.reduce((a, b) => a + b) !== bronze.length)
      faults.push(
        `accounting: Bronze ${bronze.length} ≠ readings + rejects + duplicates ${silverRows.join(' + ')}`,
      )
    for (const table of DERIVED_TABLES) {
      const rebuilt = await rowsOf(lake, engine, table)
      const stored = incremental.get(table.name) ?? []
      const right = expected[table.name as keyof typeof expected]
      faults.push(
        ...differences(table, stored, rebuilt, { exactly: true, names: ['incremental', 'rebuild'] }),
      )
      // The wording of a reject's detail is nobody's contract.
      faults.push(
        ...differences(table, rebuilt, right, { ignore: ['reject_detail'], names: ['rebuild', 'oracle'] }),
      )
    }
    return { bronze: bronze as unknown as Record<string, unknown>[], tables: incremental, faults }
  } finally {
    await world.close()
  }
}

/** Tries random cases; a failing one is made small, kept under `kept/`, and thrown with its differences. */
export async function tryCases(engine: Engine, options: { runs: number; seed: number }): Promise<void> {
  const calendars = mkdtempSync(join(tmpdir(), 'smarthouse-calendars-'))
  const property = fc.asyncProperty(anyCase, async (given) => {
    const faults = await faultsOf(engine, given, calendars)
    if (faults.length > 0) throw new Error(faults.slice(0, 12).join('\n'))
  })
  const result = await fc.check(property, {
    numRuns: options.runs,
    seed: options.seed,
    interruptAfterTimeLimit: options.runs * 10_000,
    markInterruptAsFailure: false,
  })
  rmSync(calendars, { recursive: true, force: true })
  if (!result.failed || !result.counterexample) return
  const folder = keep(result.counterexample[0])
  const cause =
    result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance)
  throw new Error(
    `A case of seed ${options.seed} fails; it is kept in ${folder}.\n${JSON.stringify(result.counterexample[0], null, 1)}\n${cause}`,
  )
}

function keep(given: Case): string {
  const text = `${JSON.stringify(given, null, 2)}\n`
  const name = `found-${createHash('sha256').update(text).digest('hex').slice(0, 8)}`
  const folder = join(KEPT, name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'case.json'), text)
  return `test/pipeline/kept/${name}`
}
