import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { createFleet } from '../../../src/1-source/simulator/devices.ts'
import { parseRate, readingSeconds } from '../../../src/1-source/simulator/schedule.ts'
import { createSimulation } from '../../../src/1-source/simulator/simulate.ts'
import { truthLine } from '../../../src/1-source/simulator/truth.ts'
import { firstStartSpans } from '../../../src/1-source/simulator/run.ts'
import { isPlatformError } from '../../../src/errors.ts'
import type { Reading } from '../../../src/reading.ts'
import { SUMMER_S, WINTER_S, energyNwh, produce, readingOf, secondOf, slotStart, textOf } from './fixtures.ts'

test('the same seed gives the same bytes and the same truth, in batches of any size; another seed others', () => {
  const wanted = { faults: 'default', rate: '1/5s', forS: 7200 }
  const once = produce({ ...wanted, seed: 7, batch: 1 })
  const again = produce({ ...wanted, seed: 7, batch: 5000 })
  assert.deepEqual(once.texts, again.texts)
  assert.deepEqual(once.truth, again.truth)
  assert.notDeepEqual(once.texts, produce({ ...wanted, seed: 8 }).texts)
})

test('more devices change nothing about those that were there', () => {
  const wanted = { faults: 'default', rate: '1/10s', forS: 3600 * 3 }
  const ofFirstTen = (devices: number): string[] => {
    const known = new Set(createFleet(10, 7).devices.map((device) => device.deviceId))
    return produce({ ...wanted, devices })
      .messages.filter((message) => known.has(message.key))
      .map(textOf)
  }
  assert.deepEqual(ofFirstTen(13), ofFirstTen(10))
})

test('ten devices of two users: five types each, one reading a second each', () => {
  const { messages } = produce({ rate: '1/s', forS: 60 })
  assert.equal(messages.length, 600)
  const devices = new Map(messages.map((message) => [message.key, readingOf(message)]))
  assert.deepEqual(
    [...devices.values()].map((reading) => `${reading.user_id} ${reading.device_type}`).toSorted(),
    ['user_1', 'user_2'].flatMap((user) =>
      ['motion_sensor', 'security_camera', 'smart_bulb', 'smart_plug', 'thermostat'].map(
        (type) => `${user} ${type}`,
      ),
    ),
  )
  for (const [key, reading] of devices) {
    assert.equal(reading.device_id, key)
    assert.equal(reading.tenant_id, 'demo')
    assert.equal(typeof reading.power_usage, 'number')
    assert.equal(reading.status, 'online')
  }
})

test('readings lie on whole seconds and no interval crosses a quarter-hour, at any rate and begin', () => {
  const rates = ['1/s', '1/7s', '7/min', '1/min', '1/11s', '13/h', '4/h', '1/899s']
  fc.assert(
    fc.property(fc.constantFrom(...rates), fc.integer({ min: 0, max: 4000 }), (rate, offsetS) => {
      const fromS = WINTER_S + offsetS
      const { messages } = produce({ devices: 1, rate, fromS, forS: 2700 })
      let previousS = fromS
      for (const reading of messages.map(readingOf)) {
        assert.match(reading.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
        const timeS = secondOf(reading)
        assert.ok(timeS > previousS)
        // (previous, time] within one (start, end]: the first second after `previous` is in the same quarter-hour
        assert.equal(slotStart(previousS + 1), slotStart(timeS))
        previousS = timeS
      }
    }),
    { numRuns: 60 },
  )
})

test('a rate that does not divide the quarter-hour has one shorter interval at its end', () => {
  // 7, 14, …, 896 are 128 readings; then the boundary
  const seconds = readingSeconds(parseRate('1/7s'))
  assert.equal(seconds.length, 129)
  assert.deepEqual(seconds.slice(-3), [889, 896, 900])
  // 7 a minute: 60/7 = 8.57 s, 17.14 s, 25.71 s, …
  assert.deepEqual(readingSeconds(parseRate('7/min')).slice(0, 8), [8, 17, 25, 34, 42, 51, 60, 68])
  assert.deepEqual(readingSeconds(parseRate('4/h')), [900])
})

test('rates that no reading on whole seconds can have, or that would cross a quarter-hour, are refused', () => {
  for (const text of ['2/s', '1/h', '0/s', '1/0s', '1', 's', '1/d', '-1/s', '61/min', ''])
    assert.throws(
      () => parseRate(text),
      (error) => isPlatformError(error) && error.code === 'usage',
      text,
    )
})

const truthOf = (rate: string): string[] => produce({ rate, forS: 7200 }).truth.map(truthLine)

test('energy of a device and quarter-hour is the same at every rate, and the truth says it', () => {
  const everySecond = truthOf('1/s')
  // 2 h are 8 quarter-hours of 10 devices
  assert.equal(everySecond.length, 80)
  assert.deepEqual(truthOf('1/min'), everySecond)
  assert.deepEqual(truthOf('1/7s'), everySecond)
  assert.deepEqual(truthOf('4/h'), everySecond)
})

test('the truth is the sum of the readings of each quarter-hour', () => {
  const { messages, truth } = produce({ rate: '1/s', forS: 3600, fromS: WINTER_S + 25_000 })
  const sums = new Map<string, bigint>()
  for (const reading of messages.map(readingOf)) {
    const key = `${reading.device_id} ${slotStart(secondOf(reading))}`
    sums.set(key, (sums.get(key) ?? 0n) + energyNwh(reading))
  }
  const told = new Map(truth.map((row) => [`${row.deviceId} ${row.quarterS}`, BigInt(row.energyNwh)]))
  assert.deepEqual(told, sums)
})

test('energy is the integral of the power: at one reading a second, power × 1 s', () => {
  const { messages } = produce({ rate: '1/s', forS: 900, fromS: WINTER_S + 66_600 })
  const watts = new Map<string, number>()
  const nwh = new Map<string, bigint>()
  for (const reading of messages.map(readingOf)) {
    const id = reading.device_id
    watts.set(id, (watts.get(id) ?? 0) + Math.round(reading.power_usage! * 1000))
    nwh.set(id, (nwh.get(id) ?? 0n) + energyNwh(reading))
    // 1 W for 1 s = 1/3600 Wh; a reading is off by less than 1 nWh
    assert.ok(Math.abs(reading.energy_consumption_wh! - reading.power_usage! / 3600) <= 1.1e-9)
  }
  // 1 mW s = 10⁶/3600 nWh = 2500/9 nWh, rounded down once for the whole quarter-hour
  for (const [id, milliwattSeconds] of watts)
    assert.equal(nwh.get(id), (BigInt(milliwattSeconds) * 2500n) / 9n)
})

test('a line of the truth: UTC start, nine decimals, faults between semicolons', () => {
  const quarterS = Date.UTC(2025, 2, 30, 1, 15) / 1000
  assert.equal(
    truthLine({ deviceId: 'd', quarterS, energyNwh: 12_000_000_345, faults: ['missing', 'spike'] }),
    'd,2025-03-30T01:15:00Z,12.000000345,missing;spike',
  )
  assert.equal(
    truthLine({ deviceId: 'd', quarterS, energyNwh: 7, faults: [] }),
    'd,2025-03-30T01:15:00Z,0.000000007,',
  )
})

/** From 10:15, where the quarter-hour of the seam begins, to 10:26:40, nWh. */
const seamNwh = (all: Reading[], id: string): bigint =>
  all
    .filter((r) => r.device_id === id && secondOf(r) > SUMMER_S + 36_900 && secondOf(r) <= SUMMER_S + 37_600)
    .reduce((sum, r) => sum + energyNwh(r), 0n)

test('the first start: history by the minute, then live by the second, without a gap and nothing twice', () => {
  const nowS = SUMMER_S + 36_000 + 17 * 60 + 42 // 10:17:42
  const rates = { history: parseRate('1/min'), live: parseRate('1/s') }
  const spans = firstStartSpans(nowS * 1000 + 321, { days: 2 / 24, rate: rates.history }, rates.live)
  // 10:17:00 is the last whole minute; two hours before it is 08:17, in the quarter-hour that begins at 08:15
  assert.equal(spans[0]!.toS, SUMMER_S + 36_000 + 17 * 60)
  assert.equal(spans[0]!.fromS, SUMMER_S + 8 * 3600 + 900)
  const options = { devices: 5, seed: 7, tenantId: 'demo', timeZone: 'UTC', faults: [] }
  const split = createSimulation({ ...options, spans })
  const readings = split.next((nowS + 600) * 1000, Infinity).map(readingOf)
  const backfill = readings.filter((reading) => reading.ingest_kind === 'backfill')
  assert.equal(backfill.length, 5 * 122)
  const firstLive = readings.find((reading) => reading.ingest_kind === undefined)!
  assert.equal(firstLive.timestamp, '2025-07-16T10:17:01Z')
  // the quarter-hour of the seam holds what a plain run at one a second holds
  const plain = produce({ devices: 5, rate: '1/s', fromS: SUMMER_S + 36_900, forS: 700 }).messages.map(
    readingOf,
  )
  for (const id of new Set(plain.map((reading) => reading.device_id))) {
    assert.ok(seamNwh(plain, id) > 0n)
    assert.equal(seamNwh(readings, id), seamNwh(plain, id), id)
  }
})

test('the catalogue of the demo house names its ten devices as they are', () => {
  const lines = readFileSync(new URL('../../../config/device_catalog.csv', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  const columns = lines[0]!.split(',')
  const rows = lines.slice(1).map((line) => {
    const cells = line.split(',')
    return Object.fromEntries(columns.map((column, i) => [column, cells[i]!]))
  })
  const told = rows.map((row) => [
    row['tenant_id'],
    row['device_id'],
    row['device_type'],
    row['user_id'],
    row['location'],
    row['manufacturer'],
    row['model'],
    Number(row['rated_power_w']),
  ])
  const built = createFleet(10, 7).devices.map(({ deviceId, deviceType, userId, location, product }) => [
    'demo',
    deviceId,
    deviceType,
    userId,
    location,
    product.manufacturer,
    product.model,
    product.ratedPowerW,
  ])
  assert.deepEqual(told.toSorted(), built.toSorted())
})
