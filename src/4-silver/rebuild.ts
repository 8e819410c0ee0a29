import { PlatformError } from '../errors.ts'
import type { DataFile, Engine, Lake, Session, Snapshot } from '../lake/types.ts'
import { explained } from './model.ts'
import {
  arrivalsOf,
  BRONZE,
  DUPLICATES,
  INPUT_TABLES,
  loadReference,
  READINGS,
  referenceNow,
  refineArrivals,
  REJECTS,
  carryNothing,
  forgetNumbers,
  takeArrivals,
} from './models.ts'
import { SILVER_TABLES } from './tables.ts'
import { expectedTxns, isLakeConflict, newTxns, type Covered } from './tail.ts'

/** Bounds the memory of one run of the models. */
const ROWS_PER_BUCKET = 1_500_000

/** Attempts to replace the tables while somebody else commits to them. */
const ATTEMPTS = 3

/** The result of the models that becomes each table; readings last, since their `txns` say what is done. */
const RESULTS = [
  [REJECTS, 'rejects'],
  [DUPLICATES, 'duplicates'],
  [READINGS, 'readings'],
] as const

/**
 * Builds Silver anew from all of Bronze, in buckets of devices, and replaces each table in one commit. With
 * `target` the tables of another lake are replaced, and those of `lake` left alone.
 * Throws `lake_conflict` where others keep committing to the target.
 */
export async function rebuildSilver(options: {
  lake: Lake
  engine: Engine
  target?: Lake
  onProgress?: (text: string) => void
}): Promise<void> {
  const { lake, engine, target = lake, onProgress } = options
  for (const table of INPUT_TABLES) await lake.define(table)
  for (const table of SILVER_TABLES) await target.define(table)
  const session = await engine.session()
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const before = new Map<string, Snapshot>()
      for (const [table] of RESULTS) before.set(table, await target.snapshot(table))
      const bronze = await lake.snapshot(BRONZE)
      const reference = await referenceNow(lake, session)
      await loadReference(lake, session, reference)
      const files = await writeBuckets({ lake, target, session, bronze, onProgress })
      const covered = {
        bronze: bronze.version,
        late: bronze.version,
        catalogue: reference.catalogue.version,
        settings: reference.settings.version,
      }
      if (await replaceTables(target, before, files, covered)) return
      onProgress?.('others have written meanwhile: once more')
    }
  } finally {
    await session.close()
  }
  throw new PlatformError(
    'lake_conflict',
    'Silver was written to by another process during each attempt to rebuild it',
    'Stop the platform (smarthouse down), then rebuild.',
  )
}

async function writeBuckets(options: {
  lake: Lake
  target: Lake
  session: Session
  bronze: Snapshot
  onProgress: ((text: string) => void) | undefined
}): Promise<Map<string, DataFile[]>> {
  const { lake, target, session, bronze, onProgress } = options
  const files = new Map<string, DataFile[]>(RESULTS.map(([table]) => [table, []]))
  const rows = bronze.files.reduce((sum, file) => sum + file.stats.rows, 0)
  await forgetNumbers(session)
  const buckets = Math.ceil(rows / ROWS_PER_BUCKET)
  for (let bucket = 0; bucket < buckets; bucket++) {
    await takeArrivals(
      session,
      `SELECT * FROM ${arrivalsOf(lake, bronze.files)}
       WHERE coalesce(hash(coalesce(device_id, '')) % ${buckets}, 0) = ${bucket}`,
    )
    await carryNothing(session)
    await refineArrivals(session)
    for (const [table, result] of RESULTS)
      files.get(table)?.push(...(await explained(target.write(session, table, `SELECT * FROM ${result}`))))
    onProgress?.(`silver: ${bucket + 1} of ${buckets} parts, ${rows} arrivals in all`)
  }
  return files
}

/** False where a table has changed since `before`. */
async function replaceTables(
  target: Lake,
  before: ReadonlyMap<string, Snapshot>,
  files: ReadonlyMap<string, DataFile[]>,
  covered: Covered,
): Promise<boolean> {
  for (const [table] of RESULTS) {
    const old = before.get(table)
    if (old === undefined) continue
    const result = await target
      .commit(table, {
        operation: 'REBUILD',
        add: files.get(table) ?? [],
        remove: old.files,
        txns: newTxns(old, covered),
        expectTxns: expectedTxns(old),
        inputs: { [BRONZE]: covered.bronze },
      })
      .catch((error: unknown) => {
        if (isLakeConflict(error)) return { applied: false }
        throw error
      })
    if (!result.applied) return false
  }
  return true
}
