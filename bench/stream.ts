/** How fast the embedded stream takes readings durably, gives them back, and wakes a reader in another handle. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openEmbeddedLog } from '../src/2-stream/embedded.ts'
import type { StreamMessage } from '../src/2-stream/log.ts'

const BATCH = 1_000
const BATCHES = 400
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

async function throughput(): Promise<void> {
  const log = await openEmbeddedLog({ dir })
  const began = performance.now()
  const inFlight: Promise<void>[] = []
  for (let n = 0; n < BATCHES; n++) {
    inFlight.push(log.append(batch))
    if (inFlight.length > 8) await inFlight.shift()
  }
  await Promise.all(inFlight)
  const writtenS = (performance.now() - began) / 1000
  const [bounds] = await log.bounds()
  let offset = bounds!.start
  const readFrom = performance.now()
  while (offset < bounds!.end) {
    const records = await log.read({ partition: 0, offset, maxRecords: 20_000 })
    offset = records.at(-1)!.offset + 1
  }
  const readS = (performance.now() - readFrom) / 1000
  const trimFrom = performance.now()
  await log.trim(0, bounds!.end)
  const trimS = (performance.now() - trimFrom) / 1000
  const total = BATCH * BATCHES
  console.log(`producer to durable   ${Math.round(total / writtenS).toLocaleString('en')} readings/s`)
  console.log(`read                  ${Math.round(total / readS).toLocaleString('en')} readings/s`)
  console.log(`trim                  ${Math.round(total / trimS).toLocaleString('en')} readings/s`)
  await log.close()
}

/** Milliseconds from the call of append in one handle to the record in another. */
async function latency(): Promise<void> {
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
  taken.sort((a, b) => a - b)
  console.log(`produce to consume    ${taken[150]!.toFixed(2)} ms median, ${taken[297]!.toFixed(2)} ms p99`)
  await producer.close()
  await consumer.close()
}

try {
  await throughput()
  await latency()
} finally {
  rmSync(dir, { recursive: true, force: true })
}
