import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import type { StreamLog, StreamMessage } from '../../src/2-stream/log.ts'
import { openEmbeddedLog } from '../../src/2-stream/embedded.ts'
import { createBronzeStage } from '../../src/3-bronze/land.ts'
import { isPlatformError } from '../../src/errors.ts'
import { openDuckDb, openLake } from '../../src/lake/index.ts'
import { openHouse, type House } from './house.ts'

function readings(count: number, from = 0): StreamMessage[] {
  return Array.from({ length: count }, (_, n) => ({
    key: null,
    value: Buffer.from(`{"device_id":"d","timestamp":"2024-01-15T10:30:00Z","power_usage":${from + n}}`),
  }))
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
const withCode = (code: string) => (error: unknown) => isPlatformError(error) && error.code === code

describe('landing', () => {
  let house: House
  beforeEach(async () => {
    house = await openHouse(undefined, { maxRecords: 1_000 })
  })
  afterEach(() => house.remove())

  const powers = async (): Promise<number[]> => (await house.rows()).map((row) => Number(row.power_usage))
  /** Another worker on the same folder, with an engine of its own. */
  const worker = async (log: StreamLog = house.log) => {
    const engine = await openDuckDb({ threads: 1 })
    const lake = await openLake({ root: join(house.dir, 'lake'), engine })
    const stage = await createBronzeStage({ lake, engine, log, maxRecords: 300 })
    const close = async (): Promise<void> => {
      await stage.close()
      await lake.close()
      await engine.close()
    }
    return { stage, close }
  }

  test('steps are bounded, say whether more is there, and commit nothing where nothing is new', async () => {
    await house.log.append(readings(2_500))
    const reports = [await house.stage.step({ final: false }), await house.stage.step({ final: false })]
    reports.push(await house.stage.step({ final: false }))
    assert.deepEqual(
      reports.map(({ rows, more }) => [rows, more]),
      [
        [1_000, true],
        [1_000, true],
        [500, false],
      ],
    )
    const { version, txns } = await house.lake.snapshot('bronze.telemetry')
    assert.equal(txns.get('stream:smart_home.telemetry/0'), 2_501)
    assert.equal((await house.stage.step({ final: true })).rows, 0)
    assert.equal((await house.lake.snapshot('bronze.telemetry')).version, version)
    assert.deepEqual(await powers(), upTo(2_500))
  })

  test('the date of ingestion is the UTC date of the time of ingestion, at its first and last moment', async () => {
    let nowMs = 0
    const log = await openEmbeddedLog({ dir: join(house.dir, 'clocked'), nowMs: () => nowMs })
    const { stage, close } = await worker(log)
    const times = ['2026-03-28T00:00:00.000', '2026-03-28T12:00:00.000', '2026-03-28T23:59:59.999']
    for (const time of times) {
      nowMs = Date.parse(`${time}Z`)
      await log.append(readings(1))
    }
    await stage.step({ final: true })
    const rows = await house.rows()
    assert.deepEqual(
      rows.map(({ ingestion_time, ingestion_date }) => [ingestion_time, ingestion_date]),
      times.map((time) => [`${time}000Z`, '2026-03-28']),
    )
    await close()
    await log.close()
  })

  test('messages of some MB land whole beside small ones, in one step', async () => {
    const large = Array.from({ length: 4 }, (_, n) => ({
      key: null,
      value: Buffer.from(`{"device_id":"d","power_usage":${n},"note":"${'x'.repeat(3_000_000)}"}`),
    }))
    await house.log.append([...large, ...readings(3, 4)])
    assert.equal((await house.stage.step({ final: true })).rows, 7)
    const rows = await house.rows()
    assert.deepEqual(
      rows.map(({ power_usage, raw }) => [power_usage, typeof raw === 'string' ? raw.length : null]),
      [...large.map(({ value }, n) => [n, value.length]), ...[4, 5, 6].map((n) => [n, null])],
    )
  })

  test('SIGKILL while landing, again and again: every reading once', async () => {
    await house.log.append(readings(12_000))
    for (let kill = 0; kill < 4; kill++) {
      const child = fileURLToPath(new URL('landing.ts', import.meta.url))
      const landing = spawn(process.execPath, [child, house.dir], { stdio: ['ignore', 'pipe', 'inherit'] })
      let steps = 0
      for await (const line of createInterface({ input: landing.stdout })) {
        // After the first step, at some moment of the next one.
        if (line !== '' && ++steps === 1) setTimeout(() => landing.kill('SIGKILL'), kill * 9)
      }
    }
    await house.landAll()
    assert.deepEqual(await powers(), upTo(12_000))
  })

  test('workers that land the same stream at once: every reading once', async () => {
    const workers = [await worker(), await worker()]
    let appended = 0
    const appending = (async () => {
      for (; appended < 3_000; appended += 250) await house.log.append(readings(250, appended))
    })()
    await Promise.all(
      workers.map(async ({ stage }) => {
        for (let step = 0; step < 12; step++) await stage.step({ final: false })
      }),
    )
    await appending
    await house.landAll()
    assert.deepEqual(await powers(), upTo(3_000))
    for (const { close } of workers) await close()
  })

  test('a worker that was overtaken between reading and committing commits nothing', async () => {
    await house.log.append(readings(100))
    let overtaken = false
    const slow: StreamLog = {
      topic: house.log.topic,
      id: house.log.id,
      hasHoles: false,
      append: (messages) => house.log.append(messages),
      bounds: () => house.log.bounds(),
      trim: (partition, offset) => house.log.trim(partition, offset),
      close: () => house.log.close(),
      async read(options) {
        const records = await house.log.read(options)
        if (overtaken) return records
        overtaken = true
        await house.stage.step({ final: false })
        // The late worker reads on, so that its batch reaches further than what has been landed meanwhile.
        await house.log.append(readings(1, 100))
        return records
      },
    }
    const late = await worker(slow)
    const report = await late.stage.step({ final: false })
    assert.deepEqual([report.rows, report.more], [0, true])
    await house.landAll()
    assert.deepEqual(await powers(), upTo(101))
    await late.close()
  })

  test('records below the expected offset are passed over, a hole above it is said', async () => {
    await house.log.append(readings(10))
    const changed = (change: (offsets: number[]) => number[]): StreamLog => ({
      ...({ topic: house.log.topic, id: house.log.id, hasHoles: false } as StreamLog),
      bounds: () => house.log.bounds(),
      async read(options) {
        const all = await house.log.read({ ...options, offset: 1, maxRecords: 100 })
        const wanted = new Set(change(all.map((record) => record.offset)))
        const records = all.filter((record) => wanted.has(record.offset))
        return options.offset > 10 ? [] : records
      },
    })
    const holed = await worker(changed((offsets) => offsets.filter((offset) => offset !== 4)))
    await assert.rejects(holed.stage.step({ final: false }), withCode('stream_gap'))
    await holed.close()
    await house.stage.step({ final: false })
    await house.log.append(readings(2, 10))
    const repeating = await worker({
      ...changed((offsets) => offsets),
      async read(options) {
        // Three records too early.
        return options.offset > 12 ? [] : house.log.read({ ...options, offset: options.offset - 3 })
      },
    })
    assert.equal((await repeating.stage.step({ final: false })).rows, 2)
    assert.deepEqual(await powers(), upTo(12))
    await repeating.close()
  })

  test('a stream that ends before what Bronze has landed is refused', async () => {
    await house.log.append(readings(10))
    await house.landAll()
    const replaced = await openEmbeddedLog({ dir: join(house.dir, 'other') })
    const behind = await worker(replaced)
    await assert.rejects(behind.stage.step({ final: false }), withCode('stream_behind_lake'))
    await behind.close()
    await replaced.close()
  })

  test('what was landed is trimmed once it is old enough, what was not landed never', async () => {
    let nowMs = Date.now() - 7_200_000
    const log = await openEmbeddedLog({ dir: join(house.dir, 'timed'), nowMs: () => nowMs })
    const own = await openHouse(join(house.dir, 'timed'), { log, keepStreamMs: 3_600_000 })
    await log.append(readings(5))
    await log.append(readings(5, 5))
    nowMs = Date.now()
    await log.append(readings(3, 10))
    await own.stage.step({ final: false })
    assert.deepEqual(await log.bounds(), [{ partition: 0, start: 11, end: 14 }])
    assert.equal((await own.rows()).length, 13)
    await own.close()
  })

  test('whatever bytes arrive, each message becomes rows, and the engine takes all that was typed', async () => {
    const field = fc.constantFrom(
      'device_id',
      'timestamp',
      'power_usage',
      'metrics',
      'status',
      'raw',
      'tenant_id',
    )
    const text = fc.string({ unit: 'binary', maxLength: 12 })
    const number = fc.oneof(
      fc.double(),
      fc.bigInt().map(String),
      fc.constantFrom('1e400', '-0', '1E-400', '0.1e1'),
    )
    const value = fc.oneof(text, number, fc.boolean(), fc.constant(null), fc.dictionary(text, fc.double()))
    const json = fc
      .dictionary(fc.oneof(field, text), value)
      .map((object) => JSON.stringify(object).replaceAll('"1e400"', '1e400'))
    const message = fc.oneof(
      json,
      fc.json(),
      fc.array(json, { maxLength: 3 }).map((all) => `[${all.join(',')}]`),
      text,
    )
    const bytes = fc.oneof(
      message.map((written) => Buffer.from(written)),
      fc.uint8Array({ maxLength: 30 }).map((all) => Buffer.from(all)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { minLength: 50, maxLength: 100 }), async (values) => {
        const [before] = await house.log.bounds()
        await house.log.append(values.map((one) => ({ key: null, value: one })))
        await house.landAll()
        const rows = (await house.rows()).filter((row) => Number(row.stream_offset) >= before!.end)
        assert.equal(new Set(rows.map((row) => row.stream_offset)).size, values.length)
      }),
      { numRuns: 15 },
    )
  })
})
