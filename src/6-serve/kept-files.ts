/**
 * Rows of small files in the engine's memory: to open a Parquet file costs more than to go through a month of device-days. Data files never
 * change, so what is kept of one is true for as long as it is asked for; what is asked for least is given up first. Nobody waits for it:
 * a file that is asked for again is loaded beside, and read itself until its rows are there.
 */
import { rowCount } from '../lake/stats.ts'
import type { Column, DataFile, Lake, Session } from '../lake/types.ts'

/** Of all kept files together; a row takes some 300 bytes. */
const MOST_ROWS = 250_000
/** A question over more than that reads the files themselves: it would push out all that others ask for. */
const MOST_ROWS_OF_ONE = 100_000
/** Files of which it is known that they were asked for. */
const MOST_FILES = 10_000
/** While readings come in, the files of the open month are replaced every few seconds: keeping them would not pay. */
const STOOD_MS = 600_000

/** A part of a statement that reads files of a table, as `Lake.scan` has written it. */
export interface ScanPart {
  sql: string
  table: string
  columns: readonly Column[]
  files: readonly DataFile[]
}

export interface KeptFiles {
  /** Runs the statement with its parts that read such files reading what is kept of them instead. */
  run<T>(sql: string, parts: readonly ScanPart[], answer: (sql: string) => Promise<T>): Promise<T>
  close(): Promise<void>
}

interface Kept {
  /** The engine's table, once it is there. */
  name: string | undefined
  /** Null until it is loaded; then resolves once that has ended, whether or not it was done. */
  loading: Promise<void> | null
  rows: number
  /** Statements under way that read it. */
  uses: number
}

/** Names are never used again: a statement that waits cannot come to read other rows. */
let made = 0

/** `session` does the loading alone, so that no question waits for it. */
export function createKeptFiles(lake: Lake, session: Session, mostRows = MOST_ROWS): KeptFiles {
  const store = createStore(lake, session)

  /** The part over what is kept of its files; as it was where that is nothing. What it reads is added to `used`. */
  function replaced(part: ScanPart, used: Kept[]): string {
    const { yes: standing = [], no: young = [] } = Object.groupBy(part.files, stands)
    if (standing.length === 0 || rowCount(standing) > MOST_ROWS_OF_ONE) return part.sql
    const { there = [], others = [] } = Object.groupBy(
      standing.map((file) => ({ file, one: store.ask(part, file) })),
      ({ one }) => (one.name === undefined ? 'others' : 'there'),
    )
    if (there.length === 0) return part.sql
    used.push(...there.map(({ one }) => one))
    const read = [...others.map(({ file }) => file), ...young]
    const sources = there.map(({ one }) => one.name!)
    if (read.length > 0) sources.push(lake.scan(part.table, read))
    return `(${sources.map((source) => `SELECT * FROM ${source}`).join(' UNION ALL ')})`
  }

  return {
    async run(sql, parts, answer) {
      const used: Kept[] = []
      const statement = parts
        .filter((part) => sql.includes(part.sql))
        .reduce((text, part) => {
          const source = replaced(part, used)
          return text.replaceAll(part.sql, () => source)
        }, sql)
      for (const one of used) one.uses += 1
      try {
        return await answer(statement)
      } finally {
        for (const one of used) one.uses -= 1
        await store.shrinkTo(mostRows)
      }
    },
    close: () => store.close(),
  }
}

function createStore(lake: Lake, session: Session) {
  /** By path and number of columns (a table gets some in time), in the order of their last use; those that were asked for once, too. */
  const kept = new Map<string, Kept>()
  let rows = 0

  async function load(table: string, file: DataFile): Promise<string> {
    const name = `kept_${(made += 1)}`
    await session.run(`CREATE TABLE ${name} AS SELECT * FROM ${lake.scan(table, [file])}`)
    return name
  }

  function giveUp(key: string, one: Kept): void {
    if (kept.get(key) !== one) return
    kept.delete(key)
    if (one.loading) rows -= one.rows
  }

  async function drop({ name }: Kept): Promise<void> {
    if (name !== undefined) await session.run(`DROP TABLE ${name}`)
  }

  /** What was asked for least, until no more than so many rows are left. */
  async function shrinkTo(most: number): Promise<void> {
    const drops: Promise<void>[] = []
    for (const [key, one] of kept) {
      if (rows <= most && kept.size <= MOST_FILES) break
      if (one.uses > 0) continue
      giveUp(key, one)
      if (one.loading) drops.push(one.loading.then(() => drop(one)))
    }
    await Promise.all(drops)
  }

  return {
    /** The second one who asks begins the loading. */
    ask(part: ScanPart, file: DataFile): Kept {
      const key = `${part.table}/${file.path} ${part.columns.length}`
      const known = kept.get(key)
      const one = known ?? { name: undefined, loading: null, rows: file.stats.rows, uses: 0 }
      kept.delete(key)
      kept.set(key, one)
      if (known && !known.loading) {
        rows += one.rows
        one.loading = load(part.table, file).then(
          (name) => void (one.name = name),
          () => giveUp(key, one),
        )
      }
      return one
    },
    shrinkTo,
    async close(): Promise<void> {
      await Promise.all([...kept.values()].map(({ loading }) => loading))
      await shrinkTo(-1)
    },
  }
}

function stands({ modifiedMs, stats }: DataFile): 'yes' | 'no' {
  return stats.rows >= 0 && modifiedMs < Date.now() - STOOD_MS ? 'yes' : 'no'
}
