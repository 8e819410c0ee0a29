/**
 * Sustained load: 1,000 devices at one reading a second, with a burst ten times as dense in the middle. What was acknowledged is counted against
 * what Bronze and Silver hold afterwards; the lag is what waits before Gold. `--large`: five minutes with a burst of one, else one with ten seconds.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openEmbeddedLog } from '../src/2-stream/embedded.ts'
import type { StreamLog, StreamMessage } from '../src/2-stream/log.ts'
import type { DataStatus } from '../src/6-serve/contract.ts'
import { openLake } from '../src/lake/index.ts'
import { openBenchEngine } from './engine.ts'
import { freshness, freshnessRows, probeLive } from './freshness.ts'
import { residentMb, startHouse, until } from './house.ts'
import { printRows } from './rows.ts'

const DEVICES = 1_000
const BURST = 10
const PATIENCE_MS = 600_000
const large = process.argv.includes('--large')
const SECONDS = large ? { before: 120, burst: 60, after: 120 } : { before: 25, burst: 10, after: 25 }
const data = mkdtempSync(join(tmpdir(), 'smarthouse-bench-load-'))

/** One reading of each device; in a burst the same devices ten times in the second. */
function readingsOf(second: number, part: number, parts: number): StreamMessage[] {
  const timestamp = new Date(second * 1000 + (part * 1000) / parts).toISOString()
  return Array.from({ length: DEVICES }, (_, n) => ({
    key: `load-${n}`,
    value: Buffer.from(
      JSON.stringify({
        device_id: `load-${n}`,
        device_type: 'smart_plug',
        user_id: `user-${n % 100}`,
        timestamp,
        temperature: 20 + (n % 50) / 10,
        power_usage: 50 + ((n + second) % 200),
        status: 'online',
        alert: 'none',
        location: 'Kitchen',
        manufacturer: 'Acme',
        model: 'P1',
      }),
    ),
  }))
}

/** Each second's readings as that second begins; a second that is late is sent at once after the one before. */
async function send(
  log: StreamLog,
  seconds: number,
  parts: number,
): Promise<{ sent: number; slowestMs: number }> {
  const first = Math.ceil(Date.now() / 1000)
  let [sent, slowestMs] = [0, 0]
  for (let second = first; second < first + seconds; second++)
    for (let part = 0; part < parts; part++) {
      await sleep(Math.max(0, second * 1000 + (part * 1000) / parts - Date.now()))
      const beganMs = performance.now()
      await log.append(readingsOf(second, part, parts))
      slowestMs = Math.max(slowestMs, performance.now() - beganMs)
      sent += DEVICES
    }
  return { sent, slowestMs }
}

/** What was accepted and is not in Bronze, and how many commits the stages behind it have yet to work off. */
async function waiting(url: string): Promise<{ messages: number; commits: number }> {
  const answer = await fetch(`${url}/api/v1/data-status`)
  const { layers } = (await answer.json()) as DataStatus
  const lag = (unit: 'messages' | 'commits'): number =>
    layers.reduce((sum, layer) => sum + (layer.lag?.unit === unit ? layer.lag.value : 0), 0)
  return { messages: lag('messages'), commits: lag('commits') }
}

/** Rows and distinct readings of the load in a layer. */
async function held(table: string): Promise<{ rows: number; distinct: number }> {
  const engine = await openBenchEngine()
  const lake = await openLake({ root: join(data, 'lake'), engine })
  const session = await engine.session()
  const { files } = await lake.snapshot(table)
  const [row] = await session.rows<{ rows: number; distinct: number }>(
    `SELECT count(*)::DOUBLE AS rows, count(DISTINCT device_id || timestamp::VARCHAR)::DOUBLE AS "distinct"
     FROM ${lake.scan(table, files)} WHERE device_id LIKE 'load-%'`,
  )
  session.close()
  await lake.close()
  await engine.close()
  return row!
}

const house = await startHouse(data, ['--no-simulator'])
const log = await openEmbeddedLog({ dir: join(data, 'stream') })
let [mostMb, mostWaiting] = [0, 0]
const watch = setInterval(() => {
  mostMb = Math.max(mostMb, residentMb(house.pid) ?? 0)
  void waiting(house.url).then(({ messages }) => (mostWaiting = Math.max(mostWaiting, messages)))
}, 1000)
try {
  const fromMs = Date.now()
  const live = probeLive(house.url, SECONDS.before * 1000)
  const before = await send(log, SECONDS.before, 1)
  const liveMs = await live
  const steadyToMs = Date.now() - 15_000
  const burst = await send(log, SECONDS.burst, BURST)
  const burstEndedMs = performance.now()
  const after = send(log, SECONDS.after, 1)
  // What is always on its way: some seconds of readings, and the newest commits.
  const isUsual = async (messages: number, commits: number): Promise<true | undefined> => {
    const now = await waiting(house.url)
    return now.messages <= messages && now.commits <= commits ? true : undefined
  }
  await until('the lag to go', () => isUsual(3 * DEVICES, 4), PATIENCE_MS)
  const lagGoneS = (performance.now() - burstEndedMs) / 1000
  const rest = await after
  await until('all to be worked off', () => isUsual(0, 0), PATIENCE_MS)
  clearInterval(watch)
  const sent = before.sent + burst.sent + rest.sent
  const [bronze, silver] = [await held('bronze.telemetry'), await held('silver.readings')]
  const name = `${DEVICES.toLocaleString('en')} devices at 1/s, ${BURST} × for ${SECONDS.burst} s`
  printRows([
    {
      what: `${name}: acknowledged, not in Bronze`,
      figure: sent - bronze.distinct,
      unit: 'readings',
      budget: { atMost: 0 },
      data: `${sent.toLocaleString('en')} readings`,
    },
    {
      what: `${name}: in Bronze twice`,
      figure: bronze.rows - bronze.distinct,
      unit: 'readings',
      budget: { atMost: 0 },
    },
    {
      what: `${name}: acknowledged, not in Silver`,
      figure: sent - silver.distinct,
      unit: 'readings',
      budget: { atMost: 0 },
    },
    {
      what: `${name}: in Silver twice`,
      figure: silver.rows - silver.distinct,
      unit: 'readings',
      budget: { atMost: 0 },
    },
    {
      what: `${name}: slowest acknowledgement of 1,000`,
      figure: Math.max(before.slowestMs, burst.slowestMs, rest.slowestMs),
      unit: 'ms',
    },
    { what: `${name}: most that waited before Bronze`, figure: mostWaiting, unit: 'readings' },
    { what: `${name}: from the burst's end until no lag`, figure: lagGoneS, unit: 's' },
    { what: `${name}: most resident memory`, figure: mostMb, unit: 'MB' },
  ])
  printRows(freshnessRows('1,000 readings/s', liveMs, await freshness(data, fromMs, steadyToMs)))
} finally {
  clearInterval(watch)
  await log.close()
  await house.stop()
  rmSync(data, { recursive: true, force: true })
}
