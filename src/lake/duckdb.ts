import { readFileSync } from 'node:fs'
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  DuckDBDataChunk,
  DuckDBDateValue,
  DuckDBInstance,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  HUGEINT,
  SQLNULL,
  VARCHAR,
  type DuckDBConnection,
  type DuckDBDoubleVector,
  type DuckDBType,
  type DuckDBValue,
  type DuckDBVarCharVector,
} from '@duckdb/node-api'
import { sharedEffort, type Effort } from './effort.ts'
import { openPlanner } from './planner.ts'
import { readOnly } from './read-only.ts'
import { quotedText } from './schema.ts'
import type { ColumnValues, Engine, Session, SqlValue } from './types.ts'

export interface DuckDbOptions {
  memoryLimitMb?: number
  threads?: number
  /** Where queries larger than the memory limit put what does not fit. */
  tempDirectory?: string
}

/**
 * DuckDB as the lake's engine, in memory: data lies in the lake alone. Extensions are neither loaded nor
 * fetched on their own, so nothing here reaches for the network.
 */
export async function openDuckDb(options: DuckDbOptions = {}): Promise<Engine> {
  const instance = await openInstance(options)
  const effort = sharedEffort(await threadsOf(instance))
  const open = new Set<Session>()
  const explainers = new Set<(error: Error) => Error | undefined>()
  const explained = (error: unknown): unknown => {
    if (!(error instanceof Error)) return error
    for (const explain of explainers) {
      const better = explain(error)
      if (better) return better
    }
    return error
  }
  const tracked = (
    connection: DuckDBConnection,
    onClose: () => void = () => undefined,
    shared?: Effort,
  ): Session => {
    const session = sessionOver(connection, explained, shared, () => {
      open.delete(session)
      shared?.forget(session)
      onClose()
    })
    open.add(session)
    return session
  }
  return {
    session: async () => tracked(await instance.connect(), undefined, effort),
    async readOnlySession(folder, setup, prepare) {
      // The locks below hold for a whole instance, so this one stands alone.
      const apart = await openInstance(options)
      const connection = await apart.connect()
      const session = tracked(connection, () => apart.closeSync())
      try {
        for (const sql of setup) await session.run(sql)
        await session.run(
          `SET GLOBAL allowed_directories = [${quotedText(`${folder}/`)}]; SET GLOBAL enable_external_access = false;
           SET GLOBAL lock_configuration = true`,
        )
      } catch (error) {
        await session.close()
        throw error
      }
      return readOnly(session, connection, prepare)
    },
    onError(explain) {
      explainers.add(explain)
      return () => explainers.delete(explain)
    },
    planner: (tables) => openPlanner(async (apart) => tracked(await apart.connect()), tables),
    async close() {
      for (const session of open) await session.close()
      instance.closeSync()
    },
  }
}

async function openInstance(options: DuckDbOptions): Promise<DuckDBInstance> {
  const config: Record<string, string> = {
    // What a query has freed goes back to the system soon, and not only to the engine's next query.
    allocator_background_threads: 'true',
    allocator_flush_threshold: '1MiB',
    autoload_known_extensions: 'false',
    autoinstall_known_extensions: 'false',
    // Each step leaves new files. Kept until the memory limit is reached, they and their footers would be hundreds of MB after an hour, of what
    // the system's page cache holds anyway.
    enable_external_file_cache: 'false',
  }
  if (options.memoryLimitMb !== undefined) config.memory_limit = `${options.memoryLimitMb}MiB`
  if (options.threads !== undefined) config.threads = String(options.threads)
  if (options.tempDirectory !== undefined) config.temp_directory = options.tempDirectory
  const instance = await DuckDBInstance.create(':memory:', config)
  const connection = await instance.connect()
  await connection.run("SET GLOBAL TimeZone = 'UTC'")
  // Macros and types belong to the instance: every session has them.
  await connection.run(readFileSync(new URL('./prelude.sql', import.meta.url), 'utf8'))
  connection.closeSync()
  return instance
}

/** Statements of one session run one after the other, so that waiting ones hold no thread. */
function sessionOver(
  connection: DuckDBConnection,
  explained: (error: unknown) => unknown,
  effort: Effort | undefined,
  onClose: () => void,
): Session {
  let last: Promise<unknown> = Promise.resolve()
  let closed = false
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work).catch((error: unknown) => {
      throw explained(error)
    })
    last = result.catch(() => undefined)
    return result
  }
  const session: Session = {
    run: (sql, parameters = []) =>
      inTurn(async () => {
        const [values, types] = bind(parameters)
        await connection.run(sql, values, types)
      }),
    rows: <T extends object>(sql: string, parameters: readonly SqlValue[] = []) =>
      inTurn(async () => {
        const [values, types] = bind(parameters)
        const reader = await connection.runAndReadAll(sql, values, types)
        return reader.convertRowObjects<unknown>(toJs) as T[]
      }),
    append: (table, columns) => inTurn(() => appendColumns(connection, table, columns)),
    expect: (rows) => inTurn(async () => effort?.expect(connection, session, rows)),
    async close() {
      if (closed) return
      closed = true
      await last
      connection.closeSync()
      onClose()
    },
  }
  return session
}

/** The engine takes rows by so many. */
const VECTOR_ROWS = 2_048

async function appendColumns(
  connection: DuckDBConnection,
  table: string,
  columns: readonly ColumnValues[],
): Promise<void> {
  const rows = columns[0]?.length ?? 0
  if (rows === 0) return
  const types = columns.map((column) => (column instanceof Float64Array ? DOUBLE : VARCHAR))
  const appender = await connection.createAppender(table, null, 'temp')
  try {
    for (let from = 0; from < rows; from += VECTOR_ROWS) {
      const chunk = DuckDBDataChunk.create(types, Math.min(VECTOR_ROWS, rows - from))
      for (const [index, column] of columns.entries()) {
        const vector = chunk.getColumnVector(index) as DuckDBDoubleVector | DuckDBVarCharVector
        for (let row = 0; row < vector.itemCount; row++) vector.setItem(row, column[from + row] as never)
        vector.flush()
      }
      appender.appendDataChunk(chunk)
    }
  } finally {
    appender.closeSync()
  }
}

async function threadsOf(instance: DuckDBInstance): Promise<number> {
  const connection = await instance.connect()
  const reader = await connection.runAndReadAll(`SELECT current_setting('threads') AS threads`)
  connection.closeSync()
  return Number(reader.getRows()[0]?.[0])
}

function bind(parameters: readonly SqlValue[]): [values?: DuckDBValue[], types?: DuckDBType[]] {
  if (parameters.length === 0) return []
  const typed = parameters.map(typedParameter)
  return [typed.map(([value]) => value), typed.map(([, type]) => type)]
}

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }

function typedParameter(value: SqlValue): [DuckDBValue, DuckDBType] {
  if (value === null) return [null, SQLNULL]
  if (typeof value === 'string') return [value, VARCHAR]
  if (typeof value === 'boolean') return [value, BOOLEAN]
  if (typeof value === 'bigint') return [value, value >= INT64.min && value <= INT64.max ? BIGINT : HUGEINT]
  return Number.isSafeInteger(value) ? [BigInt(value), BIGINT] : [value, DOUBLE]
}

/** The mapping that `Session.rows` promises; types it does not name come as DuckDB's text. */
function toJs(value: DuckDBValue): unknown {
  switch (typeof value) {
    case 'bigint':
      return Number.isSafeInteger(Number(value)) ? Number(value) : value
    case 'object':
      break
    default:
      return value
  }
  if (value === null) return null
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue) {
    return value.isFinite ? isoMicros(value.micros) : value.micros > 0n ? 'infinity' : '-infinity'
  }
  if (value instanceof DuckDBDateValue) return value.toString()
  if (value instanceof DuckDBListValue) return value.items.map(toJs)
  if (value instanceof DuckDBMapValue) {
    return Object.fromEntries(value.entries.map(({ key, value: item }) => [String(toJs(key)), toJs(item)]))
  }
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([key, item]) => [key, toJs(item)]))
  }
  return String(value)
}

/** `2026-11-23T10:00:00.123456Z`. */
function isoMicros(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = (micros - fraction) / 1_000_000n
  const whole = new Date(Number(seconds) * 1000)
  if (Number.isNaN(whole.getTime())) return new DuckDBTimestampValue(micros).toString()
  return `${whole.toISOString().slice(0, -5)}.${String(fraction).padStart(6, '0')}Z`
}
