/** The readings of the kill runs: each is known by its producer's name and its number. */
import type { StreamMessage } from '../../src/1-source/source.ts'

const BEGIN_MS = Date.UTC(2024, 0, 15)
const DEVICES = 20

/** Reading `n` of a producer: its devices take turns, a second of event time between two of one device. */
export function readingOf(producer: string, n: number): StreamMessage {
  const device = `${producer.replace(/\..*$/, '')}-${n % DEVICES}`
  const timestamp = new Date(BEGIN_MS + Math.floor(n / DEVICES) * 1000).toISOString()
  const reading = { device_id: device, timestamp, event_id: `${producer}/${n}`, power_usage: n % 997 }
  return { key: device, value: Buffer.from(JSON.stringify(reading)) }
}
