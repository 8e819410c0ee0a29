/** What any client may write to the topic on a real broker, past all of ours: bytes or nothing as key, value and headers; landed as Kafka is. */
import assert from 'node:assert/strict'
import { Producer } from '@platformatic/kafka'
import { BRONZE_TELEMETRY } from '../../src/3-bronze/tables.ts'
import { openHouse } from '../3-bronze/house.ts'
import { openTopic } from '../kafka/setting.ts'
import { startKafka } from '../servers/kafka.ts'
import { TAKEN, texts, type Door } from './door.ts'

const BYTES = 'data:application/octet-stream;base64,'
const READING = '{"device_id":"plug","timestamp":"2026-01-15T10:30:00Z","power_usage":12.5}'
/** The broker's own limit is a megabyte. */
const LARGE = 900_000

interface Landed {
  stream_offset: number
  device_id: string | null
  faults: string[] | null
  raw64: string | null
}

/** The message as it was, of the text that Bronze keeps of it. */
function bytesOf(raw64: string): Buffer {
  const raw = Buffer.from(raw64, 'base64')
  const isData = raw.subarray(0, BYTES.length).toString('latin1') === BYTES
  return isData ? Buffer.from(raw.subarray(BYTES.length).toString('latin1'), 'base64') : raw
}

export async function kafkaDoor(): Promise<Door> {
  const kafka = await startKafka()
  const topic = 'hostile'
  const log = await openTopic(kafka, topic, 1)
  const house = await openHouse(undefined, { log, keepStreamMs: null })
  const producer = new Producer({ clientId: 'somebody', bootstrapBrokers: kafka.brokers, retries: 5 })
  const sent = new Map<number, Buffer | undefined>()
  return {
    name: 'kafka messages',
    seeds: [
      ...texts(
        READING,
        `[${READING},${READING}]`,
        '12.5',
        '',
        `${READING}\n${READING}`,
        BYTES,
        `${BYTES}AAA=`,
      ),
      Buffer.concat([Buffer.from([0, 0, 0, 0, 7]), Buffer.from(READING)]),
      Buffer.from([0, 0, 0, 0, 7, 2, 0x61, 0xff]),
    ],
    async take(input, random) {
      const some = (most: number): Buffer => input.subarray(0, Math.floor(random() * most))
      const size = random()
      const value =
        size < 0.1 ? undefined : size < 0.12 ? Buffer.alloc(LARGE, input.length > 0 ? input : 0) : input
      const key = random() < 0.3 ? undefined : some(50)
      const headers = new Map(
        Array.from({ length: Math.floor(random() * 4) }, () => [some(30), some(300)] as const),
      )
      const { offsets } = await producer.send({
        messages: [{ topic, partition: 0, headers, ...(key && { key }), ...(value && { value }) }],
        acks: -1,
      })
      sent.set(Number(offsets![0]!.offset), value)
      return TAKEN
    },
    async check() {
      await house.landAll()
      const session = await house.engine.session()
      const { files } = await house.lake.snapshot(BRONZE_TELEMETRY.name)
      // As base64: of a text that begins with a byte order mark the engine's client would leave that out.
      const all = await session.rows<Landed>(
        `SELECT stream_offset, device_id, faults, base64(encode(raw)) AS raw64
         FROM ${house.lake.scan(BRONZE_TELEMETRY.name, files)}`,
      )
      await session.close()
      const rows = Map.groupBy(all, (row) => row.stream_offset)
      for (const [offset, value] of sent) {
        const landed = rows.get(offset) ?? []
        assert.ok(landed.length > 0, `the message at ${offset} is not in Bronze`)
        for (const { device_id, faults, raw64 } of landed) {
          if (raw64 === null) assert.ok(device_id ?? faults, `nothing is left of the message at ${offset}`)
          // Of an array each reading is a row, with its own part of the text.
          else if (landed.length === 1 && value !== undefined && !isArray(value))
            assert.deepEqual(bytesOf(raw64), value, `the message at ${offset} is not whole`)
        }
      }
    },
    async close() {
      await producer.close(true)
      await house.remove()
      await kafka.close()
    },
  }
}

function isArray(value: Buffer): boolean {
  const text = value.toString('latin1').trimStart()
  return (
    text.startsWith('[') ||
    (value[0] === 0 && value.subarray(5).toString('latin1').trimStart().startsWith('['))
  )
}
