import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseBillingCsv, tariffRows, type TariffBand } from '../../src/reference/tariffs.ts'

const HEADER = 'user_id,billing_period,energy_rate_kwh,base_charge,total_usage_kwh,total_cost\n'
const prices = (bands: TariffBand[]): string[] =>
  tariffRows({ currency: 'EUR', bands }).map(
    (row) =>
      `${row.user_id ?? '*'} ${row.valid_from}..${row.valid_to ?? ''} ${row.band} ${row.weekdays} ${row.hour_from}-${row.hour_to} ${row.energy_rate_kwh}`,
  )

test('a billing line is the rate of its user from the first of the month until the next line', () => {
  const bands = parseBillingCsv(
    `${HEADER}u1,2026-02,0.15,10,100,25\nu1,2026-01,0.1,10,,\nu2,2026-01,0,0,1,0\n`,
    'b.csv',
  )
  assert.deepEqual(prices(bands), [
    '* 1970-01-01.. flat 1234567 0-24 0.120000000',
    'u1 2026-01-01..2026-02-01 flat 1234567 0-24 0.100000000',
    'u1 2026-02-01.. flat 1234567 0-24 0.150000000',
    'u2 2026-01-01.. flat 1234567 0-24 0.000000000',
  ])
})

test('a band over midnight is two rows; bands fill the week', () => {
  const night = { valid_from: '2026-01-01', band: 'night', hour_from: 22, hour_to: 6, energy_rate_kwh: 0.1 }
  const day = { valid_from: '2026-01-01', band: 'day', hour_from: 6, hour_to: 22, energy_rate_kwh: 0.3 }
  assert.deepEqual(prices([night, day]), [
    '* 1970-01-01..2026-01-01 flat 1234567 0-24 0.120000000',
    '* 2026-01-01.. night 1234567 0-6 0.100000000',
    '* 2026-01-01.. night 1234567 22-24 0.100000000',
    '* 2026-01-01.. day 1234567 6-22 0.300000000',
  ])
  assert.throws(() => prices([day]), { code: 'config_invalid', message: /weekday 1, 0:00 has no price/ })
  assert.throws(() => prices([day, { ...night, hour_from: 21 }]), { message: /21:00 has 2 prices/ })
})

test('bands fill the week in every season; one over the new year is two rows', () => {
  const base = { valid_from: '2026-01-01', energy_rate_kwh: 0.1 }
  const winter = { ...base, band: 'winter', season_from: '10-01', season_to: '04-01' }
  const summer = { ...base, band: 'summer', season_from: '04-01', season_to: '10-01' }
  const rows = tariffRows({ currency: 'EUR', bands: [winter, summer] })
  assert.deepEqual(
    rows.slice(1).map((row) => [row.band, row.season_from, row.season_to]),
    [
      ['winter', 101, 401],
      ['winter', 1001, 1300],
      ['summer', 401, 1001],
    ],
  )
  assert.throws(() => prices([winter]), { message: /weekday 1, 0:00 from 04-01 on has no price/ })
  assert.throws(() => prices([winter, { ...summer, season_to: '11-01' }]), {
    message: /from 10-01 on has 2 prices/,
  })
  assert.throws(() => prices([{ ...summer, season_to: '02-30' }]), {
    message: /season from 04-01 to 02-30 is none/,
  })
  assert.throws(() => prices([{ ...base, season_from: '04-01' }]), {
    message: /season from 04-01 to nothing is none/,
  })
})

test('a tariff of everybody since 1970 takes the place of the default price', () => {
  assert.deepEqual(prices([{ valid_from: '1970-01-01', energy_rate_kwh: '0.30' }]), [
    '* 1970-01-01.. flat 1234567 0-24 0.300000000',
  ])
})

for (const [fault, line, message] of [
  ['month', 'u1,2026-13,0.1,0,,', /line 2, column billing_period: "2026-13" is no month/],
  ['user', ',2026-01,0.1,0,,', /line 2, column user_id/],
  ['rate', 'u1,2026-01,,0,,', /line 2, column energy_rate_kwh: it is empty/],
  ['negative rate', 'u1,2026-01,-0.1,0,,', /line 2, column energy_rate_kwh: "-0.1"/],
  ['cost', 'u1,2026-01,0.1,0,1,x', /line 2, column total_cost: "x"/],
  ['repetition', 'u1,2026-01,0.1,0,,\nu1,2026-01,0.2,0,,', /line 3, column billing_period: .*line 2/],
] as const) {
  test(`refuses billing data with a wrong ${fault}`, () => {
    assert.throws(() => parseBillingCsv(HEADER + line, 'b.csv'), { code: 'config_invalid', message })
  })
}

test('refuses tariffs that nobody can apply', () => {
  const flat = { valid_from: '2026-01-01', energy_rate_kwh: 0.1 }
  assert.throws(() => prices([{ ...flat, valid_from: '2026-1-1' }]), { message: /"2026-1-1" is no date/ })
  assert.throws(() => prices([{ ...flat, valid_to: '2026-01-01' }]), { message: /before it begins/ })
  assert.throws(() => prices([{ ...flat, weekdays: '08' }]), { message: /are no band/ })
  assert.throws(() => prices([{ ...flat, energy_rate_kwh: '0.1234567891' }]), { message: /is no amount/ })
  assert.throws(() => prices([flat, flat]), { message: /has 2 prices/ })
})
