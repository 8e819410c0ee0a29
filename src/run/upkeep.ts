import { compactTable } from '../lake/index.ts'
import type { Warehouse } from '../main.ts'
import type { StageName } from '../main.ts'
import { pause } from './loop.ts'

const EVERY_MS = 120_000

/** Merges small files while the stages run; never in their way: a lost race is tried again the next time. */
export async function keepUp(
  { lake, engine }: Warehouse,
  layers: readonly StageName[],
  stop: AbortSignal,
): Promise<void> {
  await pause(EVERY_MS, stop)
  while (!stop.aborted) {
    for (const table of await lake.tables())
      if (layers.some((layer) => table.startsWith(`${layer}.`)) && !stop.aborted)
        await compactTable({ lake, engine, table })
    await pause(EVERY_MS, stop)
  }
}
