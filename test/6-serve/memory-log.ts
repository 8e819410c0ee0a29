/** The stream's port in memory, with what is hard about the real one: gaps, trimming, waiting reads, a stop. */
import type { ReadOptions, StreamLog, StreamMessage, StreamRecord } from '../../src/2-stream/log.ts'
import { PlatformError } from '../../src/errors.ts'

export interface MemoryLog extends StreamLog {
  /** Appends at a time of its own, ms. */
  put(receivedMs: number, ...values: (string | object)[]): void
  /** Makes every call fail until null. */
  fail: Error | null
}

export function memoryLog(): MemoryLog {
  let records: StreamRecord[] = []
  let end = 0
  const waiting = new Set<() => void>()
  const encoder = new TextEncoder()
  const log: MemoryLog = {
    topic: 'smart_home.telemetry',
    id: 'smart_home.telemetry',
    hasHoles: true,
    fail: null,
    put: (receivedMs, ...values) => {
      for (const value of values) {
        const text = typeof value === 'string' ? value : JSON.stringify(value)
        const offset = end
        // Every second offset is missing, as in a compacted or transactional log.
        end += 2
        records.push({
          topic: log.topic,
          partition: 0,
          offset,
          ingestionTimeUs: receivedMs * 1000,
          key: null,
          value: encoder.encode(text),
        })
      }
      for (const wake of waiting) wake()
    },
    append: async (messages: readonly StreamMessage[]) => {
      log.put(Date.now(), ...messages.map(({ value }) => new TextDecoder().decode(value)))
    },
    read: async ({ offset, maxRecords, waitMs = 0, signal }: ReadOptions) => {
      if (log.fail) throw log.fail
      const start = records[0]?.offset ?? end
      if (offset < start) throw new PlatformError('stream_gap', `${offset} is gone`, 'Read from the start.')
      const found = () => records.filter((record) => record.offset >= offset).slice(0, maxRecords)
      if (found().length === 0 && waitMs > 0 && !signal?.aborted)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, waitMs)
          const wake = () => {
            clearTimeout(timer)
            waiting.delete(wake)
            resolve()
          }
          waiting.add(wake)
          signal?.addEventListener('abort', wake)
        })
      return found()
    },
    bounds: async () => {
      if (log.fail) throw log.fail
      return [{ partition: 0, start: records[0]?.offset ?? end, end }]
    },
    trim: async (_partition, before) => {
      records = records.filter((record) => record.offset >= before)
    },
    close: async () => undefined,
  }
  return log
}

/** Waits until a condition holds; fails after half a minute, since the machine may be busy. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
