/** The last hour of every channel in buckets of one and of ten seconds, for the live charts, in bounded memory. */
import type { LiveSeries } from './contract.ts'
import type { TimedReading } from './live-reading.ts'

const MOST_SERIES = 1_000
const MOST_IN_ANSWER = 50
const FINE = { bucketMs: 1_000, buckets: 600 } as const
const COARSE = { bucketMs: 10_000, buckets: 361 } as const

/** A ring of buckets; each holds the value with the newest event time that fell into it. */
class BucketRing {
  readonly bucketMs: number
  readonly #values: Float64Array
  /** Event time of the value, ms; tells also which turn of the ring the slot belongs to. */
  readonly #times: Float64Array

  constructor({ bucketMs, buckets }: { bucketMs: number; buckets: number }) {
    this.bucketMs = bucketMs
    this.#values = new Float64Array(buckets)
    this.#times = new Float64Array(buckets)
  }

  put(eventMs: number, value: number): void {
    const slot = Math.floor(eventMs / this.bucketMs) % this.#values.length
    if (eventMs < this.#times[slot]!) return
    this.#times[slot] = eventMs
    this.#values[slot] = value
  }

  /** Values of the buckets that begin at `fromMs` and after, null where a bucket has none. */
  columns(fromMs: number, count: number): (number | null)[] {
    return Array.from({ length: count }, (_, i) => {
      const bucketStart = fromMs + i * this.bucketMs
      const slot = Math.floor(bucketStart / this.bucketMs) % this.#values.length
      const time = this.#times[slot]!
      return time >= bucketStart && time < bucketStart + this.bucketMs ? this.#values[slot]! : null
    })
  }
}

class Measure {
  readonly #fine = new BucketRing(FINE)
  readonly #coarse = new BucketRing(COARSE)

  put(eventMs: number, value: number): void {
    this.#fine.put(eventMs, value)
    this.#coarse.put(eventMs, value)
  }

  ring(bucketMs: number): BucketRing {
    return bucketMs === FINE.bucketMs ? this.#fine : this.#coarse
  }
}

interface ChannelSeries {
  power?: Measure
  temperature?: Measure
  device_type: string | null
  location: string | null
}

/** The series of one home. The name of a series is the device, with `:channel` where it has channels. */
export class SeriesOfHome {
  /** In the order of their last value, so that the one that has been silent longest makes room. */
  readonly #channels = new Map<string, ChannelSeries>()

  add({ reading, eventMs }: TimedReading): void {
    if (reading.power_usage === null && reading.temperature === null) return
    const key = reading.channel === '' ? reading.device_id : `${reading.device_id}:${reading.channel}`
    const series = this.#channels.get(key) ?? { device_type: null, location: null }
    this.#channels.delete(key)
    this.#channels.set(key, series)
    if (this.#channels.size > MOST_SERIES) this.#channels.delete(this.#channels.keys().next().value!)
    series.device_type = reading.device_type ?? series.device_type
    series.location = reading.location ?? series.location
    if (reading.power_usage !== null) (series.power ??= new Measure()).put(eventMs, reading.power_usage)
    if (reading.temperature !== null) (series.temperature ??= new Measure()).put(eventMs, reading.temperature)
  }

  /** The last minutes up to now: up to ten in buckets of a second, above in buckets of ten. */
  columns(minutes: number, nowMs: number): Omit<LiveSeries, 'tenant' | 'reason'> {
    const { bucketMs } = minutes <= 10 ? FINE : COARSE
    const count = (minutes * 60_000) / bucketMs
    const fromMs = (Math.floor(nowMs / bucketMs) - count + 1) * bucketMs
    const all = [...this.#channels].flatMap(([key, series]) => {
      const power = filled(series.power?.ring(bucketMs).columns(fromMs, count))
      const temperature = filled(series.temperature?.ring(bucketMs).columns(fromMs, count))
      return power || temperature ? [{ key, series, power, temperature, largest: largest(power) }] : []
    })
    all.sort((a, b) => b.largest - a.largest || (a.key < b.key ? -1 : 1))
    const kept = all.slice(0, MOST_IN_ANSWER).toSorted((a, b) => (a.key < b.key ? -1 : 1))
    return {
      bucket_s: bucketMs / 1000,
      t: Array.from({ length: count }, (_, i) => (fromMs + i * bucketMs) / 1000),
      power: Object.fromEntries(kept.flatMap(({ key, power }) => (power ? [[key, power]] : []))),
      temperature: Object.fromEntries(
        kept.flatMap(({ key, temperature }) => (temperature ? [[key, temperature]] : [])),
      ),
      devices: Object.fromEntries(
        kept.map(({ key, series }) => [key, { device_type: series.device_type, location: series.location }]),
      ),
      omitted_devices: all.length - kept.length,
    }
  }
}

function filled(columns: (number | null)[] | undefined): (number | null)[] | undefined {
  return columns?.some((value) => value !== null) ? columns : undefined
}

function largest(columns: (number | null)[] | undefined): number {
  return (columns ?? []).reduce<number>((most, value) => Math.max(most, value ?? 0), 0)
}
