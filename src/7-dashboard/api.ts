/** The one place that asks the server: typed by the contract, errors as the server words them. */
import type { AnswerOf, BodyOf, QueryOf, Routes } from '../6-serve/contract.ts'

/** Paths as in the contract, whose values stay on the server (they bring the whole of zod). A test compares them. */
export const PATHS = {
  homes: '/api/v1/homes',
  overview: '/api/v1/overview',
  bill: '/api/v1/bill',
  why: '/api/v1/why',
  devices: '/api/v1/devices',
  device: '/api/v1/devices/one',
  deviceHistory: '/api/v1/devices/history',
  deviceMessages: '/api/v1/devices/messages',
  unknownMessages: '/api/v1/devices/unknown',
  deviceChange: '/api/v1/devices/change',
  recent: '/api/v1/readings/recent',
  series: '/api/v1/live/series',
  live: '/api/v1/live',
  dataStatus: '/api/v1/data-status',
  streams: '/api/v1/streams',
  streamMessages: '/api/v1/streams/messages',
  streamReplay: '/api/v1/streams/replay',
  health: '/api/v1/health',
} as const satisfies Record<keyof Routes, string>

/** Why a question has no answer, in words for a person. `requestId` finds it in the server's log. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly cure: string | null
  readonly requestId: string | null

  constructor(status: number, message: string, cure: string | null, requestId: string | null) {
    super(message)
    this.status = status
    this.cure = cure
    this.requestId = requestId
  }
}

/** Asks a route; rejects with an {@link ApiError}, or an AbortError where the caller gave up. */
export async function ask<Name extends keyof Routes>(
  route: Name,
  query: QueryOf<Name>,
  signal?: AbortSignal,
): Promise<AnswerOf<Name>> {
  return await send<Name>(urlOf(route, query), { signal, headers: { accept: 'application/json' } })
}

/** Asks for a change. */
export async function change<Name extends keyof Routes>(
  route: Name,
  body: BodyOf<Name>,
): Promise<AnswerOf<Name>> {
  const headers = { accept: 'application/json', 'content-type': 'application/json' }
  return await send<Name>(PATHS[route], { method: 'POST', headers, body: JSON.stringify(body) })
}

/** What `begin.js` asked while this script was on its way, by address; each is for the first that asks the same. */
const begun = (globalThis as { begunQuestions?: Record<string, Promise<Response>> }).begunQuestions ?? {}

function fetchOnce(url: string, request: RequestInit): Promise<Response> {
  const response = begun[url]
  delete begun[url]
  return response ?? fetch(url, request)
}

async function send<Name extends keyof Routes>(url: string, request: RequestInit): Promise<AnswerOf<Name>> {
  const response = await fetchOnce(url, request).catch((error: unknown) => {
    if (request.signal?.aborted) throw error
    throw new ApiError(0, 'The platform does not answer.', 'Check that it is running: ./status', null)
  })
  if (!response.ok) throw await errorOf(response)
  return (await response.json()) as AnswerOf<Name>
}

export function urlOf<Name extends keyof Routes>(route: Name, query: QueryOf<Name>): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query as Record<string, unknown>)) {
    if (value !== undefined) parameters.set(name, String(value))
  }
  const text = parameters.toString()
  return text ? `${PATHS[route]}?${text}` : PATHS[route]
}

async function errorOf(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => ({}))) as Record<string, unknown>
  const text = (name: string) => (typeof problem[name] === 'string' ? problem[name] : null)
  return new ApiError(
    response.status,
    text('detail') ?? `The server answered ${response.status}.`,
    text('cure'),
    text('request_id') ?? response.headers.get('x-request-id'),
  )
}
