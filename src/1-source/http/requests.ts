/**
 * Requests that name themselves (`Idempotency-Key`), in `<folder>/requests.sqlite`. A request is announced here with where the
 * stream ended, then appended, each message with the key and its place in a header, then its answer is kept. After a kill in
 * between, one look into the stream from there on says which of its messages were appended: a log of several partitions
 * may have taken some of them, and not the others.
 */
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isPlatformError } from '../../errors.ts'
import type { PartitionBounds, ReadableSink, StreamMessage } from '../source.ts'
import { Refusal } from './refusal.ts'

/** Header of a message of such a request: `KEY/PLACE`. */
const REQUEST_HEADER = 'request'
const KEPT_MS = 24 * 3_600_000

export type Kept =
  | { state: 'new' }
  /** Announced, and perhaps appended. */
  | { state: 'begun'; ends: PartitionBounds[] }
  | { state: 'done'; status: number; answer: string }
  /** The key was used for another body. */
  | { state: 'other' }

export interface Requests {
  find(key: string, digest: string): Kept
  begin(key: string, digest: string, ends: PartitionBounds[]): void
  done(key: string, status: number, answer: string): void
  close(): void
}

export function openRequests(dir: string, nowMs: () => number = Date.now): Requests {
  mkdirSync(dir, { recursive: true })
  const database = new DatabaseSync(join(dir, 'requests.sqlite'), { timeout: 5_000 })
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    CREATE TABLE IF NOT EXISTS request (
      key TEXT PRIMARY KEY, digest TEXT NOT NULL, at_ms INTEGER NOT NULL, ends TEXT NOT NULL, status INTEGER, answer TEXT
    );
    CREATE INDEX IF NOT EXISTS request_at ON request (at_ms);`)
  const select = database.prepare('SELECT digest, ends, status, answer FROM request WHERE key = ?')
  const insert = database.prepare(
    'INSERT OR REPLACE INTO request (key, digest, at_ms, ends) VALUES (?, ?, ?, ?)',
  )
  const update = database.prepare('UPDATE request SET status = ?, answer = ? WHERE key = ?')
  const forget = database.prepare('DELETE FROM request WHERE at_ms < ?')
  return {
    find(key, digest) {
      const row = select.get(key)
      if (!row) return { state: 'new' }
      if (row.digest !== digest) return { state: 'other' }
      if (row.status !== null)
        return { state: 'done', status: Number(row.status), answer: String(row.answer) }
      return { state: 'begun', ends: JSON.parse(String(row.ends)) as PartitionBounds[] }
    },
    begin(key, digest, ends) {
      forget.run(nowMs() - KEPT_MS)
      insert.run(key, digest, nowMs(), JSON.stringify(ends))
    },
    done(key, status, answer) {
      update.run(status, answer, key)
    },
    close: () => database.close(),
  }
}

/** The messages of a request, each with its key and place. */
export function marked(key: string, messages: readonly StreamMessage[]): StreamMessage[] {
  return messages.map((message, place) => ({ ...message, headers: { [REQUEST_HEADER]: `${key}/${place}` } }))
}

/** The places of those messages of a request that was begun which have been appended. */
async function placesInStream(
  log: ReadableSink,
  key: string,
  ends: readonly PartitionBounds[],
): Promise<Set<number>> {
  const places = new Set<number>()
  for (const { partition, start, end } of await log.bounds()) {
    let offset = Math.max(start, ends.find((bounds) => bounds.partition === partition)?.end ?? start)
    while (offset < end) {
      const records: (StreamMessage & { offset: number })[] = await log
        .read({ partition, offset, maxRecords: 10_000, maxBytes: 16 * 1024 * 1024 })
        .catch((error: unknown) => {
          // Trimmed meanwhile: what Bronze has landed since is no longer looked at.
          if (isPlatformError(error) && error.code === 'stream_gap') return []
          throw error
        })
      if (records.length === 0) break
      for (const { headers } of records) {
        const mark = headers?.[REQUEST_HEADER]
        if (mark?.startsWith(`${key}/`)) places.add(Number(mark.slice(key.length + 1)))
      }
      offset = records.at(-1)!.offset + 1
    }
  }
  return places
}

const NONE: ReadonlySet<number> = new Set()

type Answer = { status: number; answer: string }

/** Answers a request with a key as it was answered the first time, and appends it once, whatever was killed in between. */
export async function answerOnce(
  { requests, sink }: { requests: Requests; sink: ReadableSink },
  { key: sent, tenant, body }: { key: unknown; tenant: string | null; body: Uint8Array },
  answerTo: (id: string | undefined, appended: ReadonlySet<number>) => Promise<Answer>,
): Promise<Answer> {
  if (typeof sent !== 'string' || sent === '') return await answerTo(undefined, NONE)
  if (sent.length > 255)
    throw new Refusal('bad_request', 'The Idempotency-Key is longer than 255 characters.', 'Send a UUID.')
  const id = JSON.stringify([tenant, sent])
  return await inTurn(id, async () => {
    const digest = createHash('sha256').update(body).digest('hex')
    const kept = requests.find(id, digest)
    if (kept.state === 'done') return kept
    if (kept.state === 'other')
      throw new Refusal(
        'key_reused',
        'This Idempotency-Key was used for another body.',
        'Use a new one for each request.',
      )
    if (kept.state === 'new') requests.begin(id, digest, await sink.bounds())
    const appended = kept.state === 'begun' ? await placesInStream(sink, id, kept.ends) : NONE
    const answer = await answerTo(id, appended)
    requests.done(id, answer.status, answer.answer)
    return answer
  })
}

const turns = new Map<string, Promise<unknown>>()

/** Two requests of one key at one time are one after the other. */
async function inTurn<T>(id: string, work: () => Promise<T>): Promise<T> {
  const before = turns.get(id)
  const mine = (async () => {
    await before?.catch(() => undefined)
    return await work()
  })()
  turns.set(id, mine)
  try {
    return await mine
  } finally {
    if (turns.get(id) === mine) turns.delete(id)
  }
}
