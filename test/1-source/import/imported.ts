/** What files become in a house, and that what is not clear is refused. */
import assert from 'node:assert/strict'
import type { CheckOptions } from '../../../src/1-source/import/check.ts'
import type { ImportOptions } from '../../../src/1-source/import/import.ts'
import { isPlatformError } from '../../../src/errors.ts'
import type { ImportHouse } from './house.ts'

const SAME_IN_ALL = new Set(['protocol', 'source_topic', 'ingest_kind'])

/** The readings of a file, without what is the same in all of them. */
export type Imported = (
  content: string | Uint8Array,
  options?: Partial<CheckOptions & ImportOptions>,
  name?: string,
) => Promise<Record<string, unknown>[]>

/** Asserts that a file is refused, and nothing of it taken. */
export type Refused = (
  content: string,
  options: Partial<CheckOptions & ImportOptions>,
  why: RegExp,
) => Promise<void>

/** What has come into the stream since `from`. */
export async function readingsSince(house: ImportHouse, from: number): Promise<Record<string, unknown>[]> {
  return (await house.readings())
    .slice(from)
    .map((reading) => Object.fromEntries(Object.entries(reading).filter(([name]) => !SAME_IN_ALL.has(name))))
}

export function importsInto(house: ImportHouse): { imported: Imported; refused: Refused } {
  let files = 0
  const imported: Imported = async (content, options = {}, name = `file-${files++}.csv`) => {
    const before = (await house.readings()).length
    await house.import(house.file(name, content), { timeZone: 'UTC', ...options })
    return await readingsSince(house, before)
  }
  const refused: Refused = async (content, options, why) => {
    const before = (await house.readings()).length
    await assert.rejects(
      imported(content, options),
      (error: unknown) =>
        isPlatformError(error) &&
        why.test(`${error.message} ${error.cure}`) &&
        error.code === 'file_not_telemetry',
      String(why),
    )
    assert.equal((await house.readings()).length, before)
  }
  return { imported, refused }
}
