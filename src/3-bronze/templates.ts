/**
 * The quick way of nearly every message: a device repeats itself, and what changes from one message to the next are its
 * numbers and its time. Such a message is not parsed but compared with one that was, and read off where they differ.
 * Whatever is not beyond doubt is left to `parse.ts`, which alone decides what a message means.
 */
import { NUMBER_FIELDS } from '../reading.ts'
import { isObject, type OwnFields, type SharedFields, type TypedFields } from './fields.ts'
import { looksPlain, readPlainInstant } from './instant.ts'

/** What messages have in common that are one text around their numbers and times. */
interface Template {
  shared: SharedFields
  /** What each number or time of the text is, in their order: an index of `NUMBER_FIELDS`, or one of the below. */
  slots: readonly number[]
  /** Where the object of metrics lies: so many bytes before one slot to so many behind another. */
  metrics?: { first: number; before: number; last: number; behind: number }
}

const TIME = -1
const METRIC = -2

/** A message that was read off: what it shares with the template, and what is its own. */
export interface ReadOff {
  shared: SharedFields
  own: OwnFields
}

/** Longer messages, and those of more numbers, are parsed. */
const MOST_BYTES = 1024
const MOST_SLOTS = 24
/** More are not remembered: some tens of MB. */
const MOST_TEMPLATES = 20_000
/** With so many it begins anew after so many messages, not sooner: of a million devices each would be forgotten before it comes again. */
const MESSAGES_BEFORE_ANEW = 1_000_000

const [OPENING, CLOSING, QUOTE, BACKSLASH, SPACE] = [0x7b, 0x7d, 0x22, 0x5c, 0x20]
const [MINUS, POINT, ZERO, NINE, SMALL_E, CAPITAL_E] = [0x2d, 0x2e, 0x30, 0x39, 0x65, 0x45]
/** Stand for a number and for a time in the text of a template: no text of JSON has them. */
const [NUMBER_MARK, TIME_MARK] = [0x01, 0x02]
/** A whole number of so many digits divided by such a power of ten gives the nearest double: both are exact. */
const MOST_DIGITS = 15
const POWERS_OF_TEN = Array.from({ length: MOST_DIGITS + 1 }, (_, exponent) => 10 ** exponent)

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= NINE

export class Templates {
  readonly #byText = new Map<string, Template>()
  readonly #scan = new Scan()
  /** Looked at since it began anew. */
  #messages = 0
  /** Of the last message that was read off. */
  readonly #own = {
    seconds: NaN,
    micros: 0,
    measures: NUMBER_FIELDS.map(() => NaN),
    event_id: null,
    raw: null,
    metrics: null as string | null,
    faults: null,
  }

  /** Reads off a message that is known but for its numbers and its time; `own` holds until the next one. */
  readOff(message: Uint8Array): ReadOff | undefined {
    this.#messages++
    const text = this.#scan.textOf(message)
    const template = text === undefined ? undefined : this.#byText.get(text)
    if (template === undefined) return undefined
    const { values, starts, ends } = this.#scan
    const own = this.#own
    own.seconds = NaN
    own.micros = 0
    own.measures.fill(NaN)
    for (let slot = 0; slot < template.slots.length; slot++) {
      const is = template.slots[slot]!
      if (is >= 0) own.measures[is] = values[slot]!
      if (is !== TIME) continue
      if (!readPlainInstant(message, starts[slot]!, ends[slot]!, own)) return undefined
    }
    own.metrics = template.metrics === undefined ? null : this.#metricsOf(message, template.metrics)
    return { shared: template.shared, own }
  }

  #metricsOf(message: Uint8Array, { first, before, last, behind }: NonNullable<Template['metrics']>): string {
    const { starts, ends } = this.#scan
    return utf8(message, starts[first]! - before, ends[last]! + behind)
  }

  /** Remembers a message that was parsed to one reading without a fault. */
  learn(message: Uint8Array, fields: TypedFields): void {
    if (fields.raw !== null || fields.event_id !== null || !this.#hasRoom()) return
    const text = this.#scan.textOf(message)
    if (text === undefined) return
    const object = JSON.parse(utf8(message, 0, message.byteLength)) as Readonly<Record<string, unknown>>
    const slots = slotsOf(object)
    if (slots?.length !== this.#scan.slots) return
    const template: Template = { shared: fields, slots }
    if (fields.metrics !== null) {
      const metrics = this.#whereMetricsAre(message, slots, fields.metrics)
      if (metrics === undefined) return
      template.metrics = metrics
    }
    this.#byText.set(text, template)
  }

  #hasRoom(): boolean {
    if (this.#byText.size < MOST_TEMPLATES) return true
    if (this.#messages < MESSAGES_BEFORE_ANEW) return false
    this.#byText.clear()
    this.#messages = 0
    return true
  }

  #whereMetricsAre(message: Uint8Array, slots: readonly number[], metrics: string): Template['metrics'] {
    const [first, last] = [slots.indexOf(METRIC), slots.lastIndexOf(METRIC)]
    if (first === -1) return undefined
    const [start, end] = [this.#scan.starts[first]!, this.#scan.ends[last]!]
    const from = message.lastIndexOf(OPENING, start)
    const to = message.indexOf(CLOSING, end) + 1
    // A name may hold a brace: only what is the same object is believed.
    try {
      if (JSON.stringify(JSON.parse(utf8(message, from, to))) !== metrics) return undefined
    } catch {
      return undefined
    }
    return { first, before: start - from, last, behind: to - end }
  }
}

/** What each number and each time of a message is; undefined where the text alone cannot tell. */
function slotsOf(object: Readonly<Record<string, unknown>>): number[] | undefined {
  const slots: number[] = []
  for (const key in object) {
    const value = object[key]
    if (typeof value === 'number') {
      const measure = (NUMBER_FIELDS as readonly string[]).indexOf(key)
      if (measure === -1) return undefined
      slots.push(measure)
    } else if (key === 'timestamp') slots.push(TIME)
    else if (typeof value === 'string' && looksPlain(Buffer.from(value), 0, Buffer.byteLength(value)))
      return undefined
    else if (isObject(value)) {
      for (const name in value) {
        // The engine would have them in another order, and a null as a metric.
        if (/^\d+$/.test(name) || typeof value[name] !== 'number') return undefined
        slots.push(METRIC)
      }
    }
  }
  return slots
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
const utf8 = (bytes: Uint8Array, from: number, to: number): string =>
  bufferOf(bytes).toString('utf8', from, to)

/** Finds the numbers and times of a JSON text, by its bytes. */
class Scan {
  slots = 0
  /** Of each number: its value. */
  readonly values = new Float64Array(MOST_SLOTS)
  readonly starts = new Int32Array(MOST_SLOTS)
  readonly ends = new Int32Array(MOST_SLOTS)
  readonly #text = Buffer.alloc(MOST_BYTES)
  #number = 0

  /** The text with a mark in place of each number and time; undefined where it has an escape, a line break or a number out of the ordinary. */
  textOf(message: Uint8Array): string | undefined {
    const length = message.byteLength
    if (length > MOST_BYTES || message[0] !== OPENING) return undefined
    const text = this.#text
    this.slots = 0
    let out = 0
    for (let at = 0; at < length;) {
      const byte = message[at]!
      if (byte === QUOTE) {
        const from = ++at
        text[out++] = QUOTE
        const began = out
        for (let one = message[at]!; one !== QUOTE; one = message[++at]!) {
          // Beyond the end, too: there it is undefined.
          if (!(one >= SPACE) || one === BACKSLASH) return undefined
          text[out++] = one
        }
        if (looksPlain(message, from, at)) {
          if (!this.#addSlot(from, at)) return undefined
          out = began
          text[out++] = TIME_MARK
        }
        text[out++] = QUOTE
        at++
      } else if (byte === MINUS || isDigit(byte)) {
        const end = this.#numberAt(message, at)
        if (end === -1 || !this.#addSlot(at, end)) return undefined
        this.values[this.slots - 1] = this.#number
        text[out++] = NUMBER_MARK
        at = end
      } else {
        if (byte < SPACE) return undefined
        text[out++] = byte
        at++
      }
    }
    return text.toString('latin1', 0, out)
  }

  #addSlot(start: number, end: number): boolean {
    if (this.slots === MOST_SLOTS) return false
    this.starts[this.slots] = start
    this.ends[this.slots] = end
    this.slots++
    return true
  }

  /** Reads a number of JSON into `#number` and gives its end; -1 where it is none, has an exponent, too many digits or is a zero with a sign. */
  #numberAt(message: Uint8Array, start: number): number {
    let at = start
    const isNegative = message[at] === MINUS
    if (isNegative) at++
    const first = at
    let whole = 0
    for (; isDigit(message[at]); at++) whole = whole * 10 + message[at]! - ZERO
    if (at === first || (message[first] === ZERO && at > first + 1)) return -1
    let decimals = 0
    if (message[at] === POINT) {
      const point = at++
      for (; isDigit(message[at]); at++) whole = whole * 10 + message[at]! - ZERO
      decimals = at - point - 1
      if (decimals === 0) return -1
    }
    if (at - first > MOST_DIGITS || message[at] === SMALL_E || message[at] === CAPITAL_E) return -1
    if (isNegative && whole === 0) return -1
    const number = whole / POWERS_OF_TEN[decimals]!
    this.#number = isNegative ? -number : number
    return at
  }
}
