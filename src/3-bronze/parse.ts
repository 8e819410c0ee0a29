/**
 * From the bytes of a message to readings that can be typed. A message is one JSON object or an array of them;
 * whatever it is, it becomes at least one row, and no byte of it is lost.
 */
import { isUtf8 } from 'node:buffer'
import type { StreamRecord } from '../2-stream/log.ts'
import { elementTexts, parseJson } from '../json-text.ts'
import { isObject, isRegular, typeFields, type TypedFields } from './fields.ts'

/** Bytes that are no text stand in `raw` as a data URL. Text that begins like one does too, so that it cannot be mistaken. */
const BYTES_PREFIX = 'data:application/octet-stream;base64,'

/** What one record came to. */
export interface ParsedRecord {
  /** JSON objects without line breaks, one per reading: its position and its fields of the right types. */
  rows: string[]
  /** How many of them have faults. */
  faulty: number
  /** Whether the message holds no reading at all, only its bytes. */
  isDead: boolean
}

/** Types the readings of one message. */
export function parseRecord(record: StreamRecord): ParsedRecord {
  const parsed: ParsedRecord = { rows: [], faulty: 0, isDead: false }
  if (record.isTombstone) {
    // The key is all that it says: what it would delete stays in Bronze.
    addTyped(parsed, record, {
      ...(record.key !== null && { raw: record.key }),
      faults: ['not_json', 'tombstone'],
    })
    return parsed
  }
  const text = decode(record.value)
  const json = text === undefined ? undefined : parseJson(text)
  if (text === undefined || json === undefined) {
    if (addRegistered(parsed, record)) return parsed
    parsed.isDead = true
    const faults = isRegistered(record.value) ? ['not_json', 'schema_registry'] : ['not_json']
    addTyped(parsed, record, { raw: rawOf(record.value, text), faults })
  } else if (Array.isArray(json.value) && json.value.length > 0) {
    const sources = elementTexts(text)
    for (const [index, value] of json.value.entries()) addReading(parsed, record, value, sources[index]!)
  } else {
    addReading(parsed, record, json.value, text)
  }
  return parsed
}

/**
 * What serializers of a schema registry put in front: a zero byte and the schema's number in four bytes. Behind it,
 * JSON is read as it stands; what a schema is needed for (Avro, Protobuf) is kept and named.
 */
const REGISTRY_PREFIX_BYTES = 5
const isRegistered = (bytes: Uint8Array): boolean => bytes.length > REGISTRY_PREFIX_BYTES && bytes[0] === 0

function addRegistered(parsed: ParsedRecord, record: StreamRecord): boolean {
  if (!isRegistered(record.value)) return false
  const inner = { ...record, value: record.value.subarray(REGISTRY_PREFIX_BYTES) }
  const first = inner.value.find((byte) => byte > 0x20)
  if (first !== 0x7b && first !== 0x5b) return false
  const decoded = parseRecord(inner)
  if (decoded.isDead) return false
  const raw = rawOf(record.value, decode(record.value))
  for (const row of decoded.rows) parsed.rows.push(JSON.stringify({ ...(JSON.parse(row) as object), raw }))
  parsed.faulty = decoded.faulty
  return true
}

function decode(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  // Only a replacement character hints at bytes that are no UTF-8; it may also have been sent as such.
  return text.includes('\uFFFD') && !isUtf8(bytes) ? undefined : text
}

function rawOf(bytes: Uint8Array, text: string | undefined): string {
  if (text !== undefined && !text.startsWith(BYTES_PREFIX)) return text
  return BYTES_PREFIX + Buffer.from(bytes).toString('base64')
}

function addReading(parsed: ParsedRecord, record: StreamRecord, value: unknown, source: string): void {
  if (!isObject(value)) {
    addTyped(parsed, record, { raw: rawOf(Buffer.from(source), source), faults: ['not_object'] })
  } else if (isRegular(value, source)) {
    const position = `{"stream_offset":${record.offset},"stream_index":${parsed.rows.length},"ingestion_time_us":${record.ingestionTimeUs},`
    parsed.rows.push(position + source.slice(source.indexOf('{') + 1))
  } else {
    addTyped(parsed, record, typeFields(value, source))
  }
}

function addTyped(parsed: ParsedRecord, record: StreamRecord, fields: TypedFields): void {
  if (fields.faults !== undefined) parsed.faulty++
  const row = {
    stream_offset: record.offset,
    stream_index: parsed.rows.length,
    ingestion_time_us: record.ingestionTimeUs,
    ...fields,
  }
  parsed.rows.push(JSON.stringify(row))
}
