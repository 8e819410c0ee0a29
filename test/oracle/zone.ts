/** Local time by Intl, one quarter-hour at a time. */
import { QUARTER_US, floorDiv } from './exact.ts'

export interface LocalQuarter {
  /** Local date and first day of the local month. */
  date: string
  month: string
  hour: number
  /** ISO weekday, 1 = Monday. */
  weekday: number
  /** Local time minus UTC, µs. */
  offsetUs: bigint
}

export interface Zone {
  /** Local time at the start of a quarter-hour. */
  local(quarterUs: bigint): LocalQuarter
  /** UTC time at which the local hour began that holds the quarter-hour, µs. */
  hourStart(quarterUs: bigint): bigint
  /** Start (inclusive) and end (exclusive) of the local day that holds the quarter-hour, µs. */
  day(quarterUs: bigint): { start: bigint; end: bigint }
}

export function openZone(timeZone: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  const known = new Map<bigint, LocalQuarter>()
  const local = (quarterUs: bigint): LocalQuarter => {
    const before = known.get(quarterUs)
    if (before) return before
    const parts = format.formatToParts(Number(quarterUs / 1000n))
    const part = (type: string): string => parts.find((p) => p.type === type)?.value ?? ''
    const date = `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`
    const clockMs = Date.parse(`${date}T${part('hour')}:${part('minute')}:${part('second')}Z`)
    const found = {
      date,
      month: `${date.slice(0, 7)}-01`,
      hour: Number(part('hour')),
      weekday: new Date(`${date}T00:00:00Z`).getUTCDay() || 7,
      offsetUs: BigInt(clockMs) * 1000n - quarterUs,
    }
    known.set(quarterUs, found)
    return found
  }
  const hourStart = (quarterUs: bigint): bigint => {
    const here = local(quarterUs)
    const before = local(quarterUs - QUARTER_US)
    const sameHour =
      before.date === here.date && before.hour === here.hour && before.offsetUs === here.offsetUs
    return sameHour ? hourStart(quarterUs - QUARTER_US) : quarterUs
  }
  const days = new Map<string, { start: bigint; end: bigint }>()
  const day = (quarterUs: bigint): { start: bigint; end: bigint } => {
    const { date } = local(quarterUs)
    const before = days.get(date)
    if (before) return before
    let start = quarterUs
    while (local(start - QUARTER_US).date === date) start -= QUARTER_US
    let end = quarterUs + QUARTER_US
    while (local(end).date === date) end += QUARTER_US
    days.set(date, { start, end })
    return { start, end }
  }
  return { local, hourStart, day }
}

/** Start of the quarter-hour [start, end) that holds an instant. */
export const quarterHolding = (us: bigint): bigint => floorDiv(us, QUARTER_US) * QUARTER_US

/** Start of the quarter-hour (start, end] that holds an instant: where energy up to it belongs. */
export const quarterEndingAt = (us: bigint): bigint => quarterHolding(us - 1n)
