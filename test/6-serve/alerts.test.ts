import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAlertWatch } from '../../src/6-serve/alerts.ts'
import { parseLiveReadings } from '../../src/6-serve/live-reading.ts'

const START_MS = Date.parse('2026-03-10T12:00:00Z')
const THRESHOLDS = { high_temperature_c: 35, low_temperature_c: 5, high_power_w: 3500, offline_s: 300 }

/** A reading at so many seconds, received then. */
const before = (second: number) =>
  parseLiveReadings(
    Buffer.from(
      JSON.stringify({ device_id: 'd', timestamp: new Date(START_MS + second * 1000).toISOString() }),
    ),
    START_MS + second * 1000,
    () => undefined,
  )

function watch(expectedIntervalS?: number) {
  let nowMs = START_MS
  const alerts = createAlertWatch({
    thresholds: THRESHOLDS,
    expectedIntervalS: () => expectedIntervalS,
    clock: () => nowMs,
  })
  return {
    alerts,
    /** A reading at so many seconds, received then unless said otherwise. */
    says: (second: number, fields: object, eventSecond = second) => {
      nowMs = START_MS + second * 1000
      const timestamp = new Date(START_MS + eventSecond * 1000).toISOString()
      const value = Buffer.from(JSON.stringify({ device_id: 'd', timestamp, ...fields }))
      return alerts
        .observe(parseLiveReadings(value, nowMs, () => undefined))
        .map((alert) => `${alert.name} ${alert.state}`)
    },
    waits: (second: number) => {
      nowMs = START_MS + second * 1000
      return alerts.tick().map((alert) => `${alert.name} ${alert.state}`)
    },
  }
}

test('a temperature above its limit opens once, and resolves a degree below', () => {
  const { says, alerts } = watch()
  assert.deepEqual(says(0, { temperature: 35 }), [])
  assert.deepEqual(says(1, { temperature: 35.1 }), ['high_temperature open'])
  assert.deepEqual(says(2, { temperature: 40 }), [])
  assert.deepEqual(says(3, { temperature: 34.5 }), [])
  const [open] = alerts.open('home')
  assert.deepEqual([open!.value, open!.limit, open!.unit, open!.severity], [34.5, 35, '°C', 'critical'])
  assert.equal(open!.since, '2026-03-10T12:00:01.000Z')
  assert.equal(open!.text, 'd: temperature 34.5 °C, above the limit of 35 °C.')
  assert.deepEqual(says(4, { temperature: 34 }), ['high_temperature resolved'])
  assert.deepEqual(alerts.open('home'), [])
})

test('low temperature and high power have their own limits', () => {
  const { says } = watch()
  assert.deepEqual(says(0, { temperature: 4.9, power_usage: 3501 }), [
    'low_temperature open',
    'high_power open',
  ])
  // 5 % below 3500 W is 3325 W.
  assert.deepEqual(says(1, { temperature: 5.9, power_usage: 3326 }), [])
  assert.deepEqual(says(2, { temperature: 6, power_usage: 3325 }), [
    'low_temperature resolved',
    'high_power resolved',
  ])
})

test('a late reading says nothing about now', () => {
  const { says } = watch()
  says(10, { temperature: 20 })
  assert.deepEqual(says(11, { temperature: 50 }, 5), [])
})

test('a device that has been regular and is silent for longer than the limit is offline until it speaks', () => {
  const { says, waits, alerts } = watch()
  says(0, { power_usage: 1 })
  says(60, { power_usage: 1 })
  assert.deepEqual(waits(360), [])
  assert.deepEqual(waits(361), ['offline open'])
  assert.deepEqual(waits(400), [])
  // 400 − 60 s of silence.
  assert.equal(alerts.open('home')[0]!.value, 340)
  assert.deepEqual(says(401, { power_usage: 1 }), ['offline resolved'])
})

test('a device that speaks once an hour is not offline in between', () => {
  const { says, waits } = watch()
  says(0, { temperature: 20 })
  says(3600, { temperature: 20 })
  assert.deepEqual(waits(7000), [])
})

test('the catalogue may say that a device speaks more rarely: three times its interval', () => {
  const { says, waits } = watch(600)
  says(0, { temperature: 20 })
  says(600, { temperature: 20 })
  assert.deepEqual(waits(600 + 1800), [])
  assert.deepEqual(waits(600 + 1801), ['offline open'])
})

test("time before the start of the watch is nobody's silence", () => {
  const { alerts, waits } = watch()
  alerts.observe([...before(-500), ...before(-400)])
  assert.deepEqual(waits(1), [])
  assert.deepEqual(waits(301), ['offline open'])
})

test('a device that says that it is offline is, at once', () => {
  const { says } = watch()
  assert.deepEqual(says(0, { status: 'offline' }), ['offline open'])
  assert.deepEqual(says(1, { status: 'offline' }), [])
  assert.deepEqual(says(2, { status: 'online' }), ['offline resolved'])
})

test('what a device says itself: another word replaces it, none resolves it, no word says nothing', () => {
  const { says, alerts } = watch()
  assert.deepEqual(says(0, { alert: 'low_battery' }), ['low_battery open'])
  assert.equal(alerts.open('home')[0]!.kind, 'device')
  assert.deepEqual(says(1, { alert: 'low_battery' }), [])
  assert.deepEqual(says(2, { temperature: 20 }), [])
  assert.deepEqual(says(3, { alert: 'maintenance_required' }), [
    'low_battery resolved',
    'maintenance_required open',
  ])
  assert.deepEqual(says(4, { alert: 'none' }), ['maintenance_required resolved'])
})

test('where our limit and the device say the same there is one alert, the one with the value', () => {
  const { says, alerts } = watch()
  assert.deepEqual(says(0, { alert: 'high_temperature', temperature: 30 }), ['high_temperature open'])
  assert.deepEqual(says(1, { alert: 'high_temperature', temperature: 36 }), [
    'high_temperature resolved',
    'high_temperature open',
  ])
  assert.deepEqual(
    alerts.open('home').map((alert) => [alert.name, alert.value]),
    [['high_temperature', 36]],
  )
})

test('critical ones come first, homes are apart', () => {
  const { says, alerts } = watch()
  says(0, { device_id: 'a', temperature: 50 })
  says(1, { device_id: 'b', alert: 'low_battery' })
  says(2, { device_id: 'c', temperature: 50, tenant_id: 'other' })
  assert.deepEqual(
    alerts.open('home').map((alert) => alert.device_id),
    ['a', 'b'],
  )
  assert.deepEqual(
    alerts.open('other').map((alert) => alert.device_id),
    ['c'],
  )
})
