/**
 * Readings over HTTP, as a plugin of the web server: `POST /api/v1/telemetry`, InfluxDB's `/write` and `/api/v2/write`, and
 * Shelly's webhooks. An answer of 2xx is given only when everything it speaks of is durable in the stream.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import type { Reading } from '../../reading.ts'
import { strictlyLater } from '../arrivals.ts'
import type { ReadableSink, StreamMessage } from '../source.ts'
import { parsePoint, precisionMs, readingsOf, type InfluxPoint } from './influx.ts'
import { createKeyring, type ApiKey } from './keys.ts'
import { readLines, type Line } from './lines.ts'
import { createPressure } from './pressure.ts'
import { busy, MOST_SENT_BYTES, Refusal, tell } from './refusal.ts'
import { answerOnce, findBegun, marked, openRequests } from './requests.ts'
import { shellyReading } from './shelly-webhook.ts'

export interface IngestionOptions {
  sink: ReadableSink
  /** Folder of what is remembered of requests: beside the stream. */
  requestsDir: string
  /** None: whoever reaches the server may send, for any home. */
  keys: readonly ApiKey[]
  clock?: () => number
  /** Most bytes of bodies that may wait for the stream at one time. */
  waitingBytes?: number
}

const MOST_BYTES = 64 * 1024 * 1024
const FIND_AGAIN_MS = 10_000
const WAITING_BYTES = 64 * 1024 * 1024

/** Registers the routes in a scope of their own: the rest of the server keeps its parsers and its errors. */
export async function ingestion(app: FastifyInstance, options: IngestionOptions): Promise<void> {
  const requests = openRequests(options.requestsDir, options.clock)
  const keyring = createKeyring(options.keys)
  const pressure = createPressure(options.waitingBytes ?? WAITING_BYTES)
  await app.register(async (scope) => {
    const closing = new AbortController()
    scope.addHook('onReady', async () => {
      void keepFinding({ requests, sink: options.sink }, closing.signal)
    })
    scope.addHook('onClose', async () => {
      closing.abort()
      requests.close()
    })
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: MOST_SENT_BYTES },
      (_request, body, done) => done(null, body),
    )
    scope.setErrorHandler(tell)
    scope.addHook('onRequest', async (request, reply) => pressure.enter(request, reply, busy))
    const taker: Taker = { ...options, clock: strictlyLater(options.clock ?? Date.now), requests, keyring }
    // Devices send as often as they must: what bounds them is the pressure, not a count of requests.
    const config = { rateLimit: false }
    const schema = { hide: true }
    scope.post('/api/v1/telemetry', { config, schema }, (request, reply) => telemetry(taker, request, reply))
    for (const url of ['/write', '/api/v2/write'])
      scope.post(url, { config, schema }, (request, reply) => influx(taker, request, reply))
    // A client of version 1 asks whether the server is there, and makes its database, before it writes.
    scope.get('/ping', { config, schema }, (_request, reply) =>
      reply.code(204).header('x-influxdb-version', '1.8').send(),
    )
    scope.route({
      method: ['GET', 'POST'],
      url: '/api/v1/shelly/:device?',
      config,
      schema,
      handler: (request, reply) => shelly(taker, request, reply),
    })
  })
}

/** Beside the answers: looks for the requests that were cut off, until the stream could be read. Never rejects, also where it is closed meanwhile. */
async function keepFinding(from: Parameters<typeof findBegun>[0], closing: AbortSignal): Promise<void> {
  while (!closing.aborted) {
    const isDone = await findBegun(from, closing).then(
      () => true,
      // The stream is away, and each request that needs it says so; a repeated one looks for itself.
      () => false,
    )
    if (isDone) return
    await setTimeout(FIND_AGAIN_MS, undefined, { signal: closing, ref: false }).catch(() => undefined)
  }
}

interface Taker extends IngestionOptions {
  clock: () => number
  requests: ReturnType<typeof openRequests>
  keyring: ReturnType<typeof createKeyring>
}

type Query = Record<string, string | undefined>

/** The home that the caller may write to; null: any. */
function tenantOf({ keyring }: Taker, request: FastifyRequest): string | null {
  const query = request.query as Query
  const caller = keyring(request.headers, query.key ?? query.p ?? query.token)
  if (typeof caller === 'object') return caller.tenant
  throw caller === 'no_key'
    ? new Refusal(
        'key_missing',
        'This server takes readings with an API key only.',
        'Send it as "Authorization: Bearer KEY".',
      )
    : new Refusal(
        'key_wrong',
        'The API key is not one of this server.',
        'See sources.http.keys in the configuration.',
      )
}

async function bodyOf(request: FastifyRequest): Promise<Buffer> {
  const body = (request.body ?? Buffer.alloc(0)) as Buffer
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity'
  if (encoding === 'identity' || body.length === 0) return body
  const unpack = { gzip: gunzip, 'x-gzip': gunzip, deflate: inflate, br: brotliDecompress }[encoding]
  if (unpack === undefined)
    throw new Refusal(
      'encoding_unknown',
      `The content encoding ${encoding} is not known.`,
      'Send it as it is, or as gzip.',
    )
  const options = { maxOutputLength: MOST_BYTES }
  const unpacked = promisify(
    unpack as (data: Buffer, options: object, done: (error: Error | null, data: Buffer) => void) => void,
  )
  return await unpacked(body, options).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ERR_BUFFER_TOO_LARGE')
      throw new Refusal(
        'too_large',
        `The body unpacks to more than ${MOST_BYTES} bytes.`,
        'Send it in parts.',
      )
    throw new Refusal('encoding_broken', `The body is no whole ${encoding}.`, 'Send it again.')
  })
}

async function telemetry(taker: Taker, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const tenant = tenantOf(taker, request)
  const body = await bodyOf(request)
  const answerTo = async (id: string | undefined, appended: ReadonlySet<number>) => {
    const lines = readLines(body, { tenant, clock: taker.clock })
    if (lines.length === 0)
      throw new Refusal(
        'nothing_sent',
        'The body is empty.',
        'Send one JSON object, an array of them, or JSON lines.',
      )
    const messages = lines.flatMap(({ message }) => message ?? [])
    const named = id === undefined ? messages : marked(id, messages)
    await taker.sink.append(named.filter((_, place) => !appended.has(place)))
    return { status: statusOf(lines), answer: JSON.stringify(verdicts(lines)) }
  }
  const { status, answer } = await answerOnce(
    taker,
    { key: request.headers['idempotency-key'], tenant, body },
    answerTo,
  )
  return await reply.code(status).type('application/json').send(answer)
}

function statusOf(lines: readonly Line[]): number {
  if (lines.some(({ verdict }) => verdict === 'accepted')) return 202
  return lines.every(({ verdict }) => verdict === 'refused') ? 403 : 422
}

function verdicts(lines: readonly Line[]) {
  const count = (verdict: Line['verdict']): number => lines.filter((line) => line.verdict === verdict).length
  return {
    accepted: count('accepted'),
    quarantined: count('quarantined'),
    refused: count('refused'),
    lines: lines.map(({ verdict, reason }, index) => ({
      line: index + 1,
      verdict,
      ...(reason !== null && { reason }),
    })),
  }
}

const message = (reading: Reading): StreamMessage => ({
  key: reading.device_id,
  value: Buffer.from(JSON.stringify(reading)),
})

async function influx(taker: Taker, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const tenant = tenantOf(taker, request)
  const unitMs = precisionMs((request.query as Query).precision)
  if (unitMs === undefined)
    throw new Refusal('bad_request', 'The precision is none of ns, us, ms, s.', 'Leave it out for ns.')
  const text = (await bodyOf(request)).toString('utf8')
  const points: InfluxPoint[] = []
  const bad: { line: number; text: string }[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const point = parsePoint(line, unitMs)
    if (point) points.push(point)
    else bad.push({ line: index + 1, text: line })
  }
  const unread = bad.map((line) => ({ key: null, value: Buffer.from(line.text) }))
  await taker.sink.append([...readingsOf(points, taker.clock(), tenant).map(message), ...unread])
  if (bad.length === 0) return await reply.code(204).send()
  // As InfluxDB does: what could be read is written, and the answer names what could not, which is kept in the quarantine.
  throw new Refusal(
    'partial_write',
    `${points.length} points written; not line protocol: line ${bad
      .slice(0, 5)
      .map(({ line }) => line)
      .join(', ')}.`,
    'The lines are in the quarantine as they were sent.',
  )
}

async function shelly(taker: Taker, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  // A web page that a person looks at must not be able to report readings: a device is no browser.
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'none' && site !== 'same-origin')
    throw new Refusal(
      'cross_site_refused',
      'Another site may not report readings.',
      'Let the device call this address.',
    )
  const tenant = tenantOf(taker, request)
  const sent = (await bodyOf(request)).toString('utf8')
  const address = request.url.replace(/([?&](?:key|token|p)=)[^&]*/g, '$1…')
  const reading = shellyReading(request.query as Query, {
    device: (request.params as { device?: string }).device,
    raw: sent === '' ? address : `${address}\n${sent}`,
    nowMs: taker.clock(),
    tenant,
  })
  if (reading === null)
    throw new Refusal(
      'no_device',
      'The call names no device.',
      'Write the address as …/api/v1/shelly/NAME?temp=…',
    )
  await taker.sink.append([message(reading)])
  return await reply.code(204).send()
}
