import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config.ts'

/** What a platform that runs takes over as soon as the configuration changes. Every other key counts from the next start on. */
export const LIVE_KEYS: readonly string[] = []
export const LATER = [
  'dashboard',
  'alerts',
  'price',
  'tariffs',
  'silver.late_watermark_hours',
  'logs.level',
] as const

/** Whether a key (`alerts.high_power_w`) is, or lies in, one that counts at once. */
export const isLive = (key: string): boolean =>
  LIVE_KEYS.some((live) => key === live || key.startsWith(`${live}.`) || key.startsWith(`${live}[]`))

/** The keys whose values differ, as paths to the value or the list that does. */
export function changedKeys(before: Config, after: Config): string[] {
  return differences(before, after, '')
}

function differences(before: unknown, after: unknown, path: string): string[] {
  if (isDeepStrictEqual(before, after)) return []
  if (!isSection(before) || !isSection(after)) return [path]
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
    differences(before[name], after[name], path === '' ? name : `${path}.${name}`),
  )
}

const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
