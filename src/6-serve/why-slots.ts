/** Energy of single rows put into quarter-hours: decision 0002, *Split*, worked out here apart from Gold's models. */
import { decimalText, nano, type Nano } from './decimal.ts'
import type { DeviceRow } from './why-readings.ts'

export const SLOT_US = 900_000_000

export interface EnergyPart {
  slotUs: number
  energy: Nano
  /** Its share, filled in. */
  formula: string
}

const slotOf = (us: number): number => us - (((us % SLOT_US) + SLOT_US) % SLOT_US)

/**
 * The quarter-hours that a row's energy lies in: each but the last gets trunc(E × part / length), the last the
 * remainder; a reported value, and an interval without length, go whole to the one that holds its end.
 */
export function splitEnergy(row: DeviceRow): EnergyPart[] {
  const energy = nano(row.energy_wh)
  if (energy === null) return []
  if (row.energy_method === 'reported' || row.from_us === null || row.to_us === null)
    return [{ slotUs: slotOf(row.t_us - 1), energy, formula: 'whole' }]
  const { from_us: fromUs, to_us: toUs } = row
  const lastUs = slotOf(toUs - 1)
  const firstUs = Math.min(slotOf(fromUs), lastUs)
  if (firstUs === lastUs) return [{ slotUs: lastUs, energy, formula: 'whole' }]
  const length = BigInt(toUs - fromUs)
  const parts: EnergyPart[] = []
  let left = energy
  for (let slotUs = firstUs; slotUs < lastUs; slotUs += SLOT_US) {
    const insideUs = slotUs + SLOT_US - Math.max(fromUs, slotUs)
    const part = (energy * BigInt(insideUs)) / length
    left -= part
    parts.push({ slotUs, energy: part, formula: shareText(energy, insideUs, toUs - fromUs) })
  }
  const restUs = toUs - lastUs
  parts.push({
    slotUs: lastUs,
    energy: left,
    formula: `the rest of ${decimalText(energy, 9)} Wh, ${restUs / 1e6} of ${(toUs - fromUs) / 1e6} s`,
  })
  return parts
}

const shareText = (energy: Nano, insideUs: number, lengthUs: number): string =>
  `${decimalText(energy, 9)} Wh × ${insideUs / 1e6} s / ${lengthUs / 1e6} s, cut off after nine decimals`
