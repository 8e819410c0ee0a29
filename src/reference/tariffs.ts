import { PlatformError } from '../errors.ts'
import { readInput } from './catalogue.ts'
import { type CsvRecord, decimalField, fieldError, isDate, parseCsv } from './csv.ts'

/** One price: the columns of `reference.tariffs` but the version, which the lake gives. */
export interface TariffRow {
  /** Home; null: every home. */
  tenant_id: string | null
  /** User; null: every user. */
  user_id: string | null
  /** First local date on which it holds, `YYYY-MM-DD`. */
  valid_from: string
  /** First local date on which it holds no more; null: open. */
  valid_to: string | null
  band: string
  /** ISO weekdays, for example `12345`. */
  weekdays: string
  hour_from: number
  hour_to: number
  /** Days of the year, month × 100 + day; the end is exclusive. Both null: all year. */
  season_from: number | null
  season_to: number | null
  /** Price per kWh, with nine decimals. */
  energy_rate_kwh: string
  /** Base charge per month, with nine decimals; on bills only. */
  base_charge_month: string
  /** ISO 4217 */
  currency: string
}

/**
 * A price as a person writes it. Those of the same home, user and first date are the bands of one tariff and
 * fill its week, each hour once, in every season; a single one without weekdays and hours is a flat rate.
 */
export interface TariffBand {
  /** Absent: every home. */
  tenant_id?: string
  /** Absent: every user. */
  user_id?: string
  valid_from: string
  /** Exclusive; absent: until the next tariff of the same home and user. */
  valid_to?: string
  /** Name on bills; default `flat`. */
  band?: string
  /** ISO weekdays; default every day. */
  weekdays?: string
  /** First local hour, 0–23; default 0. */
  hour_from?: number
  /** First local hour after it, 1–24; default 24. Not above `hour_from`: over midnight, into hours of the same weekdays. */
  hour_to?: number
  /** First day of the season, `MM-DD`; with `season_to`. Default all year. */
  season_from?: string
  /** First day after it, `MM-DD`. Not after `season_from`: over the new year. */
  season_to?: string
  /** Price per kWh. */
  energy_rate_kwh: number | string
  /** Per month; default 0. */
  base_charge_month?: number | string
}

/** What holds for everybody since 1970 where nothing else is said: $0.12/kWh and $15 a month. */
export const DEFAULT_PRICE = { energy_rate_kwh: 0.12, base_charge_month: 15 } as const
const DEFAULT_FROM = '1970-01-01'

const ALL_WEEK = '1234567'
const BILLING_COLUMNS = {
  required: ['user_id', 'billing_period', 'energy_rate_kwh', 'base_charge'],
  optional: ['total_usage_kwh', 'total_cost'],
} as const

/** Reads `billing_data.csv`: each line is the user's flat rate from the first of that local month on. */
export async function readBillingCsv(path: string): Promise<TariffBand[]> {
  return parseBillingCsv(await readInput(path), path)
}

/** As `readBillingCsv`, from text; `file` is the name that errors use. */
export function parseBillingCsv(text: string, file: string): TariffBand[] {
  const seen = new Map<string, number>()
  return parseCsv(text, file, BILLING_COLUMNS).map((record) => {
    const band = billingBand(record, file)
    const key = `${band.valid_from} ${band.user_id}`
    const before = seen.get(key)
    if (before !== undefined) {
      const problem = `user "${band.user_id}" has a line for this month already, line ${before}`
      throw fieldError(file, record, 'billing_period', problem, 'Keep one line for each user and month.')
    }
    seen.set(key, record.line)
    return band
  })
}

function billingBand(record: CsvRecord, file: string): TariffBand {
  const { user_id: user = '', billing_period: period = '' } = record.values
  if (user === '') throw fieldError(file, record, 'user_id', 'it is empty', 'Name the user.')
  if (!/^\d{4}-\d{2}$/.test(period) || !isDate(`${period}-01`)) {
    throw fieldError(file, record, 'billing_period', `"${period}" is no month`, 'Write it as YYYY-MM.')
  }
  const amount = (column: string): string | null => decimalField(file, record, column, { min: 0 })
  const rate = amount('energy_rate_kwh')
  if (rate === null) {
    throw fieldError(file, record, 'energy_rate_kwh', 'it is empty', 'Write the price per kWh, such as 0.12.')
  }
  amount('total_usage_kwh')
  amount('total_cost')
  return {
    user_id: user,
    valid_from: `${period}-01`,
    energy_rate_kwh: rate,
    base_charge_month: amount('base_charge') ?? '0',
  }
}

/**
 * The rows of all tariffs together. Of the tariffs of the same home and user each ends where the next begins;
 * where none of them holds, the wider one does (the user's, else everybody's; the home's, else every home's).
 * `price` holds for everybody, unless `bands` has such a tariff from 1970-01-01 on.
 */
export function tariffRows(options: {
  currency: string
  price?: { energy_rate_kwh: number | string; base_charge_month: number | string }
  bands: readonly TariffBand[]
}): TariffRow[] {
  const ownDefault = options.bands.some(
    (band) => band.tenant_id === undefined && band.user_id === undefined && band.valid_from === DEFAULT_FROM,
  )
  const price = { ...(options.price ?? DEFAULT_PRICE), valid_from: DEFAULT_FROM }
  const rows = [...(ownDefault ? [] : [price]), ...options.bands].flatMap((band) =>
    bandRows(band, options.currency),
  )
  const scopes = Map.groupBy(rows, (row) => JSON.stringify([row.tenant_id, row.user_id]))
  return [...scopes.values()].flatMap((scope) => {
    const tariffs = Map.groupBy(scope, (row) => row.valid_from)
    const starts = [...tariffs.keys()].toSorted()
    return starts.flatMap((start, index) => {
      const bands = tariffs.get(start)!
      checkWeek(bands)
      return bands.map((row) => ({ ...row, valid_to: earlier(row.valid_to, starts[index + 1] ?? null) }))
    })
  })
}

function earlier(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b
  return a < b ? a : b
}

function tariffError(
  tariff: { user_id?: string | null; valid_from: string },
  problem: string,
  cure: string,
): PlatformError {
  const whose = tariff.user_id ? `user "${tariff.user_id}"` : 'everybody'
  const message = `The tariff of ${whose} from ${tariff.valid_from} on: ${problem}`
  return new PlatformError('config_invalid', message, cure)
}

function bandRows(band: TariffBand, currency: string): TariffRow[] {
  const { weekdays = ALL_WEEK, hour_from: from = 0, hour_to: to = 24 } = band
  for (const date of [band.valid_from, band.valid_to ?? band.valid_from]) {
    if (!isDate(date)) throw tariffError(band, `"${date}" is no date`, 'Write dates as YYYY-MM-DD.')
  }
  if (band.valid_to !== undefined && band.valid_to <= band.valid_from) {
    throw tariffError(band, `it ends on ${band.valid_to}, before it begins`, 'Let valid_to be a later date.')
  }
  const hours = Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from < 24 && to > 0 && to <= 24
  if (!hours || !/^[1-7]+$/.test(weekdays)) {
    throw tariffError(
      band,
      `weekdays "${weekdays}", hours ${from} to ${to} are no band`,
      'Write weekdays as digits 1 (Monday) to 7, hours from 0–23 to 1–24.',
    )
  }
  const row = ([hourFrom, hourTo]: Hours, [seasonFrom, seasonTo]: Season): TariffRow => ({
    tenant_id: band.tenant_id ?? null,
    user_id: band.user_id ?? null,
    valid_from: band.valid_from,
    valid_to: band.valid_to ?? null,
    band: band.band ?? 'flat',
    weekdays,
    hour_from: hourFrom,
    hour_to: hourTo,
    season_from: seasonFrom,
    season_to: seasonTo,
    energy_rate_kwh: nineDecimals(band, band.energy_rate_kwh),
    base_charge_month: nineDecimals(band, band.base_charge_month ?? 0),
    currency,
  })
  const parts: Hours[] =
    to > from
      ? [[from, to]]
      : [
          [0, to],
          [from, 24],
        ]
  return seasonsOf(band).flatMap((season) => parts.map((hoursOf) => row(hoursOf, season)))
}

type Hours = [from: number, to: number]
type Season = [from: number | null, to: number | null]

const NEW_YEAR = 101
const YEAR_END = 1300

/** The days of the year in which a band holds; over the new year they are two stretches. */
function seasonsOf(band: TariffBand): Season[] {
  const { season_from: first, season_to: last } = band
  if (first === undefined && last === undefined) return [[null, null]]
  const day = (text: string | undefined): number => {
    // A leap year, since the 29th of February is a day to name.
    if (text !== undefined && isDate(`2024-${text}`)) return Number(text.replace('-', ''))
    throw tariffError(
      band,
      `its season from ${first ?? 'nothing'} to ${last ?? 'nothing'} is none`,
      'Write both as days of the year, such as season_from: 04-01, season_to: 10-01.',
    )
  }
  const [from, to] = [day(first), day(last)]
  if (from < to) return [[from, to]]
  if (from === to)
    throw tariffError(
      band,
      `its season begins and ends on ${first}`,
      'Leave it out: the band holds all year then.',
    )
  return to === NEW_YEAR
    ? [[from, YEAR_END]]
    : [
        [NEW_YEAR, to],
        [from, YEAR_END],
      ]
}

/** Every hour of the week has exactly one band, in every season: otherwise its price is a matter of luck. */
function checkWeek(bands: readonly TariffRow[]): void {
  const starts = new Set([
    NEW_YEAR,
    ...bands.flatMap((row) => [row.season_from ?? NEW_YEAR, row.season_to ?? NEW_YEAR]),
  ])
  for (const start of [...starts].filter((day) => day < YEAR_END).toSorted((x, y) => x - y)) {
    const inSeason = bands.filter(
      (row) => (row.season_from ?? NEW_YEAR) <= start && start < (row.season_to ?? YEAR_END),
    )
    const season = starts.size > 2 ? ` from ${String(start).padStart(4, '0').replace(/(..)$/, '-$1')} on` : ''
    checkHours(bands[0]!, inSeason, season)
  }
}

function checkHours(tariff: TariffRow, bands: readonly TariffRow[], season: string): void {
  for (const weekday of ALL_WEEK) {
    for (let hour = 0; hour < 24; hour += 1) {
      const holding = bands.filter(
        (row) => row.weekdays.includes(weekday) && hour >= row.hour_from && hour < row.hour_to,
      )
      if (holding.length === 1) continue
      const names = holding.map((row) => row.band).join(' and ')
      throw tariffError(
        tariff,
        `weekday ${weekday}, ${hour}:00${season} has ${holding.length === 0 ? 'no price' : `${holding.length} prices (${names})`}`,
        'Let its bands fill the week, each hour once, in every season.',
      )
    }
  }
}

/** The amount as the lake's DECIMAL(18,9) writes it, so that equal amounts are equal texts. */
function nineDecimals(band: TariffBand, amount: number | string): string {
  const text = typeof amount === 'number' ? amount.toFixed(9) : amount
  const match = /^(\d{1,9})(?:\.(\d{1,9}))?$/.exec(text)
  if (match === null) {
    const cure = 'Write a number of at least 0, with at most nine decimals.'
    throw tariffError(band, `"${amount}" is no amount`, cure)
  }
  return `${BigInt(match[1]!)}.${(match[2] ?? '').padEnd(9, '0')}`
}
