import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config.ts'

const SOURCES = ['broker', 'listen', 'poll'] as const
const ALL = ['simulate', 'stages', 'serve', ...SOURCES] as const
export type PartName = (typeof ALL)[number]

/**
 * Which parts read a key. `up` starts them again when it changes, within seconds and without losing anything: a part may end at any
 * moment. A key that is not here (the stream, the address of the server, the zone, the currency) counts from the next start on.
 */
const PARTS_OF: Readonly<Record<string, readonly PartName[]>> = {
  simulator: ['simulate', 'serve'],
  'sources.mqtt': ['broker'],
  'sources.brokers': ['listen'],
  'sources.poll': ['poll'],
  'sources.mappings': SOURCES,
  'sources.http': ['serve'],
  schedules: ['stages'],
  bronze: ['stages'],
  silver: ['stages'],
  gold: ['stages'],
  // The device book reads it too, whenever something is said of a device.
  catalogue: ['stages', 'serve'],
  billing: ['stages'],
  price: ['stages'],
  tariffs: ['stages'],
  rules: ['stages'],
  alerts: ['stages', 'serve'],
  dashboard: ['serve'],
  engine: ['stages', 'serve'],
  logs: ALL,
}

function entryOf(key: string): readonly PartName[] | undefined {
  const prefix = Object.keys(PARTS_OF).find(
    (known) => key === known || key.startsWith(`${known}.`) || key.startsWith(`${known}[]`),
  )
  return prefix === undefined ? undefined : PARTS_OF[prefix]
}

/** Whether a platform that runs takes over a change of the key (`alerts.high_power_w`). */
export const isLive = (key: string): boolean => entryOf(key) !== undefined

export interface ConfigChange {
  /** The keys that differ. */
  keys: string[]
  /** Those of them that count from the next start on; then nothing of the change is taken before. */
  later: string[]
  /** The parts that read the others. */
  parts: ReadonlySet<PartName>
}

/** What a changed configuration asks for. */
export function changeOf(before: Config, after: Config): ConfigChange {
  const keys = differences(before, after, '')
  return {
    keys,
    later: keys.filter((key) => !isLive(key)),
    parts: new Set(keys.flatMap((key) => entryOf(key) ?? [])),
  }
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
