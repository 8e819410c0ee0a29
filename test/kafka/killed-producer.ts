/**
 * A producer that is killed: readings of its own devices at a pace, `node killed-producer.ts OPTIONS NAME PER_S SINCE_MS`: as
 * many as are due since then, also for the time in which it was not there or the broker was away. It prints `FROM TO` for
 * each append that was acknowledged, after the acknowledgement, and ends at SIGTERM when all are.
 */
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { openKafkaLog, type KafkaLogOptions } from '../../src/2-stream/kafka.ts'
import type { StreamLog } from '../../src/2-stream/log.ts'
import { isPlatformError } from '../../src/errors.ts'
import { readingOf } from './kill-readings.ts'

const [optionsText, name, perSecond, sinceMs] = process.argv.slice(2)
const PAUSE_MS = 20
/** What was due while the broker was away goes in few sends. */
const MOST_PER_APPEND = 2_000
const MOST_IN_FLIGHT = 8
const everyMs = 1000 / Number(perSecond)

let running = true
process.on('SIGTERM', () => (running = false))
const log = await opened()
const inFlight = new Set<Promise<void>>()
for (let sent = 0; running;) {
  const due = Math.floor((Date.now() - Number(sinceMs)) / everyMs)
  if (due === sent) {
    await sleep(PAUSE_MS)
    continue
  }
  if (inFlight.size >= MOST_IN_FLIGHT) {
    await Promise.race(inFlight)
    continue
  }
  const [from, to] = [sent, Math.min(due, sent + MOST_PER_APPEND)]
  const messages = Array.from({ length: to - from }, (_, n) =>
    // Measured when it was due, as a device's buffer has it.
    readingOf(name!, from + n, Number(sinceMs) + (from + n) * everyMs),
  )
  const append = log.append(messages).then(() => void writeSync(1, `${from} ${to}\n`))
  inFlight.add(append)
  void append.finally(() => inFlight.delete(append))
  sent = to
}
await Promise.all(inFlight)
await log.close()

async function opened(): Promise<StreamLog> {
  for (;;) {
    try {
      return await openKafkaLog(JSON.parse(optionsText!) as KafkaLogOptions)
    } catch (error) {
      if (!running || !isPlatformError(error) || error.code !== 'stream_unreachable') throw error
    }
  }
}
