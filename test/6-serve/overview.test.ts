import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import { get } from './ask.ts'
import { emptyHouse, handmadeHouse, type House } from './house.ts'

let house: House
let app: FastifyInstance
before(async () => {
  house = await handmadeHouse()
  app = await house.app()
})
after(() => house.close())

test('today: energy, cost and their comparison with yesterday until the same quarter-hour', async () => {
  const { kpis, range, built_from } = await get(app, 'overview', {})
  const { total_energy_kwh: energy, total_cost: cost } = kpis
  assert.deepEqual([range.from, range.to, range.partial], ['2026-03-10', '2026-03-10', true])
  // Midnight in Berlin is 23:00 UTC; 14:37 is 14 × 3600 + 37 × 60 s later.
  assert.deepEqual([range.start, range.elapsed_s], ['2026-03-09T23:00:00.000Z', 52_620])
  // 910 + 584 Wh, at 0.25 per kWh.
  assert.deepEqual([energy.value, cost.value], [1.494, 0.3735])
  // To 14:30 today 900 + 580 = 1480 Wh, yesterday 400 + 580 = 980 Wh: 500 more, 500 / 980 = 51.02 %.
  const { previous, current, absolute, ratio, text, compared_to } = energy.delta!
  assert.deepEqual([previous, current, absolute, ratio], [0.98, 1.48, 0.5, 0.5102])
  assert.equal(text, 'yesterday until 14:30')
  assert.equal(compared_to.to, '2026-03-09T13:30:00.000Z')
  // The washer is covered all the time, the fridge half of it: (52620 + 26310) / (2 × 52620).
  assert.equal(energy.coverage_ratio, 0.75)
  assert.equal(energy.partial, true)
  // Hours from 00 to 14 o'clock; all of the energy lies in the one that began at 14.
  assert.equal(energy.sparkline.value.length, 15)
  assert.deepEqual(energy.sparkline.value.at(-1), 1.494)
  assert.equal(energy.sparkline.value[3], null)
  assert.match(cost.definition.formula, /1\.494 kWh × 0\.25 EUR\/kWh \(mean\) = 0\.3735 EUR/)
  assert.equal(built_from['gold.daily_business_summary'], 3)
})

test('today: active devices, and health with rates over the elapsed part of the day', async () => {
  const { kpis, health_vs_risk, system_health } = await get(app, 'overview', {})
  assert.deepEqual([kpis.active_devices.value, kpis.active_devices.total], [3, 4])
  // The washer's 12 episodes in 52620 s are 0.82098 an hour: 0.9 + 0.1 × (1 − 0.082098) = 0.99179.
  // The fridge has 0.4 × 0.8 + 0.3 + 0.2 + 0.1 = 0.92, the sensor 1; the mean is 2.91179 / 3.
  assert.equal(kpis.mean_health_score.value, 0.9706)
  // Yesterday (0.99 + 0.95) / 2.
  assert.equal(kpis.mean_health_score.delta!.previous, 0.97)
  assert.deepEqual(
    health_vs_risk.devices.map((device) => [
      device.device_id,
      device.health_score,
      device.failure_probability,
    ]),
    // Risk of the washer: 0.7 × 0.00821 + 0.82098 / 20 = 0.0468; of the fridge 0.7 × 0.08.
    [
      ['fridge', 0.92, 0.056],
      ['washer', 0.9918, 0.0468],
      ['sensor', 1, 0],
    ],
  )
  assert.equal(health_vs_risk.devices[0]!.main_cause, 'quality of its readings 80 %')
  // Four devices are known; the lamp, which sent nothing, counts 0: 291.18 / 4.
  assert.equal(system_health.value, 72.8)
  assert.equal(system_health.word, 'fair')
  assert.equal(system_health.top_issue!.device_id, 'lamp')
})

test('energy by type adds up to the total, largest first', async () => {
  const { energy_by_type } = await get(app, 'overview', { range: 'yesterday' })
  assert.deepEqual(
    energy_by_type.rows.map((row) => [row.device_type, row.energy_kwh, row.cost, row.share]),
    // Of 1960 Wh: 1000 / 1960 and 960 / 1960.
    [
      ['washing_machine', 1, 0.25, 0.5102],
      ['fridge', 0.96, 0.24, 0.4898],
    ],
  )
  assert.equal(energy_by_type.untracked_kwh, null)
})

test('several days: sums over them, nothing to compare with is said, never 0', async () => {
  const { kpis, range, insight } = await get(app, 'overview', { range: '7d' })
  assert.deepEqual([range.from, range.to], ['2026-03-04', '2026-03-10'])
  // 1460 + 1960 + 1494 Wh.
  assert.equal(kpis.total_energy_kwh.value, 4.914)
  assert.equal(kpis.total_energy_kwh.delta, null)
  assert.match(kpis.total_energy_kwh.delta_reason!, /nothing from 2026-02-25/)
  assert.deepEqual(kpis.total_energy_kwh.sparkline.value, [null, null, null, null, 1.46, 1.96, 1.494])
  // The fridge: 960 + 960 + 584 = 2504 of 4914 Wh.
  assert.equal(insight!.text, 'Fridge, kitchen (fridge) used most: 51 % of the energy.')
})

test('custom days, whole ones: the day before is compared whole', async () => {
  const { kpis } = await get(app, 'overview', { range: 'custom', from: '2026-03-09', to: '2026-03-09' })
  const { value, delta, partial } = kpis.total_energy_kwh
  assert.deepEqual([value, delta!.previous, partial], [1.96, 1.46, false])
  assert.equal(delta!.text, '2026-03-08')
})

test('where the range has no reading, the newest day that has one is named', async () => {
  const spring = await get(app, 'overview', { range: 'custom', from: '2026-02-01', to: '2026-02-02' })
  assert.equal(spring.newest_day, '2026-03-10')
  assert.equal((await get(app, 'overview', { range: '7d' })).newest_day, null)
})

test('what is usual needs three well measured days', async () => {
  const { insight, insight_reason } = await get(app, 'overview', {})
  assert.equal(insight, null)
  assert.equal(insight_reason, 'What is usual needs 3 well measured days before; there are 2.')
})

/** A kettle that uses 400 Wh in the quarter-hour from 08:00 UTC and 100 Wh in the one from 18:00; on a day of note 900 Wh and 100 Wh. */
async function kettleHouse(days: readonly string[], ofNote: string): Promise<House> {
  const kettles = await emptyHouse()
  const device = { tenant_id: 'home', device_id: 'kettle' }
  const rows = days.flatMap((date) => {
    const month = `${date.slice(0, 7)}-01`
    const morning = date === ofNote ? 900 : 400
    return [
      { date, month, at: '08:00', wh: morning },
      { date, month, at: '18:00', wh: 100 },
    ]
  })
  await kettles.insert(
    'gold.quarter_hourly_energy',
    rows.map(({ date, at, wh }) => ({
      ...device,
      date,
      quarter_hour: `${date}T${at}:00Z`,
      energy_wh: wh,
      // Half of the day each: it is well measured, to the evening as well as whole.
      covered_s: 43_200,
      readings: 10,
      power_count: 0,
      temperature_count: 0,
    })),
  )
  const byDay = [...Map.groupBy(rows, ({ date }) => date)].map(([date, slots]) => ({
    date,
    month: slots[0]!.month,
    total_energy_wh: slots.reduce((sum, { wh }) => sum + wh, 0),
  }))
  await kettles.insert(
    'gold.daily_energy_consumption',
    byDay.map((day) => ({ ...device, ...day, covered_s: 86_400, coverage_ratio: 1, reading_count: 20 })),
  )
  await kettles.insert(
    'gold.daily_business_summary',
    byDay.map((day) => ({
      tenant_id: 'home',
      ...day,
      active_devices: 1,
      active_users: 1,
      data_points: 20,
      alert_count: 0,
    })),
  )
  return kettles
}

test('what differs most from usual: of a day that is over by whole days, of the open one up to the same time', async (t) => {
  const days = ['2026-03-04', '2026-03-05', '2026-03-06', '2026-03-09', '2026-03-10']
  const kettles = await kettleHouse(days, '2026-03-10')
  t.after(() => kettles.close())
  const asked = async (now: string, query: Record<string, string>) => {
    const server = await kettles.app({ clock: () => Date.parse(now) })
    return (await get(server, 'overview', { tenant: 'home', ...query })).insight
  }
  const day = { range: 'custom', from: '2026-03-10', to: '2026-03-10' }
  // Whole: 1,000 Wh against 500 on each of four days.
  assert.equal(
    (await asked('2026-03-12T09:00:00Z', day))!.basis,
    '1 kWh on 2026-03-10 all day; 0.5 kWh in the same part of the day, mean of 4 of the 7 days before.',
  )
  // Until noon in Berlin, 11:00 UTC, the quarter-hours of the morning: 900 against 400 Wh, 125 % more.
  const open = (await asked('2026-03-10T11:07:00Z', {}))!
  assert.equal(open.text, 'kettle used 125 % more than usual.')
  assert.equal(
    open.basis,
    '0.9 kWh on 2026-03-10 until 12:00; 0.4 kWh in the same part of the day, mean of 4 of the 7 days before.',
  )
})

test('the first of a month is compared with the first of the month before, whatever lies between', async (t) => {
  const kettles = await kettleHouse(['2026-02-01', '2026-02-28', '2026-03-01'], '2026-02-01')
  t.after(() => kettles.close())
  const server = await kettles.app({ clock: () => Date.parse('2026-03-01T11:07:00Z') })
  const { delta } = (await get(server, 'overview', { tenant: 'home', range: 'month' })).kpis.total_energy_kwh
  // Until noon 400 Wh, on the first of February 900.
  assert.deepEqual([delta!.current, delta!.previous, delta!.text], [0.4, 0.9, '2026-02-01 until 12:00'])
})
