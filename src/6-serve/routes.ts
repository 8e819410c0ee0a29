/** The routes of the contract, answered. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { z } from 'zod'
import { DEMO_TENANT } from '../reading.ts'
import { REFERENCE_CATALOGUE, REFERENCE_TARIFFS } from '../reference/tables.ts'
import { BILL_TABLES, homesOfUser, readBill } from './bill.ts'
import { ROUTES, schemaOf, type AnswerOf, type Homes, type Routes } from './contract.ts'
import { daysFrom, spanOf } from './days.ts'
import type { DeviceBook } from './device-book.ts'
import { registerDevices } from './device-routes.ts'
import { countsInTotal, homeIn } from './directory.ts'
import { FIGURE_TABLES, newestDay, readFigures } from './figures.ts'
import { homesOf } from './homes.ts'
import { metricsText } from './metrics.ts'
import { overviewCards } from './overview.ts'
import { ApiError } from './problems.ts'
import { readRecent } from './recent.ts'
import type { Serving } from './serving.ts'
import { homesOfDevice, readWhy } from './why.ts'

/** What an explanation lists at most of each: readings, parts, duplicates, rejects. */
const MOST_EXPLAINED = 2000
const MOST_LISTENERS = 200
const MOST_LISTENERS_PER_ADDRESS = 20

export interface RouteOptions {
  /** What is known of devices beside the lake; absent: nothing, and nothing can be changed. */
  book?: DeviceBook
  /** Silence after which a device counts as silent, s. */
  offlineS: number
  timeZone: string
  currency: string
  refreshS: number
  /** Whether the simulated home is on. */
  demo: boolean
  version: string
  liveReadings: number
  clock: () => number
}

type Handler<Name extends keyof Routes> = (
  query: z.output<Routes[Name]['query']>,
  request: FastifyRequest,
  reply: FastifyReply,
) => Promise<AnswerOf<Name>>

/** Registers the handler of one route of the contract. */
export type Answerer = <Name extends keyof Routes>(name: Name, handler: Handler<Name>) => void

function answer<Name extends keyof Routes>(app: FastifyInstance, name: Name, handler: Handler<Name>): void {
  app.route({
    method: ROUTES[name].method,
    url: ROUTES[name].path,
    schema: schemaOf(name),
    handler: (request, reply) => {
      reply.header('cache-control', 'no-store')
      return handler(request.query as z.output<Routes[Name]['query']>, request, reply)
    },
  })
}

export function registerRoutes(app: FastifyInstance, serving: Serving, options: RouteOptions): void {
  const startedMs = options.clock()
  const homes = async (): Promise<Homes> =>
    homesOf(await serving.directory.read(), serving.live, options.demo)
  const tenantOf = async (asked: string | undefined): Promise<string> => {
    const known = await homes()
    if (asked === undefined) return known.default
    if (known.homes.some((home) => home.tenant === asked)) return asked
    const names = known.homes.map((home) => home.tenant).slice(0, 10)
    throw new ApiError('unknown_home', `There is no home "${asked}".`, `The homes are: ${names.join(', ')}.`)
  }
  answer(app, 'homes', homes)
  answer(app, 'overview', async (query) => overviewOf(serving, options, await tenantOf(query.tenant), query))
  answer(app, 'bill', async ({ tenant: asked, user, month }) => {
    const view = await serving.reader.view(BILL_TABLES)
    const known = asked === undefined ? await homesOfUser(view, user, month) : [asked]
    const tenant = known.length === 1 ? known[0]! : await tenantOf(asked)
    const { timeZone, currency, clock } = options
    return await readBill(view, { tenant, user, month }, { timeZone, currency, nowMs: clock() })
  })
  answer(app, 'why', async (query) => {
    const known = query.tenant === undefined ? await homesOfDevice(serving.reader, query.device) : []
    const tenant = known.length === 1 ? known[0]! : await tenantOf(query.tenant)
    const { timeZone, currency } = options
    return await readWhy(serving.reader, { ...query, tenant }, { timeZone, currency, limit: MOST_EXPLAINED })
  })
  answer(app, 'recent', async ({ tenant: asked, limit }) => {
    const tenant = await tenantOf(asked)
    return await recentOf(serving, tenant, limit)
  })
  answer(app, 'series', async ({ tenant: asked, minutes }) => {
    const tenant = await tenantOf(asked)
    const series = serving.live?.home(tenant)?.series.columns(minutes, options.clock())
    const empty = { bucket_s: 1, t: [], power: {}, temperature: {}, devices: {}, omitted_devices: 0 }
    return { tenant, ...(series ?? empty), reason: series ? null : 'No live reading has arrived yet.' }
  })
  answer(app, 'dataStatus', serving.dataStatus)
  answer(app, 'health', async () => {
    const problem = serving.liveProblem()
    return {
      status: problem ? 'degraded' : 'ok',
      reason: problem ? `Live values: ${problem.message}` : null,
      version: options.version,
      uptime_s: (options.clock() - startedMs) / 1000,
    }
  })
  const answerer: Answerer = (name, handler) => answer(app, name, handler)
  registerDevices(answerer, serving, { ...options, tenantOf })
  registerLive(app, serving, tenantOf, options.liveReadings)
  app.get('/api/openapi.json', { schema: { hide: true } }, () => app.swagger())
  registerMetrics(app, serving, { startedMs, version: options.version })
}

function registerMetrics(
  app: FastifyInstance,
  serving: Serving,
  server: { startedMs: number; version: string },
): void {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  app.addHook('onClose', async () => void delay.disable())
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    const eventLoopDelayMs = Math.max(0, delay.percentile(99) / 1e6)
    delay.reset()
    const text = metricsText(await serving.dataStatus(), {
      ...server,
      clients: serving.events.clients(),
      memoryBytes: process.memoryUsage.rss(),
      eventLoopDelayMs,
    })
    return await reply.type('text/plain; version=0.0.4; charset=utf-8').send(text)
  })
}

async function overviewOf(
  serving: Serving,
  { timeZone, currency, refreshS, clock }: RouteOptions,
  tenant: string,
  query: z.output<Routes['overview']['query']>,
): Promise<AnswerOf<'overview'>> {
  const nowMs = clock()
  const span = spanOf(query, timeZone, nowMs)
  const directory = await serving.directory.read()
  const view = await serving.reader.view([...FIGURE_TABLES, REFERENCE_CATALOGUE.name, REFERENCE_TARIFFS.name])
  const home = homeIn(directory, tenant)
  const counts = (device: string, type: string | null) => countsInTotal(home, device, type)
  const figures = await readFigures(view, tenant, span, { timeZone, counts })
  const isEmpty = !figures.days.some((day) => day.date >= span.from && day.active_devices > 0)
  const picture = {
    tenant,
    directory,
    home,
    span,
    days: daysFrom(span.from, span.to, timeZone),
    figures,
    timeZone,
    currency,
    nowMs,
    alerts: serving.alerts.open(tenant),
  }
  return {
    tenant,
    simulated: tenant === DEMO_TENANT,
    generated_at: new Date(nowMs).toISOString(),
    time_zone: timeZone,
    currency,
    refresh_s: refreshS,
    range: {
      name: span.name,
      from: span.from,
      to: span.to,
      start: new Date(span.startMs).toISOString(),
      end: new Date(span.endMs).toISOString(),
      total_s: span.totalMs / 1000,
      elapsed_s: span.elapsedMs / 1000,
      partial: span.partial,
    },
    newest_day: isEmpty ? await newestDay(view, tenant, span.today) : null,
    built_from: view.versions,
    ...overviewCards(picture, serving.powerNow(tenant), serving.live ? serving.alerts.checkedAtMs() : null),
  }
}

async function recentOf(serving: Serving, tenant: string, limit: number): Promise<AnswerOf<'recent'>> {
  const home = serving.live?.home(tenant)
  if (home && home.arrived >= limit)
    return { tenant, source: 'live', readings: home.recent(limit), reason: null }
  const older = await readRecent(serving.reader, tenant, limit)
  home?.fillUp(older)
  const readings = home?.recent(limit) ?? older.map(({ reading }) => reading)
  const reason = readings.length === 0 ? 'No reading of this home has arrived yet.' : null
  return { tenant, source: 'silver', readings, reason }
}

function registerLive(
  app: FastifyInstance,
  serving: Serving,
  tenantOf: (asked: string | undefined) => Promise<string>,
  liveReadings: number,
): void {
  const { events, live } = serving
  const perAddress = new Map<string, number>()
  // An event stream never ends by itself: without this the server would wait for it on its way out.
  app.addHook('preClose', (done) => {
    events.close()
    done()
  })
  answer(app, 'live', async (query, request, reply) => {
    if (!live)
      throw new ApiError(
        'live_unavailable',
        'This server reads the lake only.',
        'Ask the one that `up` starts.',
      )
    const tenant = await tenantOf(query.tenant)
    const open = perAddress.get(request.ip) ?? 0
    if (open >= MOST_LISTENERS_PER_ADDRESS || events.clients() >= MOST_LISTENERS)
      throw new ApiError(
        'too_many_listeners',
        'There are too many open live connections.',
        'Close other tabs.',
      )
    // The snapshot takes from the lake what has not arrived since the start.
    await recentOf(serving, tenant, liveReadings)
    perAddress.set(request.ip, open + 1)
    reply.raw.on('close', () => {
      const left = (perAddress.get(request.ip) ?? 1) - 1
      if (left > 0) perAddress.set(request.ip, left)
      else perAddress.delete(request.ip)
    })
    reply.hijack()
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value)
    reply.raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    })
    const lastEventId = request.headers['last-event-id']
    events.connect(tenant, reply.raw, typeof lastEventId === 'string' ? lastEventId : undefined)
    // Never read: the response was taken over.
    return ''
  })
}
