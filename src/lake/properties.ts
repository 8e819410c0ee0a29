import { LakeError } from './errors.ts'

/** The table properties that this lake honours: Delta's, and two of its own. */

export type Properties = Readonly<Record<string, string>>

const DAY_MS = 86_400_000
const UNITS_MS: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: DAY_MS,
  week: 7 * DAY_MS,
}

/** Rows may be added, neither changed nor removed (PROTOCOL.md, Append-only Tables). */
export function isAppendOnly(properties: Properties): boolean {
  return properties['delta.appendOnly']?.toLowerCase() === 'true'
}

/** A checkpoint every how many versions. */
export function checkpointInterval(properties: Properties): number {
  return wholeNumber(properties, 'delta.checkpointInterval', 1) ?? 50
}

/** How long log entries are kept that a newer checkpoint covers. */
export function logRetentionMs(properties: Properties): number {
  return duration(properties, 'delta.logRetentionDuration') ?? 30 * DAY_MS
}

/** Whether the log may be shortened at all. */
export function isLogCleaned(properties: Properties): boolean {
  return properties['delta.enableExpiredLogCleanup']?.toLowerCase() !== 'false'
}

/** How long the files of a removal are kept, for readers of older versions. */
export function deletedFileRetentionMs(properties: Properties): number {
  return duration(properties, 'delta.deletedFileRetentionDuration') ?? 7 * DAY_MS
}

/** Statistics are kept of so many first columns; where the table does not say, of all. */
export function indexedColumns(properties: Properties): number {
  const count = wholeNumber(properties, 'delta.dataSkippingNumIndexedCols', -1) ?? -1
  return count < 0 ? Infinity : count
}

/** How many whole dates (UTC) `retain` keeps; null: all. */
export function retentionDays(properties: Properties): number | null {
  return wholeNumber(properties, 'lake.retentionDays', 1) ?? null
}

/** The order of the rows in a file: what merging must know of a table that nobody defined in this process. */
export function sortOrder(properties: Properties): string[] {
  return properties['lake.sortBy']?.split(',').filter((name) => name !== '') ?? []
}

/** Throws `usage` for a value that could not be honoured. */
export function requireValid(properties: Properties): void {
  for (const read of [
    checkpointInterval,
    logRetentionMs,
    deletedFileRetentionMs,
    indexedColumns,
    retentionDays,
  ])
    read(properties)
}

function wholeNumber(properties: Properties, name: string, least: number): number | undefined {
  const text = properties[name]
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() === '' || !Number.isInteger(value) || value < least)
    throw invalid(name, text, `a whole number from ${least} on`)
  return value
}

/** As Spark writes it: `interval 30 days`, `interval 1 week 12 hours`. */
function duration(properties: Properties, name: string): number | undefined {
  const text = properties[name]
  if (text === undefined) return undefined
  const words = text
    .trim()
    .toLowerCase()
    .replace(/^interval\s+/, '')
  const parts = [...words.matchAll(/(\d+)\s+([a-z]+?)s?(?:\s+|$)/g)]
  const whole = parts.map(([part]) => part).join('') === words && words !== ''
  if (!whole || parts.some(([, , unit = '']) => !Object.hasOwn(UNITS_MS, unit)))
    throw invalid(name, text, 'a duration such as "interval 30 days"')
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * UNITS_MS[unit]!, 0)
}

function invalid(name: string, text: string, wanted: string): LakeError {
  return new LakeError('usage', `The table property ${name} is "${text}", not ${wanted}.`, 'Set it anew.')
}
