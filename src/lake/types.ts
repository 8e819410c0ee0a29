/** The types of the lake: tables in the Delta format, written and read through one engine. */

import type {
  CheckReport,
  CleanUpOptions,
  HistoryEntry,
  TableStatus,
  UpkeepOptions,
  VacuumOptions,
} from './upkeep-types.ts'

export type * from './upkeep-types.ts'

/** Nested ones as Spark spells them: `array<long>`, `map<string,double>`, `struct<a:integer,b:array<string>>`. */
export type ColumnType =
  | 'string'
  | 'boolean'
  | 'byte'
  | 'short'
  | 'integer'
  | 'long'
  | 'double'
  | 'float'
  | 'binary'
  | 'date'
  | 'timestamp'
  | `decimal(${number},${number})`
  | `array<${string}>`
  | `map<${string}>`
  | `struct<${string}>`

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
  readonly path: string
  readonly bytes: number
  readonly partition: Readonly<Record<string, string | null>>
  readonly modifiedMs: number
  /** Parsed at the first look; `lake_corrupt` where the log's text makes no sense. */
  readonly stats: FileStats
  /** The statistics as the log has them. */
  readonly statsText?: string
}

/** A condition that a row must meet. A row where the column is null meets only `is null`. */
export type Predicate =
  | { column: string; is: '=' | '<' | '<=' | '>' | '>='; value: StatValue }
  | { column: string; is: 'in'; values: readonly StatValue[] }
  | { column: string; is: 'null' | 'not null' }

export interface Snapshot {
  table: string
  /** -1 where the table does not exist yet. */
  version: number
  timestampMs: number
  files: readonly DataFile[]
  /** The newest `txn` action per application id. */
  txns: ReadonlyMap<string, number>
  columns: readonly Column[]
  description: string
  partitionBy: readonly string[]
  /** Delta's table properties and those of this lake (`lake.retentionDays`). */
  properties: Readonly<Record<string, string>>
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
  /** Beside those that every commit has: numFiles, numOutputRows, numOutputBytes, numRemovedFiles, numRemovedBytes. */
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
  /**
   * Appends rows, given by columns, to a temporary table of this session: a column of DOUBLE from numbers, one of VARCHAR
   * from texts; there is no null among numbers, NaN stays NaN.
   */
  append(table: string, columns: readonly ColumnValues[]): Promise<void>
  /**
   * Says on about how many rows the next statements work. Where no session says that these are many, the engine spends
   * less on each statement: one thread, and no search for a plan that only many rows repay.
   */
  expect(rows: number): Promise<void>
  close(): Promise<void>
}
export type ColumnValues = Float64Array | readonly (string | null)[]
export type SqlValue = string | number | bigint | boolean | null

/** The engine's port: what runs the SQL. */
export interface Engine {
  session(): Promise<Session>
  /**
   * A session apart from all others: it reads the folder, changes nothing and reaches nothing else. `setup` is run
   * once, and what `prepare` gives for a statement before each.
   */
  readOnlySession(
    folder: string,
    setup: readonly string[],
    prepare: (sql: string, parameters?: readonly SqlValue[]) => Promise<readonly string[]>,
  ): Promise<Session>
  /** Errors of its sessions are shown to `explain` first, until the result is called; what it gives is thrown instead. */
  onError(explain: (error: Error) => Error | undefined): () => void
  /** What statements would ask of tables with these columns. */
  planner(tables: ReadonlyMap<string, readonly Column[]>): Promise<Planner>
  close(): Promise<void>
}

export interface Planner {
  /** Each scan of a table, with the predicates that every row which counts meets. Runs nothing. */
  scans(sql: string, parameters?: readonly SqlValue[]): Promise<Scan[]>
  close(): Promise<void>
}
export interface Scan {
  table: string
  predicates: Predicate[]
}

/**
 * The store's port: where bytes lie. Paths are relative to the lake's root, `/` between folders. All that the lake does to
 * files goes through it; but the engine itself reads data files and checkpoints, and writes data files, at `<root>/<path>`.
 */
export interface Store {
  /** What lies directly in the folder, in ascending order, from the first one greater than `after`; folders end in `/`. */
  list(folder: string, after?: string): Promise<{ path: string; bytes: number; modifiedMs: number }[]>
  /** Throws an error with code `ENOENT` where there is none. */
  read(path: string): Promise<Uint8Array>
  /**
   * Whole or not at all, and durable once resolved. It replaces what was there, unless `ifAbsent`: then `false` says that
   * something was there, was left alone, and is durable.
   */
  put(path: string, bytes: Uint8Array, options?: { ifAbsent?: boolean }): Promise<boolean>
  /** Makes files durable that the engine has written. */
  settle(paths: readonly string[]): Promise<void>
  delete(path: string): Promise<void>
}

export interface WriteOptions {
  /** Roughly how many rows a file may hold at most; default 500,000. */
  maxRowsPerFile?: number
  rowGroupRows?: number
  /** The rows come in the table's order already: they are not sorted again. */
  sorted?: boolean
}

export interface Lake {
  /** What the engine puts before a path: the folder on this machine, absolute, `/` between folders, or the store's URL. */
  readonly root: string
  readonly store: Store
  /** Registers the table and creates it, empty, where it is absent. */
  define(definition: TableDefinition): Promise<void>
  /** Sets table properties in a commit of its own; null takes one away. */
  setProperties(table: string, properties: Readonly<Record<string, string | null>>): Promise<void>
  /** All tables in the folder, defined or not, as `layer.table`. */
  tables(): Promise<string[]>
  /**
   * The table as of now, of a version, or of a moment: the newest version not younger than that. Cheap when
   * nothing is new: one look for the next commit. `lake_expired`: that version is no longer in the log.
   */
  snapshot(table: string, at?: number | Date): Promise<Snapshot>
  /**
   * Files by which the rows changed between two versions (first exclusive, second inclusive): rows(after) + added
   * − removed − expired = rows(upTo). What came and went again is in neither. Merging is passed over: a file that was
   * merged since stays in `added` (it can be read until vacuum), and a merged file that was rewritten is in
   * `removed`. `expired`: given up by `retain`; what was made from them stays as it is.
   */
  changes(
    table: string,
    after: number,
    upTo: number,
  ): Promise<{ added: DataFile[]; removed: DataFile[]; expired: DataFile[] }>
  /** Newest first. */
  history(table: string, options?: { limit?: number }): Promise<HistoryEntry[]>
  /** Writes the rows of a query as data files, durable but not yet part of the table. Columns are taken by name. */
  write(session: Session, table: string, selectSql: string, options?: WriteOptions): Promise<DataFile[]>
  /** One atomic commit. Appends never conflict; a commit that removes a file that is gone throws `lake_conflict`. */
  commit(table: string, request: CommitRequest): Promise<CommitResult>
  /** A SQL table expression (in parentheses) over these files with exactly the table's columns and types; works for no file. */
  scan(table: string, files: readonly DataFile[]): string
  /** Every table; one that cannot be read has `error`, and the others go on. */
  status(): Promise<TableStatus[]>
  /**
   * Reads every file that the newest version names, and compares it with the log: size, rows, schema, statistics;
   * and the newest checkpoint with the entries before it. `repair` moves a torn newest entry aside, so that commits go on from
   * the version before: what it held is lost, and is read again from the input that its `txn` did not come to cover.
   */
  check(table: string, options?: { repair?: boolean }): Promise<CheckReport>
  /**
   * Deletes files that no longer belong to the table, and returns their paths. A reader of `changes` that is
   * further behind than `olderThanMs` may find a file gone.
   */
  vacuum(table: string, options?: VacuumOptions): Promise<string[]>
  /**
   * Deletes log entries and checkpoints past `delta.logRetentionDuration` (30 days) that a newer checkpoint covers; returns
   * their paths. A damaged table is `lake_corrupt`, here and for `vacuum`: nothing of it is deleted.
   */
  cleanUpLog(table: string, options?: CleanUpOptions): Promise<string[]>
  /** Gives up the dates (UTC) older than `lake.retentionDays`, in one commit `RETENTION`; returns their files. Vacuum deletes them later. */
  retain(table: string, options?: UpkeepOptions): Promise<DataFile[]>
  close(): Promise<void>
}

/** How many files of how many a statement reads. */
export interface TableRead {
  table: string
  version: number
  files: { read: number; of: number }
  bytes: { read: number; of: number }
}

/** A session for a person's own queries. */
export interface QuerySession extends Session {
  /** What a statement reads of each table that it names, by partitions and statistics, without running it. */
  reads(sql: string): Promise<TableRead[]>
  /** What is wrong with the tables that a statement names, though they can be read: the version before the damage is. */
  damages(sql: string): string[]
}
