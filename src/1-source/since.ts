import { setImmediate } from 'node:timers/promises'
import { isPlatformError } from '../errors.ts'
import type { PartitionBounds, ReadableSink, StreamMessage } from './source.ts'

type Since = StreamMessage & { partition: number; offset: number }

/**
 * The messages of a stream from the ends of its partitions at an earlier moment up to now. What the stream no longer keeps is left
 * out, also where it is trimmed meanwhile: the look goes on where the partition begins then.
 */
export async function* messagesSince(
  log: ReadableSink,
  ends: readonly PartitionBounds[],
): AsyncGenerator<Since> {
  for (const { partition, start, end } of await log.bounds()) {
    let offset = Math.max(start, ends.find((bounds) => bounds.partition === partition)?.end ?? start)
    while (offset < end) {
      const records = await log
        .read({ partition, offset, maxRecords: 10_000, maxBytes: 16 * 1024 * 1024 })
        .catch((error: unknown) => {
          if (isPlatformError(error) && error.code === 'stream_gap') return []
          throw error
        })
      if (records.length === 0) {
        const begin = (await log.bounds()).find((bounds) => bounds.partition === partition)?.start ?? end
        if (begin <= offset) break
        offset = begin
        continue
      }
      for (const record of records) yield { ...record, partition }
      offset = records.at(-1)!.offset + 1
      // Whoever reads from a file never waits: the process does its other work in between.
      await setImmediate()
    }
  }
}
