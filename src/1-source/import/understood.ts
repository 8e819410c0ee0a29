/** What is known of a file before any row of it is taken. */
import { createHash } from 'node:crypto'
import type { SourceFile } from './files.ts'
import type { MappingOptions } from './options.ts'
import type { BrokenRow, SourceRow } from './rows.ts'
import type { RowReader } from './table.ts'
import type { Zone } from './times.ts'

/** What an import knows of a device besides its readings. */
export interface DeviceWord {
  tenant_id: string
  device_id: string
  parent_device_id?: string
  /** Of devices whose readings lie further apart than a gap may be long. */
  expected_interval_s?: number
}

export interface Understood {
  file: SourceFile
  /** Distinguishes this understanding of a content from every other one. */
  digest: string
  /** The device, where the whole file is of one. */
  device: string | undefined
  /** Home of its devices, where the rows name none. */
  tenant: string
  /** So many messages may a row become. */
  width: number
  /** What it is, and which column is what: for people. */
  description: string[]
  /** What was taken for granted, and what would say otherwise. */
  notes: string[]
  devices: DeviceWord[]
  /** All rows from the beginning; `onShare` hears how much of the file has been read, 0 to 1. */
  rows: (onShare?: (share: number) => void) => AsyncIterable<SourceRow | BrokenRow>
  /** Reads the rows in their order, from the first on. */
  reader: () => RowReader
}

export interface UnderstandOptions extends MappingOptions {
  zone: Zone
  /** Its name. */
  timeZone: string
}

export const digestOf = (understanding: unknown): string =>
  createHash('sha256').update(JSON.stringify(understanding)).digest('hex')
