import type { PartitionBounds, StreamLog } from './log.ts'

/** The first offset whose message was taken at the time or later, by halving: times never decrease in a partition. */
export async function firstOffsetSince(
  log: StreamLog,
  { partition, start, end }: PartitionBounds,
  timeUs: number,
): Promise<number> {
  let [low, high] = [start, end]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [record] = await log.read({ partition, offset: middle, maxRecords: 1 })
    // Nothing, or something behind the middle: what was asked for lies before.
    if (!record || record.offset >= high || record.ingestionTimeUs >= timeUs) high = middle
    else low = record.offset + 1
  }
  return low
}
