/**
 * From the bytes of a message to readings that can be typed. A message is one JSON object or an array of them;
 * whatever it is, it becomes at least one row, and no byte of it is lost.
 */
import { isUtf8 } from 'node:buffer'
import type { StreamRecord } from '../2-stream/log.ts'
import { isObject, isRegular, typeFields, type TypedFields } from './fields.ts'

/** Bytes that are no text stand in `raw` as a data URL. Text that begins like one does too, so that it cannot be mistaken. */
const BYTES_PREFIX = 'data:application/octet-stream;base64,'

const BYTE_ORDER_MARK = '\uFEFF'

/** What one record came to. */
export interface ParsedRecord {
  /** JSON objects without line breaks, one per reading: its position and its fields of the right types. */
  rows: string[]
  /** How many of them have faults. */
  faulty: number
}

/** Types the readings of one message. */
export function parseRecord(record: StreamRecord): ParsedRecord {
  const parsed: ParsedRecord = { rows: [], faulty: 0 }
  const text = decode(record.value)
  const json = text === undefined ? undefined : parseJson(text)
  if (text === undefined || json === undefined) {
    addTyped(parsed, record, { raw: rawOf(record.value, text), faults: ['not_json'] })
  } else if (Array.isArray(json.value) && json.value.length > 0) {
    const sources = elementTexts(text)
    for (const [index, value] of json.value.entries()) addReading(parsed, record, value, sources[index]!)
  } else {
    addReading(parsed, record, json.value, text)
  }
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

/**
 * Strict JSON; else, the same text with a byte order mark passed over and each bare `NaN` or `Infinity` put as an
 * empty list, which is of the wrong kind for every field: one bad number does not take the other fields with it.
 */
function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    const mended = text
      .replace(BYTE_ORDER_MARK, '')
      .replace(STRING_OR_NOT_A_NUMBER, (token) => (token.startsWith('"') ? token : '[]'))
    if (mended === text) return undefined
    try {
      const value = JSON.parse(mended) as unknown
      return Array.isArray(value) && value.length === 0 ? undefined : { value }
    } catch {
      return undefined
    }
  }
}

const STRING_OR_NOT_A_NUMBER = /"(?:[^"\\]|\\.)*"|[-+]?\b(?:nan|inf|infinity)\b/gi

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

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const OPENING = new Set([0x5b, 0x7b])
const CLOSING = new Set([0x5d, 0x7d])

/** The untouched texts of the elements of a valid JSON array. */
function elementTexts(text: string): string[] {
  const elements: string[] = []
  let depth = 0
  let inString = false
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (inString) {
      if (code === BACKSLASH) at++
      else if (code === QUOTE) inString = false
    } else if (code === QUOTE) inString = true
    else if (OPENING.has(code)) {
      if (++depth === 1) from = at + 1
    } else if (CLOSING.has(code)) {
      if (--depth === 0) elements.push(text.slice(from, at).trim())
    } else if (code === COMMA && depth === 1) {
      elements.push(text.slice(from, at).trim())
      from = at + 1
    }
  }
  return elements
}
