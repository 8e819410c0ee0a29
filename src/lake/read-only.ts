import { DuckDBConnection, StatementType } from '@duckdb/node-api'
import { LakeError } from './errors.ts'
import type { Session, SqlValue } from './types.ts'

/** Refuses all but single statements that read; what the engine itself refuses is named so, too. */
export function readOnly(
  session: Session,
  connection: DuckDBConnection,
  prepare: (sql: string, parameters?: readonly SqlValue[]) => Promise<readonly string[]>,
): Session {
  return {
    async run(sql, parameters) {
      await this.rows(sql, parameters)
    },
    async rows(sql, parameters) {
      try {
        await requireReading(connection, sql)
        for (const before of await prepare(sql, parameters)) await session.run(before)
        return await session.rows(sql, parameters)
      } catch (error) {
        throw asNamedError(error)
      }
    },
    append: () => Promise.reject(refused('Only statements that read are allowed.')),
    expect: (rows) => session.expect(rows),
    close: () => session.close(),
  }
}

const EXPLAIN = /^\s*explain\s+(analyze\s+)?/i

async function requireReading(connection: DuckDBConnection, sql: string): Promise<void> {
  const statements = await connection.extractStatements(sql)
  if (statements.count !== 1) throw refused('Only one statement is allowed at a time.')
  const { statementType } = await statements.prepare(0)
  // EXPLAIN ANALYZE runs what it explains.
  if (statementType === StatementType.EXPLAIN && EXPLAIN.test(sql)) {
    return requireReading(connection, sql.replace(EXPLAIN, ''))
  }
  if (statementType !== StatementType.SELECT) throw refused('Only statements that read are allowed.')
}

function refused(message: string, cause?: unknown): LakeError {
  return new LakeError(
    'sql_refused',
    message,
    'Write one SELECT over the tables of the lake; they cannot be changed from here.',
    { cause },
  )
}

function asNamedError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof LakeError) return error
  if (error.message.startsWith('Permission Error')) return refused(error.message, error)
  return new LakeError('sql_failed', error.message, 'Correct the query.', { cause: error })
}
