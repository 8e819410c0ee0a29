/** Reads figures from the lake: SQL over the files of one snapshot, pruned by partition, answered once per set of files. */
import type { DataFile, Engine, Lake, Snapshot } from '../lake/types.ts'

const MOST_ANSWERS = 300
const SESSIONS = 2

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
  let turn = 0
  // A session works on one statement at a time; taking turns keeps them all busy.
  const next = () => sessions[turn++ % sessions.length]!
  /** In the order of their last use. */
  const answers = new Map<string, Promise<object[]>>()

  function ask<Row extends object>(sql: string, { keep } = { keep: true }): Promise<Row[]> {
    if (!keep) return next().rows<Row>(sql)
    const answer = answers.get(sql) ?? next().rows<object>(sql)
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
      return {
        versions: Object.fromEntries([...snapshots].map(([table, { version }]) => [table, version])),
        snapshot,
        from: (table, keep = () => true) => lake.scan(table, snapshot(table).files.filter(keep)),
        ask,
      }
    },
    close: async () => {
      await Promise.all(sessions.map((session) => session.close()))
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
