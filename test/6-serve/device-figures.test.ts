import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { GOLD_DAILY, GOLD_HEALTH } from '../../src/5-gold/tables.ts'
import { spanOf, type Span } from '../../src/6-serve/days.ts'
import { readDevices, type DeviceFigures } from '../../src/6-serve/device-figures.ts'
import { readHealthOf } from '../../src/6-serve/figures.ts'
import { createLakeReader, type LakeReader } from '../../src/6-serve/lake-reader.ts'
import { emptyHouse, type House } from './house.ts'

/** Whatever the range, by whatever months it is asked for: what the days say, added up here. */

const ZONE = 'Europe/Berlin'
const FIRST = Temporal.PlainDate.from('2025-10-20')
const DAYS = 260
const DEVICES = ['a', 'b', 'c', 'd']

interface Day {
  device_id: string
  date: string
  device_type: string | null
  location: string | null
  user_id: string | null
  total_energy_wh: number | null
  cost: number | null
  reading_count: number
  covered_s: number
}

/** Some days are missing, some without energy or names; `d` has none but in one month, and in February nobody has any. */
const days: Day[] = Array.from({ length: DAYS }, (_, n) => FIRST.add({ days: n })).flatMap((date, n) =>
  DEVICES.filter((device, at) =>
    device === 'd' ? date.month === 12 : date.month !== 2 && (n * 7 + at) % 5 > 0,
  ).map((device_id, at) => ({
    device_id,
    date: date.toString(),
    device_type: (n + at) % 3 === 0 ? null : `kind-${n % 11}`,
    location: n % 50 === 0 ? `room-${n}` : null,
    user_id: at === 0 ? null : `u${n % 4}`,
    total_energy_wh: n % 6 === 0 ? null : n + at / 8,
    cost: n % 6 === 0 ? null : n / 4,
    reading_count: n + 1,
    covered_s: 60 * n,
  })),
)

let house: House
let reader: LakeReader
before(async () => {
  house = await emptyHouse()
  for (const [month, rows] of Map.groupBy(days, ({ date }) => `${date.slice(0, 7)}-01`)) {
    const shared = { tenant_id: 'home', month, power_count: 0, temperature_count: 0, coverage_ratio: 0 }
    await house.insert(
      GOLD_DAILY.name,
      rows.map((row) => ({ ...shared, ...row })),
    )
    await house.insert(
      GOLD_HEALTH.name,
      rows.map(({ device_id, date, reading_count }) => {
        const health = { mean_quality_score: 1, valid_share: 1, late_share: 0, alert_count: 0 }
        return {
          tenant_id: 'home',
          month,
          device_id,
          date,
          reading_count,
          ...health,
          health_score: reading_count / 1000,
        }
      }),
    )
  }
  reader = await createLakeReader(house)
})
after(async () => {
  await reader.close()
  await house.close()
})

const nano = (value: number): bigint => BigInt(value * 1e9)

/** Of each device with a day between the first day before and the last of the range. */
function expected(span: Span): DeviceFigures[] {
  const both = days.filter(({ date }) => date >= span.previous.from && date <= span.to)
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
  return [...Map.groupBy(both, ({ device_id }) => device_id)]
    .map(([device_id, all]) => {
      const own = all.filter(({ date }) => date >= span.from)
      const previous = all.filter(
        ({ date }) => date < span.previous.to || (!span.cut && date === span.previous.to),
      )
      const newest = (of: 'device_type' | 'location' | 'user_id') =>
        all.findLast((day) => day[of] !== null)?.[of] ?? null
      const measured = own.filter(({ total_energy_wh }) => total_energy_wh !== null)
      return {
        device_id,
        device_type: newest('device_type'),
        location: newest('location'),
        user_id: newest('user_id'),
        energy: measured.length === 0 ? null : nano(sum(measured.map((day) => day.total_energy_wh!))),
        cost: measured.length === 0 ? null : nano(sum(measured.map((day) => day.cost!))),
        readings: sum(own.map((day) => day.reading_count)),
        covered_s: sum(own.map((day) => day.covered_s)),
        previous_readings: sum(previous.map((day) => day.reading_count)),
      }
    })
    .toSorted((a, b) => (a.device_id < b.device_id ? -1 : 1))
}

/** Ranges of every length that begin and end anywhere, also before and after all days; half of them end today. */
const SPANS = fc
  .record({
    from: fc.integer({ min: -40, max: DAYS + 20 }),
    length: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 320 })),
    endsToday: fc.boolean(),
    range: fc.constantFrom('custom' as const, 'custom' as const, 'month' as const),
  })
  .map(({ from, length, endsToday, range }) => {
    const first = FIRST.add({ days: from })
    const last = first.add({ days: length - 1 })
    const today = endsToday || range === 'month' ? last : last.add({ days: 1 })
    const query = range === 'month' ? { range } : { range, from: first.toString(), to: last.toString() }
    return spanOf(query, ZONE, Date.parse(`${today.toString()}T12:40:00Z`))
  })

test('what the days of a range and of the period before say of each device', async () => {
  const view = await reader.view([GOLD_DAILY.name])
  await fc.assert(
    fc.asyncProperty(SPANS, async (span) => {
      assert.deepEqual(await readDevices(view, 'home', span), expected(span))
    }),
    { numRuns: 40, seed: 20261126 },
  )
})

test('the newest health of each device in a range', async () => {
  const view = await reader.view([GOLD_HEALTH.name])
  await fc.assert(
    fc.asyncProperty(SPANS, async ({ from, to }) => {
      const rows = await readHealthOf(view, 'home', { from, to })
      const newest = new Map(
        days.filter(({ date }) => date >= from && date <= to).map((day) => [day.device_id, day]),
      )
      assert.deepEqual(
        rows.map((row) => [row.device_id, row.date, row.health_score]).toSorted(),
        [...newest.values()].map((day) => [day.device_id, day.date, day.reading_count / 1000]).toSorted(),
      )
    }),
    { numRuns: 40, seed: 20261126 },
  )
})

test('a whole month of a long range is asked for once, whatever the range', async () => {
  const asked: string[] = []
  const view = await reader.view([GOLD_DAILY.name])
  const watched = {
    ...view,
    ask: <Row extends object>(sql: string) => {
      asked.push(sql)
      return view.ask<Row>(sql)
    },
  }
  const nowMs = Date.parse('2026-08-15T12:00:00Z')
  const texts = async (from: string, to: string): Promise<Set<string>> => {
    asked.length = 0
    await readDevices(watched, 'home', spanOf({ range: 'custom', from, to }, ZONE, nowMs))
    return new Set(asked)
  }
  // March, April, May and June lie wholly in both; November, December and January in the periods before.
  const first = await texts('2026-02-10', '2026-07-03')
  const second = await texts('2026-02-20', '2026-07-05')
  assert.equal(first.intersection(second).size, 7)
  // A short one is one statement.
  assert.equal((await texts('2026-03-10', '2026-03-16')).size, 1)
})
