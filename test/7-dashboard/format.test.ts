/** Numbers, units, times and periods as the page writes them. Every expectation is the rule applied by hand. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ROUTES } from '../../src/6-serve/contract.ts'
import { PATHS } from '../../src/7-dashboard/api.ts'
import {
  formatAge,
  formatChange,
  formatCount,
  formatEnergy,
  formatMoney,
  formatPower,
  formatSeconds,
  formatTime,
  humanize,
} from '../../src/7-dashboard/format.ts'
import { createRings } from '../../src/7-dashboard/live/rings.ts'
import { formatPeriod, shifted } from '../../src/7-dashboard/shell/period.ts'

test('power: three significant figures, kW from 1,000 W on, also by rounding', () => {
  assert.deepEqual(formatPower(0), { value: '0', unit: 'W' })
  assert.deepEqual(formatPower(8.456), { value: '8.46', unit: 'W' })
  assert.deepEqual(formatPower(999.4), { value: '999', unit: 'W' })
  assert.deepEqual(formatPower(999.6), { value: '1', unit: 'kW' })
  assert.deepEqual(formatPower(-2143.7), { value: '-2.14', unit: 'kW' })
})

test('energy: one decimal of kWh, Wh where that would be nothing', () => {
  assert.deepEqual(formatEnergy(31_420), { value: '31.4', unit: 'kWh' })
  assert.deepEqual(formatEnergy(99.96), { value: '100', unit: 'Wh' })
  assert.deepEqual(formatEnergy(12.34), { value: '12.3', unit: 'Wh' })
  assert.deepEqual(formatEnergy(0), { value: '0.0', unit: 'kWh' })
})

test('money: two decimals, and never nothing for something', () => {
  assert.equal(formatMoney(3.765, 'USD'), '$3.77')
  assert.equal(formatMoney(0.004, 'USD'), '< $0.01')
  assert.equal(formatMoney(0, 'USD'), '$0.00')
  assert.equal(formatMoney(1234.5, 'EUR'), '€1,234.50')
})

test('counts, changes, ages, names', () => {
  assert.equal(formatCount(999_999), '999,999')
  assert.equal(formatCount(1_234_567), '1.23M')
  assert.equal(formatChange(-0.074), '−7 %')
  assert.equal(formatChange(0.004), '0 %')
  assert.equal(formatAge(999), 'now')
  assert.equal(formatAge(2_400), '2 s')
  assert.equal(formatAge(7_200_000), '2 h')
  assert.equal(humanize('living_room'), 'Living room')
})

test('times are those of the house, through the change of clocks', () => {
  // Berlin: 2026-10-25, 01:30 UTC is 02:30 for the second time; in summer the same UTC time is an hour later.
  assert.equal(formatTime(Date.UTC(2026, 9, 25, 0, 30), 'Europe/Berlin'), '02:30')
  assert.equal(formatTime(Date.UTC(2026, 9, 25, 1, 30), 'Europe/Berlin'), '02:30')
  assert.equal(formatSeconds(Date.UTC(2026, 0, 1, 23, 0, 7), 'Asia/Kathmandu'), '04:45:07')
  assert.equal(formatTime(Date.UTC(2026, 0, 1, 0, 0), 'UTC'), '00:00')
})

test('periods step by their own length', () => {
  assert.deepEqual(shifted({ from: '2026-11-17', to: '2026-11-23' }, -1), {
    from: '2026-11-10',
    to: '2026-11-16',
  })
  assert.deepEqual(shifted({ from: '2026-03-29', to: '2026-03-29' }, 1), {
    from: '2026-03-30',
    to: '2026-03-30',
  })
  assert.equal(formatPeriod('2026-11-23', '2026-11-23'), 'Nov 23')
})

test('the paths are those of the contract', () => {
  const contract = Object.fromEntries(Object.entries(ROUTES).map(([name, { path }]) => [name, path]))
  assert.deepEqual(PATHS, contract)
})

test('rings: silence is a gap only beyond three usual intervals, and a lap forgets', () => {
  const rings = createRings()
  const start = 1_000_000
  // Every second for 30 s, 15 s of silence (more than the ten that are borne), then again.
  for (let s = 0; s < 30; s++) rings.set('a', start + s, s)
  for (let s = 45; s < 60; s++) rings.set('a', start + s, s)
  const column = rings.column('a', start, start + 59)
  assert.equal(column[29], 29)
  assert.equal(column[30], null, 'the line breaks after the last value')
  assert.equal(column[31], undefined)
  assert.equal(column[45], 45)
  // A sensor that speaks every 20 s has no gap of 20 s: three intervals are 60 s.
  for (let s = 0; s <= 100; s += 20) rings.set('b', start + s, 1)
  assert.ok(!rings.column('b', start, start + 100).includes(null))
  assert.deepEqual(rings.sum(['a', 'b'], start + 10, start + 11), [11, 12], '10 + 1 held, 11 + 1 held')
  // One hour and a second later the first second's place holds the new value, and the old one is gone.
  rings.set('a', start + 3600, 7)
  assert.equal(rings.latest('a', start + 3600), 7)
  assert.equal(rings.latest('a', start + 3601), null, 'older than what is asked for is not of now')
  assert.equal(rings.column('a', start, start)[0], undefined)
  rings.set('a', start, 99)
  assert.equal(rings.latest('a', 0), 7, 'what is older than the ring is dropped')
})
