/** A small server with the built dashboard and an API of the contract's shape, whose state a test switches. */
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import type { BodyOf, LiveEvent, LiveEventName, LiveReading, Overview } from '../../src/6-serve/contract.ts'
import { DASHBOARD_DIST } from '../../src/7-dashboard/build.ts'
import { oneDevice, deviceHistory, deviceMessages, devices, said, unknownMessages } from './fake-devices.ts'
import { DEVICES, dataStatus, homes, overview, readingAt, recent, series } from './fake-data.ts'
import { streamsBody } from './fake-streams.ts'

/** What the page meets: all well, answers that never come, a home without data, errors, a layer that is behind. */
export type FakeState = 'ok' | 'loading' | 'empty' | 'old' | 'error' | 'stale'

export interface FakeApi {
  url: string
  state: FakeState
  /** Paths of the requests so far. */
  asked: string[]
  /** Sends one reading to every page that follows. */
  send(reading: Partial<LiveReading>): void
  /** Tells the house's power, W. */
  sendPower(watts: number): void
  close(): Promise<void>
}

const SECURITY = {
  'content-security-policy':
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
}
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
}

export async function startFakeApi(): Promise<FakeApi> {
  const streams = new Set<ServerResponse>()
  const emit = <Name extends LiveEventName>(name: Name, event: LiveEvent<Name>) => {
    for (const stream of streams) stream.write(`event: ${name}\ndata: ${JSON.stringify(event)}\n\n`)
  }
  const api: FakeApi = {
    url: '',
    state: 'ok',
    asked: [],
    send: (reading) => {
      const base = readingAt(DEVICES[0]!, Math.floor(Date.now() / 1000))
      emit('readings', { readings: [{ ...base, ...reading }], omitted: 0 })
    },
    sendPower: (watts) => {
      const base = overview(Date.now(), false, 'today').power_now
      emit('power', { ...base, value_w: watts })
    },
    close: () =>
      new Promise((resolve) => {
        clearInterval(timer)
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  const timer = setInterval(() => {
    if (api.state === 'empty') return
    const nowS = Math.floor(Date.now() / 1000)
    emit('readings', { readings: DEVICES.map((device) => readingAt(device, nowS)), omitted: 0 })
  }, 1000)

  const server = createServer((request, response) => {
    void answer(api, streams, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  api.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return api
}

async function answer(
  api: FakeApi,
  streams: Set<ServerResponse>,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const url = new URL(request.url ?? '/', 'http://fake')
  api.asked.push(url.pathname + url.search)
  if (!url.pathname.startsWith('/api/')) return file(url.pathname, response)
  if (url.pathname === '/api/v1/live') return follow(streams, response)
  if (api.state === 'loading') return
  if (api.state === 'error') return problem(response)
  if (url.pathname === '/api/v1/devices/change') return change(request, response)
  const body = url.pathname.startsWith('/api/v1/streams')
    ? streamsBody(api.state, url, await textOf(request))
    : bodyOf(api.state, url)
  if (body === null) return problem(response, 404, 'There is no such device.')
  response.writeHead(200, { 'content-type': 'application/json', ...SECURITY }).end(JSON.stringify(body))
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}

function bodyOf(state: FakeState, url: URL): unknown {
  const nowMs = Date.now()
  const empty = state === 'empty'
  switch (url.pathname) {
    case '/api/v1/homes':
      return homes(!empty)
    case '/api/v1/overview':
      // A house whose readings end years ago.
      if (state === 'old' && url.searchParams.get('range') !== 'custom')
        return { ...overview(nowMs, true, 'today'), newest_day: '2015-03-01' }
      return overview(nowMs, empty, (url.searchParams.get('range') ?? 'today') as Overview['range']['name'])
    case '/api/v1/readings/recent':
      return { tenant: 'demo', source: 'live', readings: empty ? [] : recent(nowMs), reason: null }
    case '/api/v1/live/series':
      return empty
        ? { ...series(nowMs, 1), power: {}, temperature: {}, devices: {} }
        : series(nowMs, Number(url.searchParams.get('minutes') ?? 5))
    case '/api/v1/devices':
      return devices(nowMs, empty)
    case '/api/v1/devices/one':
      return oneDevice(nowMs, url.searchParams.get('device') ?? '')
    case '/api/v1/devices/history':
      return deviceHistory(nowMs, url.searchParams.get('range') ?? '1d', url.searchParams.get('end'))
    case '/api/v1/devices/messages':
      return deviceMessages(nowMs)
    case '/api/v1/devices/unknown':
      return unknownMessages(nowMs)
    case '/api/v1/data-status':
      return dataStatus(nowMs, state === 'stale' ? 'stale' : 'ok')
    default:
      throw new Error(`the fake has no ${url.pathname}`)
  }
}

async function change(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  const body = JSON.parse(text) as BodyOf<'deviceChange'>
  said.push(body)
  const answered = { tenant: 'demo', device: body.device, catalogue_version: 3 + said.length }
  response.writeHead(200, { 'content-type': 'application/json', ...SECURITY }).end(JSON.stringify(answered))
}

function problem(response: ServerResponse, status = 500, detail?: string): void {
  const body = {
    type: '/problems/lake_corrupt',
    title: 'Lake corrupt',
    status,
    code: 'lake_corrupt',
    detail: detail ?? 'The table gold.daily_energy_consumption cannot be read.',
    cure: 'Run smarthouse verify.',
    instance: '/api/v1/overview',
    request_id: 'req-7f3a',
  }
  response
    .writeHead(status, { 'content-type': 'application/problem+json', ...SECURITY })
    .end(JSON.stringify(body))
}

function follow(streams: Set<ServerResponse>, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', ...SECURITY })
  response.write('retry: 2000\n\n')
  streams.add(response)
  response.on('close', () => streams.delete(response))
}

async function file(path: string, response: ServerResponse): Promise<void> {
  // A device may be called `sensor.power`.
  const name = extname(path) && !path.startsWith('/devices/') ? path : '/index.html'
  const body = await readFile(join(DASHBOARD_DIST, name)).catch(() => null)
  if (body === null) return void response.writeHead(404, SECURITY).end()
  response
    .writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream', ...SECURITY })
    .end(body)
}
