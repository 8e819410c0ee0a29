/**
 * The last hour of one measure, a cell a second and device: typed rings, so that a page that is open for weeks
 * neither grows nor shifts arrays. Columns for the chart are cut from them.
 */

export const HISTORY_S = 3600

interface Ring {
  values: Float64Array
  /** Newest second that is in the ring. */
  newestS: number
  /** Seconds with a reading. */
  count: number
  /** No reading is older than this second. */
  oldestS: number
}

/** A chart's column: `undefined` joins (no reading in that second), `null` breaks the line (readings are missing). */
export type Column = (number | null | undefined)[]

export interface Rings {
  /** Sets a device's value in a second; one older than the ring is dropped. */
  set(device: string, second: number, value: number): void
  /** Sets many at once; null where there is none. */
  fill(device: string, seconds: readonly number[], values: readonly (number | null)[]): void
  devices(): string[]
  /** The newest value, where it is not older than a second; else null. */
  latest(device: string, sinceS: number): number | null
  mean(device: string): number
  /** Values of the seconds `fromS`…`toS`, inclusive. */
  column(device: string, fromS: number, toS: number): Column
  /** The sum of several devices, each holding its last value until its readings go missing. */
  sum(devices: readonly string[], fromS: number, toS: number): Column
}

export function createRings(): Rings {
  const rings = new Map<string, Ring>()

  function ringOf(device: string, second: number): Ring {
    let ring = rings.get(device)
    if (!ring) {
      ring = { values: new Float64Array(HISTORY_S).fill(NaN), newestS: second, count: 0, oldestS: second }
      rings.set(device, ring)
    }
    return ring
  }

  return {
    set: (device, second, value) => put(ringOf(device, second), second, value),
    fill(device, seconds, values) {
      let ring: Ring | undefined
      for (let i = 0; i < values.length; i++) {
        const value = values[i]
        if (typeof value === 'number') put((ring ??= ringOf(device, seconds[i]!)), seconds[i]!, value)
      }
    },
    devices: () => [...rings.keys()],
    latest: (device, sinceS) => {
      const ring = rings.get(device)
      return ring && ring.newestS >= sinceS ? at(ring, ring.newestS) : null
    },
    mean: (device) => {
      const ring = rings.get(device)
      if (!ring || ring.count === 0) return 0
      let sum = 0
      for (const value of ring.values) if (!Number.isNaN(value)) sum += value
      return sum / ring.count
    },
    column: (device, fromS, toS) => columnOf(rings.get(device), fromS, toS),
    sum: (devices, fromS, toS) => {
      const chosen = devices.map((device) => rings.get(device)).filter((ring) => ring !== undefined)
      return sumOf(chosen, fromS, toS)
    },
  }
}

function put(ring: Ring, second: number, value: number): void {
  if (second <= ring.newestS - HISTORY_S) return
  // The seconds between the newest and this one had no reading: what a lap ago stood there goes.
  const first = Math.max(ring.newestS + 1, second - HISTORY_S + 1)
  for (let s = first; s <= second; s++) store(ring, s, NaN)
  ring.newestS = Math.max(ring.newestS, second)
  ring.oldestS = Math.min(ring.oldestS, second)
  store(ring, second, value)
}

function store(ring: Ring, second: number, value: number): void {
  const place = second % HISTORY_S
  ring.count += Number(!Number.isNaN(value)) - Number(!Number.isNaN(ring.values[place]!))
  ring.values[place] = value
}

function at(ring: Ring, second: number): number {
  return second > ring.newestS || second <= ring.newestS - HISTORY_S ? NaN : ring.values[second % HISTORY_S]!
}

function columnOf(ring: Ring | undefined, fromS: number, toS: number): Column {
  const out: Column = Array.from({ length: toS - fromS + 1 })
  if (!ring) return out
  const gapS = gapOf(ring)
  let last = NaN
  for (let s = fromS; s <= toS; s++) {
    const value = at(ring, s)
    if (Number.isNaN(value)) continue
    if (s - last > gapS) out[last + 1 - fromS] = null
    out[s - fromS] = value
    last = s
  }
  return out
}

function sumOf(rings: readonly Ring[], fromS: number, toS: number): Column {
  const out: Column = Array.from({ length: toS - fromS + 1 })
  for (const ring of rings) {
    const gapS = gapOf(ring)
    let held = NaN
    let heldS = -Infinity
    for (let s = fromS - gapS; s <= toS; s++) {
      const value = at(ring, s)
      if (!Number.isNaN(value)) {
        held = value
        heldS = s
      }
      if (s >= fromS && s - heldS < gapS) out[s - fromS] = (out[s - fromS] ?? 0) + held
    }
  }
  return out
}

/** Seconds without a reading from which on readings are missing: three usual intervals, at least ten seconds. */
function gapOf(ring: Ring): number {
  if (ring.count < 2) return 10
  // The oldest reading only moves on, so that finding it costs a step a second.
  ring.oldestS = Math.max(ring.oldestS, ring.newestS - HISTORY_S + 1)
  while (Number.isNaN(at(ring, ring.oldestS))) ring.oldestS++
  const interval = (ring.newestS - ring.oldestS) / (ring.count - 1)
  return Math.max(10, Math.ceil(3 * interval))
}
