/** The questions that the pages ask, and what the address says: which home, which range, which devices. */
import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query'
import type { UseQueryResult } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { createContext, createElement, useCallback, useContext, useMemo } from 'react'
import type { ReactNode } from 'react'
import type { AnswerOf } from '../6-serve/contract.ts'
import { ask } from './api.ts'

const REFRESH_MS = 30_000

export const RANGES = ['today', 'yesterday', '7d', '30d', 'month', 'custom'] as const
export type RangeName = (typeof RANGES)[number]

/** State that lives in the address, so that it can be shared and the back button works. */
export interface Search {
  range?: RangeName
  /** First and last local day of a custom range. */
  from?: string
  to?: string
  home?: string
  /** Devices with the focus, separated by commas. */
  dev?: string
}

const LOCAL_DATE = /^\d{4}-\d{2}-\d{2}$/

/** Takes what is right in an address and leaves the rest out: a mistyped link still opens. */
export function searchOf(raw: Record<string, unknown>): Search {
  const text = (name: string) => {
    const value = raw[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const range = RANGES.find((name) => name === raw['range'])
  const [from, to] = [text('from'), text('to')]
  const days = from && to && LOCAL_DATE.test(from) && LOCAL_DATE.test(to) && from <= to
  const search: Search = { home: text('home'), dev: text('dev') }
  if (range === 'custom') return days ? { ...search, range, from, to } : search
  return range && range !== 'today' ? { ...search, range } : search
}

const root = getRouteApi('__root__')

export function useSearchState(): [Search, (change: Partial<Search>) => void] {
  const search: Search = root.useSearch()
  const navigate = root.useNavigate()
  const change = useCallback(
    (next: Partial<Search>) =>
      void navigate({ to: '.', search: (old: Search) => searchOf({ ...old, ...next }), resetScroll: false }),
    [navigate],
  )
  return [search, change]
}

export const homesQuery = queryOptions({
  queryKey: ['homes'],
  queryFn: ({ signal }) => ask('homes', {}, signal),
})

export const overviewQuery = (tenant: string | undefined, { range = 'today', from, to }: Search) =>
  queryOptions({
    queryKey: ['overview', tenant, range, from, to],
    queryFn: ({ signal }) => ask('overview', { tenant, range, from, to }, signal),
  })

interface House {
  /** The home that is looked at: the address's, else the one that the platform opens; undefined until known. */
  tenant: string | undefined
  homes: Pick<UseQueryResult<AnswerOf<'homes'>>, 'data' | 'isPending' | 'isError' | 'refetch'>
}

const HouseContext = createContext<House | null>(null)

/** Asks once, for all parts of the page, which homes there are. */
export function HouseProvider({ children }: { children: ReactNode }) {
  const [{ home }] = useSearchState()
  const { data, isPending, isError, refetch } = useQuery({ ...homesQuery, refetchInterval: REFRESH_MS })
  const tenant = home ?? data?.default
  const house = useMemo(
    () => ({ tenant, homes: { data, isPending, isError, refetch } }),
    [tenant, data, isPending, isError, refetch],
  )
  return createElement(HouseContext, { value: house }, children)
}

function useHouse(): House {
  const house = useContext(HouseContext)
  if (!house) throw new Error('useHouse outside of a HouseProvider')
  return house
}

export const useHomes = () => useHouse().homes
export const useTenant = () => useHouse().tenant

/** `wanted`: a page that shows none of it does not ask for it. */
export function useOverview(wanted = true) {
  const [search] = useSearchState()
  const tenant = useTenant()
  return useQuery({
    ...overviewQuery(tenant, search),
    enabled: wanted && tenant !== undefined,
    // The server's setting, once it is known.
    refetchInterval: (query) => (query.state.data ? query.state.data.refresh_s * 1000 : REFRESH_MS),
    // Another range of the same home: its old figures stay until the new ones are there.
    placeholderData: (old, query) => (query?.queryKey[1] === tenant ? keepPreviousData(old) : undefined),
  })
}

export function useDataStatus() {
  return useQuery({
    queryKey: ['data-status'],
    queryFn: ({ signal }) => ask('dataStatus', {}, signal),
    refetchInterval: REFRESH_MS,
  })
}
