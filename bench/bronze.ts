/**
 * How fast the stream is landed in Bronze, committed. The limit is DuckDB alone: the same messages, as a file of lines, typed,
 * sorted and written as one Parquet file.
 */
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '../src/2-stream/embedded.ts'
import { createBronzeStage } from '../src/3-bronze/land.ts'
import { openLake, type Engine } from '../src/lake/index.ts'
import { openBenchEngine } from './engine.ts'
import { printRows } from './rows.ts'

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

/** Seconds and bytes of DuckDB alone. */
async function alone(engine: Engine, lines: string): Promise<{ seconds: number; bytes: number }> {
  const session = await engine.session()
  const file = join(dir, 'limit.parquet')
  const began = performance.now()
  await session.run(`COPY (
    SELECT * FROM read_json('${lines}', format = 'newline_delimited', columns = {
      device_id: 'TEXT', device_type: 'TEXT', user_id: 'TEXT', timestamp: 'TIMESTAMPTZ', temperature: 'DOUBLE',
      power_usage: 'DOUBLE', energy_consumption_wh: 'DOUBLE', status: 'TEXT', alert: 'TEXT', location: 'TEXT',
      manufacturer: 'TEXT', model: 'TEXT'})
    ORDER BY device_id, timestamp) TO '${file}' (FORMAT parquet, COMPRESSION zstd)`)
  const seconds = (performance.now() - began) / 1000
  await session.close()
  return { seconds, bytes: statSync(file).size }
}

const log = await openEmbeddedLog({ dir: join(dir, 'stream') })
const engine = await openBenchEngine()
const lake = await openLake({ root: join(dir, 'lake'), engine })
const stage = await createBronzeStage({ lake, engine, log })
try {
  const lines = join(dir, 'limit.jsonl')
  for (let n = 0; n < READINGS; n += 5_000) {
    const values = Array.from({ length: 5_000 }, (_, k) => reading(n + k))
    await log.append(values.map((value) => ({ key: null, value })))
    appendFileSync(lines, values.join('\n') + '\n')
  }
  const limit = await alone(engine, lines)
  const began = performance.now()
  const cpuBefore = process.cpuUsage()
  while ((await stage.step({ final: true })).more);
  const seconds = (performance.now() - began) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  const { files } = await lake.snapshot('bronze.telemetry')
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const of = 'DuckDB alone, from a file'
  printRows([
    {
      what: 'stream to Bronze, committed',
      figure: READINGS / seconds,
      unit: 'readings/s',
      limit: { figure: READINGS / limit.seconds, of },
      budget: { atLeast: 150_000 },
      data: `${READINGS.toLocaleString('en')} readings of ${DEVICES.toLocaleString('en')} devices`,
    },
    { what: '  CPU time', figure: (cpu.user + cpu.system) / READINGS, unit: 'µs/reading' },
    {
      what: '  storage',
      figure: bytes / READINGS,
      unit: 'B/reading',
      limit: { figure: limit.bytes / READINGS, of },
      budget: { atMost: 12 },
      data: `${files.length} files`,
    },
    { what: '  most memory', figure: process.resourceUsage().maxRSS / 1024, unit: 'MB' },
  ])
} finally {
  await stage.close()
  await lake.close()
  await engine.close()
  await log.close()
  rmSync(dir, { recursive: true, force: true })
}
