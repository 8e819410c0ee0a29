/** Periods of local days. Dates are reckoned in UTC: a local date has no zone, and UTC has no 23-hour days. */

export interface Period {
  /** Local dates, inclusive. */
  from: string
  to: string
}

const DAY_MS = 86_400_000
const noon = (date: string) => Date.parse(`${date}T12:00:00Z`)
const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)

/** The period of as many days just before (−1) or after (1). */
export function shifted({ from, to }: Period, direction: -1 | 1): Period {
  const days = Math.round((noon(to) - noon(from)) / DAY_MS) + 1
  const by = direction * days * DAY_MS
  return { from: dateOf(noon(from) + by), to: dateOf(noon(to) + by) }
}

/** So many days after a date; before it where they are negative. */
export const daysAfter = (date: string, days: number): string => dateOf(noon(date) + days * DAY_MS)

/** Whether it reaches today, so that there is nothing after it. */
export const isOpen = (range: { partial: boolean }) => range.partial

const DAY_AND_MONTH = { day: 'numeric', month: 'short', timeZone: 'UTC' } as const

/** `Nov 17 – 23`, `Oct 28 – Nov 3`, or one day; with the year where it is not this one. */
export const formatPeriod = (from: string, to: string) => {
  const thisYear = String(new Date().getUTCFullYear())
  const isNow = from.startsWith(thisYear) && to.startsWith(thisYear)
  const format = new Intl.DateTimeFormat('en', { ...DAY_AND_MONTH, ...(isNow ? {} : { year: 'numeric' }) })
  return format.formatRange(noon(from), noon(to))
}
