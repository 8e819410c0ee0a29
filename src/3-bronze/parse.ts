/**
 * From the bytes of a message to readings that can be typed. A message is one JSON object or an array of them;
 * whatever it is, it becomes at least one row, and no byte of it is lost.
 */
import { isUtf8 } from 'node:buffer'
import type { StreamRecord } from '../2-stream/log.ts'
import { elementTexts, parseJson } from '../json-text.ts'
import { faultsText, isObject, noFields, typeFields, type TypedFields } from './fields.ts'

/** Bytes that are no text stand in `raw` as a data URL. Text that begins like one does too, so that it cannot be mistaken. */
const BYTES_PREFIX = 'data:application/octet-stream;base64,'

/** What one record came to. */
export interface ParsedRecord {
  /** One per reading, in their order. */
  rows: TypedFields[]
  /** Whether the message holds no reading at all, only its bytes. */
  isDead: boolean
}

/** Types the readings of one message. */
export function parseRecord(record: StreamRecord): ParsedRecord {
  // The key is all that a tombstone says: what it would delete stays in Bronze.
  if (record.isTombstone) return { rows: [untyped(record.key, 'not_json', 'tombstone')], isDead: false }
  const text = decode(record.value)
  const json = text === undefined ? undefined : parseJson(text)
  if (text === undefined || json === undefined) {
    const registered = isRegistered(record.value)
    const inner = registered ? parseRegistered(record, rawOf(record.value, text)) : undefined
    if (inner) return inner
    const faults = registered ? ['not_json', 'schema_registry'] : ['not_json']
    return { rows: [untyped(rawOf(record.value, text), ...faults)], isDead: true }
  }
  if (Array.isArray(json.value) && json.value.length > 0) {
    const sources = elementTexts(text)
    return { rows: json.value.map((value, index) => typeReading(value, sources[index]!)), isDead: false }
  }
  return { rows: [typeReading(json.value, text)], isDead: false }
}

/**
 * What serializers of a schema registry put in front: a zero byte and the schema's number in four bytes. Behind it,
 * JSON is read as it stands; what a schema is needed for (Avro, Protobuf) is kept and named.
 */
const REGISTRY_PREFIX_BYTES = 5
const isRegistered = (bytes: Uint8Array): boolean => bytes.length > REGISTRY_PREFIX_BYTES && bytes[0] === 0

function parseRegistered(record: StreamRecord, raw: string): ParsedRecord | undefined {
  const inner = { ...record, value: record.value.subarray(REGISTRY_PREFIX_BYTES) }
  const first = inner.value.find((byte) => byte > 0x20)
  if (first !== 0x7b && first !== 0x5b) return undefined
  const parsed = parseRecord(inner)
  if (parsed.isDead) return undefined
  for (const row of parsed.rows) row.raw = raw
  return parsed
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

function typeReading(value: unknown, source: string): TypedFields {
  if (isObject(value)) return typeFields(value, source)
  return untyped(rawOf(Buffer.from(source), source), 'not_object')
}

function untyped(raw: string | null, ...faults: string[]): TypedFields {
  return { ...noFields(), raw, faults: faultsText(faults) }
}
