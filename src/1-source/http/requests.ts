/**
 * Requests that name themselves (`Idempotency-Key`), in `<folder>/requests.sqlite`. A request is announced here with where the
 * stream ended, then appended, each message with the key and its place in a header, then its answer is kept. After a kill in
 * between, one look into the stream from there on says which of its messages were appended (made when the
 * server opens again, while the stream still has them, and when the request is repeated): a log of several partitions
 * may have taken some of them, and not the others.
 */
import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { messagesSince } from '../since.ts'
import type { PartitionBounds, ReadableSink, StreamMessage } from '../source.ts'
import { Refusal } from './refusal.ts'

/** Header of a message of such a request: `KEY/PLACE`. */
const REQUEST_HEADER = 'request'
const KEPT_MS = 24 * 3_600_000

interface Begun {
  /** Where the stream ended before the request, or when it was last looked through for it. */
  ends: PartitionBounds[]
  /** Places of its messages that were found in the stream before those ends. */
  found: number[]
}

export type Kept =
  | { state: 'new' }
  /** Announced, and perhaps appended. */
  | ({ state: 'begun' } & Begun)
  | { state: 'done'; status: number; answer: string }
  /** The key was used for another body. */
  | { state: 'other' }

export interface Requests {
  find(key: string, digest: string): Kept
  begin(key: string, digest: string, ends: PartitionBounds[]): void
  /** All that have no answer yet, by key. */
  begun(): Map<string, Begun>
  /** Keeps what was found of a request that has no answer yet. */
  found(key: string, ends: PartitionBounds[], places: number[]): void
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
  // Not in the files of the first versions.
  const columns = database.prepare('PRAGMA table_info(request)').all()
  if (!columns.some(({ name }) => name === 'found'))
    database.exec('ALTER TABLE request ADD COLUMN found TEXT')
  const select = database.prepare('SELECT digest, ends, found, status, answer FROM request WHERE key = ?')
  const selectBegun = database.prepare('SELECT key, ends, found FROM request WHERE status IS NULL')
  const insert = database.prepare(
    'INSERT OR REPLACE INTO request (key, digest, at_ms, ends) VALUES (?, ?, ?, ?)',
  )
  const update = database.prepare('UPDATE request SET status = ?, answer = ? WHERE key = ?')
  const keep = database.prepare('UPDATE request SET ends = ?, found = ? WHERE key = ? AND status IS NULL')
  const forget = database.prepare('DELETE FROM request WHERE at_ms < ?')
  return {
    find(key, digest) {
      const row = select.get(key)
      if (!row) return { state: 'new' }
      if (row.digest !== digest) return { state: 'other' }
      if (row.status !== null)
        return { state: 'done', status: Number(row.status), answer: String(row.answer) }
      return { state: 'begun', ...begunOf(row) }
    },
    begun: () => new Map(selectBegun.all().map((row) => [String(row.key), begunOf(row)])),
    found(key, ends, places) {
      keep.run(JSON.stringify(ends), JSON.stringify(places), key)
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

const begunOf = ({ ends, found }: Record<string, unknown>): Begun => ({
  ends: JSON.parse(String(ends)) as PartitionBounds[],
  found: found === null ? [] : (JSON.parse(String(found)) as number[]),
})

/** The messages of a request, each with its key and place. */
export function marked(key: string, messages: readonly StreamMessage[]): StreamMessage[] {
  return messages.map((message, place) => ({ ...message, headers: { [REQUEST_HEADER]: `${key}/${place}` } }))
}

/** The places of those messages of requests that were begun which have been appended: those known already, and those in the stream. */
async function placesInStream(
  log: ReadableSink,
  begun: ReadonlyMap<string, Begun>,
  stop?: AbortSignal,
): Promise<Map<string, Set<number>>> {
  const places = new Map([...begun].map(([key, { found }]) => [key, new Set(found)]))
  for await (const { headers } of messagesSince(log, earliest([...begun.values()]))) {
    stop?.throwIfAborted()
    const mark = headers?.[REQUEST_HEADER]
    if (mark === undefined) continue
    const slash = mark.lastIndexOf('/')
    places.get(mark.slice(0, slash))?.add(Number(mark.slice(slash + 1)))
  }
  return places
}

/** The ends to look from; a partition that one of them did not know yet is looked at from its beginning. */
function earliest(begun: readonly Begun[]): PartitionBounds[] {
  const [first, ...others] = begun.map(({ ends }) => ends)
  return (first ?? []).flatMap((bounds) => {
    const same = others.map((ends) => ends.find(({ partition }) => partition === bounds.partition))
    if (same.includes(undefined)) return []
    return { ...bounds, end: Math.min(bounds.end, ...same.map((other) => other!.end)) }
  })
}

/**
 * Keeps which messages of requests that were cut off are in the stream, while it still has them: whoever repeats such a request may
 * come when it has been trimmed.
 */
export async function findBegun(
  { requests, sink }: { requests: Requests; sink: ReadableSink },
  stop: AbortSignal,
): Promise<void> {
  const begun = requests.begun()
  if (begun.size === 0) return
  const ends = await sink.bounds()
  for (const [key, places] of await placesInStream(sink, begun, stop)) requests.found(key, ends, [...places])
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
    const appended =
      kept.state === 'begun' ? (await placesInStream(sink, new Map([[id, kept]]))).get(id)! : NONE
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
