import { isPlatformError } from '../errors.ts'
import type { DataFile, Engine, Lake, Session, Snapshot } from '../lake/types.ts'
import { buildTouched, type TableChange } from './build.ts'
import { extendCalendar, loadCalendar } from './calendar.ts'
import { dropProgress, madeOf, resumed, saveProgress } from './progress.ts'
import { goldSnapshots, inputSnapshots, publish, type InputSnapshots } from './publish.ts'
import { readModel } from './models.ts'
import { bounds, LEAST_MAX_GAP_US, MAX_GAP_SQL } from './silver-rows.ts'
import { GOLD_CALENDAR, GOLD_HOURLY, GOLD_MONTHLY, GOLD_TABLES } from './tables.ts'
import {
  addChangedReadings,
  addChangedRejects,
  beginTouched,
  changedSpan,
  touchChangedRows,
} from './touched.ts'

/** A rebuild that takes longer than this can be gone on with after an interruption. */
const SAVE_EVERY_MS = 5_000

/** Attempts to replace the tables while somebody else commits to them. */
const ATTEMPTS = 3

export interface RebuildOptions {
  lake: Lake
  target?: Lake
  /** Only the local days from this date on, into a `target`; a month that has begun before takes its hours of before from `lake`. */
  since?: string
  /** Called before each month; what it throws interrupts the rebuild. */
  onProgress?: (text: string) => void
  /** How often the progress is saved, ms. */
  saveEveryMs?: number
}

/**
 * Builds Gold anew, wholly, from Silver, the catalogue and the tariffs: into `target`, or in place, where each
 * table is replaced by one commit. Works month by month, so that memory does not grow with history; one after the other, since each may hold
 * as many rows as memory allows, and the engine shares a statement among its threads. Where an earlier call was interrupted, and
 * inputs and models are still the same, it goes on after the months that were done. A stage that runs at the same time may
 * commit in between: then it is done again. Throws `lake_conflict` where that happens every time.
 */
export async function rebuildGold(options: RebuildOptions & { engine: Engine }): Promise<void> {
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
export async function rebuildIn(session: Session, options: RebuildOptions): Promise<InputSnapshots> {
  const { lake, target = lake, since } = options
  for (const table of [GOLD_CALENDAR, ...GOLD_TABLES]) await target.define(table)
  const inputs = await inputSnapshots(lake)
  const base = await goldSnapshots(target)
  const zone = await zoneOf(lake, session, inputs)
  await loadReference(lake, session, inputs)
  await beginTouched(session)
  const { files } = inputs['silver.readings']
  const sought =
    since === undefined
      ? { files, rejects: inputs['silver.rejects'].files }
      : await reaching(session, inputs, since)
  await addChangedReadings(lake, session, { added: sought.files, removed: [] })
  await coverCalendar({ lake: target, session, zone, inputs })
  await addChangedRejects(lake, session, { added: sought.rejects, removed: [] })
  await touchChangedRows(lake, session, { ...inputs['silver.readings'], files: [] })
  if (since !== undefined) await session.run(`DELETE FROM touched WHERE date < DATE '${since}'`)
  const changes = await buildAll(session, options, inputs, zone)
  if (since !== undefined)
    changes.set(GOLD_MONTHLY.name, {
      add: await monthsSince({
        lake,
        target,
        session,
        since,
        hourly: changes.get(GOLD_HOURLY.name)?.add ?? [],
      }),
      remove: [],
    })
  // One that was killed between two tables finds its own files in the first: a path may stand in an entry only once.
  for (const [name, { files: before }] of base) {
    const add = changes.get(name)?.add ?? []
    const [there, kept] = [before, add].map((of) => new Set(of.map(({ path }) => path)))
    changes.set(name, {
      add: add.filter(({ path }) => !there!.has(path)),
      remove: before.filter(({ path }) => !kept!.has(path)),
    })
  }
  await publish({ target, operation: 'REBUILD', base, inputs, changes })
  await dropProgress(target)
  return inputs
}

/** Computes all that is touched, month by month, from where an interrupted rebuild of the very same has come to. */
async function buildAll(
  session: Session,
  options: RebuildOptions,
  inputs: InputSnapshots,
  zone: string,
): Promise<Map<string, TableChange>> {
  const { lake, target = lake, since, onProgress, saveEveryMs = SAVE_EVERY_MS } = options
  const made = madeOf(inputs, since === undefined ? zone : `${zone} since ${since}`)
  const done = await resumed(target, session, made)
  if (done) onProgress?.(`gold: goes on after ${done.months} months, which were done before`)
  let savedMs = Date.now()
  return await buildTouched({
    lake,
    target,
    session,
    readings: inputs['silver.readings'].files,
    rejects: inputs['silver.rejects'].files,
    base: await emptyTables(target),
    carries: false,
    onProgress,
    ...(done && { done }),
    async afterMonth(months, written) {
      if (Date.now() - savedMs < saveEveryMs) return
      const files = Object.fromEntries([...written].map(([name, { add }]) => [name, add]))
      await saveProgress(target, session, { made, months, files })
      savedMs = Date.now()
    },
  })
}

async function emptyTables(target: Lake): Promise<Map<string, Snapshot>> {
  const tables = await goldSnapshots(target)
  return new Map([...tables].map(([name, snapshot]) => [name, { ...snapshot, files: [] }] as const))
}

/** Files of Silver that can touch a local day from `since` on: such a day begins at most 14 h before its date does in UTC. */
async function reaching(
  session: Session,
  inputs: InputSnapshots,
  since: string,
): Promise<{ files: DataFile[]; rejects: DataFile[] }> {
  const [gap] = await session.rows<{ us: number }>(
    `SELECT max(us) AS us FROM (SELECT ${MAX_GAP_SQL} AS us FROM catalogue c UNION ALL VALUES (${LEAST_MAX_GAP_US}))`,
  )
  const earliestUs = (Date.parse(since) - 14 * 3_600_000) * 1000
  // A row reaches as far as its channel's longest gap, to the end of a quarter-hour.
  const fromUs = earliestUs - gap!.us - 900_000_000
  const dateFrom = new Date(earliestUs / 1000).toISOString().slice(0, 10)
  return {
    files: inputs['silver.readings'].files.filter((file) => (bounds(file, 'timestamp')?.toUs ?? 0) >= fromUs),
    rejects: inputs['silver.rejects'].files.filter(
      ({ partition }) => (partition.counted_date ?? '') >= dateFrom,
    ),
  }
}

/** The months from that of `since` on: of the stored hours before it, and those that were computed. */
async function monthsSince(build: {
  lake: Lake
  target: Lake
  session: Session
  since: string
  hourly: readonly DataFile[]
}): Promise<DataFile[]> {
  const { lake, target, session, since, hourly } = build
  const month = `${since.slice(0, 7)}-01`
  const stored = (await lake.snapshot(GOLD_HOURLY.name)).files.filter(
    (file) => file.partition.month === month,
  )
  await session.run(
    `CREATE OR REPLACE TEMP TABLE hourly_energy AS
     SELECT * FROM ${lake.scan(GOLD_HOURLY.name, stored)} WHERE date < DATE '${since}'
     UNION ALL BY NAME SELECT * FROM ${target.scan(GOLD_HOURLY.name, hourly)};
     CREATE OR REPLACE TEMP TABLE touched_days AS SELECT DISTINCT tenant_id, device_id, date FROM hourly_energy;
     CREATE OR REPLACE TEMP TABLE calendar AS SELECT DISTINCT date, month FROM hourly_energy`,
  )
  return await target.write(session, GOLD_MONTHLY.name, readModel('monthly_energy').sql)
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
