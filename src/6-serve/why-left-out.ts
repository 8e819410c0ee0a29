/** What of a device's day is no row of Silver: repeated and rejected arrivals. */
import { SILVER_DUPLICATES, SILVER_REJECTS } from '../4-silver/tables.ts'
import { literal, partitionWithin, type View } from './lake-reader.ts'
import { positionId, type Position } from './why-bronze.ts'
import type { DeviceDay } from './why-readings.ts'

export interface DuplicateRow extends Position {
  timestamp: string
  channel: string
  t_us: number
  /** Id of the reading that it repeats. */
  of: string
}

export interface RejectRow extends Position {
  timestamp: string | null
  reject_reason: string
  reject_detail: string
  t_us: number | null
}

const POSITION = 'ingestion_time, stream_topic, stream_partition, stream_offset, stream_index'

/** UTC dates that a local day reaches into. */
function datesOf({ startUs, endUs }: DeviceDay): [string, string] {
  const date = (us: number): string => new Date(us / 1000).toISOString().slice(0, 10)
  return [date(startUs), date(endUs)]
}

export async function readDuplicates(view: View, day: DeviceDay): Promise<DuplicateRow[]> {
  const rows = await view.ask<Omit<DuplicateRow, 'of'> & Record<`of_${keyof Position}`, never>>(
    `SELECT ${POSITION}, timestamp, channel, epoch_us(timestamp) AS t_us,
       of_stream_topic, of_stream_partition, of_stream_offset, of_stream_index
     FROM ${view.from(SILVER_DUPLICATES.name, partitionWithin('event_date', ...datesOf(day)))}
     WHERE ${of(day)} AND epoch_us(timestamp) >= ${day.startUs} AND epoch_us(timestamp) < ${day.endUs}
     ORDER BY timestamp, ${POSITION}`,
    { keep: false },
  )
  return rows.map((row) => ({
    ...row,
    of: positionId({
      ingestion_time: '',
      stream_topic: row.of_stream_topic,
      stream_partition: row.of_stream_partition,
      stream_offset: row.of_stream_offset,
      stream_index: row.of_stream_index,
    }),
  }))
}

/** Rejects that count on the day: by their event time, or by their ingestion time where that is absent or was the reason. */
export async function readRejects(view: View, day: DeviceDay): Promise<RejectRow[]> {
  return await view.ask<RejectRow>(
    `SELECT * FROM (
       SELECT ${POSITION}, timestamp, reject_reason, reject_detail,
         epoch_us(CASE WHEN timestamp IS NULL OR reject_reason IN ('before_2000', 'in_future')
           THEN ingestion_time ELSE timestamp END) AS t_us
       FROM ${view.from(SILVER_REJECTS.name, partitionWithin('counted_date', ...datesOf(day)))}
       WHERE ${of(day)})
     WHERE t_us >= ${day.startUs} AND t_us < ${day.endUs}
     ORDER BY t_us, ${POSITION}`,
    { keep: false },
  )
}

const of = ({ tenant, device }: DeviceDay): string =>
  `coalesce(nullif(trim(tenant_id), ''), 'home') = ${literal(tenant)} AND device_id = ${literal(device)}`
