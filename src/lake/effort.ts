import type { DuckDBConnection } from '@duckdb/node-api'
import type { Session } from './types.ts'

/** Up to so many rows a statement costs what its planning costs, and a second thread costs more than it saves. */
const FEW_ROWS = 20_000

/** What makes a plan better over many rows; over few, looking for it costs more than it saves. */
const FOR_MANY_ROWS = ['common_subexpressions', 'common_subplan', 'statistics_propagation']

export interface Effort {
  expect(connection: DuckDBConnection, session: Session, rows: number): Promise<void>
  /** A session that is closed expects nothing any more. */
  forget(session: Session): void
}

/**
 * How much the engine spends on a statement. These settings hold for the whole of it, so they are those for few rows only
 * while no session has said that it works on many; one that has said nothing is content with either.
 */
export function sharedEffort(threads: number): Effort {
  const worksOnMany = new Map<Session, boolean>()
  let isLittle = false
  let last: Promise<void> = Promise.resolve()
  const settle = async (connection: DuckDBConnection): Promise<void> => {
    const little = ![...worksOnMany.values()].includes(true)
    if (little === isLittle) return
    await connection.run(
      `SET GLOBAL threads = ${little ? 1 : threads};
       SET GLOBAL disabled_optimizers = '${little ? FOR_MANY_ROWS.join(',') : ''}'`,
    )
    isLittle = little
  }
  return {
    expect(connection, session, rows) {
      worksOnMany.set(session, rows > FEW_ROWS)
      // One after the other, so that the engine is left as the last one wants it.
      const settled = last.then(() => settle(connection))
      last = settled.catch(() => undefined)
      return settled
    },
    forget: (session) => worksOnMany.delete(session),
  }
}
