/** Gold's rows of a period, asked for month by month: what is over is answered once, and while readings come in only the open month is read anew. */
import type { DataFile } from '../lake/types.ts'
import type { Period } from './days.ts'
import { dateAfter, withinDates } from './days.ts'
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

/** A period with fewer whole months is asked for as it is: to plan a statement costs more than to go through its rows. */
const MANY_MONTHS = 3

/**
 * The months that lie wholly in a long period, each to be asked for by itself, since the answer is the same for every range that holds
 * it; and the days besides. A short period is days alone, an empty one nothing.
 */
export function partsOf(period: Period): { months: Period[]; days: Period[] } {
  const parts: Period[] = []
  for (let from = period.from; from <= period.to; from = dateAfter(parts.at(-1)!.to, 1)) {
    const last = lastOfMonth(from)
    parts.push({ from, to: last < period.to ? last : period.to })
  }
  const { whole: months = [], part = [] } = Object.groupBy(parts, (each) =>
    isMonth(each) ? 'whole' : 'part',
  )
  if (months.length >= MANY_MONTHS) return { months, days: part }
  return { months: [], days: parts.length > 0 ? [period] : [] }
}

const isMonth = ({ from, to }: Period): boolean => from.endsWith('-01') && to === lastOfMonth(from)

function lastOfMonth(date: string): string {
  const [year, month] = date.split('-').map(Number)
  return new Date(Date.UTC(year!, month!, 0)).toISOString().slice(0, 10)
}

/** Keeps the files of the months of any of the periods. */
export function ofMonths(periods: readonly Period[]): (file: DataFile) => boolean {
  const keeps = periods.map(byMonth)
  return (file) => keeps.some((keep) => keep(file))
}
