/** Rows of a Parquet file, in their order, a part at a time: memory does not grow with the file. */
import { PlatformError } from '../../errors.ts'
import { openDuckDb } from '../../lake/index.ts'
import type { Session } from '../../lake/types.ts'
import type { SourceRow } from './rows.ts'

const ROWS_AT_ONCE = 20_000

export interface ParquetTable {
  names: string[]
  /** Columns that hold instants or clock times by their type. */
  timeColumns: number[]
  rows(onShare: (share: number) => void): AsyncGenerator<SourceRow>
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`
const named = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Throws `file_not_telemetry` where the file cannot be read. */
export async function openParquet(path: string): Promise<ParquetTable> {
  const columns = await reading(path, (session) =>
    session.rows<{ column_name: string; column_type: string }>(
      `DESCRIBE SELECT * FROM read_parquet(${quoted(path)})`,
    ),
  )
  const isTime = ({ column_type }: { column_type: string }): boolean => column_type.startsWith('TIMESTAMP')
  return {
    names: columns.map(({ column_name }) => column_name),
    timeColumns: columns.flatMap((column, index) => (isTime(column) ? [index] : [])),
    rows: (onShare) => rowsOf(path, columns.map(selected), onShare),
  }
}

/** A column as a cell of text or a number: clock times without a zone stay such. */
function selected(
  { column_name, column_type }: { column_name: string; column_type: string },
  index: number,
): string {
  const column = named(column_name)
  const text = `strftime(CAST(${column} AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%f')`
  const as = (expression: string): string => `${expression} AS c${index}`
  if (column_type === 'TIMESTAMP WITH TIME ZONE')
    return as(`strftime(CAST(${column} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%fZ')`)
  if (column_type.startsWith('TIMESTAMP')) return as(text)
  if (
    /^(?:VARCHAR|TINYINT|SMALLINT|INTEGER|BIGINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT|DOUBLE)$/.test(
      column_type,
    )
  )
    return as(column)
  // A float of four bytes shows the digits that it was written with.
  if (/^(?:FLOAT|DATE|TIME|HUGEINT|DECIMAL.*)$/.test(column_type)) return as(`CAST(${column} AS VARCHAR)`)
  return as(column_type === 'BOOLEAN' ? `CAST(${column} AS INTEGER)` : 'NULL')
}

async function* rowsOf(
  path: string,
  columns: readonly string[],
  onShare: (share: number) => void,
): AsyncGenerator<SourceRow> {
  const engine = await openDuckDb({ threads: 1 })
  try {
    const session = await engine.session()
    const [total] = await session.rows<{ n: number }>(
      `SELECT count(*) AS n FROM read_parquet(${quoted(path)})`,
    )
    for (let from = 0; from < total!.n; from += ROWS_AT_ONCE) {
      const rows = await session.rows(
        `SELECT ${columns.join(', ')} FROM read_parquet(${quoted(path)}, file_row_number = true)
         WHERE file_row_number >= ${from} AND file_row_number < ${from + ROWS_AT_ONCE} ORDER BY file_row_number`,
      )
      for (const [index, row] of rows.entries())
        yield { line: from + index + 1, cells: columns.map((_, column) => row[`c${column}`]) }
      onShare(Math.min(1, (from + ROWS_AT_ONCE) / total!.n))
    }
  } finally {
    await engine.close()
  }
}

async function reading<T>(path: string, read: (session: Session) => Promise<T>): Promise<T> {
  const engine = await openDuckDb({ threads: 1 })
  try {
    return await read(await engine.session())
  } catch (error) {
    throw new PlatformError(
      'file_not_telemetry',
      `The Parquet file ${path} cannot be read (${error instanceof Error ? error.message.split('\n')[0] : String(error)}), and nothing of it was taken.`,
      'Fetch the file again, or write it as plain Parquet or CSV.',
      { cause: error },
    )
  } finally {
    await engine.close()
  }
}
