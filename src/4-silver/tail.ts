/**
 * The carried tail: temporary tables of one session that say of every device what the rows to come need of those
 * before them. `newest` (newest accepted event time), `channel_states`, `tail_hour` (rows of the last hour), `pending` (devices
 * with arrivals that wait for the late pass, and of which spans). All of it is derived from the lake and can be dropped at any moment.
 */
import { isPlatformError } from '../errors.ts'
import type { Lake, Session, Snapshot } from '../lake/types.ts'
import { loadBefore, overlaps } from './history.ts'
import {
  arrivalsOf,
  BRONZE,
  CHANNEL_STATE_COLUMNS,
  DUPLICATES,
  forgetNumbers,
  HOUR_COLUMNS,
  numberChannels,
  READINGS,
  REFERENCES,
  REJECTS,
  TENANT,
} from './models.ts'

const HOUR_US = 3_600_000_000

/** Where a span has no end, µs. */
export const OPEN_US = 9_200_000_000_000_000_000

/** `pending` of some arrivals (SELECT device_no, t_us): by device and UTC day, so that spans far apart stay apart. */
export const pendingOf = (sql: string): string =>
  `SELECT device_no, min(t_us) AS from_us, max(t_us) AS to_us, count(*) AS arrivals
   FROM (${sql}) GROUP BY device_no, t_us // ${24 * HOUR_US}`

/** Versions that `silver.readings` says it covers; -1: none. */
export interface Covered {
  bronze: number
  late: number
  /** By table. */
  reference: Readonly<Record<string, number>>
}

export function coveredBy(snapshot: Snapshot): Covered {
  const of = (app: string) => snapshot.txns.get(app) ?? -1
  return {
    bronze: of(BRONZE),
    late: of('late'),
    reference: Object.fromEntries(REFERENCES.map((name) => [name, of(name)])),
  }
}

export const txnsOf = ({ bronze, late, reference }: Covered): Record<string, number> => ({
  [BRONZE]: bronze,
  late,
  ...reference,
})

/** Reads the tail of all devices from the lake; numbers the channels anew. `fewRows`: see `loadBefore`. */
export async function loadTail(
  lake: Lake,
  session: Session,
  readings: Snapshot,
  fewRows?: number,
): Promise<void> {
  await forgetNumbers(session)
  await session.run(
    `CREATE OR REPLACE TEMP TABLE seen_texts AS
     SELECT tenant_id, device_id, channel, max(epoch_us(timestamp)) AS newest_us, bool_or(power_usage IS NOT NULL) AS has_p,
       bool_or(energy_total_wh IS NOT NULL) AS has_c, bool_or(energy_consumption_wh IS NOT NULL) AS has_r
     FROM ${lake.scan(READINGS, readings.files)} GROUP BY tenant_id, device_id, channel`,
  )
  await numberSeen(session)
  await session.run(
    `CREATE OR REPLACE TEMP TABLE newest AS
     SELECT device_no, max(newest_us) AS newest_us FROM seen GROUP BY device_no;
     CREATE OR REPLACE TEMP TABLE before_us AS SELECT device_no, newest_us + 1 AS to_us FROM newest`,
  )
  await loadBefore(lake, session, readings, fewRows)
  await session.run(
    `CREATE OR REPLACE TEMP TABLE channel_states AS SELECT * FROM carried;
     CREATE OR REPLACE TEMP TABLE tail_hour AS SELECT * FROM hour_before`,
  )
  await loadPending(lake, session, readings)
}

/**
 * From `seen_texts` (tenant_id, device_id, channel, newest_us, has_p, has_c, has_r) to `seen`: the same by number, and only what
 * counts where the catalogue fixes the source of energy.
 */
export async function numberSeen(session: Session): Promise<void> {
  await numberChannels(session, 'SELECT * FROM seen_texts')
  await session.run(
    `CREATE OR REPLACE TEMP TABLE seen AS
     SELECT h.channel_no, h.device_no, s.newest_us,
       s.has_p AND coalesce(h.energy_source, 'integrated') = 'integrated' AS has_p,
       s.has_c AND coalesce(h.energy_source, 'counter') = 'counter' AS has_c,
       s.has_r AND coalesce(h.energy_source, 'reported') = 'reported' AS has_r
     FROM seen_texts s JOIN channels h USING (tenant_id, device_id, channel)`,
  )
}

/** The tables of the tail, without those that can be made of others. */
export const TAIL_TABLES = ['numbers', 'channel_states', 'newest', 'tail_hour', 'pending'] as const

/** Counts up when a table of the tail gets other columns: one that was saved before is not gone on from. */
export const TAIL_FORM = 2

/** The tail of a lake without a row. */
export async function emptyTail(session: Session): Promise<void> {
  await forgetNumbers(session)
  await session.run(
    `CREATE OR REPLACE TEMP TABLE channel_states (${CHANNEL_STATE_COLUMNS});
     CREATE OR REPLACE TEMP TABLE newest (device_no INTEGER, newest_us BIGINT);
     CREATE OR REPLACE TEMP TABLE tail_hour (${HOUR_COLUMNS});
     CREATE OR REPLACE TEMP TABLE pending (device_no INTEGER, from_us BIGINT, to_us BIGINT, arrivals BIGINT)`,
  )
}

/** Drops the last hours, where no row of these devices is to come. */
export async function forgetHours(session: Session): Promise<void> {
  await session.run(`CREATE OR REPLACE TEMP TABLE tail_hour (${HOUR_COLUMNS})`)
}

/** Arrivals in Bronze, since the last late pass, that are in no table of Silver. */
async function loadPending(lake: Lake, session: Session, readings: Snapshot): Promise<void> {
  const { bronze, late } = coveredBy(readings)
  const { added } = await lake.changes(BRONZE, late, bronze)
  const firstMs = Math.min(...added.map((file) => Date.parse(String(file.stats.min.ingestion_time))))
  const known: string[] = []
  for (const table of [READINGS, REJECTS, DUPLICATES]) {
    const { files } = table === READINGS ? readings : await lake.snapshot(table)
    const recent = files.filter((file) => overlaps(file, 'ingestion_time', firstMs, Number.POSITIVE_INFINITY))
    known.push(
      `SELECT stream_topic, stream_partition, stream_offset, stream_index FROM ${lake.scan(table, recent)}`,
    )
  }
  await session.run(
    `CREATE OR REPLACE TEMP TABLE unknown AS
     SELECT tenant_id, device_id, channel, epoch_us(timestamp) AS t_us FROM ${arrivalsOf(lake, added)} b
     ANTI JOIN (${known.join(' UNION ALL ')}) k USING (stream_topic, stream_partition, stream_offset, stream_index)
     WHERE device_id IS NOT NULL AND timestamp IS NOT NULL`,
  )
  await numberChannels(session, 'SELECT * FROM unknown')
  await session.run(
    `CREATE OR REPLACE TEMP TABLE pending AS
     ${pendingOf(`SELECT n.device_no, u.t_us FROM unknown u JOIN numbers n
       ON n.device_id = u.device_id AND n.channel = u.channel AND n.tenant_id = ${TENANT('u')}`)};
     DROP TABLE unknown`,
  )
}

/** Puts the devices of `channel_state` and `accepted` in, instead of what the tail held of them. */
export async function extendTail(session: Session): Promise<void> {
  await session.run(
    `CREATE OR REPLACE TEMP TABLE channel_states AS
     SELECT * FROM channel_states s ANTI JOIN channel_state n USING (channel_no)
     UNION ALL SELECT * FROM channel_state;
     CREATE OR REPLACE TEMP TABLE newest AS
     SELECT device_no, max(newest_us) AS newest_us FROM (
       SELECT * FROM newest UNION ALL SELECT device_no, max(t_us) FROM accepted GROUP BY ALL
     ) GROUP BY device_no;
     INSERT INTO tail_hour SELECT channel_no, device_no, t_us, temperature_mc, power_mw, has_alert FROM accepted`,
  )
}

/**
 * The same after the devices of `dirty_part` were refined again. Their newest event time is never lowered: too high a
 * one makes an arrival pending, too low a one would make it wrong.
 */
export async function replaceInTail(session: Session): Promise<void> {
  await session.run(
    `CREATE OR REPLACE TEMP TABLE channel_states AS SELECT * FROM channel_states
     WHERE channel_no NOT IN (SELECT channel_no FROM channels JOIN dirty_part USING (device_no));
     CREATE OR REPLACE TEMP TABLE tail_hour AS
     SELECT * FROM tail_hour ANTI JOIN dirty_part USING (device_no) UNION ALL SELECT * FROM hour_before`,
  )
  await extendTail(session)
}

/** Drops what no row to come can reach. */
export async function pruneTail(session: Session): Promise<void> {
  await session.run(
    `CREATE OR REPLACE TEMP TABLE tail_hour AS
     SELECT h.* FROM tail_hour h JOIN newest n USING (device_no) WHERE h.t_us > n.newest_us - ${HOUR_US}`,
  )
}

export async function pendingArrivals(session: Session): Promise<number> {
  const [row] = await session.rows<{ n: number }>(
    'SELECT CAST(coalesce(sum(arrivals), 0) AS BIGINT) AS n FROM pending',
  )
  return row?.n ?? 0
}

/** Only the txns that a table does not have yet, or the commit would count as done. */
export function newTxns(snapshot: Snapshot, covered: Covered): Record<string, number> {
  return Object.fromEntries(
    Object.entries(txnsOf(covered)).filter(([app, version]) => version > (snapshot.txns.get(app) ?? -1)),
  )
}

/** What a commit may rely on: that nobody has taken the table further since this snapshot. */
export function expectedTxns(snapshot: Snapshot): Record<string, number> {
  return txnsOf(coveredBy(snapshot))
}

export const isLakeConflict = (error: unknown): boolean =>
  isPlatformError(error) && error.code === 'lake_conflict'
