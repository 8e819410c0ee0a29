/** What can be wrong with a lake. */
export type LakeErrorCode =
  /** The table uses a part of Delta, or is changed in a way, that this lake does not do. */
  | 'lake_unsupported'
  /** What lies on the disk is not what the log says, or the log itself is damaged. */
  | 'lake_corrupt'
  /** Somebody else's commit came first and touched the same files or input. */
  | 'lake_conflict'
  /** A version, or the log between two versions, that was cleaned up since. */
  | 'lake_expired'
  /** A version or property that the table does not have. */
  | 'usage'
  /** The table has columns that the definition does not know. */
  | 'data_folder_newer'
  | 'data_folder_unwritable'
  /** Rows that break the table's own rules. */
  | 'model_check_failed'
  /** A person's query that does more than read, and one that failed. */
  | 'sql_refused'
  | 'sql_failed'

/** Everything that the lake throws on purpose: what is wrong and where, and one sentence on what to do. */
export class LakeError extends Error {
  override readonly name: string = 'LakeError'
  readonly code: LakeErrorCode
  readonly cure: string

  constructor(code: LakeErrorCode, message: string, cure: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    this.cure = cure
  }
}
