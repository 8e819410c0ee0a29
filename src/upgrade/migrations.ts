import { SILVER_READINGS } from '../4-silver/tables.ts'
import { openWarehouse, type Settings } from '../main.ts'

/** One step of the data folder's format. It may be ended at any moment and is then begun again: each must bear that. */
export interface Migration {
  from: number
  what: string
  /** Folders below the data folder that it changes; they are kept aside first. */
  changes: readonly string[]
  run(settings: Settings, say: (line: string) => void): Promise<void>
}

export const MIGRATIONS: readonly Migration[] = [
  {
    from: 1,
    what: 'readings name their threshold alerts, quarter-hours their user; Silver and Gold are built anew from Bronze',
    changes: ['lake/silver', 'lake/gold'],
    run: rebuildAll,
  },
  {
    from: 2,
    what: 'hours name their user, and what was fed in; Gold is built anew from Silver',
    changes: ['lake/gold'],
    run: rebuildOfGold,
  },
]

async function rebuildAll(settings: Settings, say: (line: string) => void): Promise<void> {
  await withReadings(settings, async (warehouse) => {
    const { rebuildSilver } = await import('../4-silver/rebuild.ts')
    await rebuildSilver({ ...warehouse, onProgress: say })
  })
  await rebuildOfGold(settings, say)
}

async function rebuildOfGold(settings: Settings, say: (line: string) => void): Promise<void> {
  await withReadings(settings, async (warehouse) => {
    const { rebuildGold } = await import('../5-gold/rebuild.ts')
    await rebuildGold({ ...warehouse, onProgress: say })
  })
}

/** The columns themselves came with opening the tables; rows from before have nothing in them. Without a reading there are none. */
async function withReadings(
  settings: Settings,
  work: (warehouse: Awaited<ReturnType<typeof openWarehouse>>) => Promise<void>,
): Promise<void> {
  const warehouse = await openWarehouse(settings)
  try {
    const { files } = await warehouse.lake.snapshot(SILVER_READINGS.name)
    if (files.length > 0) await work(warehouse)
  } finally {
    await warehouse.close()
  }
}
