/**
 * What is known of devices, in `<folder>/devices.sqlite`: what their messages taught, what they say of themselves, when they
 * were heard, and which messages nobody could read. All of it follows from Bronze (`decode-again.ts`), so the file may be
 * lost. Lessons and facts are written when they are new; what changes with every message is written by `flush`.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isKept, type DeviceFact, type Lesson, type Outcome } from '../decoders/decoder.ts'
import { LessonBook } from '../decoders/lessons.ts'
import { isListed, mergeFacts, patternOf, sampleOf } from './facts.ts'
import { hear, heardNothing, type Heard } from './heard.ts'
import { Unread, type UnknownMessages } from './unread.ts'

/** As a message came to be understood, or not. */
export interface Noted {
  tenant: string
  topic: string
  payload: Uint8Array
  receivedMs: number
  outcome: Outcome
}

/** A device as its messages show it. */
export interface KnownDevice extends Heard {
  tenant_id: string
  device_id: string
  facts: DeviceFact
}

export interface Registry {
  readonly lessons: LessonBook
  note(noted: Noted): void
  /** Whether a kept (retained) message is another than the one that was stored of its topic. */
  isNewState(tenant: string, topic: string, digest: string): boolean
  stateStored(tenant: string, topic: string, digest: string): void
  /** Positions in Bronze whose message was decoded again already. */
  isDecodedAgain(position: string): boolean
  decodedAgain(positions: readonly string[]): void
  /** Writes what changes with every message. */
  flush(): void
  devices(): KnownDevice[]
  unknown(): UnknownMessages[]
  /** Grows with each new fact of a device. */
  factsVersion(): number
  /** Forgets all but what was decoded again: it is learned once more from Bronze. */
  clear(): void
  close(): void
}

const MOST_DEVICES = 100_000

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS lesson (no INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, value TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS device (
    tenant_id TEXT NOT NULL, device_id TEXT NOT NULL, facts TEXT NOT NULL, heard TEXT NOT NULL,
    PRIMARY KEY (tenant_id, device_id)
  );
  CREATE TABLE IF NOT EXISTS unknown (
    tenant_id TEXT NOT NULL, pattern TEXT NOT NULL, why TEXT NOT NULL, count INTEGER NOT NULL, first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL, topic TEXT NOT NULL, sample TEXT NOT NULL, proposal TEXT, PRIMARY KEY (tenant_id, pattern, why)
  );
  CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, digest TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS again (position TEXT PRIMARY KEY);
  CREATE TABLE IF NOT EXISTS version (facts INTEGER NOT NULL);
  INSERT INTO version SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM version);`

/** Opens the file, also beside other processes that have it open. */
export function openRegistry(dir: string): Registry {
  mkdirSync(dir, { recursive: true })
  const database = new DatabaseSync(join(dir, 'devices.sqlite'), { timeout: 10_000 })
  database.exec(SCHEMA)
  return new SqliteRegistry(database)
}

const keyOf = (...parts: string[]): string => JSON.stringify(parts)

class SqliteRegistry implements Registry {
  readonly lessons = new LessonBook()
  readonly #database: DatabaseSync
  readonly #known = new Map<string, KnownDevice>()
  readonly #heard = new Set<string>()
  readonly #unread: Unread

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#unread = new Unread(database)
    const rows = database.prepare('SELECT key, value FROM lesson ORDER BY no').all()
    this.lessons.learn(
      rows.map(({ key, value }) => ({ key: String(key), value: JSON.parse(String(value)) as unknown })),
    )
    for (const device of this.devices()) this.#known.set(keyOf(device.tenant_id, device.device_id), device)
  }

  note({ tenant, topic, payload, receivedMs, outcome }: Noted): void {
    if (isKept(outcome)) {
      if (!isListed(outcome)) return
      const proposal = outcome.proposal === undefined ? null : JSON.stringify(outcome.proposal)
      this.#unread.note({
        tenant_id: tenant,
        pattern: patternOf(topic),
        why: outcome.why,
        count: 1,
        firstMs: receivedMs,
        lastMs: receivedMs,
        topic: topic.slice(0, 200),
        sample: sampleOf(payload),
        proposal,
      })
      return
    }
    if (outcome.lessons) this.#learn(outcome.lessons)
    const facts = outcome.devices ?? []
    for (const fact of facts) this.#noteFact(tenant, fact)
    const { protocol, readings, presence = [], clock } = outcome
    const ids = new Set([
      ...readings.map(({ device_id }) => device_id),
      ...presence.map(({ device_id }) => device_id),
    ])
    for (const device_id of ids) {
      const device = this.#deviceOf(tenant, { device_id, protocol })
      if (!device) continue
      hear(device, {
        receivedMs,
        readings: readings.filter((reading) => reading.device_id === device_id),
        presence: presence.find((told) => told.device_id === device_id)?.status,
        clock: clock?.device_id === device_id ? clock : undefined,
      })
      this.#heard.add(keyOf(tenant, device_id))
    }
  }

  #learn(lessons: readonly Lesson[]): void {
    const fresh = lessons.filter(
      ({ key, value }) => JSON.stringify(this.lessons.get(key)) !== JSON.stringify(value),
    )
    if (fresh.length === 0) return
    this.lessons.learn(fresh)
    const insert = this.#database.prepare('INSERT OR REPLACE INTO lesson (key, value) VALUES (?, ?)')
    this.#inOneGo(() => {
      for (const { key, value } of fresh) insert.run(key, JSON.stringify(value))
    })
  }

  /** Undefined where there are so many devices that something makes them up. */
  #deviceOf(tenant: string, fact: DeviceFact): KnownDevice | undefined {
    const key = keyOf(tenant, fact.device_id)
    const known = this.#known.get(key)
    if (known) return known
    if (this.#known.size >= MOST_DEVICES) return undefined
    const device = { tenant_id: tenant, device_id: fact.device_id, facts: fact, ...heardNothing() }
    this.#known.set(key, device)
    this.#writeFacts(device)
    return device
  }

  #noteFact(tenant: string, fact: DeviceFact): void {
    const device = this.#deviceOf(tenant, fact)
    if (!device) return
    const merged = mergeFacts(device.facts, fact)
    if (JSON.stringify(merged) === JSON.stringify(device.facts)) return
    device.facts = merged
    this.#writeFacts(device)
  }

  #writeFacts({ tenant_id, device_id, facts, ...heard }: KnownDevice): void {
    const insert = this.#database.prepare(
      `INSERT INTO device (tenant_id, device_id, facts, heard) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET facts = excluded.facts`,
    )
    this.#inOneGo(() => {
      insert.run(tenant_id, device_id, JSON.stringify(facts), JSON.stringify(heard))
      this.#database.exec('UPDATE version SET facts = facts + 1')
    })
  }

  flush(): void {
    if (this.#heard.size === 0 && this.#unread.isWritten) return
    const update = this.#database.prepare('UPDATE device SET heard = ? WHERE tenant_id = ? AND device_id = ?')
    this.#inOneGo(() => {
      for (const key of this.#heard) {
        const { tenant_id, device_id, facts: _, ...heard } = this.#known.get(key)!
        update.run(JSON.stringify(heard), tenant_id, device_id)
      }
      this.#unread.write()
    })
    this.#heard.clear()
    this.#unread.forget()
  }

  isNewState(tenant: string, topic: string, digest: string): boolean {
    const row = this.#database.prepare('SELECT digest FROM state WHERE key = ?').get(keyOf(tenant, topic))
    return row?.digest !== digest
  }

  stateStored(tenant: string, topic: string, digest: string): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO state (key, digest) VALUES (?, ?)')
      .run(keyOf(tenant, topic), digest)
  }

  isDecodedAgain(position: string): boolean {
    return this.#database.prepare('SELECT 1 FROM again WHERE position = ?').get(position) !== undefined
  }

  decodedAgain(positions: readonly string[]): void {
    const insert = this.#database.prepare('INSERT OR IGNORE INTO again (position) VALUES (?)')
    this.#inOneGo(() => {
      for (const position of positions) insert.run(position)
    })
  }

  devices(): KnownDevice[] {
    const rows = this.#database
      .prepare('SELECT tenant_id, device_id, facts, heard FROM device ORDER BY tenant_id, device_id')
      .all()
    return rows.map(({ tenant_id, device_id, facts, heard }) => ({
      tenant_id: String(tenant_id),
      device_id: String(device_id),
      facts: JSON.parse(String(facts)) as DeviceFact,
      ...(JSON.parse(String(heard)) as Heard),
    }))
  }

  unknown(): UnknownMessages[] {
    return this.#unread.list()
  }

  factsVersion(): number {
    return Number(this.#database.prepare('SELECT facts FROM version').get()?.facts)
  }

  clear(): void {
    this.#inOneGo(() => {
      for (const table of ['lesson', 'device', 'unknown', 'state'])
        this.#database.exec(`DELETE FROM ${table}`)
      this.#database.exec('UPDATE version SET facts = facts + 1')
    })
    this.lessons.clear()
    this.#known.clear()
    this.#heard.clear()
    this.#unread.forget()
  }

  close(): void {
    this.flush()
    this.#database.close()
  }

  #inOneGo(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#database.exec('COMMIT')
    } catch (error) {
      this.#database.exec('ROLLBACK')
      throw error
    }
  }
}
