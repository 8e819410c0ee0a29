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

/** Whether it reaches today, so that there is nothing after it. */
export const isOpen = (range: { partial: boolean }) => range.partial

const format = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: 'UTC' })

/** `Nov 17 – 23`, `Oct 28 – Nov 3`, or one day. */
export const formatPeriod = (from: string, to: string) => format.formatRange(noon(from), noon(to))
