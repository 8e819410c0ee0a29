/** Reads figures from the lake: SQL over the files of one snapshot, pruned by partition, answered once per set of files. */
import { GOLD_CALENDAR, GOLD_DAILY, GOLD_HEALTH, GOLD_MONTHLY, GOLD_SUMMARY } from '../5-gold/tables.ts'
import type { DataFile, Engine, Lake, Snapshot } from '../lake/types.ts'
import { createKeptFiles, type ScanPart } from './kept-files.ts'

const MOST_ANSWERS = 1_000
const SESSIONS = 2
/** Tables with at most a row for a device and day, or a quarter-hour of the house: small, and asked for by every page. */
const KEPT = new Set(
  [GOLD_SUMMARY, GOLD_DAILY, GOLD_HEALTH, GOLD_MONTHLY, GOLD_CALENDAR].map(({ name }) => name),
)

/** Tables as of one moment; all questions of one answer are put to one view. */
export interface View {
  versions: Readonly<Record<string, number>>
  snapshot(table: string): Snapshot
  /** The files of a table as a SQL table expression; `keep` looks at a file's partition and statistics. */
  from(table: string, keep?: (file: DataFile) => boolean): string
  /**
   * Data files never change, so a question of the same text has the same answer: it is worked out once, unless the
   * answer is too large, or asked for too seldom, to be kept.
   */
  ask<Row extends object>(sql: string, options?: { keep: boolean }): Promise<Row[]>
}

export interface LakeReader {
  /** Every table as it is now, or at the version that `at` names for it. */
  view(tables: readonly string[], at?: Readonly<Record<string, number>>): Promise<View>
  close(): Promise<void>
}

export async function createLakeReader({
  lake,
  engine,
}: {
  lake: Lake
  engine: Engine
}): Promise<LakeReader> {
  const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => engine.session()))
  // People who ask at the same time are answered side by side, rather than each by all cores at once.
  for (const session of sessions) await session.expect(0)
  let turn = 0
  // A session works on one statement at a time; taking turns keeps them all busy.
  const next = () => sessions[turn++ % sessions.length]!
  /** In the order of their last use. */
  const answers = new Map<string, Promise<object[]>>()
  const loader = await engine.session()
  await loader.expect(0)
  const kept = createKeptFiles(lake, loader)

  function ask<Row extends object>(sql: string, parts: readonly ScanPart[], keep: boolean): Promise<Row[]> {
    const work = () => kept.run(sql, parts, (statement) => next().rows<object>(statement))
    if (!keep) return work() as Promise<Row[]>
    const answer = answers.get(sql) ?? work()
    answers.delete(sql)
    answers.set(sql, answer)
    if (answers.size > MOST_ANSWERS) answers.delete(answers.keys().next().value!)
    answer.catch(() => answers.delete(sql))
    return answer as Promise<Row[]>
  }

  return {
    view: async (tables, at = {}) => {
      const snapshots = new Map(
        await Promise.all(
          tables.map(async (table) => [table, await lake.snapshot(table, at[table])] as const),
        ),
      )
      const snapshot = (table: string) => snapshots.get(table)!
      const parts: ScanPart[] = []
      return {
        versions: Object.fromEntries([...snapshots].map(([table, { version }]) => [table, version])),
        snapshot,
        from(table, keep = () => true) {
          const files = snapshot(table).files.filter(keep)
          const sql = lake.scan(table, files)
          if (KEPT.has(table)) parts.push({ sql, table, columns: snapshot(table).columns, files })
          return sql
        },
        ask: (sql, { keep } = { keep: true }) => ask(sql, parts, keep),
      }
    },
    close: async () => {
      await kept.close()
      await Promise.all([...sessions, loader].map((session) => session.close()))
    },
  }
}

/** A text as a SQL literal. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** Keeps files of a partition column between two values, both inclusive. */
export function partitionWithin(column: string, from: string, to: string): (file: DataFile) => boolean {
  return ({ partition }) => {
    const value = partition[column]
    return value !== null && value !== undefined && value >= from && value <= to
  }
}

/** First day of the month of a date: the value of the partition column `month`. */
export const monthOf = (date: string): string => `${date.slice(0, 7)}-01`
