import type { Lake, Snapshot } from '../lake/types.ts'
import type { TableChange } from './build.ts'
import { GOLD_TABLES } from './tables.ts'

/** The tables that Gold is made from; each Gold table's `txns` say up to which version of each it is made. */
export const GOLD_INPUTS = [
  'silver.readings',
  'silver.rejects',
  'reference.catalogue',
  'reference.tariffs',
  'reference.settings',
] as const
export type GoldInput = (typeof GOLD_INPUTS)[number]
export type InputSnapshots = Record<GoldInput, Snapshot>

export async function inputSnapshots(lake: Lake): Promise<InputSnapshots> {
  const entries = await Promise.all(
    GOLD_INPUTS.map(async (name) => [name, await lake.snapshot(name)] as const),
  )
  return Object.fromEntries(entries) as InputSnapshots
}

export async function goldSnapshots(target: Lake): Promise<Map<string, Snapshot>> {
  return new Map(
    await Promise.all(GOLD_TABLES.map(async ({ name }) => [name, await target.snapshot(name)] as const)),
  )
}

/**
 * Commits one table after the other. A crash in between leaves the later ones with older `txns`; the next run then
 * computes from the oldest, for all of them, so that they end the same. Somebody else's commit since `base` was
 * read is a `lake_conflict`.
 */
export async function publish(options: {
  target: Lake
  operation: 'MERGE' | 'REBUILD'
  base: ReadonlyMap<string, Snapshot>
  inputs: InputSnapshots
  changes: ReadonlyMap<string, TableChange>
}): Promise<void> {
  const { target, base, inputs, changes } = options
  for (const { name } of GOLD_TABLES) {
    const before = base.get(name)!
    const advanced = GOLD_INPUTS.filter((input) => inputs[input].version > (before.txns.get(input) ?? -1))
    const { add, remove } = changes.get(name) ?? { add: [], remove: [] }
    await target.commit(name, {
      operation: options.operation,
      add,
      remove,
      txns: Object.fromEntries(advanced.map((input) => [input, inputs[input].version])),
      expectTxns: Object.fromEntries(GOLD_INPUTS.map((input) => [input, before.txns.get(input) ?? -1])),
      inputs: Object.fromEntries(GOLD_INPUTS.map((input) => [input, inputs[input].version])),
    })
  }
}
