import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { calendarSql } from '../../src/5-gold/calendar.ts'
import { openDuckDb } from '../../src/lake/index.ts'
import type { Engine } from '../../src/lake/types.ts'

/** The columns of `gold.calendar` that these tests look at; times are ISO 8601, UTC. */
interface Slot {
  quarter_hour: string
  hour_start: string
  date: string
  local_hour: number
  local_weekday: number
  day_s: number
}

let engine: Engine
before(async () => {
  engine = await openDuckDb({ threads: 1 })
})
after(() => engine.close())

async function ask<T extends object>(sql: string): Promise<T[]> {
  const session = await engine.session()
  const rows = await session.rows<T>(sql)
  await session.close()
  return rows
}
const day = (zone: string, date: string): Promise<Slot[]> =>
  ask<Slot>(
    `SELECT * FROM (${calendarSql(zone, Number(date.slice(0, 4)))}) WHERE date = '${date}' ORDER BY quarter_hour`,
  )
/** Each local hour of the day: its clock hour, when it began (UTC), how many quarter-hours it has. */
const hours = (rows: Slot[]): string[] =>
  [...Map.groupBy(rows, (row) => row.hour_start)].map(
    ([start, slots]) => `${slots[0]!.local_hour}h ${start.slice(5, 16)} ${slots.length}`,
  )

test('every quarter-hour of a year occurs once', async () => {
  // 2028 is a leap year: 366 × 96, the last one a quarter of an hour before its end.
  const slots = 35_136
  for (const zone of ['UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'Australia/Lord_Howe']) {
    const found = await ask(
      `SELECT count(*) AS rows, count(DISTINCT quarter_hour) AS times, min(date) AS first, max(date) AS last,
         date_diff('second', min(quarter_hour), max(quarter_hour)) AS s, bool_and(epoch(quarter_hour) % 900 = 0) AS on_the_quarter
       FROM (${calendarSql(zone, 2028)})`,
    )
    assert.deepEqual(found, [
      {
        rows: slots,
        times: slots,
        first: '2028-01-01',
        last: '2028-12-31',
        s: (slots - 1) * 900,
        on_the_quarter: true,
      },
    ])
  }
})

test('Berlin: the day without 2 o’clock has 23 hours, the one with it twice 25', async () => {
  const spring = await day('Europe/Berlin', '2026-03-29')
  assert.equal(spring[0]!.day_s, 23 * 3600)
  assert.equal(spring.length, 92)
  // 2:00 local would be 01:00Z; the clock goes from 1:59 to 3:00.
  assert.deepEqual(hours(spring).slice(0, 3), ['0h 03-28T23:00 4', '1h 03-29T00:00 4', '3h 03-29T01:00 4'])
  const autumn = await day('Europe/Berlin', '2026-10-25')
  assert.equal(autumn[0]!.day_s, 25 * 3600)
  assert.deepEqual(hours(autumn).slice(2, 4), ['2h 10-25T00:00 4', '2h 10-25T01:00 4'])
  assert.equal(autumn[0]!.local_weekday, 7)
})

test('Kathmandu: hours begin at a quarter past, since the zone is 5 h 45 min ahead', async () => {
  const rows = await day('Asia/Kathmandu', '2026-05-01')
  assert.equal(rows[0]!.quarter_hour, '2026-04-30T18:15:00.000000Z')
  assert.deepEqual(hours(rows).slice(0, 2), ['0h 04-30T18:15 4', '1h 04-30T19:15 4'])
  assert.equal(rows[0]!.day_s, 86_400)
})

test('Lord Howe: the clock moves by half an hour', async () => {
  // 2026-10-04, 2:00 (+10:30) → 2:30 (+11): the hour of 2 o’clock has only its second half.
  const spring = await day('Australia/Lord_Howe', '2026-10-04')
  assert.equal(spring[0]!.day_s, 23.5 * 3600)
  assert.deepEqual(hours(spring).slice(1, 4), ['1h 10-03T14:30 4', '2h 10-03T15:30 2', '3h 10-03T16:00 4'])
  // 2026-04-05, 2:00 (+11) → 1:30 (+10:30): half of the hour of 1 o’clock comes again.
  const autumn = await day('Australia/Lord_Howe', '2026-04-05')
  assert.equal(autumn[0]!.day_s, 24.5 * 3600)
  assert.deepEqual(hours(autumn).slice(1, 4), ['1h 04-04T14:00 4', '1h 04-04T15:00 2', '2h 04-04T15:30 4'])
})

test('historic rules hold: Berlin in 2000, Newfoundland’s change at 0:01, Samoa’s missing day', async () => {
  assert.equal((await day('Europe/Berlin', '2000-03-26'))[0]!.day_s, 23 * 3600)
  // 2005-10-30 0:01 → 2005-10-29 23:01: the quarter-hour of the change counts to the day that is repeated.
  assert.equal((await day('America/St_Johns', '2005-10-29'))[0]!.day_s, 25 * 3600)
  assert.equal((await day('America/St_Johns', '2005-10-30'))[0]!.day_s, 24 * 3600)
  assert.equal((await day('Pacific/Apia', '2011-12-30')).length, 0)
  assert.equal((await day('Pacific/Apia', '2011-12-31'))[0]!.day_s, 86_400)
})
