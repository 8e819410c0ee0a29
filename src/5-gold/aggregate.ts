import { isPlatformError } from '../errors.ts'
import type { Engine, Lake, Session, Snapshot } from '../lake/types.ts'
import type { Stage, StepReport } from '../stage.ts'
import { buildTouched } from './build.ts'
import {
  GOLD_INPUTS,
  goldSnapshots,
  inputSnapshots,
  publish,
  type GoldInput,
  type InputSnapshots,
} from './publish.ts'
import { coverCalendar, loadReference, rebuildIn, zoneOf } from './rebuild.ts'
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
  /** Versions up to which nothing more is to be done, in the tables or known to touch nothing. */
  let examined: Versions | null = null

  const once = async (): Promise<StepReport> => {
    const inputs = await inputSnapshots(lake)
    const versions = versionsOf(inputs)
    if (examined !== null && GOLD_INPUTS.every((input) => versions[input] <= examined![input]))
      return report(0, 0)
    const base = await goldSnapshots(lake)
    const since = laterOf(coveredBy(base), examined)
    if (GOLD_INPUTS.every((input) => versions[input] <= since[input])) {
      examined = versions
      return report(0, 0)
    }
    if (Object.values(since).includes(-1) || (await zoneChanged(lake, session, inputs, since))) {
      examined = versionsOf(await rebuildIn(session, { lake }))
      return await finish(session)
    }
    const done = await mergeChanges({ lake, session, inputs, base, since })
    examined = versions
    return done
  }

  return {
    name: 'gold',
    async step() {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await once()
        } catch (error) {
          if (!isPlatformError(error) || error.code !== 'lake_conflict' || attempt === MAX_TRIES) throw error
          examined = null
        }
      }
    },
    close: () => session.close(),
  }
}

/** The changes since the given versions, computed and committed; without a touched day nothing is. */
async function mergeChanges(work: {
  lake: Lake
  session: Session
  inputs: InputSnapshots
  base: ReadonlyMap<string, Snapshot>
  since: Versions
}): Promise<StepReport> {
  const { lake, session, inputs, base, since } = work
  const readings = inputs['silver.readings']
  const rejects = inputs['silver.rejects']
  const zone = await zoneOf(lake, session, inputs)
  await loadReference(lake, session, inputs)
  await beginTouched(session)
  await addChangedReadings(
    lake,
    session,
    await lake.changes(readings.table, since[GOLD_INPUTS[0]], readings.version),
  )
  await coverCalendar({ lake, session, zone, inputs })
  await addChangedRejects(
    lake,
    session,
    await lake.changes(rejects.table, since[GOLD_INPUTS[1]], rejects.version),
  )
  await touchChangedRows(lake, session, readings)
  await touchReference(work)
  const [touched] = await session.rows<{ days: number }>('SELECT count(*) AS days FROM touched')
  if (touched?.days === 0) return report(0, 0)
  const changes = await buildTouched({
    lake,
    target: lake,
    session,
    readings: readings.files,
    rejects: rejects.files,
    base,
  })
  await publish({ target: lake, operation: 'MERGE', base, inputs, changes })
  return await finish(session)
}

async function touchReference(work: {
  lake: Lake
  session: Session
  inputs: InputSnapshots
  base: ReadonlyMap<string, Snapshot>
  since: Versions
}): Promise<void> {
  const { lake, session, inputs, base, since } = work
  const goldDays = (['gold.daily_energy_consumption', 'gold.device_health_metrics'] as const)
    .map((name) => `SELECT tenant_id, device_id, date FROM ${lake.scan(name, base.get(name)!.files)}`)
    .join(' UNION ')
  const before = async (table: GoldInput): Promise<string | null> => {
    if (inputs[table].version === since[table]) return null
    return lake.scan(table, (await lake.snapshot(table, since[table])).files)
  }
  const catalogue = await before('reference.catalogue')
  if (catalogue !== null) await touchChangedDevices(session, catalogue, `(${goldDays})`)
  const tariffs = await before('reference.tariffs')
  if (tariffs !== null) {
    await touchChangedTariffs(lake, session, inputs['silver.readings'], tariffs, `(${goldDays})`)
  }
}

function versionsOf(inputs: InputSnapshots): Versions {
  return Object.fromEntries(GOLD_INPUTS.map((input) => [input, inputs[input].version])) as Versions
}

/** The input versions that every Gold table covers; -1 where one of them covers none. */
function coveredBy(base: ReadonlyMap<string, Snapshot>): Versions {
  const oldest = (input: GoldInput): number =>
    Math.min(...[...base.values()].map(({ txns }) => txns.get(input) ?? -1))
  return Object.fromEntries(GOLD_INPUTS.map((input) => [input, oldest(input)])) as Versions
}

function laterOf(covered: Versions, examined: Versions | null): Versions {
  if (examined === null) return covered
  const entries = GOLD_INPUTS.map((input) => [input, Math.max(covered[input], examined[input])])
  return Object.fromEntries(entries) as Versions
}

async function zoneChanged(
  lake: Lake,
  session: Session,
  inputs: InputSnapshots,
  since: Versions,
): Promise<boolean> {
  const before = await lake.snapshot('reference.settings', since['reference.settings'])
  if (before.version === inputs['reference.settings'].version) return false
  const was = await zoneOf(lake, session, { ...inputs, 'reference.settings': before })
  return was !== (await zoneOf(lake, session, inputs))
}

/** Counts what was done and gives the memory of the step back. */
async function finish(session: Session): Promise<StepReport> {
  const [done] = await session.rows<{ rows: number; days: number }>(
    `SELECT CAST(coalesce((SELECT sum(rows) FROM changed), 0) AS BIGINT) AS rows,
       (SELECT count(*) FROM (SELECT DISTINCT * FROM touched)) AS days`,
  )
  for (const table of [
    'changed',
    'touched',
    'rejects',
    'device_days',
    'new_quarter_hours',
    ...MODEL_TABLES,
  ]) {
    await session.run(`DROP TABLE IF EXISTS ${table}`)
  }
  return report(done!.rows, done!.days)
}

const MODEL_TABLES = GOLD_TABLES.map(({ name }) => name.replace('gold.', ''))

function report(rows: number, days: number): StepReport {
  return { rows, more: false, pending: 0, detail: { device_days: days } }
}
