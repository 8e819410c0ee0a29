/**
 * Threshold alerts at the fork: temperature, power, silence, and what a device says itself. In memory: an alert is
 * open while its condition lasts, and the condition shows again in the next readings after a restart.
 */
import type { Alert } from './contract.ts'
import type { TimedReading } from './live-reading.ts'

export interface AlertThresholds {
  high_temperature_c: number
  low_temperature_c: number
  high_power_w: number
  offline_s: number
}

/** A value must come back by so much before its alert is resolved, or one at the limit would flap. */
const HYSTERESIS = { temperature_c: 1, power_share: 0.05 } as const
const MOST_DEVICES = 20_000

interface Limit {
  kind: keyof typeof WORDS
  value: number
  limit: number
  opens: boolean
  resolves: boolean
}

/** What is known of one channel; silence is watched per device, on its channel ''. */
interface Watched {
  tenant: string
  device_id: string
  channel: string
  facts: Pick<Alert, 'device_type' | 'location'>
  newestEventMs: number
  lastHeardMs: number
  /** Two readings lay no further apart than the limit: from such a device silence says something. */
  regular: boolean
  open: Map<string, Alert>
}

export interface AlertWatch {
  /** Takes note of readings in the order of arrival; answers what opened or was resolved by them. */
  observe(readings: readonly TimedReading[]): Alert[]
  /** Looks who has been silent for too long; answers what opened by it. */
  tick(): Alert[]
  /** Open alerts of a home: critical first, then newest. */
  open(tenant: string): Alert[]
  checkedAtMs(): number | null
}

export function createAlertWatch(options: {
  thresholds: AlertThresholds
  /** Expected seconds between readings from the catalogue, where it says so. */
  expectedIntervalS(tenant: string, device: string): number | undefined
  clock: () => number
}): AlertWatch {
  const channels = new Map<string, Watched>()
  const startedMs = options.clock()
  let checkedAtMs: number | null = null

  function silenceLimitMs({ tenant, device_id }: Watched): number {
    const expected = options.expectedIntervalS(tenant, device_id)
    return Math.max(options.thresholds.offline_s, 3 * (expected ?? 0)) * 1000
  }

  return {
    observe: (readings) => {
      checkedAtMs = options.clock()
      return readings.flatMap((timed) => {
        const device = watchedOf(channels, timed, '')
        const changes = heard(device, timed, silenceLimitMs(device))
        const watched =
          timed.reading.channel === '' ? device : watchedOf(channels, timed, timed.reading.channel)
        // What is older than the newest says nothing about now.
        if (timed.eventMs < watched.newestEventMs) return changes
        watched.newestEventMs = timed.eventMs
        for (const limit of limitsOf(timed, options.thresholds)) changes.push(...judge(watched, limit, timed))
        return [...changes, ...saidByDevice(watched, timed)]
      })
    },
    tick: () => {
      const nowMs = (checkedAtMs = options.clock())
      return [...channels.values()].flatMap((watched) => {
        const silentMs = nowMs - watched.lastHeardMs
        const limitMs = silenceLimitMs(watched)
        // Before the start nobody listened: that time is not the device's silence.
        const unheardMs = nowMs - Math.max(watched.lastHeardMs, startedMs)
        if (watched.channel !== '' || !watched.regular || unheardMs <= limitMs) return []
        const open = watched.open.get('offline')
        if (open) {
          open.value = Math.round(silentMs / 1000)
          open.updated_at = new Date(nowMs).toISOString()
          return []
        }
        return [openOffline(watched, silentMs, limitMs, watched.lastHeardMs)]
      })
    },
    open: (tenant) =>
      [...channels.values()]
        .filter((watched) => watched.tenant === tenant)
        .flatMap((watched) => [...watched.open.values()])
        .toSorted(
          (a, b) =>
            Number(b.severity === 'critical') - Number(a.severity === 'critical') ||
            (a.since < b.since ? 1 : -1),
        ),
    checkedAtMs: () => checkedAtMs,
  }
}

function watchedOf(channels: Map<string, Watched>, { reading, receivedMs }: TimedReading, channel: string) {
  const key = `${reading.tenant_id}\u0000${reading.device_id}\u0000${channel}`
  const watched = channels.get(key) ?? {
    tenant: reading.tenant_id,
    device_id: reading.device_id,
    channel,
    facts: { device_type: reading.device_type, location: reading.location },
    newestEventMs: 0,
    lastHeardMs: receivedMs,
    regular: false,
    open: new Map<string, Alert>(),
  }
  channels.delete(key)
  channels.set(key, watched)
  if (channels.size > MOST_DEVICES) channels.delete(channels.keys().next().value!)
  return watched
}

/** Silence ends, or is announced by the device itself. */
function heard(device: Watched, { reading, receivedMs, eventMs }: TimedReading, limitMs: number): Alert[] {
  const gapMs = receivedMs - device.lastHeardMs
  device.regular = gapMs > 0 ? gapMs <= limitMs : device.regular
  device.lastHeardMs = Math.max(device.lastHeardMs, receivedMs)
  if (reading.status !== 'offline') return resolve(device, 'offline', receivedMs, null)
  return device.open.has('offline') ? [] : [openOffline(device, 0, limitMs, eventMs)]
}

function openOffline(device: Watched, silentMs: number, limitMs: number, sinceMs: number): Alert {
  const announced = silentMs === 0
  return openAlert(device, 'offline', {
    kind: 'offline',
    name: 'offline',
    severity: 'critical',
    value: announced ? null : Math.round(silentMs / 1000),
    limit: announced ? null : limitMs / 1000,
    unit: announced ? null : 's',
    sinceMs,
    atMs: sinceMs + silentMs,
    text: announced
      ? `${device.device_id} says that it is offline.`
      : `${device.device_id} has been silent for ${Math.round(silentMs / 1000)} s; the limit is ${limitMs / 1000} s.`,
    action: 'Check its power and its connection.',
  })
}

function limitsOf({ reading }: TimedReading, thresholds: AlertThresholds): Limit[] {
  const limits: Limit[] = []
  const { temperature, power_usage } = reading
  if (temperature !== null) {
    const { high_temperature_c: high, low_temperature_c: low } = thresholds
    const back = HYSTERESIS.temperature_c
    limits.push(
      {
        kind: 'high_temperature',
        value: temperature,
        limit: high,
        opens: temperature > high,
        resolves: temperature <= high - back,
      },
      {
        kind: 'low_temperature',
        value: temperature,
        limit: low,
        opens: temperature < low,
        resolves: temperature >= low + back,
      },
    )
  }
  if (power_usage !== null) {
    const high = thresholds.high_power_w
    limits.push({
      kind: 'high_power',
      value: power_usage,
      limit: high,
      opens: power_usage > high,
      resolves: power_usage <= high * (1 - HYSTERESIS.power_share),
    })
  }
  return limits
}

const WORDS = {
  high_temperature: {
    of: 'temperature',
    unit: '°C',
    side: 'above',
    action: 'Check the device and what heats the room.',
  },
  low_temperature: {
    of: 'temperature',
    unit: '°C',
    side: 'below',
    action: 'Check the heating and open windows.',
  },
  high_power: { of: 'power', unit: 'W', side: 'above', action: 'Check what is switched on there.' },
} as const

function judge(watched: Watched, limit: Limit, { eventMs }: TimedReading): Alert[] {
  const { kind } = limit
  const words = WORDS[kind]
  const text = `${watched.device_id}: ${words.of} ${limit.value} ${words.unit}, ${words.side} the limit of ${limit.limit} ${words.unit}.`
  const open = watched.open.get(kind)
  if (open && limit.resolves) return resolve(watched, kind, eventMs, limit.value)
  if (open) {
    Object.assign(open, { value: limit.value, updated_at: new Date(eventMs).toISOString(), text })
    return []
  }
  if (!limit.opens) return []
  const said = watched.open.get('said')?.name === kind ? resolve(watched, 'said', eventMs, null) : []
  const opened = openAlert(watched, kind, {
    kind,
    name: kind,
    severity: kind === 'low_temperature' ? 'warning' : 'critical',
    value: limit.value,
    limit: limit.limit,
    unit: words.unit,
    sinceMs: eventMs,
    atMs: eventMs,
    text,
    action: words.action,
  })
  return [...said, opened]
}

/** The device's own alert: `none` resolves it, another replaces it, null says nothing. */
function saidByDevice(watched: Watched, { reading, eventMs }: TimedReading): Alert[] {
  const said = reading.alert
  if (said === null || watched.open.get('said')?.name === said) return []
  const changes = resolve(watched, 'said', eventMs, null)
  // Where a limit of ours says the same, with the value, the device's word adds nothing.
  if (said === 'none' || watched.open.has(said)) return changes
  const opened = openAlert(watched, 'said', {
    kind: 'device',
    name: said,
    severity: 'warning',
    value: null,
    limit: null,
    unit: null,
    sinceMs: eventMs,
    atMs: eventMs,
    text: `${watched.device_id} reports ${said.replaceAll('_', ' ')}.`,
    action: 'Look at the device.',
  })
  return [...changes, opened]
}

type Opening = Pick<Alert, 'kind' | 'name' | 'severity' | 'value' | 'limit' | 'unit' | 'text' | 'action'> & {
  sinceMs: number
  atMs: number
}

function openAlert(watched: Watched, key: string, { sinceMs, atMs, ...rest }: Opening): Alert {
  const alert: Alert = {
    id: [watched.tenant, watched.device_id, watched.channel, key, sinceMs].map(encodeURIComponent).join('/'),
    tenant: watched.tenant,
    device_id: watched.device_id,
    ...watched.facts,
    state: 'open',
    since: new Date(sinceMs).toISOString(),
    updated_at: new Date(atMs).toISOString(),
    resolved_at: null,
    ...rest,
  }
  watched.open.set(key, alert)
  return alert
}

function resolve(watched: Watched, key: string, atMs: number, value: number | null): Alert[] {
  const open = watched.open.get(key)
  if (!open) return []
  watched.open.delete(key)
  const at = new Date(atMs).toISOString()
  return [{ ...open, state: 'resolved', resolved_at: at, updated_at: at, value: value ?? open.value }]
}
