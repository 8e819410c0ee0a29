/** What Gold's days say of each device: over a range, and over the whole days of the period before it. */
import { GOLD_DAILY } from '../5-gold/tables.ts'
import { byParts, dayAfter, ofTenant, partsOf, within } from './by-month.ts'
import type { Period, Span } from './days.ts'
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
  const beforeTo = span.cut ? dayAfter(span.previous.to, -1) : span.previous.to
  const pieces: Readonly<Record<Of, Period>> = {
    before: { from: span.previous.from, to: beforeTo },
    between: { from: dayAfter(beforeTo, 1), to: dayAfter(span.from, -1) },
    range: { from: span.from, to: span.to },
  }
  const both = { from: span.previous.from, to: span.to }
  const isLong = partsOf(both).length > 1
  const of = `CASE WHEN ${within(pieces.before)} THEN 'before' WHEN ${within(pieces.range)} THEN 'range' ELSE 'between' END`
  const sums = isLong
    ? await Promise.all(
        Object.entries(pieces).map(async ([name, piece]) =>
          (await readDeviceSums<DeviceSums>(view, tenant, piece)).map((row) => ({ ...row, of: name as Of })),
        ),
      )
    : [await readDeviceSums<DeviceSums & { of: Of }>(view, tenant, both, `${of} AS of`)]
  const devices = new Map<string, DeviceFigures>()
  for (const row of sums.flat()) addSums(devices, row)
  return [...devices.values()].toSorted((a, b) => (a.device_id < b.device_id ? -1 : 1))
}

/** Rows of a device, the older before the newer; several where the period is long, or grouped by something more. */
async function readDeviceSums<Row extends DeviceSums>(
  view: View,
  tenant: string,
  period: Period,
  more?: string,
): Promise<Row[]> {
  return await byParts<Row>(
    view,
    GOLD_DAILY.name,
    period,
    (from, part) => `
      SELECT device_id, ${more ? `${more},` : ''}
        max_by(device_type, date) AS device_type, max_by(location, date) AS location, max_by(user_id, date) AS user_id,
        sum(total_energy_wh) AS wh, sum(cost) AS cost,
        sum(reading_count)::BIGINT AS readings, sum(covered_s)::BIGINT AS covered_s
      FROM ${from} WHERE ${ofTenant(tenant)} AND ${within(part)}
      GROUP BY ALL ORDER BY min(date), device_id`,
  )
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
