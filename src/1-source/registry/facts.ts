/** What messages say of a device, put together; and how those that nobody reads are listed. */
import { isUtf8 } from 'node:buffer'
import type { DeviceFact, Kept } from '../decoders/decoder.ts'

const MOST_ALIASES = 20
const SAMPLE_CHARS = 2_000

/** The newest word on each thing counts; other names are gathered. */
export function mergeFacts(before: DeviceFact, now: DeviceFact): DeviceFact {
  const aliases = [...new Set([...(before.aliases ?? []), ...(now.aliases ?? [])])].slice(0, MOST_ALIASES)
  const units = { ...before.units, ...now.units }
  return {
    ...before,
    ...now,
    ...(aliases.length > 0 && { aliases }),
    ...(Object.keys(units).length > 0 && { units }),
  }
}

/** Answers, log lines and missing values of known protocols are no riddle. */
export function isListed({ why }: Kept): boolean {
  return why !== 'no_telemetry' && why !== 'no_value' && why !== 'empty'
}

/** A number of at least four digits, or eight hexadecimal ones with a digit among them: an address, a serial number. */
const ID = /\d{4}|^(?=.*\d)(?:0x)?[0-9a-f]{8,}$|[0-9a-f]{2}(?::[0-9a-f]{2}){5}/i

/** The topic with `+` for the levels that look like an id. */
export function patternOf(topic: string): string {
  return topic
    .slice(0, 200)
    .split('/')
    .map((level) => (ID.test(level) ? '+' : level))
    .join('/')
}

/** The beginning of a message for a person: text, or the bytes in hexadecimal. */
export function sampleOf(payload: Uint8Array): string {
  // Cut behind a whole character: at most three bytes more belong to it.
  const start = payload.subarray(0, SAMPLE_CHARS + 3)
  if (isUtf8(payload)) return Buffer.from(start).toString('utf8').slice(0, SAMPLE_CHARS)
  return `0x${Buffer.from(start.subarray(0, 200)).toString('hex')}`
}
