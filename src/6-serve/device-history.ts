/** One device over time: its figures in quarter-hours, hours or days, every slot of them. */
import type { z } from 'zod'
import { GOLD_DAILY, GOLD_HOURLY, GOLD_QUARTER_HOURLY } from '../5-gold/tables.ts'
import { byMonth } from './by-month.ts'
import type { DeviceHistory, DeviceHistoryQuery } from './contract.ts'
import { ratio } from './decimal.ts'
import { literal, partitionWithin, type View } from './lake-reader.ts'

export const HISTORY_TABLES = [GOLD_QUARTER_HOURLY, GOLD_HOURLY, GOLD_DAILY].map(({ name }) => name)

const QUARTER_S = 900
const HOUR_S = 3600
const DAY_S = 86_400
const RANGES = {
  '1d': { days: 1, grain: 'quarter_hour', step_s: QUARTER_S },
  '7d': { days: 7, grain: 'hour', step_s: HOUR_S },
  '30d': { days: 30, grain: 'hour', step_s: HOUR_S },
  '365d': { days: 365, grain: 'day', step_s: DAY_S },
} as const

interface Asked {
  tenant: string
  device: string
  range: z.output<typeof DeviceHistoryQuery>['range']
  /** Last local date that is wanted. */
  end?: string | undefined
}

/** From an instant up to another (exclusive), and the local dates that they lie in. */
interface Stretch {
  startS: number
  endS: number
  first: Temporal.PlainDate
  last: Temporal.PlainDate
  isOpen: boolean
}

/** Whole local days up to the last one; where that is today, up to now, and a single day is then the last 24 hours. */
function stretchOf(
  range: Asked['range'],
  last: Temporal.PlainDate,
  { timeZone, nowMs }: { timeZone: string; nowMs: number },
): Stretch {
  const { days, step_s } = RANGES[range]
  const today = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timeZone).toPlainDate()
  const startOf = (day: Temporal.PlainDate): number => day.toZonedDateTime(timeZone).epochMilliseconds / 1000
  if (Temporal.PlainDate.compare(last, today) < 0) {
    const first = last.subtract({ days: days - 1 })
    return { startS: startOf(first), endS: startOf(last.add({ days: 1 })), first, last, isOpen: false }
  }
  const first = today.subtract({ days: days === 1 ? 1 : days - 1 })
  const startS = days === 1 ? Math.floor((nowMs / 1000 - DAY_S) / step_s) * step_s : startOf(first)
  return { startS, endS: nowMs / 1000, first, last: today, isOpen: true }
}

interface Slot {
  start_s: number
  power_w: number | null
  power_max_w: number | null
  kwh: number | null
  temperature_c: number | null
  covered_s: number
}

/**
 * The days of a device up to `end`, every slot of them; slots without data are null. Where no end is asked for and it has nothing in the
 * newest days, they end at the newest day that it has: what was recorded long ago is shown where it lies.
 */
export async function readHistory(
  view: View,
  of: Asked,
  clock: { timeZone: string; nowMs: number },
): Promise<z.infer<typeof DeviceHistory>> {
  const now = Temporal.Instant.fromEpochMilliseconds(clock.nowMs).toZonedDateTimeISO(clock.timeZone)
  const asked = of.end === undefined ? now.toPlainDate() : Temporal.PlainDate.from(of.end)
  let stretch = stretchOf(of.range, asked, clock)
  let rows = await readSlots(view, of, stretch)
  if (rows.length === 0 && of.end === undefined) {
    const newest = await newestDay(view, of, stretch.first)
    if (newest !== null) {
      stretch = stretchOf(of.range, Temporal.PlainDate.from(newest), clock)
      rows = await readSlots(view, of, stretch)
    }
  }
  return historyOf(of, stretch, rows, clock.timeZone)
}

function historyOf(
  { tenant, range }: Asked,
  stretch: Stretch,
  rows: readonly Slot[],
  timeZone: string,
): z.infer<typeof DeviceHistory> {
  const { grain, step_s } = RANGES[range]
  const slots = new Map(rows.map((row) => [row.start_s, row]))
  const t = grain === 'day' ? daysOf(stretch) : gridOf(stretch, step_s, rows)
  const column = (pick: (slot: Slot) => number | null): (number | null)[] =>
    t.map((start) => {
      const slot = slots.get(start)
      return slot ? pick(slot) : null
    })
  const known = rows.filter(({ kwh }) => kwh !== null)
  const covered = rows.reduce((sum, row) => sum + row.covered_s, 0)
  return {
    tenant,
    time_zone: timeZone,
    from: stretch.first.toString(),
    to: stretch.last.toString(),
    is_open: stretch.isOpen,
    grain,
    t,
    power_w: column(({ power_w }) => power_w),
    power_max_w: column(({ power_max_w }) => power_max_w),
    energy_kwh: column(({ kwh }) => kwh),
    temperature_c: column(({ temperature_c }) => temperature_c),
    total_kwh: known.length === 0 ? null : known.reduce((sum, { kwh }) => sum + kwh!, 0),
    coverage_ratio: rows.length === 0 ? null : ratio(Math.min(1, covered / (stretch.endS - stretch.startS))),
    reason: rows.length === 0 ? 'There are no readings of this device in these days.' : null,
  }
}

const whose = ({ tenant, device }: Asked): string =>
  `tenant_id = ${literal(tenant)} AND device_id = ${literal(device)}`

/** The newest local date before the given one that the device has figures of. */
async function newestDay(view: View, of: Asked, before: Temporal.PlainDate): Promise<string | null> {
  const [row] = await view.ask<{ date: string | null }>(
    `SELECT max(date)::VARCHAR AS date FROM ${view.from(GOLD_DAILY.name)} WHERE ${whose(of)} AND date < DATE '${before.toString()}'`,
  )
  return row?.date ?? null
}

const SUMS = `
  power_sum_mw::DOUBLE / nullif(power_count, 0) / 1000 AS power_w, power_max_w::DOUBLE AS power_max_w,
  energy_wh::DOUBLE / 1000 AS kwh, temperature_sum_mc::DOUBLE / nullif(temperature_count, 0) / 1000 AS temperature_c,
  covered_s`

async function readSlots(view: View, of: Asked, { startS, endS, first, last }: Stretch): Promise<Slot[]> {
  const { grain } = RANGES[of.range]
  const [from, to] = [first.toString(), last.toString()]
  const inMonths = byMonth({ from, to })
  if (grain === 'day') {
    const days = await view.ask<Omit<Slot, 'start_s'> & { date: string }>(`
      SELECT date, mean_power_w::DOUBLE AS power_w, max_power_w::DOUBLE AS power_max_w, total_energy_wh::DOUBLE / 1000 AS kwh,
        mean_temperature_c::DOUBLE AS temperature_c, covered_s
      FROM ${view.from(GOLD_DAILY.name, inMonths)}
      WHERE ${whose(of)} AND date BETWEEN DATE '${from}' AND DATE '${to}' ORDER BY date`)
    return days.map(({ date, ...row }) => ({ ...row, start_s: dayKey(date) }))
  }
  const instant = (seconds: number): string => new Date(seconds * 1000).toISOString()
  const [table, start, keep] =
    grain === 'hour'
      ? ([GOLD_HOURLY.name, 'hour_start', inMonths] as const)
      : ([
          GOLD_QUARTER_HOURLY.name,
          'quarter_hour',
          partitionWithin('date', around(first, -1), around(last, 1)),
        ] as const)
  return await view.ask<Slot>(`
    SELECT unix_micros(${start}) // 1000000 AS start_s, ${SUMS}
    FROM ${view.from(table, keep)}
    WHERE ${whose(of)} AND ${start} >= TIMESTAMPTZ '${instant(startS)}' AND ${start} < TIMESTAMPTZ '${instant(endS)}' ORDER BY 1`)
}

/** Partitions are dates of UTC, which may begin on the day before a local one and end on the day after it. */
const around = (day: Temporal.PlainDate, days: number): string => day.add({ days }).toString()

/** Days are drawn at their date, as if it were UTC: the axis names the date, whatever the clock does. */
const dayKey = (date: string): number => Date.parse(`${date}T00:00:00Z`) / 1000

function daysOf({ first, last }: Stretch): number[] {
  const days: number[] = []
  for (let day = first; Temporal.PlainDate.compare(day, last) <= 0; day = day.add({ days: 1 }))
    days.push(dayKey(day.toString()))
  return days
}

/** Slots from start to end; their grid is that of the rows, since a zone may lie half an hour beside the others. */
function gridOf({ startS, endS }: Stretch, stepS: number, rows: readonly Slot[]): number[] {
  const shift = rows.length === 0 ? 0 : (((rows[0]!.start_s - startS) % stepS) + stepS) % stepS
  const t = new Set<number>()
  for (let at = startS + shift; at < endS; at += stepS) t.add(at)
  for (const { start_s } of rows) t.add(start_s)
  return [...t].toSorted((a, b) => a - b)
}
