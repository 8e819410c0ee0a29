/** What is answered where nothing, or not all, was taken: RFC 9457 problem+json, with what to do about it. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { statusOf, type ErrorCode } from '../../error-catalogue.ts'
import { isPlatformError } from '../../errors.ts'

export const MOST_SENT_BYTES = 16 * 1024 * 1024

/** An answer that is no success; sent as problem+json, with the status that the catalogue gives its code. */
export class Refusal extends Error {
  readonly code: ErrorCode
  readonly cure: string
  /** HTTP status. */
  readonly status: number
  readonly retryAfterS: number | undefined
  constructor(
    code: ErrorCode,
    message: string,
    cure: string,
    options: { status?: number; retryAfterS?: number } = {},
  ) {
    super(message)
    this.code = code
    this.cure = cure
    this.status = options.status ?? statusOf(code)
    this.retryAfterS = options.retryAfterS
  }
}

export const busy = (): Refusal =>
  new Refusal(
    'busy',
    'More is waiting to be written than this server holds.',
    'Send it again after the time in Retry-After.',
    { retryAfterS: 1 },
  )

export function tell(
  error: Error & { statusCode?: number },
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const refusal = asRefusal(error)
  if (refusal.status >= 500) request.log.error(error)
  if (refusal.retryAfterS !== undefined) reply.header('retry-after', String(refusal.retryAfterS))
  const { status, code, message: detail, cure } = refusal
  const problem = {
    type: `/problems/${code}`,
    title: detail,
    status,
    code,
    detail,
    cure,
    instance: request.url.split('?', 1)[0],
    request_id: request.id,
  }
  return reply.code(status).type('application/problem+json').send(JSON.stringify(problem))
}

function asRefusal(error: Error & { statusCode?: number; code?: ErrorCode; cure?: string }): Refusal {
  if (error instanceof Refusal) return error
  if (isPlatformError(error))
    return new Refusal(error.code, error.message, error.cure, { status: 503, retryAfterS: 5 })
  const status = error.statusCode ?? 500
  if (status === 413)
    return new Refusal(
      'too_large',
      `The body is larger than ${MOST_SENT_BYTES} bytes.`,
      'Send it in parts, or as gzip.',
    )
  // What stands before every route of the server (its guard) refuses with a code and a cure of its own.
  if (error.cure !== undefined) return new Refusal(error.code ?? 'internal', error.message, error.cure)
  if (status < 500) return new Refusal('bad_request', error.message, 'See docs/devices.md.', { status })
  return new Refusal(
    'internal',
    'The readings could not be written.',
    'Send them again; the log names the cause.',
    { retryAfterS: 5 },
  )
}
