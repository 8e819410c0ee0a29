/** The questions of the pages of devices. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { DeviceChange, DeviceHistory, DeviceRow } from '../../6-serve/contract.ts'
import { ask, change } from '../api.ts'
import { humanize } from '../format.ts'
import { useHomes, useTenant } from '../useHouse.ts'

/** Values of now are looked at as often; figures of a file that has not changed cost the server nothing. */
const NOW_MS = 5_000
const REFRESH_MS = 30_000

export type HistoryRange = '1d' | '7d' | '30d' | '365d'
export type History = DeviceHistory

export const nameOf = ({ name, device_id }: Pick<DeviceRow, 'name' | 'device_id'>): string =>
  name ?? humanize(device_id)

/** Whether to ask: where the homes cannot be told either, the question itself says what is wrong. */
function useReady(): boolean {
  const tenant = useTenant()
  const { isError } = useHomes()
  return tenant !== undefined || isError
}

export function useDevices() {
  const tenant = useTenant()
  const ready = useReady()
  return useQuery({
    queryKey: ['devices', tenant],
    queryFn: ({ signal }) => ask('devices', { tenant }, signal),
    enabled: ready,
    refetchInterval: NOW_MS,
    // The home that the server opened by itself is the one that is named then.
    placeholderData: (old, query) => {
      const before = query?.queryKey[1]
      return before === tenant || before === undefined ? keepPreviousData(old) : undefined
    },
  })
}

export function useDevice(device: string) {
  const tenant = useTenant()
  const ready = useReady()
  return useQuery({
    queryKey: ['devices', tenant, 'one', device],
    queryFn: ({ signal }) => ask('device', { tenant, device }, signal),
    enabled: ready,
    refetchInterval: NOW_MS,
  })
}

/** Up to `end`, a local date; without one up to now, or to the newest day that it has. */
export function useHistory(device: string, range: HistoryRange, end: string | undefined) {
  const tenant = useTenant()
  const ready = useReady()
  return useQuery({
    queryKey: ['devices', tenant, 'history', device, range, end],
    queryFn: ({ signal }) => ask('deviceHistory', { tenant, device, range, end }, signal),
    enabled: ready,
    refetchInterval: REFRESH_MS,
    placeholderData: (old, query) => (query?.queryKey[3] === device ? keepPreviousData(old) : undefined),
  })
}

export function useMessages(device: string) {
  const tenant = useTenant()
  const ready = useReady()
  return useQuery({
    queryKey: ['devices', tenant, 'messages', device],
    queryFn: ({ signal }) => ask('deviceMessages', { tenant, device, limit: 50 }, signal),
    enabled: ready,
    refetchInterval: REFRESH_MS,
  })
}

export function useUnknown(wanted: boolean) {
  const tenant = useTenant()
  const ready = useReady()
  return useQuery({
    queryKey: ['devices', tenant, 'unknown'],
    queryFn: ({ signal }) => ask('unknownMessages', { tenant }, signal),
    enabled: ready && wanted,
    refetchInterval: REFRESH_MS,
  })
}

/** Says something of a device; what the pages show of devices is asked again then. */
export function useChange() {
  const tenant = useTenant()
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (said: Omit<DeviceChange, 'tenant'>) => change('deviceChange', { ...said, tenant }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['devices', tenant] }),
  })
}
