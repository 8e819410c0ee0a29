/** The questions of the pages of devices. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { DeviceChange, DeviceHistory, DeviceRow } from '../../6-serve/contract.ts'
import { ask, change } from '../api.ts'
import { humanize } from '../format.ts'
import { useTenant } from '../useHouse.ts'

/** Values of now are looked at as often; figures of a file that has not changed cost the server nothing. */
const NOW_MS = 5_000
const REFRESH_MS = 30_000

export type HistoryRange = '1d' | '7d' | '30d' | '365d'
export type History = DeviceHistory

export const nameOf = ({ name, device_id }: Pick<DeviceRow, 'name' | 'device_id'>): string =>
  name ?? humanize(device_id)

export function useDevices() {
  const tenant = useTenant()
  return useQuery({
    queryKey: ['devices', tenant],
    queryFn: ({ signal }) => ask('devices', { tenant }, signal),
    enabled: tenant !== undefined,
    refetchInterval: NOW_MS,
    placeholderData: (old, query) => (query?.queryKey[1] === tenant ? keepPreviousData(old) : undefined),
  })
}

export function useDevice(device: string) {
  const tenant = useTenant()
  return useQuery({
    queryKey: ['devices', tenant, 'one', device],
    queryFn: ({ signal }) => ask('device', { tenant, device }, signal),
    enabled: tenant !== undefined,
    refetchInterval: NOW_MS,
  })
}

export function useHistory(device: string, range: HistoryRange) {
  const tenant = useTenant()
  return useQuery({
    queryKey: ['devices', tenant, 'history', device, range],
    queryFn: ({ signal }) => ask('deviceHistory', { tenant, device, range }, signal),
    enabled: tenant !== undefined,
    refetchInterval: REFRESH_MS,
    placeholderData: (old, query) => (query?.queryKey[3] === device ? keepPreviousData(old) : undefined),
  })
}

export function useMessages(device: string) {
  const tenant = useTenant()
  return useQuery({
    queryKey: ['devices', tenant, 'messages', device],
    queryFn: ({ signal }) => ask('deviceMessages', { tenant, device, limit: 50 }, signal),
    enabled: tenant !== undefined,
    refetchInterval: REFRESH_MS,
  })
}

export function useUnknown(wanted: boolean) {
  const tenant = useTenant()
  return useQuery({
    queryKey: ['devices', tenant, 'unknown'],
    queryFn: ({ signal }) => ask('unknownMessages', { tenant }, signal),
    enabled: tenant !== undefined && wanted,
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
