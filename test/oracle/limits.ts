/** What is believable of a device type: the published constants, looked up the plain way. */
import { DEFAULT_LIMITS, TYPE_LIMITS } from '../../src/4-silver/rules.ts'
import type { House } from './types.ts'

function limits(deviceType: string | null): typeof DEFAULT_LIMITS {
  if (deviceType === null || !Object.hasOwn(TYPE_LIMITS, deviceType)) return DEFAULT_LIMITS
  return TYPE_LIMITS[deviceType] as typeof DEFAULT_LIMITS
}

/** Smallest and largest power that a type may report, W, inclusive. */
export function powerRangeW(deviceType: string | null): [number, number] {
  return [limits(deviceType).powerMinW, limits(deviceType).powerMaxW]
}

/** Rated power of a type, W; null where it is not known. */
export function typeRatedPowerW(deviceType: string | null): number | null {
  return limits(deviceType).ratedPowerW
}

/** Whether a rule is looked at for a type, and with which points or limit: the type's own word, else everybody's, else as published. */
export function ruleOf(
  house: House,
  rule: string,
  deviceType: string | null,
): { on: boolean; points: number | null; limit: number | null } {
  const changes = (house.rules ?? []).filter((change) => change.rule === rule)
  const change =
    changes.find((one) => one.device_type === deviceType) ?? changes.find((one) => one.device_type === '*')
  return { on: change?.enabled ?? true, points: change?.points ?? null, limit: change?.limit ?? null }
}
