import { isKept, type Decoded, type Outcome } from './decoder.ts'

/** What one message says of several devices, as one outcome; kept where none of them said anything. */
export function joinOutcomes(protocol: string, outcomes: readonly (Outcome | undefined)[]): Outcome {
  const said = outcomes.filter((outcome) => outcome !== undefined)
  const decoded = said.filter((outcome): outcome is Decoded => !isKept(outcome))
  if (decoded.length === 0) return said[0] ?? { why: 'no_telemetry', protocol }
  if (decoded.length === 1) return decoded[0]!
  const joined: Decoded = { protocol, readings: decoded.flatMap(({ readings }) => readings) }
  const all = <K extends 'devices' | 'presence' | 'lessons' | 'faults'>(key: K): void => {
    const found = decoded.flatMap((one) => (one[key] ?? []) as unknown[])
    if (found.length > 0) joined[key] = found as Decoded[K]
  }
  all('devices')
  all('presence')
  all('lessons')
  all('faults')
  if (decoded[0]!.clock) joined.clock = decoded[0]!.clock
  return joined
}
