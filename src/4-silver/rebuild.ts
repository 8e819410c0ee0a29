import { PlatformError } from '../errors.ts'
import { rowCount } from '../lake/stats.ts'
import type { DataFile, Engine, Lake, Session, Snapshot } from '../lake/types.ts'
import { refineLate } from './late-pass.ts'
import { explained } from './model.ts'
import {
  arrivalsOf,
  BRONZE,
  carryNothing,
  DUPLICATES,
  forgetNumbers,
  INPUT_TABLES,
  loadReference,
  numberChannels,
  READINGS,
  referenceNow,
  refineArrivals,
  REJECTS,
  takeNumberedArrivals,
} from './models.ts'
import { refineOnTime } from './on-time.ts'
import { type Part, timeParts } from './parts.ts'
import { dropProgress, madeOf, resumed, saveProgress } from './progress.ts'
import { SILVER_TABLES } from './tables.ts'
import {
  emptyTail,
  expectedTxns,
  extendTail,
  forgetHours,
  isLakeConflict,
  newTxns,
  pendingArrivals,
  pruneTail,
  type Covered,
} from './tail.ts'

/** Bounds the memory of one run of the models. */
const ROWS_PER_PART = 250_000
/** A rebuild that takes longer than this can be gone on with after an interruption. */
const SAVE_EVERY_MS = 5_000

/** Attempts to replace the tables while somebody else commits to them. */
const ATTEMPTS = 3

/** The result of the models that becomes each table; readings last, since their `txns` say what is done. */
const RESULTS = [
  [REJECTS, 'rejects'],
  [DUPLICATES, 'duplicates'],
  [READINGS, 'readings'],
] as const

export interface RebuildOptions {
  lake: Lake
  engine: Engine
  target?: Lake
  /** Called after each part; what it throws interrupts the rebuild. */
  onProgress?: (text: string) => void
  /** How many arrivals are refined at once. */
  rowsPerPart?: number
  /** How often the progress is saved, ms. */
  saveEveryMs?: number
}

/**
 * Builds Silver anew from all of Bronze, date by date, and replaces each table in one commit. With `target` the
 * tables of another lake are replaced, and those of `lake` left alone. Where an earlier call was interrupted, and the inputs and
 * rules are still the same, it goes on from there. Throws `lake_conflict` where others keep committing to the target.
 */
export async function rebuildSilver(options: RebuildOptions): Promise<void> {
  const { lake, engine, target = lake, onProgress, rowsPerPart = ROWS_PER_PART } = options
  for (const table of INPUT_TABLES) await lake.define(table)
  for (const table of SILVER_TABLES) await target.define(table)
  const session = await engine.session()
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const before = new Map<string, Snapshot>()
      for (const [table] of RESULTS) before.set(table, await target.snapshot(table))
      const bronze = await lake.snapshot(BRONZE)
      await session.expect(rowCount(bronze.files))
      const reference = await referenceNow(lake, session)
      await loadReference(lake, session, reference)
      const covered = {
        bronze: bronze.version,
        late: bronze.version,
        reference: Object.fromEntries([...reference.tables].map(([name, { version }]) => [name, version])),
      }
      const made = await madeOf(session, covered, rowsPerPart)
      const files = await writeAll({ ...options, target, session, bronze, made, rowsPerPart })
      if (await replaceTables(target, before, files, covered)) return await dropProgress(target)
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

type Work = RebuildOptions & {
  target: Lake
  session: Session
  bronze: Snapshot
  made: string
  rowsPerPart: number
}
type Files = Record<string, DataFile[]>

async function writeAll(work: Work): Promise<ReadonlyMap<string, DataFile[]>> {
  const { lake, session, bronze, rowsPerPart } = work
  const parts = await timeParts(lake, session, bronze, rowsPerPart)
  const files: Files = Object.fromEntries(RESULTS.map(([table]) => [table, []]))
  if (parts.length > 1) return await writeParts(work, parts)
  if (parts.length === 1) {
    await numberAll(work)
    await takeNumberedArrivals(session, `SELECT * FROM ${arrivalsOf(lake, bronze.files)}`)
    await carryNothing(session)
    await refineArrivals(session)
    await writeResults(work, files)
  }
  return new Map(Object.entries(files))
}

/**
 * One part after the other, each with the tail of those before it: the later ones begin where these ended, so that nothing
 * is out of order. What a later part shows of an earlier one (a counter's glitch, a method that had ended) leaves its device to
 * the late pass at the end.
 */
async function writeParts(work: Work, parts: readonly Part[]): Promise<ReadonlyMap<string, DataFile[]>> {
  const { lake, target, session, made, onProgress, saveEveryMs = SAVE_EVERY_MS } = work
  const saved = await resumed(target, session, made)
  if (saved)
    onProgress?.(`silver: goes on after part ${saved.parts} of ${parts.length}, which were done before`)
  else {
    await emptyTail(session)
    await numberAll(work)
  }
  const files: Files = saved?.files ?? Object.fromEntries(RESULTS.map(([table]) => [table, []]))
  let savedMs = performance.now()
  for (const [index, part] of parts.entries()) {
    if (index < (saved?.parts ?? 0)) continue
    if (part.opensBucket) await forgetHours(session)
    await takeNumberedArrivals(session, `SELECT * FROM ${arrivalsOf(lake, part.files)} WHERE ${part.where}`)
    const { waiting } = await refineOnTime(session, 'SELECT DISTINCT device_no FROM pending')
    if (waiting > 0) await session.run('INSERT INTO pending SELECT * FROM waiting')
    await writeResults(work, files)
    await extendTail(session)
    await pruneTail(session)
    if (performance.now() - savedMs >= saveEveryMs) {
      await saveProgress(target, session, { made, parts: index + 1, files })
      savedMs = performance.now()
    }
    onProgress?.(`silver: part ${index + 1} of ${parts.length} (${part.name}, ${part.rows} arrivals)`)
  }
  if ((await pendingArrivals(session)) > 0) await refinePending(work, files)
  return new Map(Object.entries(files))
}

/** Numbers every channel before the first part, in the order of its texts: so arrivals, and what comes of them, are sorted as the tables are. */
async function numberAll({ lake, session, bronze }: Work): Promise<void> {
  await forgetNumbers(session)
  await numberChannels(session, `SELECT * FROM ${arrivalsOf(lake, bronze.files)}`)
}

async function writeResults({ target, session }: Work, files: Files): Promise<void> {
  for (const [table, result] of RESULTS) {
    const rows = `SELECT * FROM ${result}`
    const written = target.write(session, table, rows, { sorted: table === READINGS })
    files[table]?.push(...(await explained(written)))
  }
}

/** The late pass, over files that are not committed yet. */
async function refinePending(
  { lake, target, session, bronze, onProgress }: Work,
  files: Files,
): Promise<void> {
  onProgress?.('silver: what the parts leave to each other')
  const silver = new Map<string, Snapshot>()
  for (const [table] of RESULTS)
    silver.set(table, { ...(await target.snapshot(table)), files: files[table] ?? [] })
  const isSilver = (table: string) => silver.has(table)
  const both: Lake = {
    ...target,
    scan: (table, of) => (isSilver(table) ? target : lake).scan(table, of),
  }
  for (const { table, add, remove } of await refineLate(both, session, bronze, silver)) {
    const gone = new Set(remove.map(({ path }) => path))
    files[table] = [...(files[table] ?? []).filter(({ path }) => !gone.has(path)), ...add]
  }
}

/**
 * False where a table has changed since `before`. A rebuild that was killed between two tables and gone on with finds its own
 * files in the first: a path may stand in one entry only once (PROTOCOL.md, Add File and Remove File).
 */
async function replaceTables(
  target: Lake,
  before: ReadonlyMap<string, Snapshot>,
  files: ReadonlyMap<string, DataFile[]>,
  covered: Covered,
): Promise<boolean> {
  for (const [table] of RESULTS) {
    const old = before.get(table)
    if (old === undefined) continue
    const made = files.get(table) ?? []
    const there = new Set(old.files.map(({ path }) => path))
    const kept = new Set(made.map(({ path }) => path))
    const result = await target
      .commit(table, {
        operation: 'REBUILD',
        add: made.filter(({ path }) => !there.has(path)),
        remove: old.files.filter(({ path }) => !kept.has(path)),
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
