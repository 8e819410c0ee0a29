/**
 * How fast `smarthouse import` takes the rows of a file into the stream, durably, process start included. The limit is DuckDB alone: the same
 * file read and typed.
 */
import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openBenchEngine } from './engine.ts'
import { printRows } from './rows.ts'

const ROWS = 500_000
const DEVICES = 10
const SLICE = 10_000
const smarthouse = fileURLToPath(new URL('../bin/smarthouse.mjs', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'smarthouse-bench-import-'))

interface Format {
  name: string
  file: string
  header: string
  line(device: string, timestamp: string, watt: number): string
  /** The same, read by the engine. */
  read: string
}

const FORMATS: readonly Format[] = [
  {
    name: 'CSV',
    file: 'rows.csv',
    header: 'device_id,timestamp,power_usage\n',
    line: (device, timestamp, watt) => `${device},${timestamp},${watt}\n`,
    read: "read_csv('FILE', header = true, columns = {device_id: 'TEXT', timestamp: 'TIMESTAMPTZ', power_usage: 'DOUBLE'})",
  },
  {
    name: 'JSON lines',
    file: 'rows.jsonl',
    header: '',
    line: (device_id, timestamp, power_usage) => `${JSON.stringify({ device_id, timestamp, power_usage })}\n`,
    read: `read_json('FILE', format = 'newline_delimited', columns = {device_id: 'TEXT', timestamp: 'TIMESTAMPTZ', power_usage: 'DOUBLE'})`,
  },
]

function write({ header, line }: Format, file: string): void {
  writeFileSync(file, header)
  for (let from = 0; from < ROWS; from += SLICE) {
    const rows = Array.from({ length: SLICE }, (_, k) => {
      const n = from + k
      const at = new Date(1_705_276_800_000 + Math.floor(n / DEVICES) * 1000).toISOString()
      return line(`plug-${n % DEVICES}`, at, Math.round(1_000 * Math.abs(Math.sin(n))) / 10)
    })
    appendFileSync(file, rows.join(''))
  }
}

const engine = await openBenchEngine()
const session = await engine.session()
try {
  for (const format of FORMATS) {
    const file = join(dir, format.file)
    write(format, file)
    const alone = performance.now()
    await session.run(
      `CREATE OR REPLACE TEMP TABLE rows AS SELECT * FROM ${format.read.replace('FILE', file)}`,
    )
    const limitS = (performance.now() - alone) / 1000
    const began = performance.now()
    const { status, stdout } = spawnSync(
      process.execPath,
      [smarthouse, 'import', file, '--data', join(dir, `house-${format.name}`), '--json'],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const seconds = (performance.now() - began) / 1000
    if (status !== 0) throw new Error(`the import ended with ${status}: ${stdout}`)
    printRows([
      {
        what: `${format.name} imported`,
        figure: ROWS / seconds,
        unit: 'rows/s',
        limit: { figure: ROWS / limitS, of: 'DuckDB alone' },
        data: `${ROWS.toLocaleString('en')} rows of ${DEVICES} devices`,
      },
    ])
  }
} finally {
  await session.close()
  await engine.close()
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
}
