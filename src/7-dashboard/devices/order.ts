/** Which devices are shown, and in which order. */
import type { DeviceRow } from '../../6-serve/contract.ts'
import type { ColumnName, DevicesSearch } from './search.ts'
import { nameOf } from './useDevices.ts'

/** What needs somebody's eye first. */
const RANKS = { offline: 0, silent: 1, online: 2, unknown: 3, merged: 4, retired: 5 } as const

const KEYS: Record<ColumnName, (device: DeviceRow) => number | string | null> = {
  state: ({ presence }) => RANKS[presence],
  name: (device) => nameOf(device).toLowerCase(),
  type: ({ device_type }) => device_type,
  room: ({ location }) => location,
  power: ({ power_w }) => power_w,
  energy: ({ today_kwh }) => today_kwh,
  temperature: ({ temperature_c }) => temperature_c,
  health: ({ health_score }) => health_score,
  risk: ({ failure_probability }) => failure_probability,
  seen: ({ last_seen }) => last_seen,
}

export const isPast = ({ presence }: DeviceRow): boolean => presence === 'merged' || presence === 'retired'

/** Devices that fit, in order. What has no value stands last, whichever way. */
export function arranged(devices: readonly DeviceRow[], { q, show = 'all', sort = 'name' }: DevicesSearch) {
  const words = (q ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const fits = devices.filter((device) => {
    if (show === 'reporting' && device.presence !== 'online') return false
    if (show === 'attention' && !needsLook(device)) return false
    const { device_id, name, device_type, location, manufacturer, model, protocol } = device
    const text = [device_id, name, device_type, location, manufacturer, model, protocol]
      .join(' ')
      .replaceAll('_', ' ')
      .toLowerCase()
    return words.every((word) => text.includes(word))
  })
  const down = sort.startsWith('-')
  const key = KEYS[sort.replace(/^-/, '') as ColumnName]
  return fits.toSorted((a, b) => {
    const [x, y] = [key(a), key(b)]
    if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1
    const order =
      typeof x === 'number' && typeof y === 'number'
        ? x - y
        : String(x).localeCompare(String(y), 'en', { numeric: true })
    return down ? -order : order
  })
}

const POOR_HEALTH = 0.7
const HIGH_RISK = 0.3
const LOW_BATTERY_PCT = 20

function needsLook(device: DeviceRow): boolean {
  return (
    device.presence === 'offline' ||
    device.presence === 'silent' ||
    (device.battery_pct !== null && device.battery_pct <= LOW_BATTERY_PCT) ||
    (!isPast(device) && device.health_score !== null && device.health_score < POOR_HEALTH) ||
    (!isPast(device) && device.failure_probability !== null && device.failure_probability > HIGH_RISK)
  )
}
