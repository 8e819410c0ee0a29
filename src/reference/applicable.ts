import type { StoredTariff } from './sync.ts'

/** A local hour of a user's. */
export interface LocalHour {
  tenant: string
  /** null: nobody's. */
  user: string | null
  /** Local date, `YYYY-MM-DD`. */
  date: string
  /** 0–23 */
  hour: number
  /** ISO weekday, 1 = Monday. */
  weekday: number
}

/**
 * The price that holds in a local hour (decision 0002, *Cost*): the user's before everybody's, the home's before every
 * home's, then the newest version, the later `valid_from`, the lesser `band`. Gold's model prices by the same order.
 */
export function tariffAt(tariffs: readonly StoredTariff[], at: LocalHour): StoredTariff | undefined {
  const dayOfYear = Number(at.date.slice(5, 7)) * 100 + Number(at.date.slice(8, 10))
  const holding = tariffs.filter(
    (row) =>
      (row.tenant_id === null || row.tenant_id === at.tenant) &&
      (row.user_id === null || row.user_id === at.user) &&
      row.valid_from <= at.date &&
      (row.valid_to === null || at.date < row.valid_to) &&
      (row.season_from === null || (row.season_from <= dayOfYear && dayOfYear < row.season_to!)) &&
      row.weekdays.includes(String(at.weekday)) &&
      row.hour_from <= at.hour &&
      at.hour < row.hour_to,
  )
  return holding.toSorted(
    (a, b) =>
      Number(a.user_id === null) - Number(b.user_id === null) ||
      Number(a.tenant_id === null) - Number(b.tenant_id === null) ||
      b.tariff_version - a.tariff_version ||
      order(b.valid_from, a.valid_from) ||
      order(a.band, b.band),
  )[0]
}

function order(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
