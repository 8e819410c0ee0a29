import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arrivals, catalogued, house } from './arrivals.ts'
import { oracle } from './oracle.ts'
import type { BronzeRow, CatalogueEntry, Row } from './types.ts'

const T = (time: string): string => `2024-06-03T${time}Z`
const readingsOf = (bronze: BronzeRow[], of = house()): Row[] => oracle(bronze, of)['silver.readings']
const column = (rows: Row[], name: string): unknown[] => rows.map((row) => row[name])

/** Sum of a channel's energy, Wh, from its decimal text. */
function totalWh(rows: Row[]): number {
  return rows.reduce((total, row) => total + Math.round(Number(row['energy_wh'] ?? 0) * 1e6), 0) / 1e6
}

/** One counter value per minute mark, all else plain. */
function counters(...values: [time: string, wh: number][]): BronzeRow[] {
  return arrivals(...values.map(([time, wh]) => ({ timestamp: T(time), energy_total_wh: wh })))
}

test('integrated: power holds to the left, at most 15 minutes, and ends when the device goes offline', () => {
  const rows = readingsOf(
    arrivals(
      { timestamp: T('10:00:00'), power_usage: 60 },
      { timestamp: T('10:05:00'), temperature: 20 },
      { timestamp: T('10:10:00'), power_usage: 120 },
      { timestamp: T('11:00:00'), power_usage: 30 },
      { timestamp: T('11:04:00'), status: 'offline', channel: 'b' },
      { timestamp: T('11:10:00'), power_usage: 0 },
    ),
  ).filter((row) => row['channel'] === '')
  // 60 W × 10 min = 10 Wh; 120 W × 15 min = 30 Wh; 30 W × 4 min = 2 Wh.
  assert.deepEqual(column(rows, 'energy_wh'), [null, null, '10.000000000', '30.000000000', '2.000000000'])
  assert.equal(rows[3]?.['energy_to'], '2024-06-03T10:25:00.000000Z')
  assert.deepEqual(column(rows, 'energy_method'), ['none', 'none', 'integrated', 'integrated', 'integrated'])
})

const COUNTER_CASES: { name: string; given: BronzeRow[]; wh: number }[] = [
  {
    name: 'reset: 5 + 0 + 3 + 3',
    given: counters(
      ['10:00:00', 800_000],
      ['10:01:00', 800_005],
      ['10:02:00', 0],
      ['10:03:00', 3],
      ['10:04:00', 6],
    ),
    wh: 11,
  },
  {
    name: 'a transient 0 for ten minutes: 800,005 − 800,000',
    given: counters(['10:00:00', 800_000], ['10:01:00', 0], ['10:06:00', 0], ['10:11:00', 800_005]),
    wh: 5,
  },
  {
    name: 'rounding dip: 544,588 − 544,587.493',
    given: counters(['10:00:00', 544_587.493], ['10:01:00', 544_587], ['10:02:00', 544_588]),
    wh: 0.507,
  },
  {
    name: 'glitch: 101 − 100',
    given: counters(['10:00:00', 100], ['10:01:00', 99_999_999], ['10:02:00', 101]),
    wh: 1,
  },
  {
    name: 'meter swap: the jump is withheld, then 1,000',
    given: counters(['10:00:00', 500_000], ['11:00:00', 12_345_000], ['12:00:00', 12_346_000]),
    wh: 1000,
  },
  {
    name: 'a ten-hour gap: its difference',
    given: counters(['00:00:00', 1000], ['10:00:00', 5321.5]),
    wh: 4321.5,
  },
  {
    name: 'a lasting small drop',
    given: counters(['10:00:00', 1000], ['10:01:00', 950], ['10:02:00', 950], ['10:03:00', 950]),
    wh: 0,
  },
]
for (const { name, given, wh } of COUNTER_CASES)
  test(`counter, ${name} = ${wh} Wh`, () => assert.equal(totalWh(readingsOf(given)), wh))

test('counter: reasons and methods of a gap, a glitch, a jump, a dip and a reset', () => {
  const rows = readingsOf(
    counters(
      ['00:00:00', 1000],
      ['10:00:00', 2000],
      ['10:01:00', 0],
      ['10:02:00', 2001],
      ['10:03:00', 9_000_000],
      ['10:04:00', 9_000_001],
      ['10:05:00', 8_999_999],
      ['10:06:00', 4],
      ['10:07:00', 5],
    ),
  )
  assert.deepEqual(
    rows.map((row) => [row['energy_wh'], row['energy_method'], row['quality_reasons']]),
    [
      [null, 'none', []],
      ['1000.000000000', 'counter', ['counter_gap']],
      [null, 'none', ['counter_glitch']],
      ['1.000000000', 'counter', []],
      [null, 'none', ['counter_implausible']],
      ['1.000000000', 'counter', []],
      ['0.000000000', 'counter', ['counter_dip']],
      ['4.000000000', 'counter', ['counter_reset']],
      ['1.000000000', 'counter', []],
    ],
  )
})

test('the first counter value closes the running hold; the counter rules from there', () => {
  const rows = readingsOf(
    arrivals(
      { timestamp: T('10:00:00'), power_usage: 60 },
      { timestamp: T('10:10:00'), energy_total_wh: 500, power_usage: 60 },
      { timestamp: T('10:20:00'), power_usage: 60 },
      { timestamp: T('10:30:00'), energy_total_wh: 520 },
    ),
  )
  assert.deepEqual(
    rows.map((row) => [row['energy_wh'], row['energy_method']]),
    [
      [null, 'none'],
      ['10.000000000', 'integrated'],
      [null, 'none'],
      ['20.000000000', 'counter'],
    ],
  )
})

test('the first reported value drops the running hold and counts whole', () => {
  const rows = readingsOf(
    arrivals(
      { timestamp: T('10:00:00'), power_usage: 60 },
      { timestamp: T('10:10:00'), energy_consumption_wh: 7, power_usage: 60 },
      { timestamp: T('10:20:00'), power_usage: 60 },
    ),
  )
  assert.deepEqual(column(rows, 'energy_wh'), [null, '7.000000000', null])
  assert.deepEqual(column(rows, 'energy_method'), ['none', 'reported', 'none'])
})

test('a counter silent for more than 24 h ends at its last value; power counts from there; its return is a new base', () => {
  const rows = readingsOf(
    arrivals(
      { timestamp: '2024-06-01T00:00:00Z', energy_total_wh: 100 },
      { timestamp: '2024-06-01T00:05:00Z', power_usage: 60 },
      { timestamp: '2024-06-01T00:10:00Z', power_usage: 120 },
      { timestamp: '2024-06-02T00:00:00.000001Z', power_usage: 120 },
      { timestamp: '2024-06-02T00:10:00.000001Z', energy_total_wh: 900 },
      { timestamp: '2024-06-02T00:20:00.000001Z', energy_total_wh: 901 },
    ),
  )
  // 60 W × 5 min = 5; 120 W × 15 min = 30; hold closed by the counter's return: 120 W × 10 min = 20; then 901 − 900.
  assert.deepEqual(
    rows.map((row) => [row['energy_wh'], row['energy_method']]),
    [
      [null, 'none'],
      [null, 'none'],
      ['5.000000000', 'integrated'],
      ['30.000000000', 'integrated'],
      ['20.000000000', 'integrated'],
      ['1.000000000', 'counter'],
    ],
  )
})

test('a reading exactly 24 h after the last counter value does not end it', () => {
  const rows = readingsOf(
    arrivals(
      { timestamp: '2024-06-01T00:00:00Z', energy_total_wh: 100 },
      { timestamp: '2024-06-01T00:10:00Z', power_usage: 120 },
      { timestamp: '2024-06-02T00:00:00Z', power_usage: 120 },
      { timestamp: '2024-06-02T00:10:00Z', energy_total_wh: 900 },
    ),
  )
  assert.deepEqual(column(rows, 'energy_wh'), [null, null, null, '800.000000000'])
})

test('the catalogue fixes the method', () => {
  const given = arrivals(
    { timestamp: T('10:00:00'), power_usage: 60, energy_total_wh: 5 },
    { timestamp: T('10:10:00'), power_usage: 60, energy_total_wh: 50 },
  )
  const total = (energy_source: CatalogueEntry['energy_source']): unknown =>
    readingsOf(given, house({ catalogue: [catalogued({ energy_source })] }))[1]?.['energy_wh']
  assert.deepEqual((['integrated', 'counter', 'reported'] as const).map(total), [
    '10.000000000',
    '45.000000000',
    null,
  ])
})
