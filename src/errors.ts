import { LakeError, type LakeErrorCode } from './lake/errors.ts'

/**
 * An error that a person can act on: what was wrong, where, and what to do. Everything that is thrown on
 * purpose is one of these; the command line prints it as one sentence, the API as problem+json.
 */
export class PlatformError extends Error {
  override readonly name: string = 'PlatformError'
  readonly code: ErrorCode
  /** What the reader can do about it: one sentence, imperative. */
  readonly cure: string

  constructor(code: ErrorCode, message: string, cure: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    this.cure = cure
  }
}

/** Every code, with the exit status of a command that ends by it (2: wrong use, 1: failure). */
export const ERROR_EXIT = {
  usage: 2,
  config_invalid: 2,
  config_unreadable: 2,
  data_folder_foreign: 1,
  data_folder_unwritable: 1,
  data_folder_newer: 1,
  already_running: 1,
  not_running: 1,
  port_in_use: 1,
  dashboard_not_built: 1,
  file_missing: 2,
  file_not_telemetry: 1,
  file_truncated: 1,
  stream_behind_lake: 1,
  stream_gap: 1,
  stream_corrupt: 1,
  stream_unwritable: 1,
  lake_unsupported: 1,
  lake_corrupt: 1,
  lake_conflict: 1,
  lake_expired: 1,
  model_check_failed: 1,
  sql_refused: 2,
  sql_failed: 1,
  verify_differs: 1,
  verify_behind: 1,
  unknown_user: 1,
  unknown_device: 1,
  figures_behind: 1,
  node_too_old: 1,
  kafka_not_installed: 1,
  stream_unreachable: 1,
  stream_refused: 1,
  stream_topic_missing: 1,
  stream_topic_unfit: 1,
  stream_message_too_large: 1,
} as const satisfies Record<LakeErrorCode, number> & Record<string, number>

export type ErrorCode = keyof typeof ERROR_EXIT

/** The lake throws errors of its own class, of the same shape: it stands on nothing of the platform. */
export function isPlatformError(error: unknown): error is PlatformError {
  return error instanceof PlatformError || error instanceof LakeError
}
