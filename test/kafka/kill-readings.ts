/** The readings of the kill runs: each is known by its producer's name and its number. */
import type { StreamMessage } from '../../src/1-source/source.ts'

const DEVICES = 20

/** Reading `n` of a producer, measured at `atMs`: its devices take turns. */
export function readingOf(producer: string, n: number, atMs: number): StreamMessage {
  const device = `${producer.replace(/\..*$/, '')}-${n % DEVICES}`
  const timestamp = new Date(atMs).toISOString()
  const reading = { device_id: device, timestamp, event_id: `${producer}/${n}`, power_usage: n % 997 }
  return { key: device, value: Buffer.from(JSON.stringify(reading)) }
}
