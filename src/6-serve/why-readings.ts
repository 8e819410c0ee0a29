/** The rows of Silver behind a device's day, and how the energy of each comes about (decision 0002, *Energy*). */
import { SILVER_READINGS } from '../4-silver/tables.ts'
import { decimalText, nano, type Nano } from './decimal.ts'
import type { DataFile, StatValue } from '../lake/types.ts'
import { literal, type View } from './lake-reader.ts'

/** A row of `silver.readings`; times in µs. */
export interface DeviceRow {
  ingestion_time: string
  stream_topic: string
  stream_partition: number
  stream_offset: number
  stream_index: number
  timestamp: string
  channel: string
  temperature: number | null
  power_usage: number | null
  energy_consumption_wh: number | null
  energy_total_wh: number | null
  status: string | null
  alert: string | null
  quality_score: string
  quality_reasons: string[]
  energy_wh: string | null
  energy_from: string | null
  energy_to: string | null
  energy_method: string
  t_us: number
  from_us: number | null
  to_us: number | null
}

export interface DeviceDay {
  tenant: string
  device: string
  startUs: number
  endUs: number
}

const COLUMNS = `ingestion_time, stream_topic, stream_partition, stream_offset, stream_index, timestamp, channel,
  temperature, power_usage, energy_consumption_wh, energy_total_wh, status, alert, quality_score, quality_reasons,
  energy_wh, energy_from, energy_to, energy_method, epoch_us(timestamp) AS t_us, epoch_us(energy_from) AS from_us,
  epoch_us(energy_to) AS to_us`
const ROW_ORDER = 'timestamp, ingestion_time, stream_topic, stream_partition, stream_offset, stream_index'

/**
 * The rows whose event time lies in the day, those that carry energy into it, and the rows at whose times their
 * intervals begin; in row order.
 */
export async function readDeviceRows(view: View, day: DeviceDay): Promise<DeviceRow[]> {
  const { tenant, device, startUs, endUs } = day
  const of = `tenant_id = ${literal(tenant)} AND device_id = ${literal(device)}`
  const rows = await view.ask<DeviceRow>(
    `SELECT ${COLUMNS} FROM ${view.from(SILVER_READINGS.name, within(startUs, endUs))}
     WHERE ${of} AND epoch_us(timestamp) >= ${startUs}
       AND (epoch_us(timestamp) <= ${endUs} OR epoch_us(energy_from) < ${endUs})
     ORDER BY ${ROW_ORDER}`,
    { keep: false },
  )
  const earlier = rows.flatMap(({ from_us: fromUs }) => (fromUs !== null && fromUs < startUs ? [fromUs] : []))
  const times = [...new Set(earlier)]
  if (times.length === 0) return rows
  const begun = await view.ask<DeviceRow>(
    `SELECT ${COLUMNS} FROM ${view.from(SILVER_READINGS.name, within(Math.min(...times), Math.max(...times)))}
     WHERE ${of} AND epoch_us(timestamp) IN (${times.join(', ')}) ORDER BY ${ROW_ORDER}`,
    { keep: false },
  )
  return [...begun, ...rows]
}

/** Files with rows, or rows with energy, between two moments, µs. */
function within(fromUs: number, toUs: number): (file: DataFile) => boolean {
  const us = (value: StatValue | undefined, absent: number): number =>
    typeof value === 'string' ? Date.parse(value) * 1000 : absent
  return ({ stats: { min, max } }) =>
    us(max.timestamp, Infinity) >= fromUs &&
    Math.min(us(min.timestamp, -Infinity), us(min.energy_from, Infinity)) <= toUs
}

/** Half away from zero, as the engine rounds; `scale` is a power of ten. */
const scaled = (value: number, scale: number): bigint => {
  const product = value * scale
  return BigInt(product < 0 ? -Math.round(-product) : Math.round(product))
}

const seconds = (us: number): string => String(us / 1e6)
const clock = (iso: string): string => iso.replace(/\.000000Z$/, 'Z')

/** How the energy of a row comes about, with its numbers filled in; `rows` are the device's, in row order. */
export function energyFormula(row: DeviceRow, at: number, rows: readonly DeviceRow[]): string {
  const energy = nano(row.energy_wh)
  if (energy === null) return withoutEnergy(row)
  if (row.energy_method === 'reported') return `as reported: ${decimalText(energy, 9)} Wh`
  const before = (has: (other: DeviceRow) => boolean): DeviceRow | undefined =>
    rows
      .slice(0, at)
      .findLast((other) => other.channel === row.channel && other.t_us === row.from_us && has(other))
  const told =
    row.energy_method === 'counter'
      ? counterFormula(
          row,
          energy,
          before(
            (other) => other.energy_total_wh !== null && !other.quality_reasons.includes('counter_glitch'),
          ),
        )
      : holdFormula(
          row,
          energy,
          before((other) => other.power_usage !== null),
        )
  // Where the row that the interval begins at is not the one it is counted from, the outcome alone is told.
  return told ?? `${row.energy_method}: ${decimalText(energy, 9)} Wh over ${interval(row)}`
}

const interval = (row: DeviceRow): string => `${clock(row.energy_from!)} … ${clock(row.energy_to!)}`

function withoutEnergy({ quality_reasons: reasons }: DeviceRow): string {
  if (reasons.includes('counter_glitch')) return 'none: the counter value is a glitch and set aside'
  if (reasons.includes('counter_implausible'))
    return 'none: the counter rose by more than the device can use in that time, so the rise is withheld'
  return 'none: it measures nothing that counts here, or begins a count'
}

function holdFormula(row: DeviceRow, energy: Nano, held: DeviceRow | undefined): string | undefined {
  if (held?.power_usage == null) return undefined
  const lengthUs = row.to_us! - row.from_us!
  if ((scaled(held.power_usage, 1000) * BigInt(lengthUs)) / 3600n !== energy) return undefined
  return `${held.power_usage} W × ${seconds(lengthUs)} s / 3600 s = ${decimalText(energy, 9)} Wh over ${interval(row)}`
}

function counterFormula(row: DeviceRow, energy: Nano, base: DeviceRow | undefined): string | undefined {
  if (base?.energy_total_wh == null || row.energy_total_wh === null) return undefined
  const [now, was] = [scaled(row.energy_total_wh, 1e6), scaled(base.energy_total_wh, 1e6)]
  const counts = `${decimalText(energy, 9)} Wh over ${interval(row)}`
  const { quality_reasons: reasons } = row
  if (reasons.includes('counter_reset'))
    return `counter reset, ${base.energy_total_wh} → ${row.energy_total_wh} Wh: ${energy === 0n ? 'a new base' : 'counts from 0'}, ${counts}`
  if (reasons.includes('counter_dip'))
    return `counter dip, ${base.energy_total_wh} → ${row.energy_total_wh} Wh: ${counts}`
  if ((now - was) * 1000n !== energy) return undefined
  return `${row.energy_total_wh} − ${base.energy_total_wh} = ${counts}`
}
