import { isKept, type Decoded, type Outcome } from './decoder.ts'

/** What one message says of several devices, as one outcome; kept where none of them said anything. */
export function joinOutcomes(protocol: string, outcomes: readonly (Outcome | undefined)[]): Outcome {
  const said = outcomes.filter((outcome) => outcome !== undefined)
  const decoded = said.filter((outcome): outcome is Decoded => !isKept(outcome))
  if (decoded.length === 0) return said[0] ?? { why: 'no_telemetry', protocol }
  if (decoded.length === 1) return decoded[0]!
  const joined: Decoded = { protocol, readings: [] }
  for (const { readings, devices, presence, lessons, faults } of decoded) {
    joined.readings.push(...readings)
    if (devices) joined.devices = joined.devices?.concat(devices) ?? devices
    if (presence) joined.presence = joined.presence?.concat(presence) ?? presence
    if (lessons) joined.lessons = joined.lessons?.concat(lessons) ?? lessons
    if (faults) joined.faults = joined.faults?.concat(faults) ?? faults
  }
  if (decoded[0]!.clock) joined.clock = decoded[0]!.clock
  return joined
}
