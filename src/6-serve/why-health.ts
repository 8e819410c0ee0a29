/** The health of a device's day with its formula filled in, from the readings and rejects of the day. */
import { decimalText, nano } from './decimal.ts'
import type { DeviceDay, DeviceRow } from './why-readings.ts'

/** `trunc((2n + d) / 2d)`: n / d rounded half up. */
const halfUp = (n: bigint, d: bigint): bigint => (2n * n + d) / (2n * d)
const millionths = (nanos: bigint): bigint => nanos / 1000n
const share = (value: bigint): string => decimalText(value, 6)

/**
 * 0.4 × mean quality + 0.3 × valid share + 0.2 × (1 − late share) + 0.1 × (1 − min(alert episodes per hour / 10, 1)),
 * in whole millionths. Late share and episodes are Gold's: what they look at lies beyond the day.
 */
export function healthOf(
  row: Record<string, unknown>,
  { rows, rejects, day }: { rows: readonly DeviceRow[]; rejects: number; day: DeviceDay },
): { derived: string | null; formula: string } {
  const inside = rows.filter(({ t_us: us }) => us >= day.startUs && us < day.endUs)
  const readings = BigInt(inside.length)
  if (readings === 0n) return { derived: null, formula: `no reading, ${rejects} rejects: no health` }
  const sum = inside.reduce((total, { quality_score: score }) => total + millionths(nano(score)!), 0n)
  const validRows = BigInt(inside.filter(({ quality_score: score }) => nano(score)! >= 500_000_000n).length)
  const quality = halfUp(sum, readings)
  const valid = halfUp(validRows * 1_000_000n, readings + BigInt(rejects))
  const late = millionths(nano(String(row.late_share))!)
  const episodes = BigInt(Number(row.alert_episodes))
  const dayS = BigInt((day.endUs - day.startUs) / 1e6)
  const most = 1_000_000n * dayS
  const calm = episodes * 360_000_000n < most ? episodes * 360_000_000n : most
  const health = halfUp(
    (4n * quality + 3n * valid + 2n * (1_000_000n - late) + 1_000_000n) * dayS - calm,
    10n * dayS,
  )
  return {
    derived: share(health),
    formula:
      `health_score = 0.4 × ${share(quality)} (mean quality of ${readings} readings) + ` +
      `0.3 × ${share(valid)} (${validRows} valid of ${readings} readings + ${rejects} rejects) + ` +
      `0.2 × (1 − ${share(late)} late) + 0.1 × (1 − min(${episodes} alert episodes × 3600 / ${dayS} s / 10, 1)) = ${share(health)}`,
  }
}
