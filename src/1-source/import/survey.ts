/** One look over all times of a file before any row is taken: what a single row leaves open, the file as a whole tells. */
import { allOrders, openOrder, OrderEvidence, parseClock, type DateOrders } from './clock.ts'
import { notTelemetry, type MappingOptions } from './options.ts'
import type { BrokenRow, SourceRow } from './rows.ts'
import type { Zone } from './times.ts'

const DAY_MS = 86_400_000
const MOST_STEPS = 10_000
/** Where none of the first rows leaves something open, no later one does. */
const ROWS_THAT_TELL = 1_000

export interface Survey {
  orders: DateOrders
  descending: boolean
  midnightEnds: boolean
  /** The most common time from one row to the next of a device, ms; 0 where there is none. */
  stepMs: number
  /** Times that no clock of the zone has shown: how many, and the first. */
  skipped: { rows: number; example: string }
  /** First and last clock time, as if they were UTC; undefined where times are instants. */
  firstMs: number | undefined
  lastMs: number | undefined
  /** Whether times are dates alone. */
  isDays: boolean
}

export interface Surveyed {
  path: string
  /** All rows from the beginning, each time anew. */
  rows: () => AsyncIterable<SourceRow | BrokenRow>
  timeText: (row: SourceRow) => string
  deviceOf: (row: SourceRow) => string
}

/** Throws `file_not_telemetry` where the order of dates, or what midnight means, is not clear. */
export async function surveyTimes(table: Surveyed, zone: Zone, options: MappingOptions): Promise<Survey> {
  const orders = options.dateOrder ? allOrders(options.dateOrder) : await findOrders(table)
  const steps = new Map<number, number>()
  const last = new Map<string, { ms: number; isReturn: boolean }>()
  const survey: Survey = {
    orders,
    descending: false,
    midnightEnds: false,
    stepMs: 0,
    skipped: { rows: 0, example: '' },
    firstMs: undefined,
    lastMs: undefined,
    isDays: false,
  }
  let [forwards, backwards, ends, begins] = [0, 0, 0, 0]
  let rows = 0
  for await (const row of table.rows()) {
    // Times that name their instant leave nothing open.
    if (++rows > ROWS_THAT_TELL && survey.firstMs === undefined && options.labels === undefined) break
    if ('reason' in row) continue
    const text = table.timeText(row)
    const clock = parseClock(text, orders)
    if (!clock) continue
    const { ms } = clock
    const isLocal = clock.offsetMinutes === undefined
    if (isLocal) {
      survey.firstMs ??= ms
      survey.lastMs = ms
      survey.isDays ||= clock.isDay ?? false
      if (zone.skips(ms) && survey.skipped.rows++ === 0) survey.skipped.example = text
    }
    const device = table.deviceOf(row)
    const before = last.get(device)
    let isReturn = false
    if (before) {
      const step = ms - before.ms
      if (step > 0) forwards++
      else if (step < 0) backwards++
      if (step !== 0 && (steps.has(Math.abs(step)) || steps.size < MOST_STEPS))
        steps.set(Math.abs(step), (steps.get(Math.abs(step)) ?? 0) + 1)
      // The midnight before was the end of its day, if the next row is one of the day after.
      if (before.isReturn && step >= DAY_MS) ends++
      if (isLocal && !clock.isDay && ms % DAY_MS === 0) {
        isReturn = step < 0 && step > -DAY_MS
        if (step > 0) begins++
      }
    }
    last.set(device, { ms, isReturn })
  }
  survey.descending = backwards > forwards
  survey.stepMs = [...steps].reduce((best, step) => (step[1] > best[1] ? step : best), [0, 0] as [
    number,
    number,
  ])[0]
  if (!survey.descending) survey.midnightEnds = endsAtMidnight(table.path, ends, begins)
  return survey
}

async function findOrders(table: Surveyed): Promise<DateOrders> {
  const evidence = new OrderEvidence()
  let rows = 0
  let open = 0
  for await (const row of table.rows()) {
    if ('reason' in row) continue
    const text = table.timeText(row)
    if (openOrder(text) !== undefined) open++
    if (++rows === ROWS_THAT_TELL && open === 0) return {}
    evidence.add(text)
  }
  const orders = evidence.orders()
  if (!isUnclear(orders)) return orders
  throw notTelemetry(
    table.path,
    orders.mixed
      ? `some of its times can only have the day first and others only the month (as ${orders.unclear})`
      : `whether day or month comes first in its times (${orders.unclear}) is not clear`,
    'Say it: --date-order dmy, mdy or ymd; rows that do not fit are counted as unreadable.',
  )
}

function isUnclear(found: ReturnType<OrderEvidence['orders']>): found is { unclear: string; mixed: boolean } {
  return typeof found.mixed === 'boolean'
}

function endsAtMidnight(path: string, ends: number, begins: number): boolean {
  if (ends === 0 || begins >= 10 * ends) return false
  if (ends >= 10 * begins) return true
  throw notTelemetry(
    path,
    `its midnights end their day in ${ends} places and begin it in ${begins}`,
    'Cut the file where that changes, and import the parts.',
  )
}
