/**
 * What of which file has been appended: the import's memory, in `<folder>/imports.sqlite`.
 *
 * A batch is announced here (durably, with where the stream ended), then appended with its number in the file in the
 * header of each message, and by the next announcement known to be appended. After a kill in between, the batch is
 * looked for in the stream from where it ended then, and only the lines that are not there are appended.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { PlatformError } from '../../errors.ts'
import { messagesSince } from '../since.ts'
import type { PartitionBounds, ReadableSink } from '../source.ts'

/** Header of an imported message: `<content and understanding>/<number of the message>`, which grows from row to row. */
export const IMPORT_HEADER = 'import'

export interface Announced {
  /** Lines below this one are appended, or in the batch announced. */
  nextLine: number
  /** First line of the batch announced last, which may or may not have been appended. */
  fromLine: number
  /** Where the stream ended before it. */
  ends: PartitionBounds[]
}

export interface Ledger {
  /** Undefined: nothing of it has been appended. */
  find(key: string): Announced | undefined
  announce(key: string, name: string, announced: Announced): void
  close(): void
}

/** Opens the ledger for one import at a time; a second one is refused, since each must know what the other appended. */
export function openLedger(dir: string): Ledger {
  mkdirSync(dir, { recursive: true })
  const lock = new DatabaseSync(join(dir, 'imports.lock'), { timeout: 0 })
  try {
    // Held by the operating system as long as this process lives: a killed import leaves no lock behind.
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    throw new PlatformError(
      'already_running',
      'Another import is running on this data folder.',
      'Wait until it has ended, then start this one again.',
      { cause: error },
    )
  }
  const database = new DatabaseSync(join(dir, 'imports.sqlite'), { timeout: 5_000 })
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    CREATE TABLE IF NOT EXISTS import (
      key TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      next_line INTEGER NOT NULL,
      from_line INTEGER NOT NULL,
      ends TEXT NOT NULL
    );`)
  const select = database.prepare('SELECT next_line, from_line, ends FROM import WHERE key = ?')
  const upsert = database.prepare(`
    INSERT INTO import (key, name, next_line, from_line, ends) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET next_line = excluded.next_line, from_line = excluded.from_line, ends = excluded.ends`)
  return {
    find(key) {
      const row = select.get(key)
      if (!row) return undefined
      const ends = JSON.parse(String(row.ends)) as PartitionBounds[]
      return { nextLine: Number(row.next_line), fromLine: Number(row.from_line), ends }
    },
    announce(key, name, { nextLine, fromLine, ends }) {
      upsert.run(key, name, nextLine, fromLine, JSON.stringify(ends))
    },
    close() {
      database.close()
      lock.close()
    },
  }
}

/**
 * The lines of the announced batch that are in the stream. What the stream no longer keeps cannot be looked for; those
 * lines are appended again, and are found to be duplicates in Silver.
 */
export async function linesInStream(
  log: ReadableSink,
  key: string,
  announced: Announced,
): Promise<Set<number>> {
  const lines = new Set<number>()
  const prefix = `${key}/`
  for await (const { headers } of messagesSince(log, announced.ends)) {
    const mark = headers?.[IMPORT_HEADER]
    if (mark?.startsWith(prefix)) lines.add(Number(mark.slice(prefix.length)))
  }
  return lines
}
