/**
 * The lake: what a commit takes alone and under four writers, opening a table of 50,000 files cold, its checkpoint, bytes
 * per reading, and a query over the files that it needs against one over all.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { localStore, openLake, pruneFiles, type DataFile, type Engine } from '../src/lake/index.ts'
import { writeCheckpoint } from '../src/lake/checkpoint.ts'
import { openTable } from '../src/lake/table.ts'
import { openBenchEngine } from './engine.ts'
import { percentile, printRows, type Row } from './rows.ts'

const TABLE = 'bronze.readings'
const COMMITS = 200
const FILES = 50_000
const READINGS = 1_000_000

const definition = {
  name: TABLE,
  description: 'Readings of the benchmark.',
  columns: [
    { name: 'device_id', type: 'string', required: true, description: 'Device.' },
    { name: 'timestamp', type: 'timestamp', required: true, description: 'Event time.' },
    { name: 'power_usage', type: 'double', description: 'Power, W.' },
    { name: 'temperature', type: 'double', description: 'Temperature, °C.' },
    { name: 'energy_consumption_wh', type: 'double', description: 'Energy, Wh.' },
    { name: 'status', type: 'string', description: 'Status.' },
    { name: 'day', type: 'date', required: true, description: 'UTC date; partition.' },
  ],
  partitionBy: ['day'],
  sortBy: ['device_id', 'timestamp'],
  key: ['device_id', 'timestamp'],
} as const

/** A file of the given number that was never written: commits and checkpoints only name it. */
function namedFile(number: number): DataFile {
  const day = new Date(Date.UTC(2024, 0, 1 + (number % 365))).toISOString().slice(0, 10)
  const at = `${day}T${String(number % 24).padStart(2, '0')}`
  return {
    path: `day=${day}/part-${randomUUID()}.parquet`,
    bytes: 1_000_000,
    partition: { day },
    modifiedMs: Date.now(),
    stats: {
      rows: 100_000,
      min: {
        device_id: 'plug-0',
        timestamp: `${at}:00:00.000Z`,
        power_usage: 0,
        temperature: -5.5,
        energy_consumption_wh: 0,
        status: 'offline',
      },
      max: {
        device_id: 'plug-999',
        timestamp: `${at}:59:59.999Z`,
        power_usage: 3000.5,
        temperature: 31.25,
        energy_consumption_wh: 1.5,
        status: 'online',
      },
      nulls: {
        device_id: 0,
        timestamp: 0,
        power_usage: 17,
        temperature: 80_000,
        energy_consumption_wh: 0,
        status: 0,
      },
    },
  }
}

async function took(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** Milliseconds of each of so many commits of one file. */
async function commits(root: string, engine: Engine, count: number): Promise<number[]> {
  const lake = await openLake({ root, engine })
  const taken: number[] = []
  for (let number = 0; number < count; number += 1)
    taken.push(await took(() => lake.commit(TABLE, { operation: 'WRITE', add: [namedFile(number)] })))
  await lake.close()
  return taken
}

/** Milliseconds of a file of 1 kB made durable: what no commit can do without. */
async function durableFiles(folder: string): Promise<number[]> {
  const taken: number[] = []
  for (let number = 0; number < COMMITS; number += 1)
    taken.push(
      await took(async () => {
        const handle = await open(path.join(folder, `limit-${number}`), 'wx')
        await handle.writeFile(Buffer.alloc(1024, 'x'))
        await handle.sync()
        await handle.close()
        const parent = await open(folder, 'r')
        await parent.sync()
        await parent.close()
      }),
    )
  return taken
}

async function commitRows(root: string, engine: Engine): Promise<Row[]> {
  await (await openLake({ root, engine })).define(definition)
  const limits = await durableFiles(root)
  const alone = await commits(root, engine, COMMITS)
  const writers = [1, 2, 3, 4].map(() =>
    spawn(process.execPath, [fileURLToPath(import.meta.url), root], { stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  const said = await Promise.all(
    writers.map((child) => Promise.all([text(child.stdout), once(child, 'exit')])),
  )
  const four = said.flatMap(([line]) => JSON.parse(line) as number[])
  const rows = [['alone', alone] as const, ['under 4 writers', four] as const]
  return rows.flatMap(([who, taken]) =>
    (
      [
        ['p50', 0.5],
        ['p99', 0.99],
      ] as const
    ).map(([name, share]) => ({
      what: `commit, ${who}, ${name}`,
      figure: percentile(taken, share),
      unit: 'ms',
      limit: { figure: percentile(limits, share), of: 'a file and its folder synced, alone' },
    })),
  )
}

async function manyFilesRows(root: string, engine: Engine): Promise<Row[]> {
  const lake = await openLake({ root, engine })
  await lake.define({ ...definition, properties: { 'delta.checkpointInterval': '1000000' } })
  for (let number = 0; number < FILES; number += 10_000) {
    const add = Array.from({ length: 10_000 }, (_, index) => namedFile(number + index))
    await lake.commit(TABLE, { operation: 'WRITE', add })
  }
  const cold = () => openLake({ root, engine }).then((other) => other.snapshot(TABLE))
  const fromLog = await took(cold)
  const place = { store: localStore(root), engine, root }
  const state = await openTable(place, TABLE).refresh()
  const checkpoint = await took(() => writeCheckpoint(place.store, engine, state))
  const opened = percentile(await repeated(5, cold), 0.5)
  const { files, columns } = await lake.snapshot(TABLE)
  const at = Date.UTC(2024, 5, 1)
  const pruned = await took(async () =>
    pruneFiles(files, columns, [
      { column: 'timestamp', is: '>=', value: new Date(at).toISOString() },
      { column: 'timestamp', is: '<', value: new Date(at + 3_600_000).toISOString() },
    ]),
  )
  const file = path.join(root, `bronze/readings/_delta_log/${'5'.padStart(20, '0')}.checkpoint.parquet`)
  const read = await took(async () => {
    const session = await engine.session()
    await session.rows(`SELECT count(add.path), count(add.stats) FROM '${file}'`)
    await session.close()
  })
  return [
    {
      what: 'open cold at 50,000 files, from the checkpoint',
      figure: opened,
      unit: 'ms',
      limit: { figure: read, of: 'the engine reads paths and statistics' },
      budget: { atMost: 300 },
    },
    { what: 'open cold at 50,000 files, from the log', figure: fromLog, unit: 'ms' },
    {
      what: 'checkpoint of 50,000 files',
      figure: checkpoint,
      unit: 'ms',
      budget: { atMost: 210 },
    },
    {
      what: 'checkpoint of 50,000 files, bytes per file',
      figure: (await readFile(file)).length / FILES,
      unit: 'B',
    },
    { what: 'first look at all statistics (pruning)', figure: pruned, unit: 'ms' },
  ]
}

async function repeated(times: number, work: () => Promise<unknown>): Promise<number[]> {
  const taken: number[] = []
  for (let time = 0; time < times; time += 1) taken.push(await took(work))
  return taken
}

async function queryRows(root: string, engine: Engine): Promise<Row[]> {
  const lake = await openLake({ root, engine })
  await lake.define(definition)
  const session = await engine.session()
  const days = 50
  for (let day = 0; day < days; day += 1) {
    const add = await lake.write(
      session,
      TABLE,
      `SELECT 'plug-' || i % 100 AS device_id, TIMESTAMPTZ '2024-01-01 00:00:00Z' + INTERVAL (${day}) DAY + INTERVAL (i // 100 * 432) SECOND AS timestamp,
        (hash(i) % 1000) / 10 AS power_usage, 18 + (hash(i + 1) % 60) / 10 AS temperature,
        (hash(i) % 1000) / 1200 AS energy_consumption_wh, 'online' AS status, DATE '2024-01-01' + ${day} AS day
       FROM range(${READINGS / days}) r(i)`,
    )
    await lake.commit(TABLE, { operation: 'WRITE', add })
  }
  const { files, columns } = await lake.snapshot(TABLE)
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const from = '2024-01-20T00:00:00.000Z'
  const to = '2024-01-21T00:00:00.000Z'
  const query = (some: readonly DataFile[]) => () =>
    session.rows(`SELECT device_id, avg(power_usage) FROM ${lake.scan(TABLE, some)}
      WHERE timestamp >= '${from}' AND timestamp < '${to}' GROUP BY device_id`)
  const needed = pruneFiles(files, columns, [
    { column: 'timestamp', is: '>=', value: from },
    { column: 'timestamp', is: '<', value: to },
  ])
  await query(files)()
  const all = percentile(await repeated(9, query(files)), 0.5)
  const some = percentile(await repeated(9, query(needed)), 0.5)
  return [
    { what: 'bytes per reading', figure: bytes / READINGS, unit: 'B', budget: { atMost: 12 } },
    { what: `query of a day, unpruned (${files.length} files)`, figure: all, unit: 'ms' },
    {
      what: `query of a day, pruned (${needed.length} of ${files.length} files)`,
      figure: some,
      unit: 'ms',
      limit: { figure: all, of: 'unpruned' },
    },
  ]
}

const writerRoot = process.argv[2]
const engine = await openBenchEngine()
if (writerRoot !== undefined) {
  process.stdout.write(JSON.stringify(await commits(writerRoot, engine, COMMITS)))
} else {
  const roots: string[] = []
  try {
    for (const rows of [commitRows, manyFilesRows, queryRows]) {
      const root = await mkdtemp(path.join(tmpdir(), 'smarthouse-bench-lake-'))
      roots.push(root)
      printRows(await rows(root, engine))
    }
  } finally {
    for (const root of roots) await rm(root, { recursive: true, force: true })
  }
}
await engine.close()
