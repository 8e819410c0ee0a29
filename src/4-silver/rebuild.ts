import { PlatformError } from '../errors.ts'
import type { DataFile, Engine, Lake, Session, Snapshot } from '../lake/types.ts'
import { REFERENCE_CATALOGUE } from '../reference/tables.ts'
import { BRONZE, DUPLICATES, loadReference, READINGS, referenceNow, refineWholly, REJECTS } from './models.ts'
import { SILVER_TABLES } from './tables.ts'

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
      const txns = {
        'bronze.telemetry': bronze.version,
        late: bronze.version,
        [REFERENCE_CATALOGUE.name]: reference.catalogue.version,
      }
      if (await replaceTables(target, before, files, txns)) return
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
  const buckets = Math.ceil(rows / ROWS_PER_BUCKET)
  for (let bucket = 0; bucket < buckets; bucket++) {
    await session.run(
      `CREATE OR REPLACE TEMP TABLE arrivals AS SELECT * FROM ${lake.scan(BRONZE, bronze.files)}
       WHERE coalesce(hash(coalesce(device_id, '')) % ${buckets}, 0) = ${bucket}`,
    )
    await refineWholly(session)
    for (const [table, result] of RESULTS)
      files.get(table)?.push(...(await target.write(session, table, `SELECT * FROM ${result}`)))
    onProgress?.(`silver: ${bucket + 1} of ${buckets} parts, ${rows} arrivals in all`)
  }
  return files
}

/** False where a table has changed since `before`. */
async function replaceTables(
  target: Lake,
  before: ReadonlyMap<string, Snapshot>,
  files: ReadonlyMap<string, DataFile[]>,
  covered: Readonly<Record<string, number>>,
): Promise<boolean> {
  for (const [table] of RESULTS) {
    const old = before.get(table)
    if (old === undefined) continue
    // a txn that the table has already would make the commit count as done
    const isNew = ([app, version]: [string, number]) => version > (old.txns.get(app) ?? -1)
    const result = await target
      .commit(table, {
        operation: 'REBUILD',
        add: files.get(table) ?? [],
        remove: old.files,
        txns: Object.fromEntries(Object.entries(covered).filter(isNew)),
        expectTxns: Object.fromEntries(Object.keys(covered).map((app) => [app, old.txns.get(app) ?? -1])),
        inputs: { [BRONZE]: covered['bronze.telemetry'] ?? -1 },
      })
      .catch((error: unknown) => {
        if (error instanceof PlatformError && error.code === 'lake_conflict') return { applied: false }
        throw error
      })
    if (!result.applied) return false
  }
  return true
}
