import type { ErrorCode } from './error-catalogue.ts'
import { LakeError } from './lake/errors.ts'

export type { ErrorCode } from './error-catalogue.ts'

/**
 * An error that a person can act on: what was wrong, where, and what to do. Everything that is thrown on
 * purpose is one of these; the command line prints it as one sentence, the API as problem+json. What every code means in
 * general stands in the catalogue.
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

/** The lake throws errors of its own class, of the same shape: it stands on nothing of the platform. */
export function isPlatformError(error: unknown): error is PlatformError {
  return error instanceof PlatformError || error instanceof LakeError
}
