/** Gold's rows of a period, asked for month by month: what is over is answered once, and while readings come in only the open month is read anew. */
import type { Period } from './days.ts'
import { withinDates } from './days.ts'
import { literal, monthOf, partitionWithin, type View } from './lake-reader.ts'

export const ofTenant = (tenant: string): string => `tenant_id = ${literal(tenant)}`
export const within = ({ from, to }: Period): string => `date BETWEEN DATE '${from}' AND DATE '${to}'`
export const byMonth = ({ from, to }: Period) => partitionWithin('month', monthOf(from), monthOf(to))

/**
 * Rows of a day each, asked for by whole months whatever the period: so everybody asks the same, and while readings come in only
 * the open month is read anew.
 */
export async function perDay<Row extends { date: string }>(
  view: View,
  table: string,
  period: Period,
  select: (from: string) => string,
): Promise<Row[]> {
  const keep = byMonth(period)
  const files = view.snapshot(table).files.filter(keep)
  const months = [...new Set(files.map(({ partition }) => partition.month!))].toSorted()
  const rows = await Promise.all(
    months.map((month) => view.ask<Row>(select(view.from(table, partitionWithin('month', month, month))))),
  )
  return withinDates(rows.flat(), period.from, period.to)
}

/** A period with so many whole months is asked for month by month. */
const MANY_MONTHS = 3

/**
 * Rows of the parts of a period, the older before the newer. A month that lies wholly in a long one is answered once for every
 * range that holds it; a short one is a single part, since planning a statement costs more than its rows.
 */
export async function byParts<Row extends object>(
  view: View,
  table: string,
  period: Period,
  select: (from: string, part: Period) => string,
): Promise<Row[]> {
  const { files } = view.snapshot(table)
  const rows = await Promise.all(
    partsOf(period)
      .map((part) => ({ part, keep: byMonth(part) }))
      .filter(({ keep }) => files.some(keep))
      .map(({ part, keep }) => view.ask<Row>(select(view.from(table, keep), part))),
  )
  return rows.flat()
}

/** The days before the first whole month, each whole month, the days after the last; few months are not parted. None where it is empty. */
export function partsOf(period: Period): Period[] {
  const parts: Period[] = []
  for (let from = period.from; from <= period.to; from = dayAfter(parts.at(-1)!.to, 1)) {
    const monthEnd = Temporal.PlainYearMonth.from(from).add({ months: 1 }).toPlainDate({ day: 1 })
    const last = dayAfter(monthEnd.toString(), -1)
    parts.push({ from, to: last < period.to ? last : period.to })
  }
  const whole = parts.filter(({ from, to }) => from.endsWith('-01') && dayAfter(to, 1).endsWith('-01'))
  return whole.length >= MANY_MONTHS || parts.length === 0 ? parts : [period]
}

export const dayAfter = (date: string, days: number): string =>
  Temporal.PlainDate.from(date).add({ days }).toString()
