/** Event times as files write them: calendar dates in any order, epochs of any unit, with or without a clock time and a zone. */

export type DateOrder = 'dmy' | 'mdy' | 'ymd'
/** Order of day, month and year by what parts them (`/`, `-`, `.`), for dates that do not begin with a year of four digits. */
export type DateOrders = Readonly<Record<string, DateOrder | undefined>>

/** A clock time: milliseconds as if it were UTC, and the further digits of its second. */
export interface ClockTime {
  ms: number
  fraction: string
  /** Minutes east of UTC, where the text says so. */
  offsetMinutes?: number
  /** A date alone: the day as a whole. */
  isDay?: boolean
}

const CLOCK = String.raw`(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*([AaPp]\.?[Mm]\.?)?`
const ZONE = String.raw`\s*(Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?(?:\s*\[[\w/+-]+\])?`
const REST = String.raw`(?:(?:T|,?\s+|:|-)${CLOCK}${ZONE})?`
const YEAR_FIRST = new RegExp(String.raw`^(\d{4})([-/.])(\d{1,2})\2(\d{1,2})${REST}$`)
const YEAR_LAST = new RegExp(String.raw`^(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})${REST}$`)
const DAY_NAMED_MONTH = new RegExp(String.raw`^(\d{1,2})[-./\s]+([A-Za-z]{3,9})\.?[-./,\s]+(\d{4})${REST}$`)
const NAMED_MONTH_DAY = new RegExp(String.raw`^([A-Za-z]{3,9})\.?\s+(\d{1,2}),?\s+(\d{4})${REST}$`)
const COMPACT =
  /^(\d{4})(\d{2})(\d{2})(?:[T\s]?(\d{2}):?(\d{2})(?::?(\d{2})(?:\.(\d+))?)?(Z|[+-]\d{2}:?\d{2})?)?$/
const EPOCH = /^(\d{9,19})(?:\.(\d+))?$/
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAY_MS = 86_400_000
/** Zones run up to 14 hours ahead, and clocks may be wrong: what is later than this is no time of a measurement. */
const AHEAD_MS = 2 * DAY_MS

export function allOrders(order: DateOrder): DateOrders {
  return { '/': order, '-': order, '.': order }
}

/** What parts day, month and year where their order is open; undefined where it is not. */
export function openOrder(text: string): string | undefined {
  return YEAR_LAST.exec(text.trim())?.[2]
}

/** The time that a text names; undefined where it names none, or where the order of its date is not known. */
export function parseClock(text: string, orders: DateOrders): ClockTime | undefined {
  const first = YEAR_FIRST.exec(text)
  if (first) return clockTime([Number(first[1]), Number(first[3]), Number(first[4])], first.slice(5))
  const last = YEAR_LAST.exec(text)
  if (last) {
    const order = orders[last[2]!]
    return order && yearLast(last, order)
  }
  const epochOrCompact = /^\d/.test(text) ? (epoch(text) ?? compact(text)) : undefined
  if (epochOrCompact) return epochOrCompact
  const named = DAY_NAMED_MONTH.exec(text)
  if (named) return clockTime([Number(named[3]), monthOf(named[2]!), Number(named[1])], named.slice(4))
  const before = NAMED_MONTH_DAY.exec(text)
  return before
    ? clockTime([Number(before[3]), monthOf(before[1]!), Number(before[2])], before.slice(4))
    : undefined
}

/** 1 to 12, or 0: no month, so no date. */
function monthOf(name: string): number {
  return MONTHS.indexOf(name.slice(0, 3).toLowerCase()) + 1
}

function yearLast(match: RegExpExecArray, order: DateOrder): ClockTime | undefined {
  const [a, b, c] = [Number(match[1]), Number(match[3]), Number(match[4])]
  if (order === 'ymd') return match[4]!.length === 2 ? clockTime([2000 + a, b, c], match.slice(5)) : undefined
  // Two digits are of this century: nobody's meter is older.
  const year = c < 100 ? 2000 + c : c
  return clockTime(order === 'dmy' ? [year, b, a] : [year, a, b], match.slice(5))
}

function clockTime(
  date: readonly [year: number, month: number, day: number],
  rest: readonly (string | undefined)[],
): ClockTime | undefined {
  const [year, month, day] = date
  const [hourText, minuteText = '0', secondText = '0', fraction = '', half, zone] = rest
  let hour = Number(hourText ?? '0')
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return undefined
    hour = (hour % 12) + (half.toLowerCase().startsWith('p') ? 12 : 0)
  }
  const [minute, second] = [Number(minuteText), Number(secondText)]
  // ISO 8601 writes the end of a day as 24:00.
  const isEndOfDay = hour === 24 && minute === 0 && second === 0 && /^0*$/.test(fraction)
  if ((hour > 23 && !isEndOfDay) || minute > 59 || second > 59) return undefined
  const midnight = Date.UTC(year, month - 1, day)
  const back = new Date(midnight)
  if (back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day) return undefined
  const ms = midnight + ((hour * 60 + minute) * 60 + second) * 1000
  if (zone === undefined) return { ms, fraction, ...(hourText === undefined && { isDay: true }) }
  const digits = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone)
  const offset = digits ? (digits[1] === '-' ? -1 : 1) * (Number(digits[2]) * 60 + Number(digits[3] ?? 0)) : 0
  return { ms, fraction, offsetMinutes: offset }
}

/** Seconds, milliseconds, microseconds or nanoseconds since 1970, told by the number of digits, and never in the future. */
function epoch(text: string): ClockTime | undefined {
  const match = EPOCH.exec(text)
  if (!match) return undefined
  const [, digits, fraction = ''] = match as unknown as [string, string, string?]
  const power = digits.length <= 11 ? 0 : digits.length <= 14 ? 3 : digits.length <= 17 ? 6 : 9
  const seconds = Number(power === 0 ? digits : digits.slice(0, -power))
  // `20120115103000` would be a millisecond of the year 2607: it is a date without its separators.
  if (seconds * 1000 > Date.now() + AHEAD_MS && compact(text)) return undefined
  // `201201151030` would be one of 1976: nobody measured at home then.
  if (digits.length === 12) return undefined
  const rest = power === 0 ? '' : digits.slice(-power)
  return { ms: seconds * 1000, fraction: rest + fraction, offsetMinutes: 0 }
}

function compact(text: string): ClockTime | undefined {
  const match = COMPACT.exec(text)
  if (!match || !/^(?:19|20)/.test(text)) return undefined
  const [year, month, day] = match.slice(1, 4).map(Number) as [number, number, number]
  const [hour, minute, second, fraction, zone] = match.slice(4)
  return clockTime([year, month, day], [hour, minute, second, fraction, undefined, zone])
}

const CANDIDATES: readonly DateOrder[] = ['dmy', 'mdy', 'ymd']

/** Which orders the dates of a column allow. A date of a future day speaks against its order. */
export class OrderEvidence {
  readonly #seen = new Map<string, { fits: Record<DateOrder, number>; rows: number; example: string }>()

  add(text: string): void {
    const match = YEAR_LAST.exec(text.trim())
    if (!match) return
    const fits = CANDIDATES.filter((order) => {
      const time = yearLast(match, order)
      return time !== undefined && time.ms <= Date.now() + AHEAD_MS
    })
    // What fits no order at all is a bad row and says nothing of the others.
    if (fits.length === 0) return
    const parting = match[2]!
    const seen = this.#seen.get(parting) ?? {
      fits: { dmy: 0, mdy: 0, ymd: 0 },
      rows: 0,
      example: text.trim(),
    }
    this.#seen.set(parting, seen)
    seen.rows++
    for (const order of fits) seen.fits[order]++
  }

  /** The orders, or the example of one that is not clear, and whether that is since rows contradict each other. */
  orders(): DateOrders | { unclear: string; mixed: boolean } {
    const orders: Record<string, DateOrder> = {}
    for (const [parting, { fits, rows, example }] of this.#seen) {
      const possible = CANDIDATES.filter((order) => fits[order] === rows)
      // Points part day, month and year in this order wherever they part dates.
      const [order] = parting === '.' && possible.includes('dmy') ? (['dmy'] as const) : possible
      if (order === undefined || (possible.length > 1 && parting !== '.'))
        return { unclear: example, mixed: possible.length === 0 }
      orders[parting] = order
    }
    return orders
  }
}
