import { isPlatformError } from '../errors.ts'
import type { Engine, Lake, Session } from '../lake/types.ts'
import { buildTouched } from './build.ts'
import { extendCalendar, loadCalendar } from './calendar.ts'
import { goldSnapshots, inputSnapshots, publish, type InputSnapshots } from './publish.ts'
import { GOLD_CALENDAR, GOLD_TABLES } from './tables.ts'
import {
  addChangedReadings,
  addChangedRejects,
  beginTouched,
  changedSpan,
  touchChangedRows,
} from './touched.ts'

/** Attempts to replace the tables while somebody else commits to them. */
const ATTEMPTS = 3

/**
 * Builds Gold anew, wholly, from Silver, the catalogue and the tariffs: into `target`, or in place, where each
 * table is replaced by one commit. Works month by month, so that memory does not grow with history. A stage that runs at the
 * same time may commit in between: then it is done again. Throws `lake_conflict` where that happens every time.
 */
export async function rebuildGold(options: {
  lake: Lake
  engine: Engine
  target?: Lake
  onProgress?: (text: string) => void
}): Promise<void> {
  const session = await options.engine.session()
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        await rebuildIn(session, options)
        return
      } catch (error) {
        if (!isPlatformError(error) || error.code !== 'lake_conflict' || attempt === ATTEMPTS) throw error
        options.onProgress?.('others have written meanwhile: once more')
      }
    }
  } finally {
    await session.close()
  }
}

/** As `rebuildGold`, in a session at hand. Returns the input versions that the tables are now made from. */
export async function rebuildIn(
  session: Session,
  options: { lake: Lake; target?: Lake; onProgress?: (text: string) => void },
): Promise<InputSnapshots> {
  const { lake, target = lake, onProgress } = options
  for (const table of [GOLD_CALENDAR, ...GOLD_TABLES]) await target.define(table)
  const inputs = await inputSnapshots(lake)
  const base = await goldSnapshots(target)
  const zone = await zoneOf(lake, session, inputs)
  await loadReference(lake, session, inputs)
  await beginTouched(session)
  const { files } = inputs['silver.readings']
  await addChangedReadings(lake, session, { added: files, removed: [] })
  await coverCalendar({ lake: target, session, zone, inputs })
  await addChangedRejects(lake, session, { added: inputs['silver.rejects'].files, removed: [] })
  await touchChangedRows(lake, session, { ...inputs['silver.readings'], files: [] })
  const empty = new Map([...base].map(([name, snapshot]) => [name, { ...snapshot, files: [] }] as const))
  const changes = await buildTouched({
    lake,
    target,
    session,
    readings: files,
    rejects: inputs['silver.rejects'].files,
    base: empty,
    carries: false,
    onProgress,
  })
  for (const [name, snapshot] of base) {
    changes.set(name, { add: changes.get(name)?.add ?? [], remove: [...snapshot.files] })
  }
  await publish({ target, operation: 'REBUILD', base, inputs, changes })
  return inputs
}

/** The house's zone as recorded; UTC where none is. */
export async function zoneOf(lake: Lake, session: Session, inputs: InputSnapshots): Promise<string> {
  const [setting] = await session.rows<{ value: string }>(
    `SELECT value FROM ${lake.scan('reference.settings', inputs['reference.settings'].files)} WHERE name = 'time_zone'`,
  )
  return setting?.value ?? 'UTC'
}

/** Makes the temporary tables `catalogue` and `tariffs`, inputs of the models. */
export async function loadReference(lake: Lake, session: Session, inputs: InputSnapshots): Promise<void> {
  for (const name of ['catalogue', 'tariffs'] as const) {
    const table = `reference.${name}` as const
    await session.run(
      `CREATE OR REPLACE TEMP TABLE ${name} AS SELECT * FROM ${lake.scan(table, inputs[table].files)}`,
    )
  }
}

/** Extends the calendar to what changed, and loads it where the session does not have it yet. */
export async function coverCalendar(options: {
  lake: Lake
  session: Session
  zone: string
  inputs: InputSnapshots
  /** What the session has, from an earlier call. */
  loaded?: LoadedCalendar
}): Promise<LoadedCalendar> {
  const { lake, session, zone, loaded } = options
  const rows = await changedSpan(session)
  const rejectDates = options.inputs['silver.rejects'].files
    .map((file) => Date.parse(`${file.partition.counted_date}T00:00:00Z`) * 1000)
    .filter((us) => Number.isFinite(us))
  const moments = [rows?.fromUs, rows?.toUs, ...rejectDates].filter((us) => us !== undefined)
  // Longer than any max_gap of use, so that the days that a change reaches into are there.
  const marginUs = 7 * 86_400_000_000
  const first = moments.length === 0 ? Infinity : yearOf(Math.min(...moments) - marginUs)
  const last = moments.length === 0 ? -Infinity : yearOf(Math.max(...moments) + marginUs)
  const known = loaded?.zone === zone ? loaded.years : null
  const years = Array.from({ length: Math.max(last - first + 1, 0) }, (_, index) => first + index)
  if (known !== null && years.every((year) => known.has(year))) return { zone, years: known }
  if (years.length > 0) await extendCalendar({ lake, session, zone, first, last })
  await loadCalendar(lake, session, zone)
  return { zone, years: new Set([...(known ?? []), ...years]) }
}

function yearOf(us: number): number {
  return new Date(us / 1000).getUTCFullYear()
}

/** The zone and the local years that the session's tables are known to hold. */
export interface LoadedCalendar {
  zone: string
  years: ReadonlySet<number>
}
