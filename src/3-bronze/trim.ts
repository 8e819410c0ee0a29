import { isPlatformError } from '../errors.ts'
import type { StreamLog } from '../2-stream/log.ts'

/**
 * Frees what is both landed (below the partition's next offset) and was accepted before a time. Ingestion times do
 * not decrease, so the cut is found by halving, from nothing but the log itself.
 */
export async function trimLanded(
  log: StreamLog,
  next: ReadonlyMap<number, number>,
  beforeMs: number,
): Promise<void> {
  for (const { partition, start } of await log.bounds()) {
    try {
      const cut = await firstAtOrAfter(log, partition, start, next.get(partition) ?? start, beforeMs * 1000)
      if (cut > start) await log.trim(partition, cut)
    } catch (error) {
      // Another worker is trimming the same stream: it frees what this one was about to.
      if (!isPlatformError(error) || error.code !== 'stream_gap') throw error
    }
  }
}

/** The first offset from `low` on, at most `high`, whose record was accepted at the time or later. */
async function firstAtOrAfter(
  log: StreamLog,
  partition: number,
  low: number,
  high: number,
  timeUs: number,
): Promise<number> {
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [record] = await log.read({ partition, offset: middle, maxRecords: 1 })
    if (record !== undefined && record.ingestionTimeUs < timeUs) low = middle + 1
    else high = middle
  }
  return low
}
