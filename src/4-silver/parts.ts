/**
 * Cuts Bronze into stretches of event time, each small enough to be refined at once; where so many devices report that a
 * stretch would be shorter than the hour that windows look back over, into buckets of devices first.
 */
import { rowCount } from '../lake/stats.ts'
import type { DataFile, Lake, Session, Snapshot } from '../lake/types.ts'
import { overlaps } from './history.ts'
import { BRONZE } from './models.ts'

export interface Part {
  rows: number
  /** Which rows of Bronze are in it, as SQL. */
  where: string
  /** Those of its files that may hold one. */
  files: readonly DataFile[]
  /** The first one of a bucket: the devices of those before it do not come again. */
  opensBucket: boolean
  /** In words, for the progress. */
  name: string
}

const DAY_US = 86_400_000_000n
const MINUTE_US = 60_000_000n
const HOUR_US = 3_600_000_000n
/** Each reads all of Bronze once. */
const MOST_BUCKETS = 64

interface Stretch {
  fromUs: bigint
  rows: number
}

/**
 * The parts of each bucket in the order of time, of whole UTC days where these are small enough, else of whole minutes;
 * arrivals without an event time come first. One part alone has no condition.
 */
export async function timeParts(
  lake: Lake,
  session: Session,
  bronze: Snapshot,
  rowsPerPart: number,
): Promise<Part[]> {
  const rows = rowCount(bronze.files)
  if (rows === 0) return []
  if (rows <= rowsPerPart)
    return [{ rows, where: 'true', files: bronze.files, opensBucket: true, name: 'all' }]
  const scan = lake.scan(BRONZE, bronze.files)
  const days = await stretches(session, scan, DAY_US)
  const fine: Stretch[] = []
  for (const { fromUs, rows: inDay } of days) {
    if (fromUs === null) continue
    if (inDay <= rowsPerPart) fine.push({ fromUs, rows: inDay })
    else fine.push(...(await minutesOf(session, scan, fromUs)))
  }
  const buckets = Math.min(MOST_BUCKETS, Math.ceil(mostInAnHour(fine, rowsPerPart) / rowsPerPart))
  const cuts = cut(fine, rowsPerPart * buckets)
  const timed = Array.from({ length: buckets }, (_, bucket) =>
    cuts.map((stretch, index) =>
      inBucket(timedPart(bronze, index === 0, stretch, cuts[index + 1]), bucket, buckets),
    ),
  ).flat()
  const timeless = days.find(({ fromUs }) => fromUs === null)
  return timeless ? [timelessPart(bronze, timeless.rows), ...timed] : timed
}

function timelessPart(bronze: Snapshot, rows: number): Part {
  const files = bronze.files.filter(({ stats }) => stats.nulls.timestamp !== 0)
  return { rows, where: 'timestamp IS NULL', files, opensBucket: true, name: 'without an event time' }
}

/** Rows of the busiest hour; of days that are one stretch it is only known that they are less than a part. */
function mostInAnHour(fine: readonly Stretch[], rowsPerPart: number): number {
  const hours = new Map<bigint, number>()
  for (const { fromUs, rows } of fine) {
    const hour = fromUs / HOUR_US
    hours.set(hour, (hours.get(hour) ?? 0) + rows)
  }
  return [...hours.values()].reduce((most, rows) => Math.max(most, rows), rowsPerPart)
}

function inBucket(part: Part, bucket: number, buckets: number): Part {
  if (buckets === 1) return part
  return {
    ...part,
    rows: Math.round(part.rows / buckets),
    where: `${part.where} AND coalesce(hash(device_id) % ${buckets}, 0) = ${bucket}`,
    name: `${part.name}, devices ${bucket + 1} of ${buckets}`,
  }
}

/** The first part begins, and the last one ends, nowhere. */
function timedPart(bronze: Snapshot, isFirst: boolean, { fromUs, rows }: Stretch, next?: Stretch): Part {
  const from = isFirst ? 'timestamp IS NOT NULL' : `timestamp >= ${moment(fromUs)}`
  const until = next ? ` AND timestamp < ${moment(next.fromUs)}` : ''
  const fromMs = isFirst ? -Infinity : Number(fromUs / 1000n)
  const untilMs = next ? Number(next.fromUs / 1000n) : Infinity
  return {
    rows,
    where: from + until,
    files: bronze.files.filter((file) => overlaps(file, 'timestamp', fromMs, untilMs)),
    opensBucket: isFirst,
    name: `from ${new Date(Number(fromUs / 1000n)).toISOString().slice(0, 16)}`,
  }
}

/** Joins neighbours while they fit into one part. */
function cut(fine: readonly Stretch[], rowsPerPart: number): Stretch[] {
  const cuts: Stretch[] = []
  for (const { fromUs, rows } of fine) {
    const last = cuts.at(-1)
    if (last && last.rows + rows <= rowsPerPart) last.rows += rows
    else cuts.push({ fromUs, rows })
  }
  return cuts
}

async function minutesOf(session: Session, scan: string, dayUs: bigint): Promise<Stretch[]> {
  const inDay = `(SELECT timestamp FROM ${scan} WHERE timestamp >= ${moment(dayUs)} AND timestamp < ${moment(dayUs + DAY_US)})`
  const minutes = await stretches(session, inDay, MINUTE_US)
  return minutes.flatMap(({ fromUs, rows }) => (fromUs === null ? [] : [{ fromUs, rows }]))
}

async function stretches(
  session: Session,
  scan: string,
  lengthUs: bigint,
): Promise<{ fromUs: bigint | null; rows: number }[]> {
  const found = await session.rows<{ from_us: number | bigint | null; n: number }>(
    `SELECT epoch_us(timestamp) // ${lengthUs} * ${lengthUs} AS from_us, count(*) AS n FROM ${scan}
     GROUP BY ALL ORDER BY from_us NULLS FIRST`,
  )
  return found.map(({ from_us, n }) => ({ fromUs: from_us === null ? null : BigInt(from_us), rows: n }))
}

const moment = (us: bigint): string => `make_timestamptz(${us})`
