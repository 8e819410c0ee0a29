/** One message as it came, read only as far as somebody asks. */
import { isUtf8 } from 'node:buffer'

/** What no device sends in one message, bytes. Lists of hundreds of Zigbee devices are some hundred kB. */
export const MAX_PAYLOAD_BYTES = 8_000_000

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Strings are passed over; what stands bare is no JSON. */
const STRING_OR_NOT_A_NUMBER = /"(?:[^"\\]|\\.)*"|[-+]?\b(?:nan|inf|infinity)\b/gi

export class Message {
  readonly topic: string
  readonly payload: Uint8Array
  /** The topic's levels. */
  readonly levels: readonly string[]
  #text: string | undefined | null = null
  #json: unknown = null
  #parsed = false
  #notNumbers = 0

  constructor(topic: string, levels: readonly string[], payload: Uint8Array) {
    this.topic = topic
    this.levels = levels
    this.payload = payload
  }

  /** Without surrounding space; undefined where the bytes are no UTF-8, or hold a NUL, as UTF-16 does. */
  text(): string | undefined {
    if (this.#text === null) this.#text = readText(this.payload)
    return this.#text
  }

  /** An object or a list; undefined where it is none. A bare `nan` in it reads as null. */
  json(): unknown {
    if (!this.#parsed) {
      this.#parsed = true
      const text = this.text()
      const first = text?.[0]
      this.#json = first === '{' || first === '[' ? this.#parse(text!) : undefined
    }
    return this.#json
  }

  object(): JsonObject | undefined {
    const json = this.json()
    return isObject(json) ? json : undefined
  }

  /** How many numbers were no numbers (`nan`, `inf`). */
  get notNumbers(): number {
    return this.#notNumbers
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text)
    } catch {
      if (!/nan|inf/i.test(text)) return undefined
    }
    const mended = text.replace(STRING_OR_NOT_A_NUMBER, (token) => {
      if (token.startsWith('"')) return token
      this.#notNumbers += 1
      return 'null'
    })
    try {
      return JSON.parse(mended)
    } catch {
      return undefined
    }
  }
}

function readText(payload: Uint8Array): string | undefined {
  if (payload.byteLength > MAX_PAYLOAD_BYTES) return undefined
  const bytes = Buffer.isBuffer(payload)
    ? payload
    : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  const text = bytes.toString('utf8')
  // Only a replacement character hints at bytes that are no UTF-8; it may also have been sent as such.
  if (text.includes('\0') || (text.includes('\uFFFD') && !isUtf8(payload))) return undefined
  return text.trim()
}
