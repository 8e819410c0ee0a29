/**
 * From which event time on arrivals have to be refined so that the rows of a span are those of a rebuild of everything.
 *
 * An arrival becomes a row by itself, by the others of the very same event time, by the hour before it, and by what its channel
 * carries on: the power in force, the newest steps of the counter, the last reported value. So arrivals are taken from so far before the
 * span that the rows until it say what is carried on, although nothing was carried into them. Of the windows that are tried,
 * the first is two hours, so that the hour is always whole. Which window will do is guessed from Bronze, and `unsettledIn`
 * says afterwards, of the rows that were made, where the guess was wrong: there it must be everything. Nothing of this looks at stored Silver.
 */
import { rowCount } from '../lake/stats.ts'
import type { DataFile, Lake, Session, Snapshot } from '../lake/types.ts'
import { overlaps, unsettledDevices, WINDOWS_DAYS } from './history.ts'
import { arrivalsOf, BRONZE, forgetNumbers, loadReference, referenceNow, TENANT } from './models.ts'
import { CONSTANTS } from './rules.ts'
import { numberSeen } from './tail.ts'

const DAY_US = 86_400_000_000

/** Where to begin: all devices `fromUs` (µs) at the latest, some of them earlier; -Infinity: with everything. */
export interface Beginnings {
  /** First moment of the span, µs. */
  sinceUs: number
  fromUs: number
  earlier: ReadonlyMap<string, number>
}

/** Needs the session for itself. Its `seen` and `numbers` are what `unsettledIn` needs. */
export async function findBeginnings(lake: Lake, session: Session, sinceUs: number): Promise<Beginnings> {
  await loadReference(lake, session, await referenceNow(lake, session))
  const { files } = await lake.snapshot(BRONZE)
  await session.expect(rowCount(files))
  const since = `make_timestamptz(${sinceUs})`
  const reaching = (us: number): DataFile[] =>
    files.filter((file) => overlaps(file, 'timestamp', us / 1000, Number.POSITIVE_INFINITY))
  await session.run(
    `CREATE OR REPLACE TEMP TABLE active AS
     SELECT DISTINCT ${TENANT('a')} AS tenant_id, a.device_id FROM ${arrivalsOf(lake, reaching(sinceUs))} a
     WHERE a.timestamp >= ${since} AND trim(a.device_id) <> '';
     CREATE OR REPLACE TEMP TABLE seen_texts AS
     SELECT ${TENANT('a')} AS tenant_id, a.device_id, a.channel, max(epoch_us(a.timestamp)) AS newest_us,
       bool_or(a.power_usage IS NOT NULL) AS has_p, bool_or(a.energy_total_wh IS NOT NULL) AS has_c,
       bool_or(a.energy_consumption_wh IS NOT NULL) AS has_r
     FROM ${arrivalsOf(lake, files)} a JOIN active t ON t.device_id = a.device_id AND t.tenant_id = ${TENANT('a')}
     WHERE a.timestamp < ${since} GROUP BY ALL`,
  )
  await forgetNumbers(session)
  await numberSeen(session)
  // A person may have given a device a value that none of its arrivals has.
  await session.run(
    `CREATE OR REPLACE TEMP TABLE guessing AS
     SELECT DISTINCT device_id FROM seen s JOIN numbers n USING (channel_no) WHERE device_id NOT IN (SELECT device_id FROM corrections)`,
  )
  const windows = WINDOWS_DAYS.filter(Number.isFinite)
  const earlier = new Map<string, number>()
  const corrected = await session.rows<{ device_id: string }>(
    'SELECT DISTINCT device_id FROM active SEMI JOIN corrections USING (device_id)',
  )
  for (const { device_id } of corrected) earlier.set(device_id, Number.NEGATIVE_INFINITY)
  for (const [index, days] of windows.entries()) {
    const fromUs = sinceUs - days * DAY_US
    const furtherUs = sinceUs - (windows[index + 1] ?? Number.POSITIVE_INFINITY) * DAY_US
    for (const device of await guessedOpen(lake, session, reaching(fromUs), fromUs, sinceUs))
      earlier.set(device, furtherUs)
  }
  return { sinceUs, fromUs: sinceUs - windows[0]! * DAY_US, earlier }
}

/** Devices of `guessing` for which a window seems to be too short; these alone are left there. */
async function guessedOpen(
  lake: Lake,
  session: Session,
  files: readonly DataFile[],
  fromUs: number,
  sinceUs: number,
): Promise<string[]> {
  await session.run(
    `CREATE OR REPLACE TEMP TABLE guessing AS
     WITH held AS (
       SELECT n.channel_no, max(a.timestamp) FILTER (WHERE a.power_usage IS NOT NULL) AS last_p,
         min(a.timestamp) FILTER (WHERE a.energy_consumption_wh IS NOT NULL) AS first_r,
         count(DISTINCT a.energy_total_wh) AS counters
       FROM ${arrivalsOf(lake, files)} a JOIN numbers n
         ON n.device_id = a.device_id AND n.channel = a.channel AND n.tenant_id = ${TENANT('a')}
       WHERE a.timestamp >= make_timestamptz(${fromUs}) AND a.timestamp < make_timestamptz(${sinceUs}) GROUP BY ALL
     )
     SELECT DISTINCT n.device_id FROM seen s JOIN numbers n USING (channel_no) SEMI JOIN guessing g ON g.device_id = n.device_id
     LEFT JOIN held h ON h.channel_no = s.channel_no
     WHERE (s.has_p AND h.last_p IS NULL) OR (s.has_r AND h.first_r IS NULL) OR (s.has_c AND coalesce(h.counters, 0) < 3)
       OR (s.has_p AND s.has_r AND h.last_p < h.first_r)`,
  )
  const open = await session.rows<{ device_id: string }>('SELECT device_id FROM guessing')
  return open.map(({ device_id }) => device_id)
}

/** Devices whose rows in `readings`, built from these beginnings, do not settle what they carry into the span. */
export async function unsettledIn(
  built: Lake,
  session: Session,
  readings: Snapshot,
  beginnings: Beginnings,
): Promise<string[]> {
  await session.run(
    `CREATE OR REPLACE TEMP TABLE before_us AS
     SELECT DISTINCT s.device_no, CAST(${beginnings.sinceUs} AS BIGINT) AS to_us FROM seen s`,
  )
  const unsettled = await unsettledDevices(built, session, readings)
  return unsettled.filter((device) => beginnings.earlier.get(device) !== Number.NEGATIVE_INFINITY)
}

/**
 * The lake with only those arrivals in Bronze that the beginnings ask for, and those that are counted by the date of
 * their ingestion. Devices that are merged into one that begins earlier do so too.
 */
export async function begunLake(lake: Lake, session: Session, beginnings: Beginnings): Promise<Lake> {
  const { sinceUs, fromUs, earlier } = beginnings
  const merges = await session.rows<{ device_id: string; merged_into: string }>('SELECT * FROM merges')
  const byMoment = Map.groupBy(earlier, ([, us]) => us)
  const conditions = [`timestamp >= make_timestamptz(${fromUs})`]
  for (const [us, devices] of byMoment) {
    const ids = new Set(devices.map(([id]) => id))
    for (const { device_id, merged_into } of merges) if (ids.has(merged_into)) ids.add(device_id)
    const named = `device_id IN (${[...ids].map((id) => `'${id.replaceAll("'", "''")}'`).join(', ')})`
    conditions.push(Number.isFinite(us) ? `(timestamp >= make_timestamptz(${us}) AND ${named})` : named)
  }
  conditions.push(
    `(ingestion_time >= make_timestamptz(${sinceUs}) AND (timestamp IS NULL OR epoch_us(timestamp) < ${CONSTANTS.earliest_event_us}))`,
  )
  const firstMs = Math.min(fromUs, ...byMoment.keys()) / 1000
  const mayHold = (file: DataFile): boolean =>
    overlaps(file, 'timestamp', firstMs, Number.POSITIVE_INFINITY) ||
    overlaps(file, 'ingestion_time', sinceUs / 1000, Number.POSITIVE_INFINITY)
  return {
    ...lake,
    async snapshot(table, at) {
      const snapshot = await lake.snapshot(table, at)
      return table === BRONZE ? { ...snapshot, files: snapshot.files.filter(mayHold) } : snapshot
    },
    scan: (table, files) =>
      table === BRONZE
        ? `(SELECT * FROM ${lake.scan(table, files)} WHERE ${conditions.join(' OR ')})`
        : lake.scan(table, files),
  }
}
