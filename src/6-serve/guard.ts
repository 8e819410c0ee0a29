/** What stands before every route: headers, limits, and who may ask. */
import compress from '@fastify/compress'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { constants } from 'node:zlib'
import { ApiError } from './problems.ts'

export const REQUESTS_PER_MINUTE = 600
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]', '::1'])

export async function guard(app: FastifyInstance, requestsPerMinute: number): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        workerSrc: ["'self'"],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // The server speaks plain HTTP on loopback; whoever puts TLS before it says this there.
    hsts: false,
  })
  await app.register(rateLimit, {
    max: requestsPerMinute,
    timeWindow: '1 minute',
    allowList: (request) => !request.url.startsWith('/api/'),
    errorResponseBuilder: (_request, { after }) =>
      new ApiError(
        'too_many_requests',
        `More than ${requestsPerMinute} requests a minute.`,
        `Try again in ${after}.`,
      ),
  })
  await app.register(compress, {
    encodings: ['br', 'gzip'],
    threshold: 1024,
    brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } },
  })
  app.addHook('onRequest', (request, _reply, done) => done(refusal(request)))
}

function refusal(request: FastifyRequest): ApiError | undefined {
  // A page that points a name of its own at this address (DNS rebinding) is told by the name that it asks for.
  if (!LOOPBACK.has(request.hostname))
    return new ApiError(
      'cross_site_refused',
      `This server is not ${request.hostname}.`,
      'Ask it as localhost or 127.0.0.1.',
    )
  if (request.method === 'GET' || request.method === 'HEAD') return undefined
  const site = request.headers['sec-fetch-site']
  const { origin } = request.headers
  const own = origin === undefined || origin === `${request.protocol}://${request.host}`
  if ((site === undefined || site === 'same-origin' || site === 'none') && own) return undefined
  return new ApiError(
    'cross_site_refused',
    'Another site may not change anything here.',
    'Use the dashboard of this server.',
  )
}
