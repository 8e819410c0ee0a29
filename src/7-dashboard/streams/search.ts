/** What the address of the Streams page says: which topic, from where on, which messages. */
import { getRouteApi } from '@tanstack/react-router'
import type { QueryOf } from '../../6-serve/contract.ts'

export const FROMS = ['last', 'begin', 'offset', 'time'] as const
export const BYS = ['path', 'key', 'text'] as const
export type From = (typeof FROMS)[number]
export type By = (typeof BYS)[number]

export interface StreamSearch {
  topic?: string
  from?: From
  /** The offset, or the instant, from which on. */
  at?: string
  partition?: number
  by?: By
  q?: string
  raw?: boolean
}

export function streamSearchOf(raw: Record<string, unknown>): StreamSearch {
  // The router reads `at=17` as a number.
  const text = (name: string) => {
    const value = raw[name]
    return typeof value === 'number' || (typeof value === 'string' && value !== '')
      ? String(value)
      : undefined
  }
  const search: StreamSearch = { topic: text('topic'), q: text('q'), at: text('at') }
  const from = FROMS.find((name) => name === raw['from'])
  if (from === 'begin') search.from = from
  if (from === 'offset' && /^\d{1,15}$/.test(search.at ?? '')) search.from = from
  if (from === 'time' && !Number.isNaN(Date.parse(search.at ?? ''))) search.from = from
  if (search.from === undefined || search.from === 'begin') search.at = undefined
  search.by = BYS.find((name) => name === raw['by'])
  const partition = Number(text('partition'))
  if (Number.isInteger(partition) && partition >= 0) search.partition = partition
  if (raw['raw'] === true) search.raw = true
  return search
}

const route = getRouteApi('/streams')

export function useStreamSearch(): [StreamSearch, (change: Partial<StreamSearch>) => void] {
  const search: StreamSearch = route.useSearch()
  const navigate = route.useNavigate()
  return [
    search,
    (change) =>
      void navigate({
        to: '.',
        search: (old: StreamSearch) => ({ ...old, ...streamSearchOf({ ...search, ...change }) }),
        resetScroll: false,
      }),
  ]
}

/** The question for messages that an address stands for; without a topic there is none. */
export function queryOf({ topic, from, at, partition, by = 'path', q }: StreamSearch, topicShown: string) {
  const query: QueryOf<'streamMessages'> = { topic: topic ?? topicShown }
  if (partition !== undefined) query.partition = partition
  if (from === 'begin') query.offset = 0
  if (from === 'offset') query.offset = Number(at)
  if (from === 'time') query.since = new Date(at!).toISOString()
  if (q !== undefined) query[by] = q
  return query
}
