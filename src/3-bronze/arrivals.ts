/** The arrivals of one step, typed, in a table of the engine's session. */
import type { StreamRecord } from '../2-stream/log.ts'
import type { Session } from '../lake/types.ts'
import { DEFAULT_TENANT, NUMBER_FIELDS, TEXT_FIELDS } from '../reading.ts'
import { parseRecord } from './parse.ts'

const READING_TYPES = JSON.stringify({
  stream_offset: 'BIGINT',
  stream_index: 'INTEGER',
  ingestion_time_us: 'BIGINT',
  ...Object.fromEntries(TEXT_FIELDS.map((name) => [name, 'VARCHAR'])),
  ...Object.fromEntries(NUMBER_FIELDS.map((name) => [name, 'DOUBLE'])),
  timestamp: 'TIMESTAMPTZ',
  metrics: 'MAP(VARCHAR, DOUBLE)',
  faults: 'VARCHAR[]',
})

export interface Arrivals {
  /** Types the records into the session's table `arrivals`; the engine works while the next ones are read. */
  add(records: readonly StreamRecord[]): Promise<void>
  finish(): Promise<{ rows: number; faulty: number; dead: StreamRecord[] }>
}

export async function createArrivals(session: Session, streamId: string): Promise<Arrivals> {
  const select = `
    SELECT make_timestamptz(r.ingestion_time_us) AS ingestion_time, '${streamId.replaceAll("'", "''")}' AS stream_topic,
      CAST($2 AS INTEGER) AS stream_partition, DATE '1970-01-01' + CAST(r.ingestion_time_us // 86400000000 AS INTEGER) AS ingestion_date,
      r.* REPLACE (coalesce(r.tenant_id, '${DEFAULT_TENANT}') AS tenant_id, coalesce(r.channel, '') AS channel,
        coalesce(r.ingest_kind, 'live') AS ingest_kind)
    FROM (SELECT from_json(line, '${READING_TYPES}') AS r FROM (SELECT unnest(string_split($1, chr(10))) AS line))`
  await session.run(`CREATE OR REPLACE TEMP TABLE arrivals AS ${select} LIMIT 0`, ['{}', 0])
  let inserting: Promise<void> = Promise.resolve()
  let [rows, faulty] = [0, 0]
  const dead: StreamRecord[] = []
  return {
    async add(records) {
      if (records.length === 0) return
      const lines: string[] = []
      for (const record of records) {
        const parsed = parseRecord(record)
        for (const row of parsed.rows) lines.push(row)
        faulty += parsed.faulty
        if (parsed.isDead) dead.push(record)
      }
      rows += lines.length
      await inserting
      inserting = session.run(`INSERT INTO arrivals ${select}`, [lines.join('\n'), records[0]!.partition])
      inserting.catch(() => undefined) // Thrown where it is awaited.
    },
    async finish() {
      await inserting
      return { rows, faulty, dead }
    },
  }
}
