/** The routes by which the stream is looked into. */
import type { FastifyInstance } from 'fastify'
import { ROUTES, schemaOf, type ReplayRequest, type Routes } from './contract.ts'
import { ApiError } from './problems.ts'
import type { MessagesQuery, StreamsReader } from './streams.ts'

export function registerStreams(app: FastifyInstance, streams: StreamsReader | null): void {
  const reader = (): StreamsReader => {
    if (streams) return streams
    throw new ApiError(
      'live_unavailable',
      'This server reads the lake only.',
      'Ask the one that `up` starts.',
    )
  }
  const answer = (name: keyof Routes, work: (query: unknown, body: unknown) => Promise<unknown>): void => {
    app.route({
      method: ROUTES[name].method,
      url: ROUTES[name].path,
      schema: schemaOf(name),
      handler: (request, reply) => {
        reply.header('cache-control', 'no-store')
        return work(request.query, request.body)
      },
    })
  }
  answer('streams', () => reader().read())
  answer('streamMessages', (query) => reader().messages(query as MessagesQuery))
  answer('streamReplay', (_query, body) => reader().replay(body as ReplayRequest))
  app.addHook('onClose', () => streams?.close())
}
