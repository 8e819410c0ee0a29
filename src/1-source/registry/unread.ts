/** Messages that nobody could read, counted by the pattern of their topic and why: in memory until they are written. */
import type { DatabaseSync } from 'node:sqlite'

/** Messages of one pattern that nobody could read. */
export interface UnknownMessages {
  tenant_id: string
  /** The topic, with `+` for what looks like an id. */
  pattern: string
  why: string
  count: number
  firstMs: number
  lastMs: number
  topic: string
  /** The beginning of the newest of them. */
  sample: string
  /** A mapping for the configuration, as JSON; null where none fits. */
  proposal: string | null
}

const MOST_PATTERNS = 500
/** Where the patterns that are too many are counted. */
const REST = '#'

const keyOf = ({ tenant_id, pattern, why }: UnknownMessages): string =>
  JSON.stringify([tenant_id, pattern, why])

export class Unread {
  readonly #database: DatabaseSync
  readonly #counted = new Map<string, UnknownMessages>()

  /** The table `unknown` is there. */
  constructor(database: DatabaseSync) {
    this.#database = database
  }

  note(message: UnknownMessages): void {
    const isNew = !this.#counted.has(keyOf(message))
    if (isNew && this.#counted.size + this.#patterns() >= MOST_PATTERNS && !this.#isStored(message))
      message = { ...message, pattern: REST, proposal: null }
    const key = keyOf(message)
    const before = this.#counted.get(key)
    this.#counted.set(
      key,
      before ? { ...message, count: before.count + 1, firstMs: before.firstMs } : message,
    )
  }

  #patterns(): number {
    return Number(this.#database.prepare('SELECT count(*) AS n FROM unknown').get()?.n)
  }

  #isStored({ tenant_id, pattern, why }: UnknownMessages): boolean {
    const select = this.#database.prepare(
      'SELECT 1 FROM unknown WHERE tenant_id = ? AND pattern = ? AND why = ?',
    )
    return select.get(tenant_id, pattern, why) !== undefined
  }

  /** Whether nothing has been counted since it was last written. */
  get isWritten(): boolean {
    return this.#counted.size === 0
  }

  /** Adds what was counted to what is stored, within the caller's transaction; once that stands, `forget`. */
  write(): void {
    const count = this.#database.prepare(
      `INSERT INTO unknown VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET count = count + excluded.count, last_ms = excluded.last_ms, topic = excluded.topic,
         sample = excluded.sample, proposal = excluded.proposal`,
    )
    for (const { tenant_id, pattern, why, ...seen } of this.#counted.values())
      count.run(
        tenant_id,
        pattern,
        why,
        seen.count,
        seen.firstMs,
        seen.lastMs,
        seen.topic,
        seen.sample,
        seen.proposal,
      )
  }

  forget(): void {
    this.#counted.clear()
  }

  /** What is stored, the most frequent first. */
  list(): UnknownMessages[] {
    const rows = this.#database
      .prepare('SELECT * FROM unknown ORDER BY count DESC, tenant_id, pattern, why')
      .all()
    return rows.map((row) => ({
      tenant_id: String(row.tenant_id),
      pattern: String(row.pattern),
      why: String(row.why),
      count: Number(row.count),
      firstMs: Number(row.first_ms),
      lastMs: Number(row.last_ms),
      topic: String(row.topic),
      sample: String(row.sample),
      proposal: row.proposal === null ? null : String(row.proposal),
    }))
  }
}
