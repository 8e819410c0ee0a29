/** The bill of a user: Gold's cost by tariff band, and the base charge. What is rounded, and when: docs/billing.md. */
import { GOLD_CALENDAR, GOLD_DAILY, GOLD_HOURLY, GOLD_QUARTER_HOURLY } from '../5-gold/tables.ts'
import { PlatformError } from '../errors.ts'
import { tariffAt } from '../reference/applicable.ts'
import type { DataFile } from '../lake/types.ts'
import type { StoredTariff } from '../reference/sync.ts'
import { REFERENCE_CATALOGUE, REFERENCE_TARIFFS } from '../reference/tables.ts'
import type { Bill } from './contract.ts'
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
    requireUser(view, of),
  ])
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
  const known = await homesWith(view, user, partitionWithin('month', `${month}-01`, `${month}-01`))
  return known.length > 0 ? known : await homesWith(view, user)
}

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

async function requireUser(view: View, { tenant, user, month }: BillOf): Promise<void> {
  if ((await homesOfUser(view, user, month)).includes(tenant)) return
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

interface HourSum {
  date: string
  local_hour: number
  local_weekday: number
  tariff_version: number | null
  used: string | null
  /** What was used less what was fed in. */
  net: string | null
  cost: string | null
}

/**
 * Energy and cost by local hour. As in the totals of a house, solar and battery are left out, and so is what a meter
 * measures that the same user is billed for already: a device behind one of the user's own. Gold's hours say it, a month of them
 * in a file; of an hour in which a device went from one user to another its quarter-hours do.
 */
async function readHours(view: View, of: BillOf, timeZone: string): Promise<HourSum[]> {
  const { tenant, user, month } = of
  const hours = view.from(GOLD_HOURLY.name, partitionWithin('month', `${month}-01`, `${month}-01`))
  const shared = `SELECT device_id, date, hour_start FROM ${hours} WHERE tenant_id = ${literal(tenant)} AND NOT one_user`
  const own = `tenant_id = ${literal(tenant)} AND user_id = ${literal(user)} AND energy_wh IS NOT NULL`
  const [whole, dates] = await Promise.all([
    view.ask<HourSum>(
      sumsSql(view, of, timeZone, `SELECT *, hour_start AS span_start FROM ${hours} WHERE ${own}`),
    ),
    view.ask<{ date: string }>(`SELECT DISTINCT date FROM (${shared}) ORDER BY date`),
  ])
  if (dates.length === 0) return whole
  const onDates = new Set<string | null | undefined>(dates.map(({ date }) => date))
  const quarters = view.from(GOLD_QUARTER_HOURLY.name, ({ partition }) => onDates.has(partition.date))
  const parted = await view.ask<HourSum>(
    sumsSql(
      view,
      of,
      timeZone,
      `SELECT q.*, q.quarter_hour AS span_start, CASE WHEN q.energy_wh > 0 THEN q.energy_wh END AS used_wh
       FROM (SELECT * FROM ${quarters} WHERE ${own}) q
       JOIN clock k ON k.quarter_hour = q.quarter_hour
       JOIN (${shared}) s ON s.device_id = q.device_id AND s.hour_start = k.hour_start`,
    ),
  )
  return [...whole, ...parted]
}

/** `spans`: rows of `device_id`, `date`, `span_start`, `tariff_version`, `used_wh`, `energy_wh`, `cost`, each within an hour of `clock`. */
function sumsSql(view: View, { tenant, user, month }: BillOf, timeZone: string, spans: string): string {
  const inMonth = partitionWithin('month', `${month}-01`, `${month}-01`)
  const year = partitionWithin('year', month.slice(0, 4), month.slice(0, 4))
  return `
    WITH clock AS (
      SELECT * FROM ${view.from(GOLD_CALENDAR.name, year)}
      WHERE zone = ${literal(timeZone)} AND month = DATE '${month}-01'
    ),
    apart AS (
      SELECT device_id, date FROM ${view.from(GOLD_DAILY.name, inMonth)}
      WHERE tenant_id = ${literal(tenant)} AND device_type IN ('solar', 'battery')
    ),
    catalogue AS (
      SELECT * FROM ${view.from(REFERENCE_CATALOGUE.name)} WHERE tenant_id = ${literal(tenant)}
    ),
    behind AS (
      SELECT c.device_id FROM catalogue c JOIN catalogue p ON p.device_id = c.parent_device_id
      WHERE p.user_id = ${literal(user)}
    ),
    sums AS (
      SELECT date, span_start, tariff_version, sum(used_wh) AS used, sum(energy_wh) AS net, sum(cost) AS cost
      FROM (${spans}) e
      WHERE NOT EXISTS (FROM apart a WHERE a.device_id = e.device_id AND a.date = e.date)
        AND NOT EXISTS (FROM behind b WHERE b.device_id = e.device_id)
      GROUP BY date, span_start, tariff_version
    )
    SELECT s.date, k.local_hour, k.local_weekday, s.tariff_version,
      sum(s.used) AS used, sum(s.net) AS net, sum(s.cost) AS cost
    FROM sums s JOIN clock k ON k.quarter_hour = s.span_start
    GROUP BY s.date, k.local_hour, k.local_weekday, s.tariff_version ORDER BY s.date, k.local_hour`
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
    const used = nano(hour.used) ?? 0n
    line.wh += used
    line.fedInWh += used - (nano(hour.net) ?? 0n)
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
