import { test } from 'node:test'
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { StreamMessage } from '../../../src/2-stream/log.ts'
import { isPlatformError } from '../../../src/errors.ts'
import { parseFaults } from '../../../src/1-source/simulator/faults.ts'
import type { Clock } from '../../../src/1-source/simulator/pace.ts'
import { runSimulation, spansOf, type RunOptions } from '../../../src/1-source/simulator/run.ts'
import { parseRate } from '../../../src/1-source/simulator/schedule.ts'
import { WINTER_S, energyNwh, produce, readingOf, secondOf, slotStart, textOf } from './fixtures.ts'

const NOW_MS = (WINTER_S + 12 * 3600) * 1000 + 250

/** A clock that moves only when somebody sleeps, or when it is told to. */
class HandClock implements Clock {
  ms = NOW_MS
  slept = 0
  nowMs(): number {
    return this.ms
  }
  sleep(ms: number): Promise<void> {
    assert.ok(ms > 0)
    this.slept += 1
    this.ms += ms
    return Promise.resolve()
  }
}

/** A log that keeps what it gets, and how far the clock was then. */
class KeptLog {
  readonly arrived: { message: StreamMessage; atMs: number }[] = []
  readonly clock: Clock
  inFlight = 0
  constructor(clock: Clock) {
    this.clock = clock
  }
  async append(messages: readonly StreamMessage[]): Promise<void> {
    this.inFlight += 1
    assert.equal(this.inFlight, 1, 'the next batch waits for the last one')
    await new Promise((resolve) => setImmediate(resolve))
    for (const message of messages) this.arrived.push({ message, atMs: this.clock.nowMs() })
    this.inFlight -= 1
  }
}

const OPTIONS: Omit<RunOptions, 'to'> = {
  devices: 10,
  rate: parseRate('1/min'),
  seed: 7,
  faults: [],
  tenantId: 'demo',
  timeZone: 'UTC',
}

function inTemp(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'simulator-'))
  return use(folder).finally(() => rmSync(folder, { recursive: true }))
}

test('a stretch of time goes to the log as fast as it can, with its truth beside it', () =>
  inTemp(async (folder) => {
    const clock = new HandClock()
    const log = new KeptLog(clock)
    const truthPath = join(folder, 'truth.csv')
    const faults = parseFaults('harmless')
    const report = await runSimulation({
      ...OPTIONS,
      faults,
      to: { log },
      forMs: 6 * 3600_000,
      truthPath,
      clock,
    })
    assert.equal(clock.slept, 0)
    assert.equal(report.readings, 10 * 360)
    assert.equal(report.messages, log.arrived.length)
    assert.equal(report.fromMs, (WINTER_S + 6 * 3600) * 1000)
    assert.equal(report.toMs, (WINTER_S + 12 * 3600) * 1000)
    const sums = new Map<string, bigint>()
    const seen = new Set<string>()
    for (const { message } of log.arrived) {
      if (seen.has(textOf(message))) continue
      seen.add(textOf(message))
      const reading = readingOf(message)
      assert.equal(message.key, reading.device_id)
      const slot = `${reading.device_id},${new Date(slotStart(secondOf(reading)) * 1000).toISOString().replace('.000Z', 'Z')}`
      sums.set(slot, (sums.get(slot) ?? 0n) + energyNwh(reading))
    }
    const [header, ...lines] = readFileSync(truthPath, 'utf8').trimEnd().split('\n')
    assert.equal(header, 'device_id,quarter_hour,energy_wh,faults')
    const told = lines.map((line) => {
      const [device, quarter, energy] = line.split(',')
      return [`${device},${quarter}`, BigInt(energy!.replace('.', ''))] as const
    })
    assert.equal(told.length, 24 * 10)
    assert.deepEqual(new Map(told), sums)
    assert.deepEqual(readdirSync(folder), ['truth.csv'])
  }))

test('JSON lines hold the same readings as the stream', async () => {
  const clock = new HandClock()
  const chunks: Buffer[] = []
  const out = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      setImmediate(done)
    },
  })
  await runSimulation({ ...OPTIONS, to: { out }, fromMs: WINTER_S * 1000, forMs: 3600_000, clock })
  assert.deepEqual(Buffer.concat(chunks).toString().trimEnd().split('\n'), produce().texts)
})

test('at a speed, event time is never ahead of the speed nor of the clock, and goes on live once it has caught up', async () => {
  const clock = new HandClock()
  const log = new KeptLog(clock)
  const stop = new AbortController()
  const fromMs = (WINTER_S + 11 * 3600) * 1000
  await runSimulation({
    ...OPTIONS,
    rate: parseRate('1/s'),
    devices: 1,
    to: { log },
    speed: 60,
    fromMs,
    clock,
    signal: stop.signal,
    // an hour and 250 ms behind, 59 s nearer each second: caught up after 3,600.25 / 59 = 61.02 s
    onProgress: () => clock.ms > NOW_MS + 90_000 && stop.abort(),
  })
  let lastS = fromMs / 1000
  for (const { message, atMs } of log.arrived) {
    const timeS = secondOf(readingOf(message))
    assert.equal(timeS, lastS + 1, 'no second is left out')
    lastS = timeS
    assert.ok(timeS * 1000 <= atMs)
    assert.ok(timeS * 1000 - fromMs <= (atMs - NOW_MS) * 60)
    if (atMs > NOW_MS + 63_000) assert.ok(atMs - timeS * 1000 <= 1000, 'live')
  }
  assert.ok(log.arrived.length > 3600)
})

test('an end that lies ahead of the clock is waited for', async () => {
  const clock = new HandClock()
  const log = new KeptLog(clock)
  await runSimulation({ ...OPTIONS, to: { log }, fromMs: NOW_MS - 120_000, forMs: 300_000, clock })
  assert.equal(log.arrived.length, 50)
  for (const { message, atMs } of log.arrived) assert.ok(secondOf(readingOf(message)) * 1000 <= atMs)
  assert.ok(clock.ms >= NOW_MS + 179_000)
})

test('stopped, it hands over what faults held back, and the truth agrees', () =>
  inTemp(async (folder) => {
    const clock = new HandClock()
    const log = new KeptLog(clock)
    const stop = new AbortController()
    const truthPath = join(folder, 'truth.csv')
    const report = await runSimulation({
      ...OPTIONS,
      rate: parseRate('1/10s'),
      to: { log },
      faults: parseFaults('late'),
      history: { days: 1 / 24, rate: parseRate('1/min') },
      truthPath,
      clock,
      signal: stop.signal,
      onProgress: () => clock.ms > NOW_MS + 2 * 3600_000 && stop.abort(),
    })
    assert.ok(report.faults.late! > 0)
    assert.equal(new Set(log.arrived.map(({ message }) => textOf(message))).size, report.readings)
    const arrivedNwh = log.arrived.reduce((sum, { message }) => sum + energyNwh(readingOf(message)), 0n)
    const toldNwh = readFileSync(truthPath, 'utf8')
      .trimEnd()
      .split('\n')
      .slice(1)
      .reduce((sum, line) => sum + BigInt(line.split(',')[2]!.replace('.', '')), 0n)
    assert.equal(arrivedNwh, toldNwh)
  }))

test('an error of the sink ends the run and leaves no truth behind', () =>
  inTemp(async (folder) => {
    const log = { append: () => Promise.reject(new Error('disk full')) }
    const truthPath = join(folder, 'truth.csv')
    const run = runSimulation({ ...OPTIONS, to: { log }, forMs: 3600_000, truthPath, clock: new HandClock() })
    await assert.rejects(run, /disk full/)
    assert.deepEqual(readdirSync(folder), [])
  }))

test('begins: now, a day ago with a speed only, `for` ago, or as named; never in the future', () => {
  const rate = parseRate('1/s')
  const nowS = Math.floor(NOW_MS / 1000)
  const begin = (options: Partial<RunOptions>): [number, number] => {
    const [span] = spansOf({ rate, ...options }, NOW_MS)
    return [nowS - span!.fromS, span!.toS - span!.fromS]
  }
  assert.deepEqual(begin({}), [0, Infinity])
  assert.deepEqual(begin({ speed: 60 }), [86_400, Infinity])
  assert.deepEqual(begin({ forMs: 600_000 }), [600, 600])
  assert.deepEqual(begin({ forMs: 600_000, speed: 5 }), [600, 600])
  assert.deepEqual(begin({ fromMs: NOW_MS - 60_000, forMs: 10_000 }), [60, 10])
  assert.throws(
    () => begin({ fromMs: NOW_MS + 5000 }),
    (error) => isPlatformError(error) && error.code === 'usage',
  )
})

test('nonsense is refused before anything is written', () =>
  inTemp(async (folder) => {
    const log = new KeptLog(new HandClock())
    const usage = (options: Partial<RunOptions>): Promise<void> =>
      assert.rejects(
        runSimulation({ ...OPTIONS, forMs: 1000, clock: log.clock, ...options, to: { log } }),
        (error) => isPlatformError(error) && error.code === 'usage',
      )
    await usage({ devices: 0 })
    await usage({ speed: 0 })
    await usage({ speed: Number.NaN })
    await usage({ truthPath: join(folder, 'no such folder', 'truth.csv') })
    assert.equal(log.arrived.length, 0)
    assert.equal(existsSync(join(folder, 'no such folder')), false)
  }))

test('a first start that was killed makes the same history again, so that it counts once', async () => {
  const clock = new HandClock()
  const firstMs = clock.ms
  const history = { days: 1 / 24, rate: parseRate('1/min'), nowMs: firstMs }
  const attempt = async (batches: number): Promise<string[]> => {
    const log = new KeptLog(clock)
    const stop = new AbortController()
    const onProgress = (): void => {
      if (log.arrived.length >= batches) stop.abort()
    }
    await runSimulation({ ...OPTIONS, to: { log }, history, clock, signal: stop.signal, onProgress })
    return log.arrived.map(({ message }) => textOf(message))
  }
  const killed = await attempt(1)
  clock.ms += 3600_000
  const again = await attempt(1)
  // an hour and up to a quarter of it, of 10 devices at one a minute
  assert.ok(killed.length >= 600 && killed.length <= 750)
  assert.deepEqual(again.slice(0, killed.length), killed)
})
