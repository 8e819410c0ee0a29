/** A value against the same elapsed part of the period before. */
import type { Kpi } from './contract.ts'
import { startOf, withinDates } from './days.ts'
import { ratio, sumNano, type Nano } from './decimal.ts'
import { houseOfCut, localTime, type Picture } from './picture.ts'

/** So much of the days before must have data, or the comparison would be with a gap. */
const LEAST_DAYS_SHARE = 0.8

export type Comparison = Pick<Kpi, 'delta' | 'delta_reason'>

const without = (delta_reason: string): Comparison => ({ delta: null, delta_reason })

/** Energy or cost of the house; `toNumber` rounds it for the answer. */
export function compareSums(
  picture: Picture,
  of: 'energy' | 'cost',
  toNumber: (value: Nano) => number,
): Comparison {
  const { span, timeZone, figures } = picture
  const { cut, previous } = span
  const begun = !cut || cut.current.beforeMs > startOf(cut.current.date, timeZone)
  if (!begun && span.from === span.to) return without('The day has only just begun.')
  const sumsOf = (from: string, to: string, open: string | null): (Nano | null)[] => [
    ...withinDates(figures.days, from, to)
      .filter(({ date }) => date !== open)
      .map((day) => day[of]),
    ...(open !== null && begun ? [houseOfCut(picture, open, of)] : []),
  ]
  const before = sumsOf(previous.from, previous.to, cut?.previous.date ?? null)
  const withData = before.filter((value) => value !== null).length
  const days = daysIn(previous.from, previous.to) - (begun ? 0 : 1)
  if (withData === 0) return without(`There is nothing from ${previousText(picture)}.`)
  if (withData < LEAST_DAYS_SHARE * days)
    return without(`Only ${withData} of the ${days} days before have data.`)
  const now = sumNano(sumsOf(span.from, span.to, cut?.current.date ?? null))
  if (now === null) return without('There is nothing yet to compare.')
  return deltaOf(picture, toNumber(now), toNumber(sumNano(before)!))
}

/** A delta between two numbers of the same unit; rounding has been done. */
export function deltaOf(
  picture: Picture,
  current: number,
  previous: number,
  whole: 'to the cut' | 'whole days' = 'to the cut',
): Comparison {
  const { span, timeZone } = picture
  const end = startOf(Temporal.PlainDate.from(span.previous.to).add({ days: 1 }), timeZone)
  const toMs = whole === 'to the cut' ? (span.cut?.previous.beforeMs ?? end) : end
  return {
    delta: {
      absolute: ratio(current - previous),
      ratio: previous === 0 ? null : ratio((current - previous) / Math.abs(previous)),
      previous,
      current,
      compared_to: {
        from: new Date(startOf(span.previous.from, timeZone)).toISOString(),
        to: new Date(toMs).toISOString(),
      },
      text: previousText(picture, whole),
    },
    delta_reason: null,
  }
}

/** `yesterday until 14:30`, `2026-03-01 to 2026-03-07`. */
export function previousText(
  { span, timeZone }: Picture,
  whole: 'to the cut' | 'whole days' = 'to the cut',
): string {
  const { from, to } = span.previous
  const days = span.name === 'today' ? 'yesterday' : from === to ? from : `${from} to ${to}`
  if (!span.cut || whole === 'whole days') return days
  return `${days} until ${localTime(span.cut.previous.beforeMs, timeZone)}`
}

export function daysIn(from: string, to: string): number {
  return Temporal.PlainDate.from(from).until(to).days + 1
}
