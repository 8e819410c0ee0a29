import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseLiveReadings } from '../../src/6-serve/live-reading.ts'
import { SeriesOfHome } from '../../src/6-serve/live-series.ts'
import { startLive, type Live } from '../../src/6-serve/live.ts'
import type { TimedReading } from '../../src/6-serve/live-reading.ts'
import { memoryLog, until, type MemoryLog } from './memory-log.ts'

const NOW_MS = Date.parse('2026-03-10T12:00:00Z')
const at = (agoS: number): string => new Date(NOW_MS - agoS * 1000).toISOString()
const parse = (value: unknown, receivedMs = NOW_MS) =>
  parseLiveReadings(
    typeof value === 'string' ? Buffer.from(value) : Buffer.from(JSON.stringify(value)),
    receivedMs,
    () => undefined,
  )

function following(log: MemoryLog): {
  live: Live
  heard: { readings: TimedReading[]; replayed: boolean }[]
  problems: (Error | null)[]
} {
  const heard: { readings: TimedReading[]; replayed: boolean }[] = []
  const problems: (Error | null)[] = []
  const live = startLive({
    log,
    factsOf: () => undefined,
    onReadings: (readings, replayed) => heard.push({ readings: [...readings], replayed }),
    onProblem: (problem) => problems.push(problem),
    clock: () => NOW_MS,
  })
  return { live, heard, problems }
}

test('a reading is taken as it is, its home `home` where it names none', () => {
  const [timed] = parse({
    device_id: 'a',
    timestamp: '2026-03-10T13:00:00+01:00',
    power_usage: 5,
    status: 'online',
  })
  assert.equal(timed!.reading.tenant_id, 'home')
  assert.equal(timed!.reading.timestamp, '2026-03-10T12:00:00.000Z')
  assert.equal(timed!.reading.power_usage, 5)
  assert.equal(timed!.reading.temperature, null)
})

test('a message may hold several readings; the rubbish among them is left out', () => {
  const good = { device_id: 'a', timestamp: at(0), power_usage: 1 }
  assert.equal(parse([good, null, 7, 'x', [], {}, { ...good, device_id: 'b' }]).length, 2)
})

test('backfill, times that cannot be and rubbish are no live readings', () => {
  const good = { device_id: 'a', timestamp: at(0) }
  assert.equal(parse(good).length, 1)
  for (const wrong of [
    { ...good, ingest_kind: 'backfill' },
    { ...good, timestamp: at(-601) },
    { ...good, timestamp: '1999-12-31T23:59:59Z' },
    { ...good, timestamp: '2026-03-10T12:00:00' },
    { ...good, timestamp: 1773144000 },
    { ...good, device_id: '  ' },
    { ...good, device_id: 7 },
    { ...good, device_id: 'x'.repeat(1000) },
    '{"device_id":"a","timestamp":',
    '',
  ])
    assert.deepEqual(parse(wrong), [], JSON.stringify(wrong))
})

test('values that no sensor measures do not flatten the charts', () => {
  const [timed] = parse({ device_id: 'a', timestamp: at(0), temperature: -127, power_usage: 1e300 })
  assert.deepEqual([timed!.reading.temperature, timed!.reading.power_usage], [null, null])
  const [text] = parse({ device_id: 'a', timestamp: at(0), temperature: '21', power_usage: { w: 3 } })
  assert.deepEqual([text!.reading.temperature, text!.reading.power_usage], [null, null])
})

test('no bytes break it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.ok(Array.isArray(parseLiveReadings(bytes, NOW_MS, () => undefined)))
    }),
  )
  fc.assert(
    fc.property(fc.json(), (json) => {
      assert.ok(Array.isArray(parse(json)))
    }),
  )
})

test('at the start the last ten minutes are read back, and nothing before them', async () => {
  const log = memoryLog()
  log.put(NOW_MS - 601_000, { device_id: 'before', timestamp: at(601) })
  log.put(NOW_MS - 599_000, { device_id: 'a', timestamp: at(599) })
  log.put(NOW_MS - 1_000, { device_id: 'b', timestamp: at(1) }, 'rubbish')
  const { live, heard } = following(log)
  await live.ready
  assert.deepEqual(
    live
      .home('home')!
      .recent(10)
      .map((reading) => reading.device_id),
    ['b', 'a'],
  )
  assert.ok(heard.every((batch) => batch.replayed))
  log.put(NOW_MS, { device_id: 'c', timestamp: at(0), tenant_id: 'other' })
  await until(() => live.home('other') !== undefined, 'the new reading')
  assert.equal(heard.at(-1)!.replayed, false)
  assert.equal(live.home('home')!.recent(10).length, 2)
  await live.close()
})

test('an empty stream is ready at once, and a stop does not wait', async () => {
  const { live } = following(memoryLog())
  const began = Date.now()
  await live.ready
  await live.close()
  assert.ok(Date.now() - began < 500)
})

test('what was trimmed in front of it is passed over, since Bronze has it', async () => {
  const log = memoryLog()
  const { live } = following(log)
  await live.ready
  log.fail = new Error('disk')
  log.put(NOW_MS, { device_id: 'gone', timestamp: at(0) }, { device_id: 'kept', timestamp: at(0) })
  await log.trim(0, 2)
  log.fail = null
  await until(() => live.home('home') !== undefined, 'the reading')
  assert.ok(
    live
      .home('home')!
      .recent(9)
      .some((reading) => reading.device_id === 'kept'),
  )
  await live.close()
})

test('a stream that fails is said, tried again, and its return is said', async () => {
  const log = memoryLog()
  log.fail = new Error('disk gone')
  const { live, problems } = following(log)
  await until(() => problems.length > 0, 'the problem')
  assert.equal(problems[0]!.message, 'disk gone')
  log.fail = null
  await until(() => problems.at(-1) === null, 'its end')
  await live.close()
})

test('the newest power is that of the newest event time, whatever came last', async () => {
  const log = memoryLog()
  log.put(
    NOW_MS,
    { device_id: 'a', timestamp: at(1), power_usage: 10 },
    { device_id: 'a', timestamp: at(9), power_usage: 99 },
    { device_id: 'b', channel: 'l1', timestamp: at(2), power_usage: 1 },
    { device_id: 'b', channel: 'l2', timestamp: at(3), power_usage: 2 },
    { device_id: 'c', timestamp: at(5), power_usage: 7 },
    { device_id: 'c', timestamp: at(4), status: 'offline' },
    { device_id: 'd', timestamp: at(400), power_usage: 50 },
  )
  const { live } = following(log)
  await live.ready
  const power = [...live.home('home')!.power(NOW_MS - 300_000)].map(([device, { power_w }]) => [
    device,
    power_w,
  ])
  // Channels of a device add up; an offline device and one that is too old have none.
  assert.deepEqual(power, [
    ['a', 10],
    ['b', 3],
  ])
  await live.close()
})

test('series: buckets by event time, null for gaps, the newest of a bucket', () => {
  const series = new SeriesOfHome()
  for (const [agoMs, power_usage] of [
    [2_000, 1],
    [1_900, 2],
    [1_950, 3],
    [0, 4],
    [700_000, 5],
  ])
    series.add(parse({ device_id: 'a', timestamp: new Date(NOW_MS - agoMs!).toISOString(), power_usage })[0]!)
  const { t, power, bucket_s } = series.columns(1, NOW_MS)
  assert.equal(bucket_s, 1)
  assert.deepEqual([t[0], t.length], [NOW_MS / 1000 - 59, 60])
  // 12:00:00 − 2 s holds 1, 3 and 2 by event time, so 2; the second between is a gap.
  assert.deepEqual(power.a!.slice(-3), [2, null, 4])
  const hour = series.columns(60, NOW_MS)
  assert.deepEqual([hour.bucket_s, hour.t.length, hour.power.a!.at(-1)], [10, 360, 4])
  // 700 s ago is ten buckets of ten seconds times seven before the last.
  assert.equal(hour.power.a!.at(-71), 5)
})

test('series of very many devices: the largest by power are kept, and the rest is counted', () => {
  const series = new SeriesOfHome()
  for (let i = 0; i < 60; i += 1)
    series.add(parse({ device_id: `d${i}`, timestamp: at(0), power_usage: i })[0]!)
  const columns = series.columns(5, NOW_MS)
  assert.deepEqual([Object.keys(columns.power).length, columns.omitted_devices], [50, 10])
  assert.equal(columns.power.d9, undefined)
  assert.ok(columns.power.d10)
})
