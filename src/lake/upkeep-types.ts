/** What looking after tables asks for and tells. */

export interface UpkeepOptions {
  /** Says what would be done, and does nothing. */
  dryRun?: boolean
  /** The time that ages are counted to; default now. */
  nowMs?: number
}

export interface VacuumOptions extends UpkeepOptions {
  /**
   * Files removed longer ago go; default, and the most that can be asked for, `delta.deletedFileRetentionDuration` (7 days):
   * of what was removed before that, the log no longer says when. Never less than an hour.
   */
  olderThanMs?: number
}

export interface CleanUpOptions extends UpkeepOptions {
  /** A reader of `changes` has come to this version: the entries after it stay, however old. */
  readUpTo?: number
}

/** One version, as its `commitInfo` tells it. */
export interface HistoryEntry {
  version: number
  timestampMs: number
  operation: string
  parameters: Readonly<Record<string, string>>
  metrics: Readonly<Record<string, string>>
  /** The versions of the input tables that it covers. */
  inputs: Readonly<Record<string, number>>
  txns: Readonly<Record<string, number>>
  filesAdded: number
  filesRemoved: number
  /** The program that wrote it; empty where it does not say. */
  engine: string
}

export interface TableStatus {
  table: string
  /** Set where the table cannot be read; then the figures are zero. */
  error?: string
  /** Set where the newest log entry is torn: the figures are of the version before. */
  damage?: string
  version: number
  timestampMs: number
  /** The oldest version that can still be asked for, as far as its data files have not been vacuumed. */
  oldestVersion: number
  /** -1: none. */
  checkpointVersion: number
  files: number
  bytes: number
  rows: number
  smallestFileBytes: number
  medianFileBytes: number
  /** Null: kept for ever. */
  retentionDays: number | null
}

/** Something that is not as the log says. */
export interface Finding {
  table: string
  version: number
  /** Relative to the table's folder. */
  file?: string
  problem: string
}

export interface CheckReport {
  table: string
  version: number
  /** What was read. */
  files: number
  rows: number
  findings: Finding[]
  /** Where a torn newest entry was moved to, relative to the lake's root. */
  movedAside?: string
}
