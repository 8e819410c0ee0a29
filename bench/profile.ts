import type { Engine, Session } from '../src/lake/types.ts'

/** Where an engine's time went: seconds by what a statement makes, the most first. */
export type Spent = () => (readonly [what: string, seconds: number])[]

/** An engine that takes the time of every statement; what its statements do is unchanged. */
export function profiled(engine: Engine): { engine: Engine; spent: Spent } {
  const seconds = new Map<string, number>()
  const timed = async <T>(sql: string, work: () => Promise<T>): Promise<T> => {
    const began = performance.now()
    try {
      return await work()
    } finally {
      const what = madeBy(sql)
      seconds.set(what, (seconds.get(what) ?? 0) + (performance.now() - began) / 1000)
    }
  }
  return {
    engine: {
      ...engine,
      async session(): Promise<Session> {
        const session = await engine.session()
        return {
          ...session,
          run: (sql, parameters) => timed(sql, () => session.run(sql, parameters)),
          rows: (sql, parameters) => timed(sql, () => session.rows(sql, parameters)),
        }
      },
    },
    spent: () => [...seconds].toSorted(([, a], [, b]) => b - a),
  }
}

/** The table that a statement makes or changes, else its kind. */
function madeBy(sql: string): string {
  const [, table] =
    /^\s*(?:CREATE\s+(?:OR REPLACE\s+)?TEMP(?:ORARY)?\s+(?:TABLE|VIEW)|INSERT\s+INTO|DELETE\s+FROM)\s+(\w+)/i.exec(
      sql,
    ) ?? []
  return table ?? (/^\s*COPY/i.test(sql) ? 'writing files' : 'questions and bookkeeping')
}
