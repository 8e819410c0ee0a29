/**
 * The arrivals of one step, typed, as the relation `arrivals` of the engine's session. They are handed over by columns: the
 * numbers of each reading; the texts that hardly change from one reading of a device to the next, once for all
 * readings that share them; and the texts that only some readings have.
 */
import type { StreamRecord } from '../2-stream/log.ts'
import type { ColumnValues, Session } from '../lake/types.ts'
import { DEFAULT_TENANT, NUMBER_FIELDS } from '../reading.ts'
import { SHARED_FIELDS, type OwnFields, type SharedFields } from './fields.ts'
import { parseRecord } from './parse.ts'
import type { Templates } from './templates.ts'

/** Where a reading stands. */
const POSITION = ['stream_partition', 'stream_offset', 'stream_index'] as const
const NUMBERS = ['shared_no', 'ingestion_us', 'seconds', 'micros', ...NUMBER_FIELDS] as const
const OWN_TEXTS = ['event_id', 'raw', 'metrics', 'faults'] as const

/** So many readings are handed over at once, or fewer that have so much text of their own. */
const CHUNK_ROWS = 32_768
const CHUNK_CHARS = 8 * 1024 * 1024
/** Most steps have few. */
const FIRST_ROOM = 64

export interface Arrivals {
  add(records: readonly StreamRecord[]): Promise<void>
  /** `arrivals` has all that was added. */
  finish(): Promise<{ rows: number; faulty: number; dead: StreamRecord[] }>
}

export async function createArrivals(
  session: Session,
  streamId: string,
  templates: Templates,
): Promise<Arrivals> {
  await session.run(relationsSql(streamId))
  const shared = new SharedTexts()
  const chunk = new Chunk()
  const dead: StreamRecord[] = []
  let [rows, faulty] = [0, 0]
  const handOver = async (): Promise<void> => {
    rows += chunk.rows
    await session.append('arrived_numbers', chunk.numbers())
    await session.append('arrived_texts', chunk.texts())
    await session.append('arrived_shared', shared.takeNew())
    chunk.clear()
  }
  const addParsed = async (record: StreamRecord): Promise<void> => {
    const parsed = parseRecord(record)
    if (parsed.isDead) dead.push(record)
    for (const [index, fields] of parsed.rows.entries()) {
      if (fields.faults !== null) faulty++
      chunk.add(record, index, shared.numberOf(fields), fields)
      if (chunk.isFull) await handOver()
    }
    if (parsed.rows.length === 1) templates.learn(record.value, parsed.rows[0]!)
  }
  return {
    async add(records) {
      for (const record of records) {
        const known = record.isTombstone ? undefined : templates.readOff(record.value)
        if (known === undefined) {
          await addParsed(record)
          continue
        }
        chunk.add(record, 0, shared.numberOfKnown(known.shared), known.own)
        if (chunk.isFull) await handOver()
      }
    },
    async finish() {
      await handOver()
      return { rows, faulty, dead }
    },
  }
}

/** Readings by columns. */
class Chunk {
  rows = 0
  #chars = 0
  #room = FIRST_ROOM
  #numbers = [...POSITION, ...NUMBERS].map(() => new Float64Array(FIRST_ROOM))
  /** Positions of those with texts of their own, and the texts. */
  #owners: number[][] = POSITION.map(() => [])
  #ownTexts: (string | null)[][] = OWN_TEXTS.map(() => [])

  add(record: StreamRecord, index: number, sharedNo: number, own: OwnFields): void {
    if (this.rows === this.#room) this.#grow()
    const row = this.rows++
    const numbers = this.#numbers
    let column = 0
    numbers[column++]![row] = record.partition
    numbers[column++]![row] = record.offset
    numbers[column++]![row] = index
    numbers[column++]![row] = sharedNo
    numbers[column++]![row] = record.ingestionTimeUs
    numbers[column++]![row] = own.seconds
    numbers[column++]![row] = own.micros
    for (const measure of own.measures) numbers[column++]![row] = measure
    const { event_id, raw, metrics, faults } = own
    if (event_id === null && raw === null && metrics === null && faults === null) return
    for (const [at, value] of [record.partition, record.offset, index].entries())
      this.#owners[at]!.push(value)
    for (const [at, text] of [event_id, raw, metrics, faults].entries()) {
      this.#ownTexts[at]!.push(text)
      this.#chars += text?.length ?? 0
    }
  }

  get isFull(): boolean {
    return this.rows === CHUNK_ROWS || this.#chars >= CHUNK_CHARS
  }

  #grow(): void {
    this.#room *= 2
    this.#numbers = this.#numbers.map((column) => {
      const larger = new Float64Array(this.#room)
      larger.set(column)
      return larger
    })
  }

  numbers(): ColumnValues[] {
    return this.#numbers.map((column) => column.subarray(0, this.rows))
  }

  texts(): ColumnValues[] {
    return [...this.#owners.map((column) => Float64Array.from(column)), ...this.#ownTexts]
  }

  clear(): void {
    this.rows = 0
    this.#chars = 0
    this.#owners = POSITION.map(() => [])
    this.#ownTexts = OWN_TEXTS.map(() => [])
  }
}

/** Numbers the different combinations of texts. */
class SharedTexts {
  readonly #known = new Map<SharedFields, number>()
  readonly #numbers = new Map<string, number>()
  #new: (string | null)[][] = []

  constructor() {
    this.takeNew()
  }

  /** Of fields that come again as the same object. */
  numberOfKnown(fields: SharedFields): number {
    let no = this.#known.get(fields)
    if (no === undefined) this.#known.set(fields, (no = this.numberOf(fields)))
    return no
  }

  numberOf(fields: SharedFields): number {
    const texts = SHARED_FIELDS.map((name) => fields[name])
    const key = JSON.stringify(texts)
    let no = this.#numbers.get(key)
    if (no === undefined) {
      no = this.#numbers.size
      this.#numbers.set(key, no)
      for (const [at, text] of [String(no), ...texts].entries()) this.#new[at]!.push(text)
    }
    return no
  }

  /** By columns, those that were not taken before. */
  takeNew(): ColumnValues[] {
    const taken = this.#new
    this.#new = [[], ...SHARED_FIELDS.map(() => [])]
    return taken
  }
}

function relationsSql(streamId: string): string {
  const columnSql = new Map<string, string>([
    ...SHARED_FIELDS.map((name) => [name, `s.${name}`] as const),
    ...OWN_TEXTS.map((name) => [name, `t.${name}`] as const),
    ...NUMBER_FIELDS.map((name) => [name, `nullif(n.${name}, 'NaN'::DOUBLE)`] as const),
    ['stream_topic', `'${streamId.replaceAll("'", "''")}'`],
    ['stream_partition', 'CAST(n.stream_partition AS INTEGER)'],
    ['stream_offset', 'CAST(n.stream_offset AS BIGINT)'],
    ['stream_index', 'CAST(n.stream_index AS INTEGER)'],
    ['ingestion_time', 'make_timestamptz(CAST(n.ingestion_us AS BIGINT))'],
    ['ingestion_date', `DATE '1970-01-01' + CAST(CAST(n.ingestion_us AS BIGINT) // 86400000000 AS INTEGER)`],
    [
      'timestamp',
      `make_timestamptz(CAST(nullif(n.seconds, 'NaN'::DOUBLE) AS BIGINT) * 1000000 + CAST(n.micros AS BIGINT))`,
    ],
    ['tenant_id', `coalesce(s.tenant_id, '${DEFAULT_TENANT}')`],
    ['channel', `coalesce(s.channel, '')`],
    ['ingest_kind', `coalesce(s.ingest_kind, 'live')`],
    ['metrics', `from_json(t.metrics, '"MAP(VARCHAR, DOUBLE)"')`],
    ['faults', `from_json(t.faults, '["VARCHAR"]')`],
  ])
  const columns = (type: string, names: readonly string[]): string =>
    names.map((name) => `"${name}" ${type}`).join(', ')
  const position = columns('DOUBLE', POSITION)
  return `
    CREATE OR REPLACE TEMP TABLE arrived_numbers (${position}, ${columns('DOUBLE', NUMBERS)});
    CREATE OR REPLACE TEMP TABLE arrived_texts (${position}, ${columns('VARCHAR', OWN_TEXTS)});
    CREATE OR REPLACE TEMP TABLE arrived_shared (${columns('VARCHAR', ['shared_no', ...SHARED_FIELDS])});
    CREATE OR REPLACE TEMP VIEW arrivals AS
    SELECT ${Array.from(columnSql, ([name, sql]) => `${sql} AS "${name}"`).join(', ')}
    FROM arrived_numbers n
      JOIN arrived_shared s ON CAST(s.shared_no AS DOUBLE) = n.shared_no
      LEFT JOIN arrived_texts t USING (${POSITION.join(', ')})`
}
