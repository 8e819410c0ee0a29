/** What the parts of the Overview are composed from, and the words that they share. */
import type { Alert } from './contract.ts'
import type { LocalDay, Span } from './days.ts'
import { sumNano, type Nano } from './decimal.ts'
import { countsInTotal, type Directory, type HomeDirectory } from './directory.ts'
import type { CutFigures, Figures } from './figures.ts'

export interface Picture {
  tenant: string
  directory: Directory
  home: HomeDirectory
  span: Span
  /** Of the range. */
  days: readonly LocalDay[]
  figures: Figures
  timeZone: string
  currency: string
  nowMs: number
  alerts: readonly Alert[]
}

/** Why Gold has nothing to say. */
export function noDataReason({ home, span }: Picture): string {
  if (!home.hasData) return 'No reading of this home has been worked up yet.'
  const range = span.from === span.to ? `on ${span.from}` : `from ${span.from} to ${span.to}`
  return `There are no readings ${range}.`
}

/** `3 devices`, `1 device`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

export const percent = (share: number): string => `${Math.round(share * 100)} %`

/** Local time of day, `14:30`. */
export function localTime(ms: number, timeZone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(ms)
    .toZonedDateTimeISO(timeZone)
    .toPlainTime()
    .toString({ smallestUnit: 'minute' })
}

/** What a person calls a device: its kind and place, with the id that is unique. */
export function deviceName(device: {
  device_id: string
  device_type: string | null
  location: string | null
}): string {
  const kind = device.device_type?.replaceAll('_', ' ')
  if (!kind) return device.device_id
  const words = device.location ? `${kind}, ${device.location}` : kind
  return `${words[0]!.toUpperCase()}${words.slice(1)} (${device.device_id})`
}

/** The house's energy or cost in the first part of a day: devices that count in the total. */
export function houseOfCut(picture: Picture, date: string, of: 'energy' | 'cost'): Nano | null {
  return sumNano(cutsOf(picture, date).map((row) => row[of]))
}

/** Rows of a day's first part, of devices that count in the total. */
export function cutsOf({ figures, home }: Picture, date: string): CutFigures[] {
  const types = new Map(figures.devices.map((device) => [device.device_id, device.device_type]))
  return figures.cuts.filter(
    (row) => row.date === date && countsInTotal(home, row.device_id, types.get(row.device_id) ?? null),
  )
}
