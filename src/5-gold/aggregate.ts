import { isPlatformError } from '../errors.ts'
import type { Engine, Lake, Session, Snapshot } from '../lake/types.ts'
import type { Stage, StepReport } from '../stage.ts'
import { buildTouched, type GoldBuild } from './build.ts'
import {
  GOLD_INPUTS,
  goldSnapshots,
  inputSnapshots,
  publish,
  type GoldInput,
  type InputSnapshots,
} from './publish.ts'
import { coverCalendar, loadReference, rebuildIn, zoneOf, type LoadedCalendar } from './rebuild.ts'
import { FEW_ROWS } from './silver-rows.ts'
import { forgetFacts } from './slot-facts.ts'
import { GOLD_CALENDAR, GOLD_TABLES } from './tables.ts'
import {
  addChangedReadings,
  addChangedRejects,
  beginTouched,
  touchChangedDevices,
  touchChangedRows,
  touchChangedTariffs,
} from './touched.ts'

type Versions = Record<GoldInput, number>
/**
 * The versions of an input from which tables go on: one, unless a run was killed between two tables' commits. The
 * changes since each of them count, since what came and went again may lie in the tables that were committed.
 */
type Starts = Record<GoldInput, number[]>

/**
 * A day is computed whole, so that late on a busy day each step reads hundreds of thousands of rows. After such a
 * step the stage rests for this many times as long as it took, which bounds its share of the machine.
 */
const MANY_ROWS = 100_000
const REST_FACTOR = 4

/** Tries after somebody else, a compaction or a second process, committed in between. */
const MAX_TRIES = 5

/**
 * The Gold stage: recomputes the device-days that changes of Silver, the catalogue or the tariffs touch, and
 * commits each Gold table together with the versions of its inputs.
 */
export async function createGoldStage(options: { lake: Lake; engine: Engine }): Promise<Stage> {
  const { lake, engine } = options
  for (const table of [GOLD_CALENDAR, ...GOLD_TABLES]) await lake.define(table)
  const session = await engine.session()
  await forgetFacts(session)
  /** Versions up to which nothing more is to be done, in the tables or known to touch nothing. */
  let examined: Versions | null = null
  let calendar: LoadedCalendar | undefined
  /** The versions of catalogue, tariffs and settings that the session has, and the zone that they say. */
  let reference: { versions: string; zone: string } | undefined
  /** The version of Silver as which the session's facts know it. */
  let carriedVersion = -1
  let restUntilMs = 0

  const once = async (): Promise<StepReport> => {
    const inputs = await inputSnapshots(lake)
    const versions = versionsOf(inputs)
    if (examined !== null && GOLD_INPUTS.every((input) => versions[input] <= examined![input]))
      return report(0, 0)
    const base = await goldSnapshots(lake)
    const since = startsOf(base, examined)
    if (GOLD_INPUTS.every((input) => since[input].every((start) => versions[input] <= start))) {
      examined = versions
      return report(0, 0)
    }
    if (Object.values(since).flat().includes(-1) || (await zoneChanged(lake, session, inputs, since))) {
      calendar = undefined
      reference = undefined
      examined = versionsOf(await rebuildIn(session, { lake }))
      await forgetFacts(session)
      carriedVersion = examined['silver.readings']
      return await finish(session, MANY_ROWS)
    }
    // Somebody else took Gold further than these facts.
    if (since['silver.readings'].some((start) => start > carriedVersion)) await forgetFacts(session)
    reference = await referenceOf(lake, session, inputs, reference)
    await beginTouched(session)
    const { table, version } = inputs['silver.readings']
    for (const start of since['silver.readings']) {
      await addChangedReadings(lake, session, await lake.changes(table, start, version))
    }
    calendar = await coverCalendar({ lake, session, zone: reference.zone, inputs, loaded: calendar })
    // Until this is committed the facts know what no table covers, and what may be gone before the next try.
    carriedVersion = -1
    const done = await mergeChanges({ lake, session, inputs, base, since })
    examined = versions
    carriedVersion = versions['silver.readings']
    return done
  }

  return {
    name: 'gold',
    async step({ final }) {
      const startMs = performance.now()
      if (!final && startMs < restUntilMs) return report(0, 0)
      const done = await retried(once, () => {
        examined = null
        reference = undefined
      })
      const endMs = performance.now()
      if ((done.detail.rows_read ?? 0) > MANY_ROWS) restUntilMs = endMs + REST_FACTOR * (endMs - startMs)
      return done
    },
    close: () => session.close(),
  }
}

/** Loads catalogue and tariffs where the session has others. */
async function referenceOf(
  lake: Lake,
  session: Session,
  inputs: InputSnapshots,
  loaded: { versions: string; zone: string } | undefined,
): Promise<{ versions: string; zone: string }> {
  const tables = ['reference.catalogue', 'reference.tariffs', 'reference.settings'] as const
  const versions = tables.map((table) => inputs[table].version).join(' ')
  if (loaded?.versions === versions) return loaded
  await loadReference(lake, session, inputs)
  return { versions, zone: await zoneOf(lake, session, inputs) }
}

/** Tries again where somebody else committed in between; `forget` drops what was known of the tables. */
async function retried(once: () => Promise<StepReport>, forget: () => void): Promise<StepReport> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once()
    } catch (error) {
      if (!isPlatformError(error) || error.code !== 'lake_conflict' || attempt === MAX_TRIES) throw error
      forget()
    }
  }
}

/** Computes and commits what the gathered changes touch; without a touched day nothing is committed. */
async function mergeChanges(work: {
  lake: Lake
  session: Session
  inputs: InputSnapshots
  base: ReadonlyMap<string, Snapshot>
  since: Starts
}): Promise<StepReport> {
  const { lake, session, inputs, base, since } = work
  const readings = inputs['silver.readings']
  const rejects = inputs['silver.rejects']
  for (const start of since['silver.rejects']) {
    await addChangedRejects(lake, session, await lake.changes(rejects.table, start, rejects.version))
  }
  await touchChangedRows(lake, session, readings)
  await touchReference(work)
  const [touched] = await session.rows('SELECT 1 FROM touched LIMIT 1')
  if (touched === undefined) return report(0, 0)
  const build: GoldBuild = {
    lake,
    target: lake,
    session,
    readings: readings.files,
    rejects: rejects.files,
    base,
    carries: true,
  }
  const changes = await buildTouched(build)
  await publish({ target: lake, operation: 'MERGE', base, inputs, changes })
  const done = await finish(session, build.rowsRead ?? 0)
  return { ...done, detail: { ...done.detail, rows_read: build.rowsRead ?? 0 } }
}

async function touchReference(work: {
  lake: Lake
  session: Session
  inputs: InputSnapshots
  base: ReadonlyMap<string, Snapshot>
  since: Starts
}): Promise<void> {
  const { lake, session, inputs, base, since } = work
  const goldDays = (['gold.daily_energy_consumption', 'gold.device_health_metrics'] as const)
    .map((name) => `SELECT tenant_id, device_id, date FROM ${lake.scan(name, base.get(name)!.files)}`)
    .join(' UNION ')
  const before = async (table: GoldInput): Promise<string[]> => {
    const starts = since[table].filter((start) => start < inputs[table].version)
    const snapshots = await Promise.all(starts.map((start) => lake.snapshot(table, start)))
    return snapshots.map(({ files }) => lake.scan(table, files))
  }
  for (const catalogue of await before('reference.catalogue')) {
    await touchChangedDevices(session, catalogue, `(${goldDays})`)
  }
  for (const tariffs of await before('reference.tariffs')) {
    await touchChangedTariffs(lake, session, inputs['silver.readings'], tariffs, `(${goldDays})`)
  }
}

function versionsOf(inputs: InputSnapshots): Versions {
  return Object.fromEntries(GOLD_INPUTS.map((input) => [input, inputs[input].version])) as Versions
}

function startsOf(base: ReadonlyMap<string, Snapshot>, examined: Versions | null): Starts {
  const starts = (input: GoldInput): number[] => {
    const covered = [...base.values()].map(({ txns }) => txns.get(input) ?? -1)
    return [...new Set(covered.map((version) => Math.max(version, examined?.[input] ?? -1)))]
  }
  return Object.fromEntries(GOLD_INPUTS.map((input) => [input, starts(input)])) as Starts
}

async function zoneChanged(
  lake: Lake,
  session: Session,
  inputs: InputSnapshots,
  since: Starts,
): Promise<boolean> {
  const starts = since['reference.settings'].filter((start) => start < inputs['reference.settings'].version)
  if (starts.length === 0) return false
  const zone = await zoneOf(lake, session, inputs)
  for (const start of starts) {
    const before = await lake.snapshot('reference.settings', start)
    const was = await zoneOf(lake, session, { ...inputs, 'reference.settings': before })
    if (was !== zone) return true
  }
  return false
}

/** Counts what was done and gives the memory of the step back, where that is worth it. */
async function finish(session: Session, rowsRead: number): Promise<StepReport> {
  const [done] = await session.rows<{ rows: number; days: number }>(
    `SELECT CAST(coalesce((SELECT sum(rows) FROM changed), 0) AS BIGINT) AS rows,
       (SELECT count(*) FROM (SELECT DISTINCT tenant_id, device_id, date FROM touched)) AS days`,
  )
  const left = ['changed', 'touched', 'rejects', 'device_days', 'new_quarter_hours', ...MODEL_TABLES]
  if (rowsRead >= FEW_ROWS) for (const table of left) await session.run(`DROP TABLE IF EXISTS ${table}`)
  return report(done!.rows, done!.days)
}

const MODEL_TABLES = GOLD_TABLES.map(({ name }) => name.replace('gold.', ''))

function report(rows: number, days: number): StepReport {
  return { rows, more: false, pending: 0, detail: { device_days: days } }
}
