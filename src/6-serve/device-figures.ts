/** What Gold's days say of each device: over a range, and over the whole days of the period before it. */
import { GOLD_DAILY } from '../5-gold/tables.ts'
import { byMonth, ofMonths, ofTenant, partsOf, within } from './by-month.ts'
import type { Period, Span } from './days.ts'
import { dateAfter } from './days.ts'
import { nano, type Nano } from './decimal.ts'
import type { View } from './lake-reader.ts'

/** One device over the range and over the whole days of the period before. */
export interface DeviceFigures {
  device_id: string
  device_type: string | null
  location: string | null
  user_id: string | null
  energy: Nano | null
  cost: Nano | null
  readings: number
  covered_s: number
  previous_readings: number
}

/** Days of one device added up; a text is that of the newest day that names one. */
interface DeviceSums {
  device_id: string
  /** The oldest day. */
  first: string
  device_type: string | null
  location: string | null
  user_id: string | null
  wh: string | null
  cost: string | null
  readings: number
  covered_s: number
}

/** To what of a span its days belong: those between, and the day before the cut, which the quarter-hours tell, count to nothing. */
type Of = 'before' | 'between' | 'range'

/** In the order of their names. */
export async function readDevices(view: View, tenant: string, span: Span): Promise<DeviceFigures[]> {
  const beforeTo = span.cut ? dateAfter(span.previous.to, -1) : span.previous.to
  const pieces = [
    { of: 'before', from: span.previous.from, to: beforeTo },
    { of: 'between', from: dateAfter(beforeTo, 1), to: dateAfter(span.from, -1) },
    { of: 'range', from: span.from, to: span.to },
  ] as const
  const parts = pieces.map(({ of, ...piece }) => ({ of, ...partsOf(piece) }))
  const rows = await Promise.all([
    readDays(
      view,
      tenant,
      parts.flatMap(({ of, days }) => days.map((period) => ({ of, ...period }))),
    ),
    ...parts.map(async ({ of, months }) => {
      const sums = await Promise.all(months.map((month) => readMonth(view, tenant, month)))
      return sums.flat().map((row) => ({ ...row, of }))
    }),
  ])
  const devices = new Map<string, DeviceFigures>()
  for (const row of rows.flat().toSorted((a, b) => (a.first < b.first ? -1 : 1))) addSums(devices, row)
  return [...devices.values()].toSorted((a, b) => (a.device_id < b.device_id ? -1 : 1))
}

const SUMS = `device_id, CAST(min(date) AS VARCHAR) AS first,
  max_by(device_type, date) AS device_type, max_by(location, date) AS location, max_by(user_id, date) AS user_id,
  sum(total_energy_wh) AS wh, sum(cost) AS cost,
  sum(reading_count)::BIGINT AS readings, sum(covered_s)::BIGINT AS covered_s`

async function readMonth(view: View, tenant: string, month: Period): Promise<DeviceSums[]> {
  const keep = byMonth(month)
  if (!view.snapshot(GOLD_DAILY.name).files.some(keep)) return []
  return await view.ask<DeviceSums>(
    `SELECT ${SUMS} FROM ${view.from(GOLD_DAILY.name, keep)} WHERE ${ofTenant(tenant)} GROUP BY device_id`,
  )
}

/** One statement for all of them; each apart, since a name is that of the newest day. */
async function readDays(
  view: View,
  tenant: string,
  periods: readonly (Period & { of: Of })[],
): Promise<(DeviceSums & { of: Of })[]> {
  if (periods.length === 0) return []
  const which = periods.map((period, n) => `WHEN ${within(period)} THEN ${n}`).join(' ')
  const rows = await view.ask<DeviceSums & { which: number }>(`
    SELECT which, ${SUMS} FROM (
      SELECT *, CASE ${which} END AS which FROM ${view.from(GOLD_DAILY.name, ofMonths(periods))} WHERE ${ofTenant(tenant)}
    ) WHERE which IS NOT NULL GROUP BY which, device_id`)
  return rows.map(({ which: n, ...row }) => ({ ...row, of: periods[n]!.of }))
}

function addSums(devices: Map<string, DeviceFigures>, { of, ...row }: DeviceSums & { of: Of }): void {
  const known = devices.get(row.device_id)
  const inRange = of === 'range'
  devices.set(row.device_id, {
    device_id: row.device_id,
    device_type: row.device_type ?? known?.device_type ?? null,
    location: row.location ?? known?.location ?? null,
    user_id: row.user_id ?? known?.user_id ?? null,
    energy: plus(known?.energy ?? null, inRange ? nano(row.wh) : null),
    cost: plus(known?.cost ?? null, inRange ? nano(row.cost) : null),
    readings: (known?.readings ?? 0) + (inRange ? row.readings : 0),
    covered_s: (known?.covered_s ?? 0) + (inRange ? row.covered_s : 0),
    previous_readings: (known?.previous_readings ?? 0) + (of === 'before' ? row.readings : 0),
  })
}

const plus = (a: Nano | null, b: Nano | null): Nano | null => (a === null || b === null ? (a ?? b) : a + b)
