/** The file of the embedded log: its schema, how it is opened by several processes at once, and its errors. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { PlatformError } from '../errors.ts'

/** 'shst' in ASCII: says in the file's header whose file it is. */
const APPLICATION_ID = 0x73687374
const FORMAT_VERSION = 1

/** How long an operation waits for other processes' transactions before it gives up. */
const LOCK_PATIENCE_MS = 30_000
/** SQLite's own wait blocks the thread, so it is short; between two of them other work of the process goes on. */
const BLOCKING_WAIT_MS = 20

const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6
const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

/** Result codes of SQLite: the lowest byte is the class of the error. */
function sqliteClass(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}

/** An error of SQLite as one sentence with its cure; what is no error of SQLite is handed on as it is. */
export function streamError(error: unknown, file: string): unknown {
  const kind = sqliteClass(error)
  if (kind === undefined || !(error instanceof Error)) return error
  if (kind === SQLITE_CORRUPT || kind === SQLITE_NOTADB) {
    return new PlatformError(
      'stream_corrupt',
      `The stream file ${file} cannot be read: ${error.message}.`,
      'Stop the platform, move the file and its -wal and -shm aside (keep them), and start again: what Bronze has landed stays, and new readings go on from there.',
      { cause: error },
    )
  }
  return new PlatformError(
    'stream_unwritable',
    `The stream file ${file} cannot be used: ${error.message}.`,
    'Check that the disk has space, that the folder is writable, and that no other program holds the file.',
    { cause: error },
  )
}

/** Runs a transaction of SQLite again while another process holds the lock, without blocking this one. */
export async function whenUnlocked<T>(file: string, transaction: () => T): Promise<T> {
  const deadline = performance.now() + LOCK_PATIENCE_MS
  for (;;) {
    try {
      return transaction()
    } catch (error) {
      const kind = sqliteClass(error)
      const locked = kind === SQLITE_BUSY || kind === SQLITE_LOCKED
      if (!locked || performance.now() > deadline) throw streamError(error, file)
    }
    await sleep(1 + Math.random() * 5)
  }
}

/** One transaction: all of the work, or none of it. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

function checkOwner(database: DatabaseSync, file: string): void {
  const owner = database.prepare('PRAGMA application_id').get()?.application_id
  const format = Number(database.prepare('PRAGMA user_version').get()?.user_version)
  if (owner !== APPLICATION_ID) {
    throw new PlatformError(
      'stream_corrupt',
      `${file} is an SQLite file, but not a stream of this platform.`,
      'Move the file aside, or choose another data folder.',
    )
  }
  if (format > FORMAT_VERSION) {
    throw new PlatformError(
      'data_folder_newer',
      `The stream file ${file} has format ${format}; this version knows ${FORMAT_VERSION}.`,
      'Use the newer version of the platform that wrote it.',
    )
  }
}

/**
 * AUTOINCREMENT keeps the highest offset ever given in `sqlite_sequence`: without it a log that was emptied by
 * `trim` would begin again at 1, and a reader that stands further on would skip what is new.
 */
function createSchema(database: DatabaseSync, firstOffset: number): void {
  database.exec(`
    CREATE TABLE message (
      offset INTEGER PRIMARY KEY AUTOINCREMENT,
      ingestion_time_us INTEGER NOT NULL,
      key TEXT,
      value BLOB NOT NULL,
      headers TEXT
    );
    CREATE TABLE clock (last_ingestion_time_us INTEGER NOT NULL);
    INSERT INTO clock VALUES (0);
    INSERT INTO sqlite_sequence (name, seq) VALUES ('message', ${firstOffset - 1});
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = ${FORMAT_VERSION};
  `)
}

function configure(database: DatabaseSync): void {
  // The page size only counts while the file is empty; large pages suit rows that are appended and read in order.
  database.exec('PRAGMA page_size = 16384')
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  // macOS only: an fsync that reaches the medium.
  database.exec('PRAGMA fullfsync = ON')
  database.exec('PRAGMA checkpoint_fullfsync = ON')
  database.exec('PRAGMA wal_autocheckpoint = 1000')
  database.exec('PRAGMA journal_size_limit = 67108864')
}

/** Whether a file is a log of this platform: sources keep memories of their own beside the logs. */
export function isStreamFile(file: string): boolean {
  try {
    const database = new DatabaseSync(file, { readOnly: true, timeout: BLOCKING_WAIT_MS })
    try {
      return database.prepare('PRAGMA application_id').get()?.application_id === APPLICATION_ID
    } finally {
      database.close()
    }
  } catch {
    return false
  }
}

/** Opens one connection to the file `<dir>/<topic>.sqlite`, and creates the log where there is none. */
export async function openStreamFile(
  dir: string,
  topic: string,
  firstOffset: number,
): Promise<{ file: string; database: DatabaseSync }> {
  const file = join(dir, `${topic}.sqlite`)
  mkdirSync(dir, { recursive: true })
  let database: DatabaseSync
  try {
    database = new DatabaseSync(file, { timeout: BLOCKING_WAIT_MS })
  } catch (error) {
    throw streamError(error, file)
  }
  try {
    await whenUnlocked(file, () => {
      configure(database)
      inTransaction(database, () => {
        const tables = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.n
        if (tables === 0) createSchema(database, firstOffset)
      })
      checkOwner(database, file)
    })
  } catch (error) {
    database.close()
    throw error
  }
  return { file, database }
}
