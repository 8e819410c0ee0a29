/** The types of the lake: tables in the Delta format, written and read through one engine. */

export type ColumnType =
  | 'string'
  | 'boolean'
  | 'integer'
  | 'long'
  | 'double'
  | 'date'
  | 'timestamp'
  | `decimal(${number},${number})`
  | 'array<string>'
  | 'map<string,double>'

export interface Column {
  name: string
  type: ColumnType
  /** Never null. */
  required?: boolean
  /** What it means, with its unit; stands in the table's metadata. */
  description: string
}

export interface TableDefinition {
  /** `layer.table`; lies under `<root>/<layer>/<table>`. */
  name: string
  description: string
  columns: readonly Column[]
  /** Columns whose values choose the folder of a file; they are not in the data files. */
  partitionBy: readonly string[]
  /** Order of the rows inside a data file. */
  sortBy: readonly string[]
  /** Columns that identify a row. */
  key: readonly string[]
  /** Delta table properties, for example `delta.appendOnly`. */
  properties?: Readonly<Record<string, string>>
}

/** Statistics are kept per top-level primitive column; timestamps as ISO text with `Z`, maxima rounded up to ms. */
export type StatValue = string | number | boolean
export interface FileStats {
  rows: number
  min: Readonly<Record<string, StatValue>>
  max: Readonly<Record<string, StatValue>>
  nulls: Readonly<Record<string, number>>
}

export interface DataFile {
  /** Relative to the table's folder, not URI-encoded, `/` between folders. */
  path: string
  bytes: number
  partition: Readonly<Record<string, string | null>>
  modifiedMs: number
  stats: FileStats
}

export interface Snapshot {
  table: string
  /** -1 where the table does not exist yet. */
  version: number
  timestampMs: number
  files: readonly DataFile[]
  /** The newest `txn` action per application id. */
  txns: ReadonlyMap<string, number>
  columns: readonly Column[]
  /** Set where the newest log entry is torn: this is the version before it, and commits are refused until it is repaired. */
  damage?: string
}

export interface CommitRequest {
  /** For the history: `WRITE`, `MERGE`, `OPTIMIZE`, `REBUILD`, … */
  operation: string
  add: readonly DataFile[]
  remove?: readonly DataFile[]
  /** Set in the same commit as the rows. A commit whose `txns` the table already has (>=) is not applied again. */
  txns?: Readonly<Record<string, number>>
  /** The `txns` that the rows start from (-1: none yet). Where the table's differ, nothing is written: `lake_conflict`. */
  expectTxns?: Readonly<Record<string, number>>
  /** `false`: the same rows in other files (compaction). `changes` passes such commits over. */
  dataChange?: false
  /** The versions of the input tables that this commit covers, for `commitInfo`. */
  inputs?: Readonly<Record<string, number>>
  parameters?: Readonly<Record<string, string>>
  metrics?: Readonly<Record<string, number>>
}

export type CommitResult =
  | { applied: true; version: number }
  /** Somebody, or an earlier run, has committed these `txns` already. */
  | { applied: false; version: number }

/** One connection of the engine: its temporary tables are its own. */
export interface Session {
  run(sql: string, parameters?: readonly SqlValue[]): Promise<void>
  /**
   * Integers as number where safe, else bigint; decimals as text; timestamps as ISO text with microseconds and
   * `Z`; dates as `YYYY-MM-DD`; lists as arrays; maps as objects; null as null.
   */
  rows<T extends object = Record<string, unknown>>(
    sql: string,
    parameters?: readonly SqlValue[],
  ): Promise<T[]>
  close(): Promise<void>
}
export type SqlValue = string | number | bigint | boolean | null

/** The engine's port: what runs the SQL. */
export interface Engine {
  session(): Promise<Session>
  /** A session apart from all others: after `setup` it reads the folder, changes nothing and reaches nothing else. */
  readOnlySession(folder: string, setup: readonly string[]): Promise<Session>
  close(): Promise<void>
}

/** The store's port: where bytes lie. Paths are relative to the lake's root, `/` between folders. */
export interface Store {
  /** What lies directly in the folder, in ascending order, from the first one greater than `after`; folders end in `/`. */
  list(folder: string, after?: string): Promise<{ path: string; bytes: number; modifiedMs: number }[]>
  /** Throws an error with code `ENOENT` where there is none. */
  read(path: string): Promise<Uint8Array>
  /** Durable once resolved. `false`: something was there already, and it was left alone. */
  putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean>
  /** Durable, replaces. */
  put(path: string, bytes: Uint8Array): Promise<void>
  delete(path: string): Promise<void>
}

export interface WriteOptions {
  /** Roughly how many rows a file may hold at most; default 500,000. */
  maxRowsPerFile?: number
  rowGroupRows?: number
}

export interface VacuumOptions {
  /** Files removed longer ago than this go; default 7 days, never less than an hour. */
  olderThanMs?: number
  dryRun?: boolean
  nowMs?: number
}

export interface Lake {
  /** The folder on this machine, absolute, `/` between folders. */
  readonly root: string
  readonly store: Store
  /** Registers the table and creates it, empty, where it is absent. */
  define(definition: TableDefinition): Promise<void>
  /** All tables in the folder, defined or not, as `layer.table`. */
  tables(): Promise<string[]>
  /** The table as of now, or as of a version. Cheap when nothing is new: one look for the next commit. */
  snapshot(table: string, version?: number): Promise<Snapshot>
  /**
   * Files by which the rows changed between two versions (first exclusive, second inclusive): rows(after) + added
   * − removed = rows(upTo). What came and went again is in neither. Merging is passed over: a file that was merged
   * since stays in `added` (it can be read until vacuum), and a merged file that was rewritten is in `removed`.
   */
  changes(table: string, after: number, upTo: number): Promise<{ added: DataFile[]; removed: DataFile[] }>
  /** Writes the rows of a query as data files, durable but not yet part of the table. Columns are taken by name. */
  write(session: Session, table: string, selectSql: string, options?: WriteOptions): Promise<DataFile[]>
  /** One atomic commit. Appends never conflict; a commit that removes a file that is gone throws `lake_conflict`. */
  commit(table: string, request: CommitRequest): Promise<CommitResult>
  /**
   * Deletes files that no longer belong to the table, and returns their paths. A reader of `changes` that is
   * further behind than `olderThanMs` may find a file gone.
   */
  vacuum(table: string, options?: VacuumOptions): Promise<string[]>
  /** A SQL table expression (in parentheses) over these files with exactly the table's columns and types; works for no file. */
  scan(table: string, files: readonly DataFile[]): string
  close(): Promise<void>
}
