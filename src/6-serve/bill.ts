/** The bill of a user: Gold's cost by tariff band, and the base charge. What is rounded, and when: docs/billing.md. */
import { GOLD_CALENDAR, GOLD_DAILY, GOLD_HOURLY, GOLD_QUARTER_HOURLY } from '../5-gold/tables.ts'
import { PlatformError } from '../errors.ts'
import { tariffAt } from '../reference/applicable.ts'
import type { DataFile } from '../lake/types.ts'
import type { StoredTariff } from '../reference/sync.ts'
import { REFERENCE_CATALOGUE, REFERENCE_TARIFFS } from '../reference/tables.ts'
import { byMonth, ofTenant } from './by-month.ts'
import type { Bill } from './contract.ts'
import type { Period } from './days.ts'
import { decimalText as decimal, nano, sumNano, type Nano } from './decimal.ts'
import { literal, partitionWithin, type View } from './lake-reader.ts'

/** What a bill is made from: the tables of the view that `readBill` is given. */
export const BILL_TABLES = [
  GOLD_HOURLY,
  GOLD_QUARTER_HOURLY,
  GOLD_DAILY,
  GOLD_CALENDAR,
  REFERENCE_TARIFFS,
  REFERENCE_CATALOGUE,
].map(({ name }) => name)

export interface BillOf {
  tenant: string
  user: string
  /** `YYYY-MM` */
  month: string
}

/**
 * The bill of a local month; of an open month, of its days that have begun. `unknown_user` where nothing is known of
 * the user, `figures_behind` while Gold has not yet been priced by the newest tariffs.
 */
export async function readBill(
  view: View,
  of: BillOf,
  settings: { timeZone: string; currency: string; nowMs: number },
): Promise<Bill> {
  const { tenant, user, month } = of
  const [tariffs, hours] = await Promise.all([
    view.ask<StoredTariff>(`SELECT * FROM ${view.from(REFERENCE_TARIFFS.name)}`),
    readHours(view, of, settings.timeZone),
  ])
  // Whoever used energy is known.
  if (hours.length === 0) await requireUser(view, of)
  const days = daysOf(month, settings)
  const energy = energyLines(hours, tariffs, of)
  const base = baseLines(tariffs, of, days)
  const energyCost = sumNano(energy.map((line) => line.cost)) ?? 0n
  const baseCost = sumNano(base.map((line) => line.cost)) ?? 0n
  const round = rounding(settings.currency)
  const lines = [...energy, ...base].map((line) => round.units(line.cost))
  const total = round.units(energyCost + baseCost)
  return {
    tenant,
    user,
    month,
    time_zone: settings.timeZone,
    currency: settings.currency,
    complete: days.complete,
    energy: energy
      .filter(({ wh }) => wh > 0n)
      .map(({ tariff, wh, cost }) => ({
        band: tariff.band,
        tariff_version: tariff.tariff_version,
        valid_from: tariff.valid_from,
        rate_kwh: decimal(nano(tariff.energy_rate_kwh)!, 9),
        energy_kwh: decimal(wh, 12),
        cost: decimal(cost, 9),
        amount: round.text(round.units(cost)),
      })),
    fed_in_kwh: decimal(sumNano(energy.map((line) => line.fedInWh)) ?? 0n, 12),
    base: base.map(({ cost, charge, ...line }) => ({
      ...line,
      charge_month: decimal(charge, 9),
      days_of_month: days.ofMonth,
      cost: decimal(cost, 9),
      amount: round.text(round.units(cost)),
    })),
    energy_cost: decimal(energyCost, 9),
    base_cost: decimal(baseCost, 9),
    total_cost: decimal(energyCost + baseCost, 9),
    rounding: round.text(total - lines.reduce((sum, units) => sum + units, 0n)),
    total: round.text(total),
  }
}

/**
 * The homes in which the user is known: by a device of the catalogue, a tariff or a day of the month; only where there is none, by
 * any day of Gold.
 */
export async function homesOfUser(view: View, user: string, month: string): Promise<string[]> {
  const known = await homesWith(view, user, byMonth(firstOf(month)))
  return known.length > 0 ? known : await homesWith(view, user)
}

const firstOf = (month: string): Period => ({ from: `${month}-01`, to: `${month}-01` })

async function homesWith(view: View, user: string, days?: (file: DataFile) => boolean): Promise<string[]> {
  const rows = await view.ask<{ tenant_id: string }>(
    [view.from(REFERENCE_CATALOGUE.name), view.from(REFERENCE_TARIFFS.name), view.from(GOLD_DAILY.name, days)]
      .map(
        (from) => `SELECT tenant_id FROM ${from} WHERE user_id = ${literal(user)} AND tenant_id IS NOT NULL`,
      )
      .join(' UNION ')
      .concat(' ORDER BY tenant_id'),
  )
  return rows.map((row) => row.tenant_id)
}

async function requireUser(view: View, { tenant, user }: BillOf): Promise<void> {
  const homes = await homesWith(view, user)
  if (homes.includes(tenant)) return
  throw new PlatformError(
    'unknown_user',
    `Nothing is known of a user "${user}" in home "${tenant}"`,
    homes.length > 0
      ? `The user is known in: ${homes.join(', ')}.`
      : 'Users are named by readings and by the device catalogue.',
  )
}

interface HourSum extends LocalHour {
  date: string
  tariff_version: number | null
  /** What was used less what was fed in. */
  wh: string | null
  fed_in: string | null
  cost: string | null
}

/**
 * Energy and cost by local hour. As in the totals of a house, solar and battery are left out, and so is what a meter
 * measures that the same user is billed for already: a device behind one of the user's own. Gold's hours say it, a month of them
 * in a file; of an hour in which a device went from one user to another its quarter-hours do. What does not depend on the user is asked
 * for by itself, and so once for all.
 */
async function readHours(view: View, of: BillOf, timeZone: string): Promise<HourSum[]> {
  const { tenant, user, month } = of
  const inMonth = byMonth(firstOf(month))
  const hours = view.from(GOLD_HOURLY.name, inMonth)
  const ofHome = ofTenant(tenant)
  const shared = `SELECT device_id, date, hour_start FROM ${hours} WHERE ${ofHome} AND NOT one_user`
  const apart = `SELECT device_id, date FROM ${view.from(GOLD_DAILY.name, inMonth)}
    WHERE ${ofHome} AND device_type IN ('solar', 'battery')`
  const [behind, anyApart] = await Promise.all([
    readBehind(view, of),
    view.ask(`SELECT 1 AS any FROM (${apart}) LIMIT 1`),
  ])
  const own = `${ofHome} AND user_id = ${literal(user)}${
    behind.length === 0 ? '' : ` AND device_id NOT IN (${behind.map(literal).join(', ')})`
  }`
  const sumsOf = (spans: string) =>
    view.ask<Omit<HourSum, keyof LocalHour> & { start_us: number }>(`
      SELECT date, unix_micros(hour_start) AS start_us, tariff_version,
        sum(energy_wh) AS wh, sum(fed_in_wh) AS fed_in, sum(cost) AS cost
      FROM (${spans}) e
      ${anyApart.length > 0 ? `WHERE NOT EXISTS (FROM (${apart}) a WHERE a.device_id = e.device_id AND a.date = e.date)` : ''}
      GROUP BY date, hour_start, tariff_version ORDER BY hour_start`)
  const [whole, clock, dates] = await Promise.all([
    sumsOf(`SELECT * FROM ${hours} WHERE ${own}`),
    readClock(view, timeZone, month),
    view.ask<{ date: string }>(`SELECT DISTINCT date FROM (${shared}) ORDER BY date`),
  ])
  const sums = [whole]
  if (dates.length > 0) {
    const onDates = new Set<string | null | undefined>(dates.map(({ date }) => date))
    const quarters = view.from(GOLD_QUARTER_HOURLY.name, ({ partition }) => onDates.has(partition.date))
    const year = partitionWithin('year', month.slice(0, 4), month.slice(0, 4))
    sums.push(
      await sumsOf(`
        SELECT q.*, k.hour_start, CASE WHEN q.energy_wh < 0 THEN -q.energy_wh END AS fed_in_wh
        FROM (SELECT * FROM ${quarters} WHERE ${own} AND energy_wh IS NOT NULL) q
        JOIN ${view.from(GOLD_CALENDAR.name, year)} k ON k.quarter_hour = q.quarter_hour AND k.zone = ${literal(timeZone)}
        JOIN (${shared}) s ON s.device_id = q.device_id AND s.hour_start = k.hour_start`),
    )
  }
  return sums.flat().map(({ start_us, ...sum }) => ({ ...sum, ...clock.get(start_us)! }))
}

interface LocalHour {
  local_hour: number
  /** ISO, 1 = Monday. */
  local_weekday: number
}

/** The hours of a local month by their start, µs. */
async function readClock(view: View, timeZone: string, month: string): Promise<Map<number, LocalHour>> {
  const year = partitionWithin('year', month.slice(0, 4), month.slice(0, 4))
  const hours = await view.ask<LocalHour & { start_us: number }>(`
    SELECT DISTINCT unix_micros(hour_start) AS start_us, local_hour, local_weekday
    FROM ${view.from(GOLD_CALENDAR.name, year)}
    WHERE zone = ${literal(timeZone)} AND month = DATE '${month}-01' ORDER BY start_us`)
  return new Map(hours.map(({ start_us, ...hour }) => [start_us, hour]))
}

/** The devices behind one of the user's own. */
async function readBehind(view: View, { tenant, user }: BillOf): Promise<string[]> {
  const catalogue = `(SELECT * FROM ${view.from(REFERENCE_CATALOGUE.name)} WHERE ${ofTenant(tenant)})`
  const rows = await view.ask<{ user_id: string; device_id: string }>(`
    SELECT DISTINCT p.user_id, c.device_id
    FROM ${catalogue} c JOIN ${catalogue} p ON p.device_id = c.parent_device_id
    WHERE p.user_id IS NOT NULL ORDER BY p.user_id, c.device_id`)
  return rows.filter(({ user_id }) => user_id === user).map(({ device_id }) => device_id)
}

interface EnergySum {
  tariff: StoredTariff
  wh: Nano
  fedInWh: Nano
  cost: Nano
}

/** One line for each price. */
function energyLines(hours: readonly HourSum[], tariffs: readonly StoredTariff[], of: BillOf): EnergySum[] {
  const lines = new Map<string, EnergySum>()
  for (const hour of hours) {
    const { date, local_hour, local_weekday: weekday } = hour
    const tariff = tariffAt(tariffs, { ...of, date, hour: local_hour, weekday })
    if (tariff === undefined || tariff.tariff_version !== hour.tariff_version) throw behind()
    const key = `${tariff.valid_from} ${tariff.tariff_version} ${tariff.band} ${tariff.energy_rate_kwh}`
    const line = lines.get(key) ?? { tariff, wh: 0n, fedInWh: 0n, cost: 0n }
    const fedInWh = nano(hour.fed_in) ?? 0n
    line.wh += (nano(hour.wh) ?? 0n) + fedInWh
    line.fedInWh += fedInWh
    line.cost += nano(hour.cost) ?? 0n
    lines.set(key, line)
  }
  return [...lines.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line)
}

const behind = (): PlatformError =>
  new PlatformError(
    'figures_behind',
    'The tariffs have changed and Gold is not priced by them yet',
    'Wait a few seconds while the platform runs, or run `smarthouse gold --once`.',
  )

interface Days {
  /** Dates that are billed. */
  dates: Temporal.PlainDate[]
  ofMonth: number
  complete: boolean
}

function daysOf(month: string, { timeZone, nowMs }: { timeZone: string; nowMs: number }): Days {
  const first = Temporal.PlainDate.from(`${month}-01`)
  const today = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timeZone).toPlainDate()
  const all = Array.from({ length: first.daysInMonth }, (_, index) => first.add({ days: index }))
  const dates = all.filter((date) => Temporal.PlainDate.compare(date, today) <= 0)
  const complete = Temporal.PlainDate.compare(all.at(-1)!, today) < 0
  return { dates, ofMonth: first.daysInMonth, complete }
}

interface BaseSum {
  tariff_version: number
  valid_from: string
  charge: Nano
  days: number
  cost: Nano
}

/** The base charge of each tariff by the days on which it held: every local day counts the same, whatever its length. */
function baseLines(tariffs: readonly StoredTariff[], of: BillOf, { dates, ofMonth }: Days): BaseSum[] {
  const lines = new Map<StoredTariff[], BaseSum>()
  const bandsOf = Map.groupBy(tariffs, (row) => JSON.stringify([row.tenant_id, row.user_id, row.valid_from]))
  for (const date of dates) {
    const tariff = tariffAt(tariffs, { ...of, date: date.toString(), hour: 0, weekday: date.dayOfWeek })
    if (tariff === undefined) continue
    const bands = bandsOf.get(JSON.stringify([tariff.tenant_id, tariff.user_id, tariff.valid_from]))!
    // One band of a tariff may name its base charge for all of them.
    const charge = bands
      .map((row) => nano(row.base_charge_month)!)
      .reduce((most, each) => (each > most ? each : most))
    const days = (lines.get(bands)?.days ?? 0) + 1
    const { tariff_version, valid_from } = tariff
    const cost = halfUp(charge * BigInt(days), BigInt(ofMonth))
    lines.set(bands, { tariff_version, valid_from, charge, days, cost })
  }
  return [...lines.values()].filter(({ charge }) => charge > 0n)
}

/** Amounts are never negative but in `rounding`, which is made of whole units. */
const halfUp = (value: bigint, divisor: bigint): bigint => (2n * value + divisor) / (2n * divisor)

/** Whole smallest units of a currency: cents of a dollar, yen. */
function rounding(currency: string): { units(cost: Nano): bigint; text(units: bigint): string } {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency })
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2
  return {
    units: (cost) => halfUp(cost, 10n ** BigInt(9 - digits)),
    text: (units) => decimal(units, digits),
  }
}
