/**
 * The body of a request as messages for the stream: one JSON object, an array of them, or JSON lines. Every element
 * goes on as it was written; what Silver will certainly set aside is said at once, line by line.
 */
import { isUtf8 } from 'node:buffer'
import { elementTexts, parseJson } from '../../json-text.ts'
import { NUMBER_FIELDS } from '../../reading.ts'
import { isoOf } from '../arrivals.ts'
import type { StreamMessage } from '../source.ts'

/** Why a line is not taken as a reading; the words of Silver's reject rules, and `foreign_home` for one that is refused. */
export type Reason =
  | 'not_json'
  | 'missing_device_id'
  | 'missing_timestamp'
  | 'before_2000'
  | 'in_future'
  | 'empty'
  | 'foreign_home'

export interface Line {
  /** What is appended; null: nothing is, since the line is refused. */
  message: StreamMessage | null
  verdict: 'accepted' | 'quarantined' | 'refused'
  reason: Reason | null
}

export interface LineContext {
  /** Home that the sender's key belongs to; null: the reading says itself. */
  tenant: string | null
  /** Times of arrival, ms, each later than the one before; a line that names no time is of its own. */
  clock: () => number
}

const FIRST_EVENT_MS = Date.UTC(2000, 0, 1)
/** As Silver's rule `in_future`. */
const AHEAD_LIMIT_MS = 600_000
const ZONED = /^\d{4}-\d\d-\d\dT?.*(?:Z|[+-]\d\d(?::?\d\d)?)$/i

/** The lines of a body; none where it is empty. */
export function readLines(body: Uint8Array, context: LineContext): Line[] {
  if (!isUtf8(body)) return [quarantined(body, null, 'not_json')]
  const text = Buffer.from(body).toString('utf8').trim()
  if (text === '') return []
  const whole = parseJson(text)
  if (whole === undefined) {
    const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
    return lines.map((line) => lineOf(line.trim(), parseJson(line)?.value, context))
  }
  if (!Array.isArray(whole.value)) return [lineOf(text, whole.value, context)]
  const values = whole.value as unknown[]
  return elementTexts(text).map((source, index) => lineOf(source, values[index], context))
}

function lineOf(source: string, value: unknown, context: LineContext): Line {
  const bytes = (text: string): Uint8Array => Buffer.from(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return quarantined(bytes(source), null, 'not_json')
  const fields = value as Record<string, unknown>
  const device = textOf(fields.device_id)
  const nowMs = context.clock()
  const stamps: Record<string, string> = {}
  if (fields.timestamp === undefined || fields.timestamp === null) stamps.timestamp = isoOf(nowMs)
  if (context.tenant !== null) {
    const tenant = textOf(fields.tenant_id)
    if (tenant === null) stamps.tenant_id = context.tenant
    else if (tenant !== context.tenant) return { message: null, verdict: 'refused', reason: 'foreign_home' }
  }
  const message = bytes(stamped(source, stamps))
  const reason = judge(fields, device, nowMs)
  return reason === null
    ? { message: { key: device, value: message }, verdict: 'accepted', reason: null }
    : quarantined(message, device, reason)
}

function quarantined(value: Uint8Array, key: string | null, reason: Reason): Line {
  return { message: { key, value }, verdict: 'quarantined', reason }
}

/** A device's name: text, or a whole number as Bronze takes it; null where there is none. */
function textOf(value: unknown): string | null {
  if (Number.isSafeInteger(value)) return String(value)
  return typeof value === 'string' && value.trim() !== '' ? value : null
}

/** Members put at the end: of two with one name the last one counts, so an explicit null before it does not. */
function stamped(source: string, stamps: Readonly<Record<string, string>>): string {
  const members = Object.entries(stamps).map(
    ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
  )
  if (members.length === 0) return source
  const front = source.slice(0, source.lastIndexOf('}')).trimEnd()
  return `${front}${front.endsWith('{') ? '' : ','}${members.join(',')}}`
}

function judge(
  fields: Readonly<Record<string, unknown>>,
  device: string | null,
  nowMs: number,
): Reason | null {
  if (device === null) return 'missing_device_id'
  const { timestamp } = fields
  if (timestamp !== undefined && timestamp !== null) {
    const atMs = typeof timestamp === 'string' && ZONED.test(timestamp) ? Date.parse(timestamp) : NaN
    if (Number.isNaN(atMs)) return 'missing_timestamp'
    if (atMs < FIRST_EVENT_MS) return 'before_2000'
    if (atMs > nowMs + AHEAD_LIMIT_MS) return 'in_future'
  }
  const has = (name: string): boolean => fields[name] !== undefined && fields[name] !== null
  const metrics = fields.metrics
  const hasMetrics = typeof metrics === 'object' && metrics !== null && Object.keys(metrics).length > 0
  return [...NUMBER_FIELDS, 'status', 'alert'].some(has) || hasMetrics ? null : 'empty'
}
