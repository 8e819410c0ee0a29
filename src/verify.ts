/**
 * Verify: Silver and Gold are built again beside the lake, from the very versions that the stored tables say they
 * are made of, and compared row for row. So it may run while the platform does. Of some days only what these need is
 * built (`4-silver/beginnings.ts` says why that is enough); rows before them are then not looked at.
 */
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BRONZE_TELEMETRY } from './3-bronze/tables.ts'
import { modelsWord } from './4-silver/progress.ts'
import { SILVER_DUPLICATES, SILVER_READINGS, SILVER_REJECTS, SILVER_TABLES } from './4-silver/tables.ts'
import { rebuildGold } from './5-gold/rebuild.ts'
import { GOLD_SUMMARY, GOLD_TABLES } from './5-gold/tables.ts'
import { PlatformError } from './errors.ts'
import { REFERENCES } from './4-silver/models.ts'
import { REFERENCE_CATALOGUE } from './reference/tables.ts'
import { compareTable, type Comparison, type TableComparison } from './verify-compare.ts'
import { buildSilver } from './verify-silver.ts'
import { rowCount } from './lake/stats.ts'
import type { DataFile, Engine, Lake, Snapshot, TableDefinition } from './lake/types.ts'

export interface VerifyOptions {
  lake: Lake
  engine: Engine
  /** Where the tables to compare with are built; removed again, unless the process ends before: then the next verify of the same versions goes on there. */
  tempDir: string
  /**
   * Compare only so many UTC days up to now, in Gold local ones. Silver's rows of then are made of Bronze alone, Gold's of stored Silver; a month
   * that has begun before is the sum of its days, those before as stored.
   */
  days?: number
  /** Only this device, in all homes; the summary of the homes is then left out. */
  device?: string
  onProgress?: (text: string) => void
}

export interface VerifyReport {
  /** Whether no row differs and the accounting closes. */
  equal: boolean
  tables: TableComparison[]
  /** Rows: bronze = readings + rejects + duplicates + pending (landed, not yet in Silver). */
  accounting: {
    bronze: number
    readings: number
    rejects: number
    duplicates: number
    pending: number
    closes: boolean
  }
  /** Sentences about what lies in the lake and is not covered, since a stage has not worked it off yet. */
  behind: string[]
}

/** How far back a state is looked for in which a stage had nothing half done. */
const VERSIONS_BACK = 200

type Pins = ReadonlyMap<string, Snapshot>

/** Compares every table of Silver and Gold with a rebuild. Throws `verify_behind` where no finished state is found. */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  const { lake, engine, tempDir, device, onProgress } = options
  const silver = await finishedSilver(lake)
  const gold = await finishedGold(lake)
  const bronze = await lake.snapshot(BRONZE_TELEMETRY.name)

  const silverInputs = await pinsOf(lake, silver.get(SILVER_READINGS.name)!, [
    BRONZE_TELEMETRY.name,
    ...REFERENCES,
  ])
  const since = options.days === undefined ? undefined : daysAgo(options.days)
  const root = await folderFor(tempDir, silverInputs, [device ?? null, since ?? null])
  let interrupted = false
  try {
    onProgress?.('building Silver beside the lake')
    const devices = device === undefined ? undefined : await sameDevices(lake, engine, silverInputs, device)
    const inputs = pinned(lake, silverInputs, devices)
    const target = await buildSilver({ lake: inputs, engine, root, since, onProgress })
    onProgress?.('building Gold beside the lake')
    const anyGold = gold.get(GOLD_SUMMARY.name)!
    const goldInputs = await pinsOf(lake, anyGold, [...anyGold.txns.keys()])
    if (goldInputs.size > 0)
      await rebuildGold({
        lake: pinned(lake, new Map([...goldInputs, ...gold]), devices),
        engine,
        target,
        ...(since !== undefined && { since }),
        ...(onProgress && { onProgress }),
      })
    else for (const table of GOLD_TABLES) await target.define(table)

    const tables: TableComparison[] = []
    for (const table of [...SILVER_TABLES, ...GOLD_TABLES]) {
      if (device !== undefined && table.name === GOLD_SUMMARY.name) continue
      onProgress?.(`comparing ${table.name}`)
      const stored = silver.get(table.name) ?? gold.get(table.name)!
      tables.push(
        await compareTable({ engine, table, lake, stored, target, ...filterOf(table, device, since) }),
      )
    }
    const accounting = account(bronze, silverInputs.get(BRONZE_TELEMETRY.name), silver)
    return {
      equal: accounting.closes && tables.every((table) => table.onlyStored + table.onlyRebuilt === 0),
      tables,
      accounting,
      behind: await behind(lake, silver, gold),
    }
  } catch (error) {
    interrupted = error instanceof Error && error.name === 'AbortError'
    throw error
  } finally {
    if (interrupted) await rm(join(root, OWNER), { force: true })
    else await removeFolder(root)
  }
}

/** In a folder of verify: the process that works there. */
const OWNER = 'owner'
/** How the name of a folder ends that is being removed. */
const ENDED = '.ended'
/** So long is what an interrupted verify left kept for the next. */
const KEPT_MS = 86_400_000

/** The folder for these versions, with what an interrupted verify of them has built; another one where somebody works there. */
async function folderFor(tempDir: string, inputs: Pins, of: unknown): Promise<string> {
  for (const name of await readdir(tempDir)) {
    if (!name.startsWith('verify-')) continue
    const old = join(tempDir, name)
    const found = await stat(old).catch(() => undefined)
    const isKept = !name.endsWith(ENDED) && found && Date.now() - found.mtimeMs <= KEPT_MS
    if (!isKept && !(await isWorkedIn(old))) await removeFolder(old)
  }
  const versions = [...inputs].map(([name, { version }]) => [name, version])
  const word = createHash('sha256')
    .update(JSON.stringify([versions, of, modelsWord()]))
    .digest('hex')
  const shared = join(tempDir, `verify-${word.slice(0, 16)}`)
  const folder = (await isWorkedIn(shared)) ? await mkdtemp(join(tempDir, 'verify-')) : shared
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, OWNER), String(process.pid))
  return folder
}

/** Under another name first: what a kill leaves of a removal is taken for no beginning. */
async function removeFolder(folder: string): Promise<void> {
  const ended = folder.endsWith(ENDED) ? folder : `${folder}${ENDED}`
  if (ended !== folder) {
    await rm(ended, { recursive: true, force: true, maxRetries: 5 })
    // Another verify may have been faster.
    await rename(folder, ended).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
  await rm(ended, { recursive: true, force: true, maxRetries: 5 })
}

async function isWorkedIn(folder: string): Promise<boolean> {
  const pid = Number(await readFile(join(folder, OWNER), 'utf8').catch(() => '0'))
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM'
  }
}

/** The newest version of the table that fits, looking back from the newest one. */
async function newestWhere(
  lake: Lake,
  table: string,
  fits: (snapshot: Snapshot) => boolean,
): Promise<Snapshot> {
  let snapshot = await lake.snapshot(table)
  const oldest = Math.max(0, snapshot.version - VERSIONS_BACK)
  while (!fits(snapshot)) {
    if (snapshot.version <= oldest)
      throw new PlatformError(
        'verify_behind',
        `${table} has no finished state among its last ${VERSIONS_BACK} versions that could be verified`,
        'Let the stages work off what is there (smarthouse silver --once, then gold --once), then verify again.',
      )
    snapshot = await lake.snapshot(table, snapshot.version - 1)
  }
  return snapshot
}

const txn = (snapshot: Snapshot, app: string): number => snapshot.txns.get(app) ?? -1

/** Silver as it was when nothing was pending; its other tables are committed before the readings, so maybe ahead. */
async function finishedSilver(lake: Lake): Promise<Pins> {
  const { name: bronze } = BRONZE_TELEMETRY
  const readings = await newestWhere(
    lake,
    SILVER_READINGS.name,
    (snapshot) => txn(snapshot, 'late') === txn(snapshot, bronze),
  )
  const pins = new Map([[SILVER_READINGS.name, readings]])
  for (const { name } of [SILVER_REJECTS, SILVER_DUPLICATES])
    pins.set(
      name,
      await newestWhere(lake, name, (snapshot) =>
        ['late', bronze].every((app) => txn(snapshot, app) <= txn(readings, app)),
      ),
    )
  return pins
}

/** Gold with all its tables made of the same versions: those of the one that is furthest behind. */
async function finishedGold(lake: Lake): Promise<Pins> {
  const newest = await Promise.all(GOLD_TABLES.map(({ name }) => lake.snapshot(name)))
  const apps = [...new Set(newest.flatMap((snapshot) => [...snapshot.txns.keys()]))]
  const least = new Map(apps.map((app) => [app, Math.min(...newest.map((snapshot) => txn(snapshot, app)))]))
  const pins = new Map<string, Snapshot>()
  for (const { name } of GOLD_TABLES)
    pins.set(
      name,
      await newestWhere(lake, name, (snapshot) => apps.every((app) => txn(snapshot, app) <= least.get(app)!)),
    )
  return pins
}

/** The inputs at the versions that a table says it is made of; one that it does not name stays as it is now. */
async function pinsOf(lake: Lake, made: Snapshot, inputs: readonly string[]): Promise<Pins> {
  const pins = new Map<string, Snapshot>()
  for (const name of inputs) {
    const version = made.txns.get(name)
    pins.set(
      name,
      await (version === undefined || version < 0 ? firstOf(lake, name, made) : lake.snapshot(name, version)),
    )
  }
  return pins
}

/** Nothing of this input is in the table yet: the input as it was created, unless the table has rows without it. */
async function firstOf(lake: Lake, name: string, made: Snapshot): Promise<Snapshot> {
  return made.files.length === 0 ? await lake.snapshot(name, 0) : await lake.snapshot(name)
}

/** The device and those that the catalogue says are the same as it, whose readings in Bronze are its own. */
async function sameDevices(lake: Lake, engine: Engine, pins: Pins, device: string): Promise<string[]> {
  const session = await engine.session()
  try {
    const { name } = REFERENCE_CATALOGUE
    const merged = await session.rows<{ device_id: string }>(
      `SELECT device_id FROM ${lake.scan(name, pins.get(name)?.files ?? [])} WHERE merged_into = ${literal(device)}`,
    )
    return [device, ...merged.map((row) => row.device_id)]
  } finally {
    await session.close()
  }
}

/** The lake as it was: pinned tables at their versions, and only the rows of some devices where one is asked for. */
function pinned(lake: Lake, pins: Pins, devices: readonly string[] | undefined): Lake {
  return {
    ...lake,
    async snapshot(table, version) {
      const pin = pins.get(table)
      return pin && version === undefined ? pin : await lake.snapshot(table, version)
    },
    scan(table, files) {
      const rows = lake.scan(table, files)
      if (devices === undefined || table.startsWith('reference.')) return rows
      return `(SELECT * FROM ${rows} WHERE device_id IN (${devices.map(literal).join(', ')}))`
    },
  }
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10)

/** Which rows of a table are compared, and which of its files can hold one. */
function filterOf(
  table: TableDefinition,
  device: string | undefined,
  since: string | undefined,
): Pick<Comparison, 'where' | 'holds'> {
  const conditions = ['true']
  if (device !== undefined) conditions.push(`device_id = ${literal(device)}`)
  if (since === undefined) return { where: conditions.join(' AND ') }
  const dateColumn = ['event_date', 'counted_date', 'date', 'month'].find((name) =>
    table.columns.some((column) => column.name === name),
  )
  conditions.push(`${dateColumn} >= DATE '${dateColumn === 'month' ? `${since.slice(0, 7)}-01` : since}'`)
  return {
    where: conditions.join(' AND '),
    // A partition is a date, the first of a month, or a year: `since` cut to its length does not lie after it.
    holds: ({ partition }: DataFile) =>
      table.partitionBy.every((name) => {
        const value = partition[name] ?? ''
        return value >= (name === 'month' ? `${since.slice(0, 7)}-01` : since.slice(0, value.length))
      }),
  }
}

const rowsIn = (snapshot: Snapshot | undefined): number => rowCount(snapshot?.files ?? [])

function account(bronze: Snapshot, covered: Snapshot | undefined, silver: Pins): VerifyReport['accounting'] {
  const readings = rowsIn(silver.get(SILVER_READINGS.name))
  const rejects = rowsIn(silver.get(SILVER_REJECTS.name))
  const duplicates = rowsIn(silver.get(SILVER_DUPLICATES.name))
  const pending = rowsIn(bronze) - rowsIn(covered)
  const closes = rowsIn(bronze) === readings + rejects + duplicates + pending
  return { bronze: rowsIn(bronze), readings, rejects, duplicates, pending, closes }
}

async function behind(lake: Lake, silver: Pins, gold: Pins): Promise<string[]> {
  const found: string[] = []
  const tell = async (made: Snapshot, input: string): Promise<void> => {
    const newest = await lake.snapshot(input)
    const rows = rowsIn(newest) - rowsIn(await lake.snapshot(input, Math.max(0, txn(made, input))))
    if (newest.version > txn(made, input) && rows !== 0)
      found.push(
        `${made.table} is verified as of version ${txn(made, input)} of ${input}; ${rows} rows have come since.`,
      )
  }
  await tell(silver.get(SILVER_READINGS.name)!, BRONZE_TELEMETRY.name)
  await tell(silver.get(SILVER_READINGS.name)!, REFERENCE_CATALOGUE.name)
  await tell(gold.get(GOLD_SUMMARY.name)!, SILVER_READINGS.name)
  return found
}
