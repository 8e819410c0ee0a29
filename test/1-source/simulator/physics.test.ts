import { test } from 'node:test'
import assert from 'node:assert/strict'
import { createClimate } from '../../../src/1-source/simulator/climate.ts'
import { createFleet, type Device } from '../../../src/1-source/simulator/devices.ts'
import { PLACE, createPeople, peopleAt } from '../../../src/1-source/simulator/people.ts'
import { SUMMER_S, WINTER_S, produce, readingOf, secondOf } from './fixtures.ts'

/** Runs houses through whole days and looks at every quarter-hour of every device. */
function live(options: { fromS: number; days: number; devices?: number }, look: (device: Device) => void) {
  const climate = createClimate(7, 'UTC')
  const fleet = createFleet(options.devices ?? 10, 7)
  for (let n = 0; n < options.days * 96; n += 1) {
    const quarter = climate.quarter(options.fromS + n * 900)
    for (const house of fleet.houses) house.advance(quarter)
    for (const device of fleet.devices) {
      device.physics.advance(quarter, device.powerMw)
      look(device)
    }
  }
}

test('power is never negative and never above what the device is rated for', () => {
  for (const fromS of [WINTER_S, SUMMER_S])
    live({ fromS, days: 7, devices: 20 }, ({ powerMw, product, deviceId }) => {
      for (const mw of powerMw) assert.ok(mw > 0 && mw <= product.ratedPowerW * 1000, `${deviceId}: ${mw} mW`)
    })
})

const heatedKwhPerDay = (fromS: number): number => {
  let milliwattSeconds = 0
  live({ fromS, days: 7 }, ({ deviceType, powerMw, physics }) => {
    if (deviceType !== 'thermostat') return
    for (const mw of powerMw) milliwattSeconds += mw
    const temperatureC = physics.temperatureC(899)!
    assert.ok(temperatureC > 8 && temperatureC < 34, `${temperatureC} °C`)
  })
  return milliwattSeconds / 3.6e9 / 7 / 2
}

test('a heated room stays near its setpoints in winter and is heated less in summer', () => {
  const winter = heatedKwhPerDay(WINTER_S)
  // 38–50 W/K against some 18 K for 24 h: 16–22 kWh, less people, sun and setback
  assert.ok(winter > 8 && winter < 24, `${winter} kWh a day`)
  assert.ok(heatedKwhPerDay(SUMMER_S) < winter / 20)
})

test('the colder it is outside, the larger the share of the time that the heater is on', () => {
  const climate = createClimate(7, 'UTC')
  const fleet = createFleet(1, 7)
  const days: { outdoorC: number; duty: number }[] = []
  for (let day = 0; day < 60; day += 1) {
    let on = 0
    let outdoorC = 0
    for (let n = 0; n < 96; n += 1) {
      const quarter = climate.quarter(WINTER_S - 30 * 86_400 + day * 86_400 + n * 900)
      fleet.houses[0]!.advance(quarter)
      outdoorC += quarter.outdoorC[0]! / 96
      for (const mw of fleet.houses[0]!.room.heaterMw) if (mw > 100_000) on += 1
    }
    days.push({ outdoorC, duty: on / 86_400 })
  }
  const mean = (part: typeof days): number => part.reduce((sum, { duty }) => sum + duty, 0) / part.length
  const byCold = days.toSorted((a, b) => a.outdoorC - b.outdoorC)
  assert.ok(mean(byCold.slice(0, 20)) > mean(byCold.slice(-20)) * 1.15)
})

test('the heater switches with hysteresis: it stays on or off for minutes, not seconds', () => {
  const switchedAt: number[] = []
  const power = produce({ devices: 1, rate: '1/s', forS: 6 * 3600, fromS: WINTER_S + 36_000 }).messages.map(
    readingOf,
  )
  for (let i = 1; i < power.length; i += 1)
    if (power[i]!.power_usage! > 100 !== power[i - 1]!.power_usage! > 100)
      switchedAt.push(secondOf(power[i]!))
  assert.ok(switchedAt.length >= 6, `${switchedAt.length} switches`)
  for (let i = 1; i < switchedAt.length; i += 1)
    assert.ok(switchedAt[i]! - switchedAt[i - 1]! >= 120, `${switchedAt[i]! - switchedAt[i - 1]!} s`)
})

test('bulbs are dark by day and while everybody sleeps, and lit on winter evenings', () => {
  const litAt = Array.from({ length: 24 }, () => 0)
  for (const reading of produce({ rate: '1/min', forS: 7 * 86_400 }).messages.map(readingOf))
    if (reading.device_type === 'smart_bulb' && reading.power_usage! > 1)
      litAt[new Date(reading.timestamp).getUTCHours()]! += 1
  assert.equal(litAt[12], 0)
  assert.equal(litAt[3], 0)
  assert.ok(litAt[20]! > 100, `${litAt[20]} of ${7 * 60 * 2} minutes`)
})

test('motion is seen only while somebody is at home and awake, cameras light the night', () => {
  const readings = produce({ devices: 5, rate: '1/min', forS: 7 * 86_400 }).messages.map(readingOf)
  const movedAt = Array.from({ length: 24 }, () => 0)
  const cameraW = { night: [] as number[], noon: [] as number[] }
  for (const reading of readings) {
    const hour = new Date(reading.timestamp).getUTCHours()
    if (reading.device_type === 'motion_sensor') movedAt[hour]! += reading.metrics!['occupancy']!
    if (reading.device_type === 'security_camera' && hour === 1) cameraW.night.push(reading.power_usage!)
    if (reading.device_type === 'security_camera' && hour === 12) cameraW.noon.push(reading.power_usage!)
  }
  assert.deepEqual(movedAt.slice(1, 5), [0, 0, 0, 0])
  assert.ok(movedAt.reduce((sum, count) => sum + count, 0) > 50)
  assert.ok(Math.min(...cameraW.night) > Math.max(...cameraW.noon) + 1)
})

test('people sleep at night, are somewhere at each minute, and leave on working days', () => {
  let awayAtNoon = 0
  for (let house = 0; house < 20; house += 1) {
    const planOf = createPeople(house)
    for (let day = 20_100; day < 20_107; day += 1) {
      const plan = planOf(day)
      assert.ok(plan.people.length >= 1 && plan.people.length <= 3)
      for (const places of plan.people) {
        assert.equal(places.length, 1440)
        assert.equal(places[180], PLACE.asleep)
      }
      awayAtNoon += peopleAt(plan, PLACE.away, 720)
    }
  }
  assert.ok(awayAtNoon > 100, `${awayAtNoon} person-days`)
})

const share = (power: number[], from: number, to: number): number =>
  power.filter((w) => w >= from && w < to).length / power.length

test('kettle, fridge and washing machine have their cycles', () => {
  const watts: Record<string, number[]> = { smart_plug_1: [], smart_plug_2: [] }
  live({ fromS: WINTER_S, days: 7 }, ({ deviceId, powerMw }) => {
    for (let second = 0; second < 900; second += 10) watts[deviceId]?.push(powerMw[second]! / 1000)
  })
  const kitchen = watts['smart_plug_1']!
  assert.ok(
    share(kitchen, 60, 450) > 0.2 && share(kitchen, 60, 450) < 0.45,
    'compressor about a third of the time',
  )
  assert.ok(share(kitchen, 2000, 3680) > 0.001 && share(kitchen, 2000, 3680) < 0.03, 'kettle minutes a day')
  const laundry = watts['smart_plug_2']!
  assert.ok(share(laundry, 0, 1) > 0.8, 'mostly idle')
  assert.ok(share(laundry, 1900, 2000) > 0.001, 'heats the water')
  assert.ok(share(laundry, 100, 160) > 0.005, 'the drum turns')
})

const movedAt = (timeZone: string): number =>
  produce({ devices: 5, rate: '1/min', forS: 7 * 86_400, timeZone })
    .messages.map(readingOf)
    .filter(({ timestamp }) => timestamp.slice(11, 13) >= '17' && timestamp.slice(11, 13) < '19')
    .reduce((sum, { metrics }) => sum + (metrics?.['occupancy'] ?? 0), 0)

test('people live by the clock of their zone', () => {
  // 17:00 to 19:00 UTC is the evening in UTC, and 02:00 to 04:00 in Tokyo
  assert.equal(movedAt('Asia/Tokyo'), 0)
  assert.ok(movedAt('UTC') > 10)
})
