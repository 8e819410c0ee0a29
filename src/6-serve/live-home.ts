/** What the live view keeps of one home: the last readings, the newest values of each channel, the series. */
import type { LiveReading } from './contract.ts'
import type { TimedReading } from './live-reading.ts'
import { SeriesOfHome } from './live-series.ts'

const MOST_READINGS = 1_000
const MOST_CHANNELS = 20_000

/** The newest that a device said, by event time. */
export interface LatestOfDevice {
  eventMs: number
  status: string | null
  /** °C, and when it was told. */
  temperature: number | null
  temperatureMs: number
}

/** The newest power of a device or of one of its channels. */
interface LatestPower {
  device_id: string
  device_type: string | null
  user_id: string | null
  power_w: number
  eventMs: number
}

export class LiveHome {
  readonly series = new SeriesOfHome()
  /** The last readings in the order of arrival; at most twice `MOST_READINGS`, cut back in one go. */
  #readings: TimedReading[] = []
  /** Newest power per channel by event time, in the order of arrival. */
  readonly #power = new Map<string, LatestPower>()
  /** The newest of each device. */
  readonly #seen = new Map<string, LatestOfDevice>()
  newestMs = 0
  /** Readings from Silver that fill up the list where few have arrived since the start. */
  #older: readonly TimedReading[] = []

  add(timed: TimedReading): void {
    const { reading, eventMs } = timed
    this.#readings.push(timed)
    if (this.#readings.length > 2 * MOST_READINGS) this.#readings = this.#readings.slice(-MOST_READINGS)
    this.series.add(timed)
    this.newestMs = Math.max(this.newestMs, eventMs)
    put(this.#seen, reading.device_id, latestOf(this.#seen.get(reading.device_id), timed))
    const key = `${reading.device_id}\u0000${reading.channel}`
    const before = this.#power.get(key)
    if (before && eventMs < before.eventMs) return
    // A device that says that it is offline draws nothing that we know of, until it says its power again.
    if (reading.status === 'offline') this.#power.delete(key)
    else if (reading.power_usage !== null)
      put(this.#power, key, {
        device_id: reading.device_id,
        device_type: reading.device_type,
        user_id: timed.user_id,
        power_w: reading.power_usage,
        eventMs,
      })
  }

  /** Takes readings of the lake for the list of the last ones; those that it has taken before are replaced. */
  fillUp(older: readonly TimedReading[]): void {
    this.#older = older
  }

  /** How many readings have arrived at the fork. */
  get arrived(): number {
    return this.#readings.length
  }

  /** The last readings, newest event time first; of equal times the one that came last. */
  recent(limit: number): LiveReading[] {
    const arrived = this.#readings.slice(-MOST_READINGS).toReversed()
    const known = new Set(arrived.map(identity))
    const older = arrived.length < limit ? this.#older.filter((timed) => !known.has(identity(timed))) : []
    return [...arrived, ...older]
      .toSorted((a, b) => b.eventMs - a.eventMs)
      .slice(0, limit)
      .map(({ reading }) => reading)
  }

  /** Power of each device, summed over its channels, of values no older than `sinceMs`. */
  power(sinceMs: number): Map<string, LatestPower> {
    const devices = new Map<string, LatestPower>()
    for (const channel of this.#power.values()) {
      if (channel.eventMs < sinceMs) continue
      const others = devices.get(channel.device_id)
      devices.set(channel.device_id, {
        ...channel,
        power_w: channel.power_w + (others?.power_w ?? 0),
        eventMs: Math.max(channel.eventMs, others?.eventMs ?? 0),
      })
    }
    return devices
  }

  devices(): IterableIterator<string> {
    return this.#seen.keys()
  }

  latest(device: string): LatestOfDevice | undefined {
    return this.#seen.get(device)
  }
}

function latestOf(before: LatestOfDevice | undefined, { reading, eventMs }: TimedReading): LatestOfDevice {
  const latest = before ? { ...before } : { eventMs: 0, status: null, temperature: null, temperatureMs: 0 }
  // A reading without a word on it comes from a device that speaks.
  if (eventMs >= latest.eventMs) latest.status = reading.status
  latest.eventMs = Math.max(latest.eventMs, eventMs)
  if (reading.temperature === null || eventMs < latest.temperatureMs) return latest
  return { ...latest, temperature: reading.temperature, temperatureMs: eventMs }
}

/** Sets, and lets the entry that was set longest ago go where there are too many. */
function put<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > MOST_CHANNELS) map.delete(map.keys().next().value!)
}

function identity({ reading, eventMs }: TimedReading): string {
  return `${eventMs}\u0000${reading.device_id}\u0000${reading.channel}`
}
