/** Errors of the API as RFC 9457 problem+json, each with a code and with what to do about it. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { ERRORS, entryOf, statusOf, type HttpErrorCode, type ErrorCode } from '../error-catalogue.ts'
import { isPlatformError } from '../errors.ts'
import type { Problem } from './contract.ts'

export type ProblemCode = HttpErrorCode | 'stream_unreachable' | 'stream_refused'

/** Errors of the platform that are the asker's, or pass by themselves; every other one is internal. */
const TOLD: ReadonlySet<string> = new Set<ProblemCode>([
  'unknown_user',
  'unknown_device',
  'figures_behind',
  'stream_unreachable',
  'stream_refused',
])

/** Thrown by a route; answered as its problem. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: ProblemCode
  readonly cure: string

  constructor(code: ProblemCode, message: string, cure: string) {
    super(message)
    this.code = code
    this.cure = cure
  }
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: ApiError): FastifyReply {
  const status = statusOf(error.code)
  const problem: Problem = {
    type: `/problems/${error.code}`,
    title: entryOf(error.code).what,
    status,
    code: error.code,
    detail: error.message,
    cure: error.cure,
    instance: request.url.split('?', 1)[0]!,
    request_id: request.id,
  }
  // As a string: the schema of a route's answer does not apply to its problems.
  return reply.code(status).type('application/problem+json').send(JSON.stringify(problem))
}

/** Fastify's error handler. What is not on purpose is logged with its stack and told without any inside of ours. */
export function onError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = asApiError(error)
  if (known) return sendProblem(request, reply, known)
  request.log.error(error)
  if (isPlatformError(error)) {
    const told = new ApiError('internal', error.message, error.cure)
    return sendProblem(request, reply, told)
  }
  const detail = 'The answer could not be worked out.'
  return sendProblem(request, reply, new ApiError('internal', detail, 'Try again; the log names the cause.'))
}

function asApiError(error: FastifyError): ApiError | undefined {
  if (error instanceof ApiError) return error
  if (isPlatformError(error) && TOLD.has(error.code))
    return new ApiError(error.code as ProblemCode, error.message, error.cure)
  if (hasZodFastifySchemaValidationErrors(error)) {
    const told = error.validation.map(({ instancePath, message }) =>
      `${instancePath.replace(/^\//, '') || 'query'}: ${message ?? 'not valid'}`.slice(0, 200),
    )
    return new ApiError('bad_request', told.join('; '), 'See /api/openapi.json for what the route takes.')
  }
  const status = error.statusCode
  if (status === undefined || status < 400 || status >= 500) return undefined
  return new ApiError('bad_request', error.message, 'See /api/openapi.json for what the route takes.')
}

/** `/problems/<code>`, where the `type` of a problem points: what the catalogue says of the code. */
export function describeProblems(app: FastifyInstance): void {
  app.get<{ Params: { code: string } }>('/problems/:code', { schema: { hide: true } }, ({ params }) => {
    if (!Object.hasOwn(ERRORS, params.code))
      throw new ApiError(
        'not_found',
        `There is no error "${params.code.slice(0, 60)}".`,
        'See docs/errors.md.',
      )
    const code = params.code as ErrorCode
    const { what, where, cure, retryable = false } = entryOf(code)
    return { code, status: statusOf(code), what, where, cure, retryable }
  })
}
