/** The last readings of a home from Silver, for when the live view has few: after a start, or for an imported home. */
import { SILVER_READINGS } from '../4-silver/tables.ts'
import type { LakeReader } from './lake-reader.ts'
import { literal } from './lake-reader.ts'
import type { TimedReading } from './live-reading.ts'

/** First the last hour before Silver's newest reading, then a day of it, then all that a month's files hold. */
const WINDOWS_MS = [3_600_000, 86_400_000, 31 * 86_400_000]

interface Row {
  device_id: string
  channel: string
  timestamp: string
  ingestion_time: string
  device_type: string | null
  user_id: string | null
  location: string | null
  temperature: number | null
  power_usage: number | null
  energy_consumption_wh: number | null
  status: string | null
  alert: string | null
}

/** At most so many, newest event time first. */
export async function readRecent(reader: LakeReader, tenant: string, limit: number): Promise<TimedReading[]> {
  const view = await reader.view([SILVER_READINGS.name])
  const { files } = view.snapshot(SILVER_READINGS.name)
  const newestMs = Math.max(0, ...files.map(({ stats }) => Date.parse(String(stats.max.timestamp)) || 0))
  let rows: Row[] = []
  for (const windowMs of newestMs === 0 ? [] : WINDOWS_MS) {
    const since = new Date(newestMs - windowMs).toISOString()
    rows = await view.ask<Row>(`
      SELECT device_id, channel, timestamp, ingestion_time, device_type, user_id, location,
        temperature, power_usage, energy_consumption_wh, status, alert
      FROM ${view.from(SILVER_READINGS.name, ({ stats }) => String(stats.max.timestamp ?? since) >= since)}
      WHERE tenant_id = ${literal(tenant)} AND timestamp >= TIMESTAMPTZ '${since}'
      ORDER BY timestamp DESC, ingestion_time DESC, stream_offset DESC
      LIMIT ${limit}`)
    if (rows.length >= limit) break
  }
  return rows.map(({ ingestion_time, user_id, ...row }) => {
    const eventMs = Date.parse(row.timestamp)
    return {
      reading: { tenant_id: tenant, ...row, timestamp: new Date(eventMs).toISOString() },
      user_id,
      eventMs,
      receivedMs: Date.parse(ingestion_time),
    }
  })
}
