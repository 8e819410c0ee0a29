/**
 * How fast the embedded stream takes readings durably, gives them back, and wakes a reader in another handle. The limits are
 * SQLite's own, with the same messages, journal and durability.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { openEmbeddedLog } from '../src/2-stream/embedded.ts'
import type { StreamMessage } from '../src/2-stream/log.ts'
import { percentile, printRows, type Row } from './rows.ts'

const BATCH = 1_000
const BATCHES = 400
const TOTAL = BATCH * BATCHES
const dir = mkdtempSync(join(tmpdir(), 'smarthouse-bench-stream-'))

const batch: StreamMessage[] = Array.from({ length: BATCH }, (_, n) => ({
  key: `plug-${n}`,
  value: Buffer.from(
    JSON.stringify({
      device_id: `plug-${n}`,
      device_type: 'smart_plug',
      user_id: 'user-1',
      timestamp: '2024-01-15T10:30:00Z',
      temperature: 21.5,
      power_usage: 120.5 + n,
      energy_consumption_wh: 0.0335,
      status: 'online',
      alert: 'none',
      location: 'Kitchen',
      manufacturer: 'Acme',
      model: 'P1',
    }),
  ),
}))

async function secondsOf(work: () => unknown): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}

async function written(): Promise<{ writtenS: number; readS: number; trimS: number }> {
  const log = await openEmbeddedLog({ dir })
  const writtenS = await secondsOf(async () => {
    const inFlight: Promise<void>[] = []
    for (let n = 0; n < BATCHES; n++) {
      inFlight.push(log.append(batch))
      if (inFlight.length > 8) await inFlight.shift()
    }
    await Promise.all(inFlight)
  })
  const [bounds] = await log.bounds()
  const readS = await secondsOf(async () => {
    for (let offset = bounds!.start; offset < bounds!.end;) {
      const records = await log.read({ partition: 0, offset, maxRecords: 20_000 })
      offset = records.at(-1)!.offset + 1
    }
  })
  const trimS = await secondsOf(() => log.trim(0, bounds!.end))
  await log.close()
  return { writtenS, readS, trimS }
}

/** SQLite alone: one transaction a batch, one row a message; one row a transaction for the latency. */
async function alone(): Promise<{ writtenS: number; readS: number; trimS: number; commitsMs: number[] }> {
  const database = new DatabaseSync(join(dir, 'limit.sqlite'))
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE message (offset INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER, key TEXT, value BLOB)`)
  const insert = database.prepare('INSERT INTO message (time, key, value) VALUES (?, ?, ?)')
  const writtenS = await secondsOf(() => {
    for (let n = 0; n < BATCHES; n++) {
      database.exec('BEGIN IMMEDIATE')
      for (const { key, value } of batch) insert.run(n, key, value)
      database.exec('COMMIT')
    }
  })
  const select = database.prepare('SELECT * FROM message WHERE offset >= ? ORDER BY offset LIMIT 20000')
  const readS = await secondsOf(() => {
    for (let offset = 1; offset <= TOTAL;) offset = Number(select.all(offset).at(-1)!['offset']) + 1
  })
  // With a condition, as a trim has one: without, SQLite would drop the table's pages unread.
  const trimS = await secondsOf(() => database.exec(`DELETE FROM message WHERE offset <= ${TOTAL}`))
  const commitsMs: number[] = []
  for (let n = 0; n < 300; n++)
    commitsMs.push((await secondsOf(() => insert.run(n, batch[0]!.key, batch[0]!.value))) * 1000)
  database.close()
  return { writtenS, readS, trimS, commitsMs }
}

/** Milliseconds from the call of append in one handle to the record in another. */
async function latencies(): Promise<number[]> {
  const [producer, consumer] = [await openEmbeddedLog({ dir }), await openEmbeddedLog({ dir })]
  const taken: number[] = []
  for (let n = 0; n < 300; n++) {
    const [bounds] = await consumer.bounds()
    const waiting = consumer.read({ partition: 0, offset: bounds!.end, maxRecords: 1, waitMs: 5_000 })
    await sleep(3)
    const began = performance.now()
    void producer.append([batch[0]!])
    await waiting
    taken.push(performance.now() - began)
  }
  await producer.close()
  await consumer.close()
  return taken
}

try {
  const limit = await alone()
  const ours = await written()
  const data = `${TOTAL.toLocaleString('en')} readings in batches of ${BATCH.toLocaleString('en')}`
  const rate = (what: string, seconds: number, limitS: number, budget?: Row['budget']): Row => ({
    what,
    figure: TOTAL / seconds,
    unit: 'readings/s',
    limit: { figure: TOTAL / limitS, of: 'SQLite alone' },
    data,
    ...(budget ? { budget } : {}),
  })
  printRows([
    rate('producer to durable', ours.writtenS, limit.writtenS, { atLeast: 250_000 }),
    rate('read', ours.readS, limit.readS),
    rate('trim', ours.trimS, limit.trimS),
  ])
  const taken = await latencies()
  const of = 'SQLite alone, one durable row'
  printRows([
    {
      what: 'produce to consume, another handle, p50',
      figure: percentile(taken, 0.5),
      unit: 'ms',
      limit: { figure: percentile(limit.commitsMs, 0.5), of },
      budget: { atMost: 1.5 },
    },
    {
      what: 'produce to consume, another handle, p99',
      figure: percentile(taken, 0.99),
      unit: 'ms',
      limit: { figure: percentile(limit.commitsMs, 0.99), of },
    },
  ])
} finally {
  rmSync(dir, { recursive: true, force: true })
}
