import type { FastifyInstance } from 'fastify'

/**
 * A server that closes ends the connection of each request that it still answers. Otherwise one that a client keeps open would hold
 * it up until it has been idle for long enough (72 s). To be called before the routes are registered.
 */
export function endLastConnections(app: FastifyInstance): void {
  let isClosing = false
  app.addHook('preClose', (done) => {
    isClosing = true
    done()
  })
  app.addHook('onSend', async (_request, reply) => {
    if (isClosing) reply.header('connection', 'close')
  })
}
