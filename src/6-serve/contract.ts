/**
 * The contract of the API: every route with what it takes and answers. The server validates by these schemas in
 * both directions, `/api/openapi.json` is made from them, and the dashboard imports their types (types only).
 */
import { z } from 'zod'
import { Bill, BillQuery } from './contract-bill.ts'
import { Problem, TenantQuery } from './contract-common.ts'
import {
  DeviceChange,
  DeviceChanged,
  DeviceDetail,
  DeviceHistory,
  DeviceHistoryQuery,
  DeviceMessages,
  DeviceMessagesQuery,
  DeviceQuery,
  Devices,
  UnknownMessages,
} from './contract-devices.ts'
import { LiveSeries, RecentQuery, RecentReadings, SeriesQuery } from './contract-live.ts'
import { Overview, OverviewQuery } from './contract-overview.ts'
import { DataStatus, Health, Homes } from './contract-status.ts'
import { Why, WhyQuery } from './contract-why.ts'
import { Replayed, ReplayRequest, StreamMessages, StreamMessagesQuery, Streams } from './contract-streams.ts'

export * from './contract-common.ts'
export * from './contract-bill.ts'
export * from './contract-devices.ts'
export * from './contract-live.ts'
export * from './contract-overview.ts'
export * from './contract-status.ts'
export * from './contract-why.ts'
export * from './contract-streams.ts'

const problem = (description: string) => ({
  description,
  content: { 'application/problem+json': { schema: Problem } },
})

const PROBLEMS = {
  400: problem('The query is not one that this route takes.'),
  404: problem('There is no such home, or no such device in it.'),
  429: problem('Too many requests; the header Retry-After says when to come back.'),
  500: problem('Something is wrong on our side; the log has more under the request id.'),
} as const

interface RouteContract<
  Query extends z.ZodType,
  Answer extends z.ZodType,
  Body extends z.ZodType | null = null,
> {
  method: Body extends null ? 'GET' : 'POST'
  path: string
  summary: string
  query: Query
  answer: Answer
  contentType: string
  body: Body
}

function route<Query extends z.ZodType, Answer extends z.ZodType>(
  path: string,
  summary: string,
  query: Query,
  answer: Answer,
  contentType = 'application/json',
): RouteContract<Query, Answer> {
  return { method: 'GET', path, summary, query, answer, contentType, body: null }
}

/** A route that changes something: it takes a body, and is refused to other sites. */
function change<Body extends z.ZodType, Answer extends z.ZodType>(
  path: string,
  summary: string,
  body: Body,
  answer: Answer,
): RouteContract<typeof Nothing, Answer, Body> {
  const contentType = 'application/json'
  return { method: 'POST', path, summary, query: Nothing, answer, contentType, body } as RouteContract<
    typeof Nothing,
    Answer,
    Body
  >
}

const Nothing = z.strictObject({})

export const ROUTES = {
  homes: route('/api/v1/homes', 'The homes of this platform, and which one to open', Nothing, Homes),
  overview: route('/api/v1/overview', 'All figures of the Overview', OverviewQuery, Overview),
  bill: route('/api/v1/bill', "A user's bill of one month", BillQuery, Bill),
  why: route(
    '/api/v1/why',
    'Where a figure comes from: quarter-hours, intervals, readings, and the messages in Bronze',
    WhyQuery,
    Why,
  ),
  devices: route(
    '/api/v1/devices',
    'The devices of a home: state, newest values, health',
    TenantQuery,
    Devices,
  ),
  device: route(
    '/api/v1/devices/one',
    'One device: facts, presence, health with its parts',
    DeviceQuery,
    DeviceDetail,
  ),
  deviceHistory: route(
    '/api/v1/devices/history',
    'Power, energy and temperature of a device over time',
    DeviceHistoryQuery,
    DeviceHistory,
  ),
  deviceMessages: route(
    '/api/v1/devices/messages',
    'The newest messages of a device as received, and its newest rejects',
    DeviceMessagesQuery,
    DeviceMessages,
  ),
  unknownMessages: route(
    '/api/v1/devices/unknown',
    'Messages that nobody could read, with a proposed mapping',
    TenantQuery,
    UnknownMessages,
  ),
  deviceChange: change(
    '/api/v1/devices/change',
    'Names, places, merges or retires a device: a new version of the catalogue',
    DeviceChange,
    DeviceChanged,
  ),
  recent: route('/api/v1/readings/recent', 'The last readings', RecentQuery, RecentReadings),
  series: route('/api/v1/live/series', 'Power and temperature as columns', SeriesQuery, LiveSeries),
  live: route(
    '/api/v1/live',
    'Live events: snapshot, readings, power, status, alert, resync',
    TenantQuery,
    z.string(),
    'text/event-stream',
  ),
  dataStatus: route('/api/v1/data-status', 'Tables, stages and stream', Nothing, DataStatus),
  streams: route('/api/v1/streams', 'Topics, consumer groups and their lag', Nothing, Streams),
  streamMessages: route(
    '/api/v1/streams/messages',
    'Messages of a topic, from an offset, a time or the end',
    StreamMessagesQuery,
    StreamMessages,
  ),
  streamReplay: change(
    '/api/v1/streams/replay',
    'Puts dead letters on the telemetry topic again',
    ReplayRequest,
    Replayed,
  ),
  health: route('/api/v1/health', 'Whether the server is up', Nothing, Health),
} as const

export type Routes = typeof ROUTES
/** What a route takes in its query, before defaults. */
export type QueryOf<Name extends keyof Routes> = z.input<Routes[Name]['query']>
/** What a route answers. */
export type AnswerOf<Name extends keyof Routes> = z.output<Routes[Name]['answer']>

/** What a route takes in its body; null: nothing. */
export type BodyOf<Name extends keyof Routes> = Routes[Name]['body'] extends z.ZodType
  ? z.input<Routes[Name]['body']>
  : null

/** A route's schema as the server registers it. */
export function schemaOf(name: keyof Routes) {
  const { summary, query, answer, contentType, body } = ROUTES[name]
  return {
    operationId: name,
    summary,
    querystring: query,
    ...(body && { body }),
    response: { 200: { description: summary, content: { [contentType]: { schema: answer } } }, ...PROBLEMS },
  }
}
