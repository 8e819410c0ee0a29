/**
 * Bronze read once more from its beginning, as it arrived: the registry learns all of it again, and what can be read now,
 * since a decoder, a mapping or a lesson has come, is appended to the stream with the time at which it arrived.
 */
import type { Engine, Lake } from '../../lake/types.ts'
import { isKept } from '../decoders/decoder.ts'
import { DECODERS, decode } from '../decoders/index.ts'
import type { Mapping } from '../decoders/mapping.ts'
import { openZone } from '../import/times.ts'
import { messagesOf, payloadOf, RETAINED_EVENT } from '../intake.ts'
import type { Sink, StreamMessage } from '../source.ts'
import type { Registry } from './registry.ts'

export interface DecodedAgain {
  messages: number
  /** Raw messages that became readings now. */
  decoded: number
  readings: number
  devices: number
}

interface Row {
  position: string
  tenant: string
  named: boolean
  device: string | null
  event_id: string | null
  topic: string
  raw: string
  receivedMs: number
}

const ROWS_AT_ONCE = 5_000
const PROTOCOLS = [...DECODERS.map(({ protocol }) => protocol), 'unknown', 'mqtt']

/**
 * Messages that were decoded again before are not appended twice; where that was forgotten, Silver finds what is appended
 * once more to be duplicates.
 */
export async function decodeAgain(options: {
  lake: Lake
  engine: Engine
  sink: Sink
  registry: Registry
  /** Name of the table of arrivals. */
  bronze: string
  timeZone: string
  mappings: readonly Mapping[]
}): Promise<DecodedAgain> {
  const { lake, engine, registry, bronze, mappings, sink } = options
  const zone = openZone(options.timeZone)
  const done: DecodedAgain = { messages: 0, decoded: 0, readings: 0, devices: 0 }
  registry.clear()
  const session = await engine.session()
  try {
    const { files } = await lake.snapshot(bronze)
    const known = PROTOCOLS.map((protocol) => `'${protocol}'`).join(', ')
    await session.run(
      `CREATE OR REPLACE TEMP TABLE messages AS
       SELECT row_number() OVER (ORDER BY ingestion_time, stream_topic, stream_partition, stream_offset, stream_index) AS no,
         concat_ws('/', stream_topic, stream_partition, stream_offset, stream_index) AS position,
         CASE WHEN trim(tenant_id) <> '' THEN tenant_id ELSE 'home' END AS tenant, device_id IS NOT NULL AS named, device_id AS device,
         event_id, source_topic AS topic, raw,
         CAST(epoch_ms(CASE WHEN device_id IS NULL AND timestamp IS NOT NULL THEN timestamp ELSE ingestion_time END) AS DOUBLE) AS received_ms
       FROM ${lake.scan(bronze, files)}
       WHERE source_topic IS NOT NULL AND raw IS NOT NULL AND ingest_kind = 'live' AND protocol IN (${known})`,
    )
    for (let from = 0; ; from += ROWS_AT_ONCE) {
      const rows = await session.rows<Omit<Row, 'receivedMs'> & { received_ms: number }>(
        `SELECT * FROM messages WHERE no > ${from} AND no <= ${from + ROWS_AT_ONCE} ORDER BY no`,
      )
      if (rows.length === 0) break
      const found: StreamMessage[] = []
      const positions: string[] = []
      for (const row of rows) {
        const messages = decodeRow({ ...row, receivedMs: row.received_ms }, { registry, zone, mappings })
        done.messages += 1
        if (messages.length === 0) continue
        positions.push(row.position)
        found.push(...messages)
      }
      if (found.length > 0) await sink.append(found)
      registry.decodedAgain(positions)
      registry.flush()
      done.decoded += positions.length
      done.readings += found.length
    }
    done.devices = registry.devices().length
    return done
  } finally {
    await session.close()
  }
}

/** What the message is, if it has become a reading only now. */
function decodeRow(
  { position, tenant, named, device, event_id, topic, raw, receivedMs }: Row,
  {
    registry,
    zone,
    mappings,
  }: { registry: Registry; zone: ReturnType<typeof openZone>; mappings: readonly Mapping[] },
): StreamMessage[] {
  const payload = payloadOf(raw)
  const retained = !named && event_id === RETAINED_EVENT
  // Who answers a question need not name itself: it is the one that was asked.
  const asked = device !== null && topic.startsWith('GET ') ? { device } : {}
  const context = { receivedMs, retained, zone, lessons: registry.lessons, mappings, ...asked }
  const outcome = decode(topic, payload, context)
  // A message that was read, but is not now, needs something that it did not carry: what is known of its device stays.
  if (named && isKept(outcome)) return []
  registry.note({ tenant, topic, payload, receivedMs, outcome })
  if (named || isKept(outcome) || outcome.readings.length === 0 || registry.isDecodedAgain(position))
    return []
  return messagesOf(outcome, { tenant, kind: 'backfill' })
}
