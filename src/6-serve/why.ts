/**
 * Explains a figure of Gold: the quarter-hours that it is the sum of, the intervals that lie in each, the readings
 * that carry them, what was repeated and rejected, and where all of that lies in Bronze. It is worked out here from
 * Silver, apart from Gold's models, and compared with what Gold has.
 */
import { BRONZE_TELEMETRY } from '../3-bronze/tables.ts'
import { SILVER_DUPLICATES, SILVER_READINGS, SILVER_REJECTS } from '../4-silver/tables.ts'
import { GOLD_CALENDAR, GOLD_DAILY, GOLD_HEALTH, GOLD_QUARTER_HOURLY } from '../5-gold/tables.ts'
import { PlatformError } from '../errors.ts'
import { tariffAt } from '../reference/applicable.ts'
import type { StoredTariff } from '../reference/sync.ts'
import { REFERENCE_CATALOGUE, REFERENCE_TARIFFS } from '../reference/tables.ts'
import { byMonth } from './by-month.ts'
import type { Why, WhyQuery } from './contract-why.ts'
import { decimalText, nano, sumNano, type Nano } from './decimal.ts'
import { literal, partitionWithin, type LakeReader, type View } from './lake-reader.ts'
import { positionId } from './why-bronze.ts'
import { healthOf } from './why-health.ts'
import { listed } from './why-list.ts'
import { readDeviceRows, type DeviceDay, type DeviceRow } from './why-readings.ts'
import { readDuplicates, readRejects } from './why-left-out.ts'
import { splitEnergy } from './why-slots.ts'

const GOLD = [GOLD_DAILY, GOLD_QUARTER_HOURLY, GOLD_HEALTH, GOLD_CALENDAR].map(({ name }) => name)
const BELOW = [SILVER_READINGS, SILVER_REJECTS, REFERENCE_TARIFFS].map(({ name }) => name)
const UNVERSIONED = [SILVER_DUPLICATES, BRONZE_TELEMETRY, REFERENCE_CATALOGUE].map(({ name }) => name)

export interface WhyOptions {
  timeZone: string
  currency: string
  /** Readings, parts, duplicates, rejects that are listed at most, each. */
  limit: number
}

/** The homes in which Gold has a day of the device. */
export async function homesOfDevice(reader: LakeReader, device: string): Promise<string[]> {
  const view = await reader.view([GOLD_DAILY.name, GOLD_HEALTH.name])
  const rows = await view.ask<{ tenant_id: string }>(
    [GOLD_DAILY.name, GOLD_HEALTH.name]
      .map((table) => `SELECT tenant_id FROM ${view.from(table)} WHERE device_id = ${literal(device)}`)
      .join(' UNION ')
      .concat(' ORDER BY tenant_id'),
  )
  return rows.map((row) => row.tenant_id)
}

/** Throws `unknown_device` where Gold has no such figure. */
export async function readWhy(
  reader: LakeReader,
  asked: WhyQuery & { tenant: string },
  options: WhyOptions,
): Promise<Why> {
  const gold = await reader.view(GOLD)
  const figure = await readFigure(gold, asked, options)
  // Exactly what Gold says it is made of: Silver may have gone on since.
  const made = gold.snapshot(figure.table).txns
  const at = Object.fromEntries(BELOW.flatMap((name) => (made.has(name) ? [[name, made.get(name)!]] : [])))
  const view = await reader.view([...BELOW, ...UNVERSIONED], at)
  const day = await readDay(gold, asked, options.timeZone)
  const rows = await readDeviceRows(view, day)
  const slots = await readSlots(gold, day, options.timeZone)
  const tariffs = await view.ask<StoredTariff>(`SELECT * FROM ${view.from(REFERENCE_TARIFFS.name)}`)
  const worked = workOut({ rows, slots, tariffs, day })
  const shown = asked.at === undefined ? worked.slots : worked.slots.filter(({ local }) => local === asked.at)
  const duplicates = await readDuplicates(view, day)
  const rejects = await readRejects(view, day)
  return {
    tenant: asked.tenant,
    device_id: asked.device,
    day: asked.day,
    time_zone: options.timeZone,
    start: isoOf(day.startUs),
    end: isoOf(day.endUs),
    ...outcomeOf(figure, worked, { rows, rejects: rejects.length, day }),
    versions: { [figure.table]: gold.snapshot(figure.table).version, ...at },
    ...(await listed({ view, day, rows, shown, duplicates, rejects, asked, limit: options.limit })),
  }
}

interface Figure {
  figure: WhyQuery['figure']
  table: string
  column: string
  unit: string
  value: string | null
  row: Record<string, unknown>
}

const FIGURES = {
  daily_energy: { table: GOLD_DAILY.name, column: 'total_energy_wh' },
  daily_cost: { table: GOLD_DAILY.name, column: 'cost' },
  health_score: { table: GOLD_HEALTH.name, column: 'health_score' },
} as const

async function readFigure(
  view: View,
  { figure, tenant, device, day }: WhyQuery & { tenant: string },
  { currency }: WhyOptions,
): Promise<Figure> {
  const { table, column } = FIGURES[figure]
  const month = byMonth({ from: day, to: day })
  const [row] = await view.ask<Record<string, unknown>>(
    `SELECT * FROM ${view.from(table, month)}
     WHERE tenant_id = ${literal(tenant)} AND device_id = ${literal(device)} AND date = DATE ${literal(day)}`,
  )
  if (row === undefined)
    throw new PlatformError(
      'unknown_device',
      `${table} has no row for the device "${device}" of home "${tenant}" on ${day}`,
      'Check the device and the local day, for example with smarthouse devices list; days without a reading or energy have none.',
    )
  const unit = { daily_energy: 'Wh', daily_cost: currency, health_score: '' }[figure]
  return { figure, table, column, unit, value: row[column] as string | null, row }
}

async function readDay(
  view: View,
  { tenant, device, day }: WhyQuery & { tenant: string },
  timeZone: string,
): Promise<DeviceDay> {
  const year = partitionWithin('year', day.slice(0, 4), day.slice(0, 4))
  const [span] = await view.ask<{ start_us: number; end_us: number }>(
    `SELECT min(epoch_us(quarter_hour)) AS start_us, max(epoch_us(quarter_hour)) + 900000000 AS end_us
     FROM ${view.from(GOLD_CALENDAR.name, year)} WHERE zone = ${literal(timeZone)} AND date = DATE ${literal(day)}`,
  )
  return { tenant, device, startUs: span!.start_us, endUs: span!.end_us }
}

interface SlotRow {
  slot_us: number
  quarter_hour: string
  energy_wh: string | null
  energy_method: string | null
  covered_s: number
  readings: number
  cost: string | null
  tariff_version: number | null
  user_id: string | null
  date: string
  local_hour: number
  local_weekday: number
  local_minute: number
}

async function readSlots(view: View, day: DeviceDay, timeZone: string): Promise<SlotRow[]> {
  const { tenant, device, startUs, endUs } = day
  const dates = [-1, 0, 1].map((days) =>
    new Date(startUs / 1000 + days * 86_400_000).toISOString().slice(0, 10),
  )
  const within = partitionWithin('date', dates[0]!, dates[2]!)
  const years = partitionWithin('year', dates[0]!.slice(0, 4), dates[2]!.slice(0, 4))
  return await view.ask<SlotRow>(
    `SELECT epoch_us(q.quarter_hour) AS slot_us, q.*, k.local_hour, k.local_weekday,
       CAST((epoch_us(q.quarter_hour) - epoch_us(k.hour_start)) // 60000000 AS INTEGER) AS local_minute
     FROM ${view.from(GOLD_QUARTER_HOURLY.name, within)} q
     JOIN ${view.from(GOLD_CALENDAR.name, years)} k ON k.quarter_hour = q.quarter_hour AND k.zone = ${literal(timeZone)}
     WHERE q.tenant_id = ${literal(tenant)} AND q.device_id = ${literal(device)}
       AND epoch_us(q.quarter_hour) >= ${startUs} AND epoch_us(q.quarter_hour) < ${endUs}
     ORDER BY q.quarter_hour`,
  )
}

type ShownSlot = Why['quarter_hours'][number]

interface Worked {
  slots: ShownSlot[]
  energy: Nano | null
  cost: Nano | null
  /** Whether each quarter-hour has in Gold what its parts make. */
  equal: boolean
}

/** Puts the energy of the rows into the day's quarter-hours, prices it, and compares with what Gold has of each. */
function workOut(work: {
  rows: readonly DeviceRow[]
  slots: readonly SlotRow[]
  tariffs: readonly StoredTariff[]
  day: DeviceDay
}): Worked {
  const parts = new Map<number, { energy: Nano; part: ShownSlot['parts'][number] }[]>()
  for (const row of work.rows)
    for (const { slotUs, energy, formula } of splitEnergy(row)) {
      if (slotUs < work.day.startUs || slotUs >= work.day.endUs) continue
      const part = { reading: positionId(row), energy_wh: decimalText(energy, 9), formula }
      if (!parts.has(slotUs)) parts.set(slotUs, [])
      parts.get(slotUs)!.push({ energy, part })
    }
  const known = new Set(work.slots.map(({ slot_us }) => slot_us))
  let equal = [...parts.keys()].every((slotUs) => known.has(slotUs))
  const costs: (Nano | null)[] = []
  const slots = work.slots.map((slot): ShownSlot => {
    const inside = parts.get(slot.slot_us) ?? []
    const energy = sumNano(inside.map((part) => part.energy))
    const price = priceOf(energy, slot, work)
    costs.push(price.cost)
    equal &&= energy === nano(slot.energy_wh) && price.cost === nano(slot.cost)
    return {
      start: slot.quarter_hour,
      local: `${String(slot.local_hour).padStart(2, '0')}:${String(slot.local_minute % 60).padStart(2, '0')}`,
      energy_wh: slot.energy_wh,
      energy_method: slot.energy_method,
      covered_s: slot.covered_s,
      readings: slot.readings,
      cost: slot.cost,
      cost_formula: price.formula,
      parts: inside.map(({ part }) => part),
    }
  })
  const energy = sumNano([...parts.values()].flat().map((part) => part.energy))
  return { slots, energy, cost: sumNano(costs), equal }
}

/** Energy × rate, rounded half up to nine decimals; what is given back costs nothing. */
function priceOf(
  energy: Nano | null,
  slot: SlotRow,
  { tariffs, day }: { tariffs: readonly StoredTariff[]; day: DeviceDay },
): { cost: Nano | null; formula: string | null } {
  if (energy === null) return { cost: null, formula: null }
  const { date, local_hour: hour, local_weekday: weekday } = slot
  const tariff = tariffAt(tariffs, { tenant: day.tenant, user: slot.user_id, date, hour, weekday })
  if (tariff === undefined) return { cost: null, formula: 'no tariff holds' }
  const rate = nano(tariff.energy_rate_kwh)!
  const used = energy > 0n ? energy : 0n
  const cost = (2n * used * rate + 10n ** 12n) / (2n * 10n ** 12n)
  const whose = `${tariff.band}, tariff ${tariff.tariff_version} from ${tariff.valid_from}`
  return {
    cost,
    formula: `${decimalText(used, 9)} Wh × ${tariff.energy_rate_kwh} per kWh / 1000 = ${decimalText(cost, 9)} (${whose})`,
  }
}

function outcomeOf(
  figure: Figure,
  worked: Worked,
  of: { rows: readonly DeviceRow[]; rejects: number; day: DeviceDay },
): Pick<Why, 'figure' | 'table' | 'column' | 'unit' | 'value' | 'formula' | 'derived' | 'adds_up'> {
  const { row, ...told } = figure
  if (figure.figure === 'health_score') {
    const { derived, formula } = healthOf(row, of)
    return { ...told, formula, derived, adds_up: derived === figure.value }
  }
  const sum = figure.figure === 'daily_energy' ? worked.energy : worked.cost
  const derived = sum === null ? null : decimalText(sum, 9)
  const column = figure.figure === 'daily_energy' ? 'energy_wh' : 'cost'
  const addends = worked.slots.flatMap((slot) => slot[column] ?? [])
  return {
    ...told,
    formula: `${figure.column} = sum of ${column} over ${addends.length} quarter-hours${addends.length > 0 ? ` = ${addends.join(' + ')}` : ''} = ${derived ?? 'null'}`,
    derived,
    adds_up: worked.equal && derived === figure.value,
  }
}

const isoOf = (us: number): string => new Date(us / 1000).toISOString()
