/** How much may wait for the stream at one time: bodies are counted from before they are read until they are answered. */
import type { FastifyReply, FastifyRequest } from 'fastify'

/** A body of which the sender does not tell the length counts as so much. */
const UNTOLD_BYTES = 64 * 1024
/** What a request costs besides its body. */
const REQUEST_BYTES = 1024

export function createPressure(mostBytes: number) {
  let waitingBytes = 0
  return {
    /** Throws what `refusal` gives where there is no room; a single request is always let in. */
    enter(request: FastifyRequest, reply: FastifyReply, refusal: () => Error): void {
      const told = Number(request.headers['content-length'])
      const bytes = REQUEST_BYTES + (Number.isFinite(told) ? told : UNTOLD_BYTES)
      if (waitingBytes > 0 && waitingBytes + bytes > mostBytes) throw refusal()
      waitingBytes += bytes
      reply.raw.once('close', () => {
        waitingBytes -= bytes
      })
    },
  }
}
