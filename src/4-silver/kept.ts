/**
 * Rows of Silver whose arrivals Bronze has given up (`retain`). They stay until a rebuild; where one is put in among them,
 * they are looked at as arrivals, so that it repeats or follows them, and only what depends on their neighbours is made again.
 */
import { POSITION_COLUMNS, READING_COLUMNS } from '../3-bronze/tables.ts'
import type { Lake, Session, Snapshot } from '../lake/types.ts'
import { filesOfSpans, overlaps } from './history.ts'
import { READINGS, TENANT } from './models.ts'

/** No arrival is at hand; the year 9999. */
const NEVER_US = 253_370_764_800_000_000

/**
 * From which ingestion time (µs) on Bronze has every arrival of Silver's rows; 0 where it has them all. Bronze gives up
 * whole dates from the oldest on, so it is the oldest date that is left, where Silver has rows from before it.
 */
export function horizonUs(bronze: Snapshot, silver: readonly Snapshot[]): number {
  const dates = bronze.files.map(({ partition }) => Date.parse(String(partition.ingestion_date)))
  const oldestMs = dates.reduce((least, date) => Math.min(least, date), NEVER_US / 1000)
  const isOlder = silver.some(({ files }) =>
    files.some((file) => overlaps(file, 'ingestion_time', Number.NEGATIVE_INFINITY, oldestMs - 1)),
  )
  return isOlder ? oldestMs * 1000 : 0
}

const COLUMNS = [...POSITION_COLUMNS, ...READING_COLUMNS].map(({ name }) => name).join(', ')

/** Makes `kept`: the rows of the devices of `dirty_part`, from their `from_us` until their `until_us`, whose arrivals are gone. */
export async function loadKept(lake: Lake, session: Session, readings: Snapshot): Promise<void> {
  const [first] = await session.rows<{ horizon_us: number | null }>(
    'SELECT CAST(max(horizon_us) AS DOUBLE) AS horizon_us FROM dirty_part',
  )
  const horizonMs = (first?.horizon_us ?? 0) / 1000
  const old = readings.files.filter(
    (file) => horizonMs > 0 && overlaps(file, 'ingestion_time', Number.NEGATIVE_INFINITY, horizonMs),
  )
  const files = await filesOfSpans(
    session,
    old,
    'timestamp',
    'SELECT from_us, until_us AS to_us FROM dirty_part',
  )
  await session.run(
    `CREATE OR REPLACE TEMP TABLE kept AS
     SELECT x.* FROM ${lake.scan(READINGS, files)} x
     JOIN dirty_part d ON d.device_id = x.device_id AND d.tenant_id = ${TENANT('x')}
     WHERE epoch_us(x.timestamp) >= d.from_us AND epoch_us(x.timestamp) < d.until_us AND epoch_us(x.ingestion_time) < d.horizon_us`,
  )
}

/** Puts them beside the arrivals of a query. */
export const KEPT_TOO = `UNION ALL BY NAME SELECT ${COLUMNS} FROM kept`

const OF_NEIGHBOURS = [
  'temp_1h_avg',
  'power_1h_avg',
  'alert_frequency_1h',
  'energy_wh',
  'energy_from',
  'energy_to',
  'energy_method',
].map((name) => `CASE WHEN r.seen THEN r.${name} ELSE k.${name} END AS ${name}`)

/** The new rows of `readings`, and those of `kept` with what depends on their neighbours. */
export const FRESH_READINGS = `
  SELECT r.* FROM readings r
  ANTI JOIN kept k USING (stream_topic, stream_partition, stream_offset, stream_index)
  UNION ALL BY NAME
  SELECT k.* REPLACE (${OF_NEIGHBOURS.join(', ')}) FROM kept k
  LEFT JOIN (SELECT true AS seen, * FROM readings) r USING (stream_topic, stream_partition, stream_offset, stream_index)`
