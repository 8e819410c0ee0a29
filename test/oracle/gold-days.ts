/** What a device's local day is made of: completeness, outages, health. Decision 0002, "Gold". */
import { HOUR_US, MINUTE_US, SECOND_US, roundDiv, sum } from './exact.ts'
import { groupBy, isAlert, isOffline } from './types.ts'
import type { Accepted, CatalogueEntry } from './types.ts'

export interface Day {
  start: bigint
  end: bigint
}

const MILLION = 1_000_000n

/** n / d as integer of 10⁻⁶, rounded half up. */
const share = (n: bigint, d: bigint): bigint => roundDiv(n * MILLION, d)

/** Expected time between readings of a device on a day, µs; null where it is not known. */
export function expectedIntervalUs(
  rows: readonly Accepted[],
  entry: CatalogueEntry | undefined,
): bigint | null {
  const fixedS = entry?.expected_interval_s ?? null
  const known = fixedS !== null ? BigInt(Math.round(fixedS * 1e6)) : smallestMedian(rows)
  return known === null ? null : known > SECOND_US ? known : SECOND_US
}

function smallestMedian(rows: readonly Accepted[]): bigint | null {
  const medians = [...groupBy(rows, (row) => row.channel).values()].flatMap((channel) => {
    const times = [...new Set(channel.map((row) => row.at))].toSorted(ascending)
    if (times.length < 3) return []
    const differences = times.slice(1).map((at, k) => at - (times[k] as bigint))
    differences.sort(ascending)
    return [differences[Math.floor((differences.length - 1) / 2)] as bigint]
  })
  return medians.toSorted(ascending)[0] ?? null
}

const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)

/** Slots of the interval with such a reading / all slots of the day, 10⁻⁶. */
export function slotShare(rows: readonly Accepted[], day: Day, intervalUs: bigint): bigint {
  const seen = new Set(rows.map((row) => (row.at - day.start) / intervalUs))
  const length = day.end - day.start
  const expected = (length + intervalUs - 1n) / intervalUs
  const found = share(BigInt(seen.size), expected)
  return found < MILLION ? found : MILLION
}

/** Share of the expected intervals with a reading that is not `offline`, 10⁻⁶ per cent. */
export function uptimeMicroPercent(rows: readonly Accepted[], day: Day, intervalUs: bigint): bigint {
  const seen = new Set(rows.filter((row) => !isOffline(row)).map((row) => (row.at - day.start) / intervalUs))
  const length = day.end - day.start
  const expected = (length + intervalUs - 1n) / intervalUs
  const found = share(100n * BigInt(seen.size), expected)
  return found < 100n * MILLION ? found : 100n * MILLION
}

/** Mean hours between failures; null without an outage. Rows in row order. */
export function mtbfHours(rows: readonly Accepted[], intervalUs: bigint): number | null {
  const limit = 3n * intervalUs > 15n * MINUTE_US ? 3n * intervalUs : 15n * MINUTE_US
  let outages = 0
  let outUs = 0n
  let offlineSince: bigint | null = null
  let previous: Accepted | undefined
  for (const row of rows) {
    if (offlineSince !== null) {
      if (!isOffline(row)) {
        outages += 1
        outUs += row.at - offlineSince
        offlineSince = null
      }
    } else {
      if (previous && row.at - previous.at > limit) {
        outages += 1
        outUs += row.at - previous.at
      }
      if (isOffline(row)) offlineSince = row.at
    }
    previous = row
  }
  if (!previous) return null
  if (offlineSince !== null) {
    outages += 1
    outUs += previous.at - offlineSince
  }
  if (outages === 0) return null
  const reportingUs = previous.at - (rows[0] as Accepted).at - outUs
  return Number(reportingUs) / Number(HOUR_US) / outages
}

/** Rows that begin an alert episode, per channel of one device. Rows in row order. */
export function episodeBeginnings(rows: readonly Accepted[]): Set<Accepted> {
  const beginnings = new Set<Accepted>()
  const before = new Map<string, string>()
  for (const row of rows) {
    if (row.alert === null) continue
    if (isAlert(row) && before.get(row.channel) !== row.alert) beginnings.add(row)
    before.set(row.channel, row.alert)
  }
  return beginnings
}

export interface Health {
  quality: bigint
  valid: bigint
  late: bigint
  /** 10⁻⁶; null on a day with rejects only. */
  health: bigint | null
  failure: bigint | null
  reliability: bigint | null
}

/** Scores of a device-day, 10⁻⁶ each. */
export function healthOf(options: {
  qualityHundredths: readonly bigint[]
  lateRows: number
  rejects: number
  episodes: number
  daySeconds: bigint
}): Health {
  const rows = BigInt(options.qualityHundredths.length)
  if (rows === 0n) return { quality: 0n, valid: 0n, late: 0n, health: null, failure: null, reliability: null }
  const quality = roundDiv(sum(options.qualityHundredths) * 10_000n, rows)
  const validRows = BigInt(options.qualityHundredths.filter((score) => score >= 50n).length)
  const valid = share(validRows, rows + BigInt(options.rejects))
  const late = share(BigInt(options.lateRows), rows)
  // With e = episodes × 3600 and s = seconds of the day, episodes per hour = e / s. All terms over 10 s:
  const [e, s] = [BigInt(options.episodes) * 3600n, options.daySeconds]
  const calm = 10n * s > e ? 10n * s - e : 0n // 10 s × (1 − min(e/s/10, 1))
  const health = roundDiv(
    (4n * quality + 3n * valid + 2n * (MILLION - late)) * 10n * s + MILLION * calm,
    100n * s,
  )
  // Over 20 s: 0.7 (1 − h) = 14 s (1 − h), e/s/20 = e, 0.3 late = 6 s late.
  const risk = roundDiv(14n * s * (MILLION - health) + MILLION * e + 6n * s * late, 20n * s)
  return {
    quality,
    valid,
    late,
    health,
    failure: risk < MILLION ? risk : MILLION,
    reliability: roundDiv(6n * valid + 4n * (MILLION - late), 10n),
  }
}
