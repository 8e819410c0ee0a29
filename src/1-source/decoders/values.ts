/** Single values as devices write them. */
import { isObject } from './message.ts'

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?$/
/** A comma that cannot part thousands. */
const COMMA_DECIMAL = /^[+-]?\d+,(?:\d{1,2}|\d{4,})$/

/** The finite number that a value is or spells; undefined for all else. A decimal comma counts where it is clear. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string' || value.length > 40) return undefined
  const text = value.trim()
  const number = DECIMAL.test(text)
    ? Number(text)
    : COMMA_DECIMAL.test(text)
      ? Number(text.replace(',', '.'))
      : NaN
  return Number.isFinite(number) ? number : undefined
}

/** A text that is not blank, as devices name themselves; at most 200 characters of it. */
export function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  return text === '' ? undefined : text.slice(0, 200)
}

const ON = new Set(['on', 'true', 'yes', 'open', 'detected', 'active', 'home', 'wet', 'motion', 'unlocked'])
const OFF = new Set(['off', 'false', 'no', 'closed', 'clear', 'inactive', 'not_home', 'dry', 'locked'])

/** 1 or 0 for what is on or off in any of the usual words; undefined for all else. */
export function switchOf(value: unknown): 0 | 1 | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value !== 'string' || value.length > 12) return undefined
  const word = value.toLowerCase()
  if (ON.has(word)) return 1
  return OFF.has(word) ? 0 : undefined
}

/** A name as part of a metric's: lower case, words parted by underscores. */
export function slug(name: string): string {
  const known = slugs.get(name)
  if (known !== undefined) return known
  const made = name
    .slice(0, 80)
    .normalize('NFKD')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
  if (slugs.size >= 10_000) slugs.clear()
  slugs.set(name, made)
  return made
}
const slugs = new Map<string, string>()

/** A member of an object, of an object in it, and so on. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let inner = value
  for (const key of path) {
    if (!isObject(inner)) return undefined
    inner = inner[key]
  }
  return inner
}

/** A table that is asked for names out of messages: it has its own members only, no `constructor` of every object. */
export function table<T>(members: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.assign(Object.create(null) as Record<string, T>, members)
}
