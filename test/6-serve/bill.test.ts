import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SILVER_READINGS } from '../../src/4-silver/tables.ts'
import { createGoldStage } from '../../src/5-gold/aggregate.ts'
import { BILL_TABLES, readBill } from '../../src/6-serve/bill.ts'
import { createLakeReader } from '../../src/6-serve/lake-reader.ts'
import { billText } from '../../src/commands/bill.ts'
import type { TariffBand } from '../../src/reference/tariffs.ts'
import { openHouse, reading, setReference, writeRows, type Given } from '../5-gold/gold-house.ts'

const AFTER = Date.parse('2027-01-01T00:00:00Z')
const ZONE = 'Europe/Berlin'

/** A house in Berlin whose devices report energy of a whole quarter-hour: [device, UTC time, Wh, user, type]. */
type Energy = [device: string, at: string, wh: number, user: string, type?: string]

async function billing(t: TestContext, bands: readonly TariffBand[], energies: readonly Energy[]) {
  const house = await openHouse()
  t.after(() => house.close())
  const catalogue: Given[] = [
    { device_id: 'meter', user_id: 'u' },
    { device_id: 'plug', user_id: 'u', parent_device_id: 'meter' },
  ]
  const setTariffs = (all: readonly TariffBand[]) =>
    setReference(house, { zone: ZONE, catalogue, bands: all })
  await setTariffs(bands)
  const rows = energies.map(([device_id, timestamp, wh, user_id, device_type]) =>
    reading({ device_id, timestamp, user_id, device_type, energy_method: 'reported', energy_wh: `${wh}` }),
  )
  await writeRows(house, SILVER_READINGS, rows)
  const gold = await createGoldStage(house)
  await gold.step({ final: true })
  const reader = await createLakeReader(house)
  t.after(() => reader.close())
  return {
    gold,
    setTariffs,
    bill: async (user: string, month: string, nowMs = AFTER) =>
      readBill(
        await reader.view(BILL_TABLES),
        { tenant: 'home', user, month },
        { timeZone: ZONE, currency: 'EUR', nowMs },
      ),
    goldCost: async (where: string) => {
      const { files } = await house.lake.snapshot('gold.daily_energy_consumption')
      const table = house.lake.scan('gold.daily_energy_consumption', files)
      return (
        await house.session.rows<{ cost: string }>(`SELECT sum(cost) AS cost FROM ${table} WHERE ${where}`)
      )[0]!.cost
    },
  }
}

const TIME_OF_USE: TariffBand[] = [
  { user_id: 'u', valid_from: '2026-03-16', band: 'day', hour_from: 6, hour_to: 22, energy_rate_kwh: 0.3 },
  {
    user_id: 'u',
    valid_from: '2026-03-16',
    band: 'night',
    hour_from: 22,
    hour_to: 6,
    energy_rate_kwh: 0.1,
    base_charge_month: 9.3,
  },
]

const MARCH: Energy[] = [
  // Everybody's price until the 15th: 1 kWh × 0.12.
  ['meter', '2026-03-10T12:07:00Z', 1000, 'u'],
  // 00:05 on the 16th in Berlin, still the 15th in UTC: night.
  ['meter', '2026-03-15T23:05:00Z', 500, 'u'],
  // 05:59 is night, 06:01 is day.
  ['meter', '2026-03-16T04:59:00Z', 1000, 'u'],
  ['meter', '2026-03-16T05:01:00Z', 2000, 'u'],
  // 22:01 on the day of 23 hours, when Berlin is two hours ahead already: night.
  ['meter', '2026-03-29T20:01:00Z', 1000, 'u'],
  // Somebody else's for a while; fed in; behind the user's own meter; from the roof: not on the bill.
  ['meter', '2026-03-20T12:07:00Z', 1000, 'v'],
  ['meter', '2026-03-21T12:07:00Z', -1000, 'u'],
  ['plug', '2026-03-16T05:01:00Z', 700, 'u'],
  ['roof', '2026-03-16T12:07:00Z', 900, 'u', 'solar'],
]

test('a bill of a month of 23 hours on one day and of two tariffs: bands, base charge pro rata, exact sums', async (t) => {
  const { bill, goldCost } = await billing(t, TIME_OF_USE, MARCH)
  const march = await bill('u', '2026-03')
  const lines = march.energy.map((line) => [
    line.band,
    line.rate_kwh,
    line.energy_kwh,
    line.cost,
    line.amount,
  ])
  assert.deepEqual(lines, [
    ['flat', '0.120000000', '1.000000000000', '0.120000000', '0.12'],
    ['day', '0.300000000', '2.000000000000', '0.600000000', '0.60'],
    // 1 + 1 + 0.5 kWh
    ['night', '0.100000000', '2.500000000000', '0.250000000', '0.25'],
  ])
  assert.equal(march.fed_in_kwh, '1.000000000000')
  // 15 days of 31 at 15 a month: 7.2580645161…; 16 of 31 at 9.30, which one band names for both: 4.80.
  const base = march.base.map((line) => [
    line.valid_from,
    line.days,
    line.days_of_month,
    line.cost,
    line.amount,
  ])
  assert.deepEqual(base, [
    ['1970-01-01', 15, 31, '7.258064516', '7.26'],
    ['2026-03-16', 16, 31, '4.800000000', '4.80'],
  ])
  assert.equal(march.energy_cost, '0.970000000')
  assert.equal(march.energy_cost, await goldCost(`device_id = 'meter' AND user_id = 'u'`))
  // 0.97 + 12.058064516 = 13.028064516
  assert.deepEqual([march.total_cost, march.total, march.rounding], ['13.028064516', '13.03', '0.00'])
  assert.match(billText(march), /night, tariff 1 from 2026-03-16 +2\.500 kWh × 0\.10 +0\.25\n/)
})

test('the repeated hour of a 25-hour day is billed twice at its own price; the day counts once for the base charge', async (t) => {
  const bands: TariffBand[] = [
    { user_id: 'x', valid_from: '2026-10-01', band: 'two', hour_from: 2, hour_to: 3, energy_rate_kwh: 1 },
    {
      user_id: 'x',
      valid_from: '2026-10-01',
      band: 'rest',
      hour_from: 3,
      hour_to: 2,
      energy_rate_kwh: 0.5,
      base_charge_month: 6.2,
    },
  ]
  const { bill } = await billing(t, bands, [
    // 02:20 summer time, 02:20 winter time, 03:20.
    ['d', '2026-10-25T00:20:00Z', 1000, 'x'],
    ['d', '2026-10-25T01:20:00Z', 1000, 'x'],
    ['d', '2026-10-25T02:20:00Z', 1000, 'x'],
  ])
  const october = await bill('x', '2026-10')
  assert.deepEqual(
    october.energy.map(({ band, cost }) => [band, cost]),
    [
      ['rest', '0.500000000'],
      ['two', '2.000000000'],
    ],
  )
  assert.deepEqual(
    october.base.map(({ days, cost }) => [days, cost]),
    [[31, '6.200000000']],
  )
  assert.equal(october.total, '8.70')
})

test('an hour in which a device goes from one user to another is billed to both, each quarter-hour to its own', async (t) => {
  const bands: TariffBand[] = [
    { user_id: 'x', valid_from: '2026-02-01', energy_rate_kwh: 0.3 },
    { user_id: 'y', valid_from: '2026-02-01', energy_rate_kwh: 0.2 },
  ]
  const { bill } = await billing(t, bands, [
    // From 10:00 to 11:00 in Berlin: used by x, used by y, fed in by x.
    ['d', '2026-02-03T09:07:00Z', 1000, 'x'],
    ['d', '2026-02-03T09:22:00Z', 500, 'y'],
    ['d', '2026-02-03T09:37:00Z', -200, 'x'],
    // An hour of y alone, and another device of x in the hour that was parted.
    ['d', '2026-02-03T10:07:00Z', 700, 'y'],
    ['e', '2026-02-03T09:07:00Z', 30, 'x'],
    // Used and fed in within one hour of x.
    ['e', '2026-02-04T09:07:00Z', 100, 'x'],
    ['e', '2026-02-04T09:22:00Z', -40, 'x'],
  ])
  const sums = async (user: string) => {
    const { energy, fed_in_kwh } = await bill(user, '2026-02')
    return [energy.map((line) => [line.energy_kwh, line.cost]), fed_in_kwh]
  }
  // 1,000 + 30 + 100 Wh × 0.3; 200 + 40 Wh back. 500 + 700 Wh × 0.2.
  assert.deepEqual(await sums('x'), [[['1.130000000000', '0.339000000']], '0.240000000000'])
  assert.deepEqual(await sums('y'), [[['1.200000000000', '0.240000000']], '0.000000000000'])
})

test('the total is rounded once; what the rounded lines differ by stands on the bill', async (t) => {
  const price = { user_id: 'w', valid_from: '2026-02-01', energy_rate_kwh: 0.334 }
  const bands: TariffBand[] = [
    { ...price, band: 'am', hour_from: 0, hour_to: 12 },
    { ...price, band: 'pm', hour_from: 12, hour_to: 24 },
  ]
  const { bill } = await billing(t, bands, [
    ['d', '2026-02-03T08:07:00Z', 1000, 'w'],
    ['d', '2026-02-03T18:07:00Z', 1000, 'w'],
  ])
  // 0.334 + 0.334 = 0.668 → 0.67; 0.33 + 0.33 = 0.66.
  const february = await bill('w', '2026-02')
  assert.deepEqual([february.total, february.rounding, february.base.length], ['0.67', '0.01', 0])
  assert.match(billText(february), /rounding of the lines +0\.01\n/)
})

test('a back-dated tariff prices the days concerned anew and no other; until then the bill says that it is behind', async (t) => {
  const { gold, setTariffs, bill } = await billing(t, TIME_OF_USE, MARCH)
  await setTariffs([
    ...TIME_OF_USE,
    { user_id: 'u', valid_from: '2026-03-09', energy_rate_kwh: 0.2, base_charge_month: 31 },
  ])
  await assert.rejects(bill('u', '2026-03'), { code: 'figures_behind' })
  const { detail } = await gold.step({ final: true })
  // Between the 9th and the 15th the user has energy on the 10th only.
  assert.equal(detail.device_days, 1)
  const march = await bill('u', '2026-03')
  assert.deepEqual(
    march.energy.map((line) => [line.valid_from, line.band, line.cost]),
    [
      ['2026-03-09', 'flat', '0.200000000'],
      ['2026-03-16', 'day', '0.600000000'],
      ['2026-03-16', 'night', '0.250000000'],
    ],
  )
  // 8 days at 15, 7 at 31, 16 at 9.30: 3.870967742 + 7 + 4.80.
  assert.deepEqual(
    march.base.map(({ days, cost }) => [days, cost]),
    [
      [8, '3.870967742'],
      [7, '7.000000000'],
      [16, '4.800000000'],
    ],
  )
})

test('an open month bills the days that have begun; nobody has no bill', async (t) => {
  const { bill } = await billing(t, [], [['d', '2026-03-01T12:07:00Z', 1000, 'u']])
  // 23:30 UTC on the 2nd is the 3rd in Berlin: 3 of 31 days.
  const open = await bill('u', '2026-03', Date.parse('2026-03-02T23:30:00Z'))
  assert.deepEqual([open.complete, open.base[0]?.days, open.base[0]?.cost], [false, 3, '1.451612903'])
  await assert.rejects(bill('nobody', '2026-03'), { code: 'unknown_user' })
})
