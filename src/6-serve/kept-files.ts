/**
 * Rows of small files in the engine's memory: to open a Parquet file costs more than to go through a month of device-days. Data files never
 * change, so what is kept of one is true for as long as it is asked for; what is asked for least is given up first.
 */
import { rowCount } from '../lake/stats.ts'
import type { Column, DataFile, Lake, Session } from '../lake/types.ts'

/** Of all kept files together; a row takes some 300 bytes. */
const MOST_ROWS = 250_000
/** A question over more than that reads the files themselves: it would push out all that others ask for. */
const MOST_ROWS_OF_ONE = 100_000
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
  run<T>(sql: string, parts: readonly ScanPart[], ask: (sql: string) => Promise<T>): Promise<T>
  close(): Promise<void>
}

interface Kept {
  /** Resolves once the engine has the rows. */
  name: Promise<string>
  rows: number
  /** Statements under way that read it. */
  uses: number
}

/** Names are never used again: a statement that waits cannot come to read other rows. */
let made = 0

export function createKeptFiles(lake: Lake, session: () => Session, mostRows = MOST_ROWS): KeptFiles {
  /** By path and number of columns (a table gets some in time), in the order of their last use. */
  const kept = new Map<string, Kept>()
  let rows = 0

  function keep(part: ScanPart, file: DataFile): Kept {
    const key = `${part.table}/${file.path} ${part.columns.length}`
    const one = kept.get(key) ?? { name: load(part.table, file), rows: file.stats.rows, uses: 0 }
    if (!kept.delete(key)) {
      rows += one.rows
      one.name.catch(() => giveUp(key, one))
    }
    kept.set(key, one)
    return one
  }

  async function load(table: string, file: DataFile): Promise<string> {
    const name = `kept_${(made += 1)}`
    await session().run(`CREATE TABLE ${name} AS SELECT * FROM ${lake.scan(table, [file])}`)
    return name
  }

  function giveUp(key: string, one: Kept): void {
    if (kept.get(key) !== one) return
    kept.delete(key)
    rows -= one.rows
  }

  /** What was asked for least, until no more than so many rows are left. */
  async function shrinkTo(most: number): Promise<void> {
    const drops: Promise<void>[] = []
    for (const [key, one] of kept) {
      if (rows <= most) break
      if (one.uses > 0) continue
      giveUp(key, one)
      drops.push(one.name.then((name) => session().run(`DROP TABLE ${name}`)))
    }
    await Promise.all(drops)
  }

  return {
    async run(sql, parts, ask) {
      const used: Kept[] = []
      try {
        let statement = sql
        for (const part of parts) {
          const { yes: standing = [], no: young = [] } = Object.groupBy(part.files, stands)
          const many = rowCount(standing)
          if (!sql.includes(part.sql) || standing.length === 0 || many > MOST_ROWS_OF_ONE) continue
          const own = standing.map((file) => keep(part, file))
          for (const one of own) one.uses += 1
          used.push(...own)
          const sources = await Promise.all(own.map(({ name }) => name))
          if (young.length > 0) sources.push(lake.scan(part.table, young))
          const selects = sources.map((source) => `SELECT * FROM ${source}`)
          statement = statement.replaceAll(part.sql, () => `(${selects.join(' UNION ALL ')})`)
        }
        return await ask(statement)
      } finally {
        for (const one of used) one.uses -= 1
        await shrinkTo(mostRows)
      }
    },
    close: () => shrinkTo(-1),
  }
}

function stands({ modifiedMs, stats }: DataFile): 'yes' | 'no' {
  return stats.rows >= 0 && modifiedMs < Date.now() - STOOD_MS ? 'yes' : 'no'
}
