import { rowCount } from '../lake/stats.ts'
import type { DataFile, Engine, Lake, Session, Snapshot } from '../lake/types.ts'
import type { Stage, StepReport } from '../stage.ts'
import { insertChangedDevices } from './changed-reference.ts'
import { refineLate } from './late-pass.ts'
import { explained } from './model.ts'
import {
  arrivalsOf,
  BRONZE,
  describeChannels,
  DUPLICATES,
  INPUT_TABLES,
  loadReference,
  READINGS,
  referenceNow,
  REJECTS,
  takeArrivals,
  takeFewArrivals,
  type ReferenceVersions,
} from './models.ts'
import { refineOnTime } from './on-time.ts'
import { SILVER_TABLES } from './tables.ts'
import {
  coveredBy,
  expectedTxns,
  extendTail,
  isLakeConflict,
  loadTail,
  newTxns,
  OPEN_US,
  pendingArrivals,
  pruneTail,
  txnsOf,
  type Covered,
} from './tail.ts'

/** A step of fewer rows numbers channels only where it meets one that has no number yet. */
const FEW_ROWS = 20_000
/** Whole Bronze versions are taken until their rows reach this. */
const ROWS_PER_STEP = 300_000
const LATE_EVERY_MS = 60_000
const PRUNE_EVERY_MS = 60_000

/** Of the time between two late passes, at most one part in so many is spent in them. */
const LATE_SHARE = 5

/** In the order of their commits: readings last, since their `txns` say how far Silver has come. */
const TABLES = [REJECTS, DUPLICATES, READINGS] as const

/**
 * Silver, incrementally. A step takes the next Bronze versions: what is rejected, and what is later than everything
 * of its device, is committed at once; other arrivals are pending until the late pass, every `lateEveryMs`, or at once where a step is final.
 * A table that a crash left behind is brought to the same version first. Where another process got ahead the step
 * does nothing but take note of it.
 */
export async function createSilverStage(options: {
  lake: Lake
  engine: Engine
  lateEveryMs?: number
  /** For tests: 0 makes it search where it would else read or do again all of few rows. */
  fewRows?: number
}): Promise<Stage> {
  const { lake, engine, lateEveryMs = LATE_EVERY_MS, fewRows } = options
  for (const table of [...INPUT_TABLES, ...SILVER_TABLES]) await lake.define(table)
  const session = await engine.session()
  const silver = new Refinery(lake, session, lateEveryMs, fewRows)
  return {
    name: 'silver',
    step: ({ final }) => silver.step(final),
    close: () => session.close(),
  }
}

interface Taken {
  rows: number
  rejects: number
  duplicates: number
  more: boolean
}

const NOTHING: Taken = { rows: 0, rejects: 0, duplicates: 0, more: false }

class Refinery {
  readonly #lake: Lake
  readonly #session: Session
  readonly #lateEveryMs: number
  readonly #fewRows: number | undefined
  /** What the tail in the session stands for; undefined: it has to be loaded. */
  #covered: Covered | undefined
  #reference: ReferenceVersions | undefined
  /** There are devices of which something has changed, besides readings, since their rows were made. */
  #referenceChanged = false
  /** What has not been told yet of that. */
  #told: string[] = []
  /** Arrivals that wait for the late pass. */
  #pending = 0
  #nextLateMs: number
  #nextPruneMs = 0

  constructor(lake: Lake, session: Session, lateEveryMs: number, fewRows: number | undefined) {
    this.#fewRows = fewRows
    this.#lake = lake
    this.#session = session
    this.#lateEveryMs = lateEveryMs
    this.#nextLateMs = performance.now() + lateEveryMs
  }

  async step(final: boolean): Promise<StepReport> {
    try {
      return await this.#run(final)
    } catch (error) {
      this.#covered = undefined
      if (!isLakeConflict(error)) throw error
      return { rows: 0, more: true, pending: 0, detail: { conflicts: 1 } }
    }
  }

  async #run(final: boolean): Promise<StepReport> {
    let silver = await this.#snapshots()
    const bronze = await this.#lake.snapshot(BRONZE)
    await this.#load(silver)
    // Nothing is taken by what has changed while the rows before it are not made by it, unless a crash left tables apart.
    if (this.#referenceChanged && furthestOf(silver) <= this.#coveredNow().bronze) {
      await this.#latePass()
      silver = await this.#snapshots()
    }
    const taken = await this.#takeNext(silver, bronze)
    if (this.#covered === undefined) return { rows: 0, more: true, pending: 0, detail: { conflicts: 1 } }
    let pending = this.#pending
    let late = 0
    const isDue = final || this.#referenceChanged || performance.now() >= this.#nextLateMs
    if (isDue && !taken.more && (pending > 0 || this.#referenceChanged)) {
      late = pending
      await this.#latePass()
      pending = this.#pending
    }
    const told = this.#told.splice(0)
    return {
      rows: taken.rows,
      more: taken.more,
      pending,
      detail: { rejects: taken.rejects, duplicates: taken.duplicates, late },
      ...(told.length > 0 && { notices: told }),
    }
  }

  async #snapshots(): Promise<ReadonlyMap<string, Snapshot>> {
    const silver = new Map<string, Snapshot>()
    for (const table of TABLES) silver.set(table, await this.#lake.snapshot(table))
    return silver
  }

  /** Brings constants, catalogue and tail up to what the lake holds, where they are not. */
  async #load(silver: ReadonlyMap<string, Snapshot>): Promise<void> {
    const readings = snapshotOf(silver, READINGS)
    const now = coveredBy(readings)
    const known = this.#covered
    const stale = known === undefined || JSON.stringify(known) !== JSON.stringify(now)
    const reference = await referenceNow(this.#lake, this.#session, this.#reference)
    const before = this.#reference?.tables
    const changed = [...reference.tables].some(
      ([name, { version }]) => version !== before?.get(name)?.version,
    )
    if (stale || changed) await loadReference(this.#lake, this.#session, reference)
    if (stale) {
      await this.#session.expect(rowCount(readings.files))
      await loadTail(this.#lake, this.#session, readings, this.#fewRows)
    } else if (changed) await describeChannels(this.#session)
    if (stale || changed) {
      const again = await insertChangedDevices(
        this.#lake,
        this.#session,
        [...silver.values()].map(coveredBy),
        now,
        reference,
      )
      this.#referenceChanged = again.length > 0
      this.#told = again
    }
    if (stale) this.#pending = await pendingArrivals(this.#session)
    this.#covered = now
    this.#reference = reference
  }

  /** Takes the next Bronze versions; where a crash left tables at different ones, exactly those up to the furthest. */
  async #takeNext(silver: ReadonlyMap<string, Snapshot>, bronze: Snapshot): Promise<Taken> {
    const covered = this.#coveredNow()
    const furthest = furthestOf(silver)
    const isRedo = furthest > covered.bronze
    if (!isRedo && bronze.version <= covered.bronze) return NOTHING
    const { upTo, added } = isRedo
      ? { upTo: furthest, ...(await this.#lake.changes(BRONZE, covered.bronze, furthest)) }
      : await this.#nextVersions(covered.bronze, bronze.version)
    const rows = rowCount(added)
    await this.#session.expect(rows)
    const take = rows < FEW_ROWS ? takeFewArrivals : takeArrivals
    await take(this.#session, `SELECT * FROM ${arrivalsOf(this.#lake, added)}`)
    if (isRedo) await this.#changeTaken()
    const outcome = await refineOnTime(
      this.#session,
      isRedo ? 'SELECT DISTINCT device_no FROM numbers' : undefined,
    )
    if (outcome.waiting > 0) await this.#session.run('INSERT INTO pending SELECT * FROM waiting')
    this.#pending += outcome.waiting
    let done: Covered = { ...covered, bronze: upTo }
    if (this.#pending === 0 && !isRedo) done.late = upTo
    if (!this.#referenceChanged) done = this.#withReference(done)
    const rejects = outcome.rejects > 0 ? await this.#append(snapshotOf(silver, REJECTS), 'rejects', upTo) : 0
    const duplicates =
      outcome.duplicates > 0 ? await this.#append(snapshotOf(silver, DUPLICATES), 'duplicates', upTo) : 0
    const files = await explained(this.#lake.write(this.#session, READINGS, 'SELECT * FROM readings'))
    await this.#commitReadings(snapshotOf(silver, READINGS), { add: files, remove: [] }, done)
    await extendTail(this.#session)
    await this.#prune()
    return { rows, rejects, duplicates, more: bronze.version > upTo }
  }

  /**
   * What a crash left apart may have been judged by other rules than hold now: all that is taken is left to the late
   * pass, with the rejects of its devices from there on.
   */
  async #changeTaken(): Promise<void> {
    await this.#session.run(
      `CREATE OR REPLACE TEMP TABLE taken_devices AS
       SELECT device_no, greatest(min(epoch_us(timestamp)), 0) AS from_us FROM arrivals WHERE device_no IS NOT NULL AND timestamp IS NOT NULL GROUP BY device_no;
       INSERT INTO changed_devices SELECT * FROM taken_devices;
       INSERT INTO pending SELECT device_no, from_us, CAST(${OPEN_US} AS BIGINT), CAST(0 AS BIGINT) FROM taken_devices`,
    )
    this.#referenceChanged = true
  }

  /** As many whole versions as make up a step. */
  async #nextVersions(after: number, newest: number): Promise<{ upTo: number; added: DataFile[] }> {
    for (let upTo = newest; ; upTo = after + Math.ceil((upTo - after) / 2)) {
      const { added } = await this.#lake.changes(BRONZE, after, upTo)
      const rows = rowCount(added)
      if (rows <= ROWS_PER_STEP || upTo === after + 1) return { upTo, added }
    }
  }

  /** Commits the rows of a result, where the table does not have them from before a crash. */
  async #append(table: Snapshot, result: string, upTo: number): Promise<number> {
    const covered = coveredBy(table)
    if (covered.bronze >= upTo) return 0
    const add = await this.#lake.write(this.#session, table.table, `SELECT * FROM ${result}`)
    if (add.length === 0) return 0
    await this.#lake.commit(table.table, {
      operation: 'WRITE',
      add,
      txns: newTxns(table, this.#withReference({ ...covered, bronze: upTo })),
      expectTxns: expectedTxns(table),
      inputs: { [BRONZE]: upTo },
    })
    return rowCount(add)
  }

  async #latePass(): Promise<void> {
    const startedMs = performance.now()
    const covered = this.#coveredNow()
    const silver = await this.#snapshots()
    const bronze = await this.#lake.snapshot(BRONZE, covered.bronze)
    const done = this.#withReference({ ...covered, late: covered.bronze })
    for (const { table, add, remove } of await refineLate(
      this.#lake,
      this.#session,
      bronze,
      silver,
      this.#fewRows,
    )) {
      const snapshot = snapshotOf(silver, table)
      if (table === READINGS) await this.#commitReadings(snapshot, { add, remove }, done)
      else if (add.length + remove.length > 0)
        await this.#lake.commit(table, {
          operation: 'MERGE',
          add,
          remove,
          txns: newTxns(snapshot, { ...done, bronze: coveredBy(snapshot).bronze }),
          expectTxns: expectedTxns(snapshot),
          inputs: { [BRONZE]: covered.bronze },
        })
    }
    await this.#session.run('DELETE FROM pending; DELETE FROM changed_devices')
    this.#pending = 0
    await pruneTail(this.#session)
    this.#referenceChanged = false
    this.#nextLateMs =
      performance.now() + Math.max(this.#lateEveryMs, (performance.now() - startedMs) * LATE_SHARE)
  }

  async #commitReadings(
    readings: Snapshot,
    { add, remove }: { add: DataFile[]; remove: DataFile[] },
    done: Covered,
  ): Promise<void> {
    const { applied } = await this.#lake.commit(READINGS, {
      operation: remove.length > 0 ? 'MERGE' : 'WRITE',
      add,
      remove,
      txns: newTxns(readings, done),
      expectTxns: expectedTxns(readings),
      inputs: txnsOf(done),
    })
    // Not applied: another process has done just this; its tail is in the lake.
    this.#covered = applied ? done : undefined
  }

  async #prune(): Promise<void> {
    if (performance.now() < this.#nextPruneMs) return
    await pruneTail(this.#session)
    this.#nextPruneMs = performance.now() + PRUNE_EVERY_MS
  }

  #coveredNow(): Covered {
    if (this.#covered === undefined) throw new TypeError('The tail is not loaded.')
    return this.#covered
  }

  /** Every commit says by what its rows were made. */
  #withReference(covered: Covered): Covered {
    const tables = [...(this.#reference?.tables ?? [])]
    return { ...covered, reference: Object.fromEntries(tables.map(([name, { version }]) => [name, version])) }
  }
}

/** The Bronze version that the furthest table covers. */
const furthestOf = (silver: ReadonlyMap<string, Snapshot>): number =>
  Math.max(...[...silver.values()].map((snapshot) => coveredBy(snapshot).bronze))

function snapshotOf(silver: ReadonlyMap<string, Snapshot>, table: string): Snapshot {
  const snapshot = silver.get(table)
  if (snapshot === undefined) throw new TypeError(`No snapshot of ${table}.`)
  return snapshot
}
