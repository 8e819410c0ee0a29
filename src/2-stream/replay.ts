import { PlatformError } from '../errors.ts'
import { DEAD_LETTER_TOPIC, TELEMETRY_TOPIC } from '../reading.ts'
import type { StreamMessage, StreamRecord } from './log.ts'
import type { StreamView } from './types.ts'

const CHUNK = 1_000

/**
 * Puts dead letters on the telemetry topic again, as they were: one of them, or (null) all that are kept. It is a new
 * arrival: what a newer version can read then becomes a reading, what it cannot comes back as a dead letter.
 * Returns how many.
 */
export async function replay(
  view: StreamView,
  chosen: { partition: number; offset: number } | null,
): Promise<number> {
  const dead = await view.open(DEAD_LETTER_TOPIC)
  const telemetry = await view.open(TELEMETRY_TOPIC)
  try {
    let count = 0
    for (const { partition, start, end } of await dead.bounds()) {
      if (chosen && chosen.partition !== partition) continue
      // Up to the end as it is now: what dies again on the way comes behind it.
      const until = chosen ? chosen.offset + 1 : end
      for (let offset = chosen?.offset ?? start; offset < until;) {
        const read = await dead.read({ partition, offset, maxRecords: Math.min(CHUNK, until - offset) })
        const records = read.filter((record) => record.offset < until)
        if (records.length === 0) break
        await telemetry.append(records.map(asItWas))
        count += records.length
        offset = records.at(-1)!.offset + 1
      }
    }
    if (chosen && count === 0)
      throw new PlatformError(
        'usage',
        `There is no dead letter at ${chosen.partition}/${chosen.offset}`,
        `See smarthouse stream tail ${DEAD_LETTER_TOPIC}.`,
      )
    return count
  } finally {
    await dead.close()
    await telemetry.close()
  }
}

function asItWas({ key, value, headers, partition, offset }: StreamRecord): StreamMessage {
  const own = Object.entries(headers ?? {}).filter(([name]) => !name.startsWith('dead_'))
  return { key, value, headers: { ...Object.fromEntries(own), replay_of: `${partition}/${offset}` } }
}
