/** How the fields of one JSON object become typed columns, and what is said where they cannot. */
import { NUMBER_FIELDS, TEXT_FIELDS } from '../reading.ts'
import { isPlainInstant, parseInstant } from './instant.ts'

export type FieldKind = 'text' | 'kind' | 'number' | 'instant' | 'numbers'

export const FIELD_KINDS: ReadonlyMap<string, FieldKind> = new Map<string, FieldKind>([
  ...TEXT_FIELDS.map((name) => [name, 'text'] as const),
  ['ingest_kind', 'kind'],
  ...NUMBER_FIELDS.map((name) => [name, 'number'] as const),
  ['timestamp', 'instant'],
  ['metrics', 'numbers'],
])

export type JsonObject = Readonly<Record<string, unknown>>

/** A reading in JSON values that the engine casts without loss; absent fields are null. */
export type TypedFields = Record<string, unknown>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Whether a text, parsed to this object, says exactly what the typed columns hold, so that the engine may read the
 * text itself: every field known and of its kind, no key twice, no escapes. It is the way of nearly every reading,
 * and only ever answers yes beyond doubt.
 */
export function isRegular(object: JsonObject, text: string): boolean {
  let quotes = 0
  for (const key in object) {
    const value = object[key]
    const kind = FIELD_KINDS.get(key)
    if (kind === undefined) return false
    quotes += 2
    if (value === null) continue
    if (kind === 'numbers') {
      const count = regularNumbers(value)
      if (count === undefined) return false
      quotes += 2 * count
    } else if (kind === 'number') {
      if (!Number.isFinite(value)) return false
    } else {
      if (typeof value !== 'string' || !isRegularText(kind, key, value)) return false
      quotes += 2
    }
  }
  // A key that stands twice is parsed once, and leaves more quotation marks than the object accounts for.
  return quotes > 0 && quotes === plainQuotes(text)
}

function isRegularText(kind: FieldKind, key: string, value: string): boolean {
  if (kind === 'instant') return isPlainInstant(value)
  if (kind === 'kind') return isIngestKind(value)
  return key !== 'tenant_id' || value !== ''
}

function isIngestKind(value: unknown): boolean {
  return value === 'live' || value === 'backfill'
}

/** How many members an object of finite numbers has; undefined where it is anything else. */
function regularNumbers(value: unknown): number | undefined {
  if (!isObject(value)) return undefined
  let count = 0
  for (const key in value) {
    if (!Number.isFinite(value[key])) return undefined
    count++
  }
  return count
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20

/** The number of quotation marks; -1 where there is an escape or a line break. */
function plainQuotes(text: string): number {
  let quotes = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) quotes++
    else if (code === BACKSLASH || code < SPACE) return -1
  }
  return quotes
}

/** A value for a column. `whole`: the column holds all that was sent. */
type Typed = { value: unknown; whole: boolean }

/**
 * Types the fields of an object that is not regular. Text is kept in `raw` wherever the typed columns do not hold
 * all of it; values of the wrong kind become null and are named in `faults`, in the order in which they stand.
 */
export function typeFields(object: JsonObject, source: string): TypedFields {
  const fields: TypedFields = {}
  const faults: string[] = []
  let whole = true
  let members = 0
  for (const [key, value] of Object.entries(object)) {
    members++
    const kind = FIELD_KINDS.get(key)
    if (kind === 'numbers' && isObject(value)) {
      members += Object.keys(value).length
      const metrics = typeMetrics(value, faults)
      fields.metrics = metrics.value
      whole &&= metrics.whole
    } else if (kind === undefined) {
      whole = false
    } else if (value !== null) {
      const typed = typeField(kind, value)
      if (typed) fields[key] = typed.value
      else faults.push(key)
      whole &&= typed?.whole ?? false
    }
  }
  if (fields.tenant_id === '') {
    delete fields.tenant_id
    whole = false
  }
  // Everything known so far is one object with at most one object in it, so a key that stands twice shows in the colons.
  if (!whole || faults.length > 0 || members !== countMembers(source)) fields.raw = source
  if (faults.length > 0) fields.faults = faults.map((fault) => fault.toWellFormed())
  return fields
}

function typeField(kind: FieldKind, value: unknown): Typed | undefined {
  switch (kind) {
    case 'text':
      return typeText(value)
    case 'kind':
      return isIngestKind(value) ? { value, whole: true } : undefined
    case 'number':
      return typeNumber(value)
    case 'instant': {
      const instant = typeof value === 'string' ? parseInstant(value) : undefined
      return instant && { value: instant.iso, whole: instant.exact }
    }
    case 'numbers':
      return undefined
  }
}

/** Whole numbers are taken as text: devices count their ids, channels and events. */
function typeText(value: unknown): Typed | undefined {
  if (Number.isSafeInteger(value)) return { value: String(value), whole: false }
  if (typeof value !== 'string') return undefined
  const wellFormed = value.toWellFormed()
  return { value: wellFormed, whole: wellFormed === value }
}

const NUMBER_TEXT = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/

/** Finite numbers, also where they are written as text. */
function typeNumber(value: unknown): Typed | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? { value, whole: true } : undefined
  if (typeof value !== 'string' || !NUMBER_TEXT.test(value)) return undefined
  const number = Number(value)
  return Number.isFinite(number) ? { value: number, whole: false } : undefined
}

function typeMetrics(object: JsonObject, faults: string[]): Typed {
  // Without a prototype, so that a metric may have any name.
  const metrics = Object.create(null) as Record<string, number>
  let whole = true
  for (const [name, value] of Object.entries(object)) {
    if (value === null) continue
    const typed = typeNumber(value)
    const key = name.toWellFormed()
    if (typed) metrics[key] = typed.value as number
    else faults.push(`metrics.${name}`)
    whole &&= typed !== undefined && typed.whole && key === name
  }
  return { value: metrics, whole }
}

/** The members of all objects in a valid JSON text: its colons outside of strings. */
function countMembers(source: string): number {
  let members = 0
  let inString = false
  for (let at = 0; at < source.length; at++) {
    const code = source.charCodeAt(at)
    if (inString && code === BACKSLASH) at++
    else if (code === QUOTE) inString = !inString
    else if (code === 0x3a && !inString) members++
  }
  return members
}
