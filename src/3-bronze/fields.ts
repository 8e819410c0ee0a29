/** How the fields of one JSON object become typed columns, and what is said where they cannot. */
import { NUMBER_FIELDS, TEXT_FIELDS } from '../reading.ts'
import { parseInstant } from './instant.ts'

export type TextField = (typeof TEXT_FIELDS)[number]
/** Texts that are each reading's own; the others hardly change from one reading of a device to the next. */
export type OwnText = 'event_id' | 'raw'
export type SharedField = Exclude<TextField, OwnText>
export const SHARED_FIELDS = TEXT_FIELDS.filter(
  (name): name is SharedField => name !== 'event_id' && name !== 'raw',
)

export type SharedFields = { readonly [name in SharedField]: string | null }

export type OwnFields = { readonly [name in OwnText]: string | null } & {
  /** Event time, seconds since 1970-01-01T00:00:00Z; NaN where there is none. */
  readonly seconds: number
  /** Microseconds of that second. */
  readonly micros: number
  /** In the order of `NUMBER_FIELDS`, NaN where there is none: a reading's numbers are finite. */
  readonly measures: readonly number[]
  /** JSON object of the other numbers. */
  readonly metrics: string | null
  /** JSON array of what could not be typed. */
  readonly faults: string | null
}

/** A reading as the typed columns hold it. */
export type TypedFields = {
  -readonly [name in keyof (SharedFields & OwnFields)]: (SharedFields & OwnFields)[name]
} & {
  measures: number[]
}

/** Nothing typed yet. Written out, so that all readings have one shape in memory. */
export function noFields(): TypedFields {
  return {
    device_id: null,
    device_type: null,
    user_id: null,
    status: null,
    alert: null,
    location: null,
    manufacturer: null,
    model: null,
    tenant_id: null,
    channel: null,
    event_id: null,
    ingest_kind: null,
    protocol: null,
    source_topic: null,
    raw: null,
    seconds: NaN,
    micros: 0,
    measures: [NaN, NaN, NaN, NaN],
    metrics: null,
    faults: null,
  }
}

/** Sets a field from a value of any kind; what became of the value. */
type Setter = (fields: TypedFields, value: unknown) => Outcome
/** `part`: the column does not hold all that was sent. `fault`: it is of the wrong kind, and the column stays empty. */
type Outcome = 'whole' | 'part' | 'fault'

const SETTERS: ReadonlyMap<string, Setter> = new Map<string, Setter>([
  ...TEXT_FIELDS.map((name): [string, Setter] => [name, (fields, value) => setText(fields, name, value)]),
  ...NUMBER_FIELDS.map((name, measure): [string, Setter] => [
    name,
    (fields, value) => setNumber(fields, measure, value),
  ]),
  ['tenant_id', (fields, value) => (value === '' ? 'part' : setText(fields, 'tenant_id', value))],
  ['ingest_kind', (fields, value) => (isIngestKind(value) ? setText(fields, 'ingest_kind', value) : 'fault')],
  ['timestamp', setInstant],
])

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Types the fields of an object. Its text is kept in `raw` wherever the typed columns do not hold all of it; values of
 * the wrong kind become null and are named in `faults`, in the order in which they stand.
 */
export function typeFields(object: JsonObject, source: string): TypedFields {
  const fields = noFields()
  const faults: string[] = []
  let whole = true
  let [members, colons] = [0, 0]
  for (const key in object) {
    const value = object[key]
    members++
    if (typeof value === 'string') colons += countOf(COLON, value)
    if (key === 'metrics' && isObject(value)) {
      members += Object.keys(value).length
      whole = setMetrics(fields, value, faults) && whole
      continue
    }
    const set = SETTERS.get(key)
    const isKnown = set !== undefined || key === 'metrics'
    if (isKnown && value === null) continue
    const outcome = set?.(fields, value) ?? (isKnown ? 'fault' : 'part')
    if (outcome === 'fault') faults.push(key)
    if (outcome !== 'whole') whole = false
  }
  if (!whole || hasKeyTwice(source, members, colons)) fields.raw = source
  if (faults.length > 0) fields.faults = faultsText(faults)
  return fields
}

export const faultsText = (faults: readonly string[]): string =>
  JSON.stringify(faults.map((fault) => fault.toWellFormed()))

/** Whole numbers are taken as text: devices count their ids, channels and events. */
function setText(fields: TypedFields, name: TextField, value: unknown): Outcome {
  if (typeof value === 'string') {
    fields[name] = value.toWellFormed()
    return fields[name] === value ? 'whole' : 'part'
  }
  if (!Number.isSafeInteger(value)) return 'fault'
  fields[name] = String(value)
  return 'part'
}

function isIngestKind(value: unknown): boolean {
  return value === 'live' || value === 'backfill'
}

const NUMBER_TEXT = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/

/** Finite numbers, also where they are written as text; NaN for all else. A zero has no sign: both are the same figure. */
function numberOf(value: unknown): number {
  const number = typeof value === 'string' && NUMBER_TEXT.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number + 0 : NaN
}

function setNumber(fields: TypedFields, measure: number, value: unknown): Outcome {
  const number = numberOf(value)
  if (Number.isNaN(number)) return 'fault'
  fields.measures[measure] = number
  return typeof value === 'number' ? 'whole' : 'part'
}

function setInstant(fields: TypedFields, value: unknown): Outcome {
  const instant = typeof value === 'string' ? parseInstant(value) : undefined
  if (!instant) return 'fault'
  fields.seconds = instant.seconds
  fields.micros = instant.micros
  return instant.exact ? 'whole' : 'part'
}

/** Whether the column holds all that was sent. */
function setMetrics(fields: TypedFields, object: JsonObject, faults: string[]): boolean {
  const metrics = new Map<string, number>()
  let whole = true
  for (const name in object) {
    const value = object[name]
    if (value === null) continue
    const key = name.toWellFormed()
    const number = numberOf(value)
    if (Number.isNaN(number)) faults.push(`metrics.${name}`)
    else metrics.set(key, number)
    if (typeof value !== 'number' || Number.isNaN(number) || key !== name) whole = false
  }
  fields.metrics = JSON.stringify(Object.fromEntries(metrics))
  return whole
}

const [QUOTE, BACKSLASH, COLON] = ['"', '\\', ':']

/**
 * Whether an object's text has more members than were parsed. All of it is known, so it is one object with at most one
 * object in it. Where the colons of the text are those of the members and of the texts that were parsed, nothing else
 * is there; where they are not, it is looked at character by character.
 */
function hasKeyTwice(source: string, members: number, colonsInTexts: number): boolean {
  const hasEscapes = source.includes(BACKSLASH)
  if (!hasEscapes && countOf(COLON, source) === members + colonsInTexts) return false
  return countMembers(source) !== members
}

function countOf(character: string, text: string): number {
  let count = 0
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) count++
  return count
}

/** The members of all objects in a valid JSON text: its colons outside of strings. */
function countMembers(source: string): number {
  let members = 0
  let inString = false
  for (let at = 0; at < source.length; at++) {
    const character = source[at]
    if (inString && character === BACKSLASH) at++
    else if (character === QUOTE) inString = !inString
    else if (character === COLON && !inString) members++
  }
  return members
}
