/** How fast the stream is landed in Bronze, committed; beside it, what reading the stream alone takes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '../src/2-stream/embedded.ts'
import { createBronzeStage } from '../src/3-bronze/land.ts'
import { openDuckDb, openLake } from '../src/lake/index.ts'

const READINGS = 600_000
const DEVICES = 1_000
const dir = mkdtempSync(join(tmpdir(), 'smarthouse-bench-bronze-'))

function reading(n: number): Buffer {
  const device = n % DEVICES
  return Buffer.from(
    JSON.stringify({
      device_id: `plug-${device}`,
      device_type: 'smart_plug',
      user_id: `user-${device % 7}`,
      timestamp: new Date(1_705_314_600_000 + Math.floor(n / DEVICES) * 1000).toISOString(),
      temperature: Math.round(200 + 50 * Math.sin(n / 7_000)) / 10,
      power_usage: Math.round(1_000 * Math.abs(Math.sin(n))) / 10,
      energy_consumption_wh: 0.0335,
      status: 'online',
      alert: 'none',
      location: 'Kitchen',
      manufacturer: 'Acme',
      model: 'P1',
    }),
  )
}

const log = await openEmbeddedLog({ dir: join(dir, 'stream') })
const engine = await openDuckDb({ threads: 2, memoryLimitMb: 1024 })
const lake = await openLake({ root: join(dir, 'lake'), engine })
const stage = await createBronzeStage({ lake, engine, log })
try {
  for (let n = 0; n < READINGS; n += 5_000) {
    await log.append(Array.from({ length: 5_000 }, (_, k) => ({ key: null, value: reading(n + k) })))
  }
  const began = performance.now()
  const cpuBefore = process.cpuUsage()
  while ((await stage.step({ final: true })).more);
  const seconds = (performance.now() - began) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  const { files } = await lake.snapshot('bronze.telemetry')
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const readFrom = performance.now()
  for (let offset = 1; offset <= READINGS;) {
    offset = (await log.read({ partition: 0, offset, maxRecords: 20_000 })).at(-1)!.offset + 1
  }
  const readSeconds = (performance.now() - readFrom) / 1000
  console.log(
    `stream to Bronze      ${Math.round(READINGS / seconds).toLocaleString('en')} readings/s, committed`,
  )
  console.log(`CPU time              ${((cpu.user + cpu.system) / READINGS).toFixed(1)} µs per reading`)
  console.log(`reading the stream    ${Math.round(READINGS / readSeconds).toLocaleString('en')} readings/s`)
  console.log(`storage               ${(bytes / READINGS).toFixed(1)} B per reading in ${files.length} files`)
  console.log(`memory                ${Math.round(process.memoryUsage().rss / 2 ** 20)} MB resident`)
} finally {
  await stage.close()
  await lake.close()
  await engine.close()
  await log.close()
  rmSync(dir, { recursive: true, force: true })
}
