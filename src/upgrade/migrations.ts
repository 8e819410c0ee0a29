import { GOLD_QUARTER_HOURLY } from '../5-gold/tables.ts'
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
    what: 'quarter-hours name the user, so that bills can be made; Gold is built anew from Silver',
    changes: ['lake/gold'],
    run: rebuildGold,
  },
]

async function rebuildGold(settings: Settings, say: (line: string) => void): Promise<void> {
  const warehouse = await openWarehouse(settings)
  try {
    // The column itself came with opening the table; rows from before have nothing in it.
    const { files } = await warehouse.lake.snapshot(GOLD_QUARTER_HOURLY.name)
    if (files.length === 0) return
    const { rebuildGold: rebuild } = await import('../5-gold/rebuild.ts')
    await rebuild({ ...warehouse, onProgress: say })
  } finally {
    await warehouse.close()
  }
}
