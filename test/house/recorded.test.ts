import assert from 'node:assert/strict'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { dataFolder, ROOT, smarthouseHere, sql } from './run-cli.ts'

/**
 * Recorded houses, imported as docs/import.md says, against daily figures that are worked out here from the raw files. CI takes
 * parts of them; `npm run soak -- recorded` takes all 22 house-months and the whole of the others.
 */
const FOLDER = join(ROOT, '..', 'shared', 'data', 'timeseries')
const IS_SOAK = process.env['SOAK'] !== undefined
const HOUSES = !IS_SOAK ? 'UKDALE_House2_2013-10.csv.gz' : '*.csv.gz'
const DAY_S = 86_400
/** What a power holds at most, s. */
const MAX_GAP_S = 900

interface Day {
  wh: number
  coveredS: number
}
/** By home, device and local date. */
type Days = Map<string, Day>

function add(days: Days, key: string, wh: number, coveredS: number): void {
  const day = days.get(key) ?? { wh: 0, coveredS: 0 }
  days.set(key, { wh: day.wh + wh, coveredS: day.coveredS + coveredS })
}

const text = (path: string): string =>
  (path.endsWith('.gz') ? gunzipSync(readFileSync(path)) : readFileSync(path)).toString('latin1')
/** Header and rows of a plain CSV. */
function rowsOf(path: string): { names: string[]; rows: string[][] } {
  const [head, ...lines] = text(path).trim().split('\n')
  const cells = (line: string): string[] => line.split(',').map((cell) => cell.replaceAll('"', '').trim())
  return { names: cells(head!), rows: lines.map(cells) }
}
/** The file, or in CI the rows of it that begin with these dates, as they stand there, as a file of the same name. */
function part(t: TestContext, path: string, from: string, to: string): string {
  if (IS_SOAK) return path
  const [head, ...lines] = text(path).trim().split('\n')
  const folder = mkdtempSync(join(tmpdir(), 'smarthouse-recorded-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const chosen = lines.filter((line) => {
    const date = line.replace('"', '').slice(0, 10)
    return date >= from && date <= to
  })
  const file = join(folder, basename(path, '.gz'))
  writeFileSync(file, `${[head, ...chosen].join('\n')}\n`)
  return file
}
const dateOf = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10)

async function imported(
  t: TestContext,
  { zone, words }: { zone: string; words: string[] },
): Promise<{ data: string; report: Record<string, number>; days: Days; ratios: Map<string, number> }> {
  const data = dataFolder(t)
  process.env['SMARTHOUSE_TIME_ZONE'] = zone
  t.after(() => delete process.env['SMARTHOUSE_TIME_ZONE'])
  const done = await smarthouseHere('import', ...words, '--data', data, '--wait', '--json')
  assert.equal(done.status, 0, done.stderr)
  const report = JSON.parse(done.stdout) as Record<string, number> & { verdicts: Record<string, number> }
  const { accepted, duplicate, rejected } = report.verdicts
  assert.equal(accepted! + duplicate! + rejected!, report['appended'])
  assert.deepEqual([duplicate, rejected], [0, 0])
  const rows = await sql<{ key: string; wh: number; covered_s: number; ratio: number }>(
    data,
    `SELECT concat_ws(' ', tenant_id, device_id, date) AS key, CAST(total_energy_wh AS DOUBLE) AS wh, covered_s,
       CAST(coverage_ratio AS DOUBLE) AS ratio
     FROM gold.daily_energy_consumption WHERE total_energy_wh IS NOT NULL`,
  )
  return {
    data,
    report,
    days: new Map(rows.map(({ key, wh, covered_s }) => [key, { wh, coveredS: covered_s }])),
    ratios: new Map(rows.map(({ key, ratio }) => [key, ratio])),
  }
}

/** @param toleranceWh for what is rounded on the way: powers to mW, energies to nWh */
function assertDays(actual: Days, expected: Days, toleranceWh: number): void {
  assert.deepEqual([...actual.keys()].toSorted(), [...expected.keys()].toSorted())
  for (const [key, { wh, coveredS }] of expected) {
    const found = actual.get(key)!
    assert.ok(Math.abs(found.wh - wh) <= toleranceWh, `${key}: ${found.wh} Wh, raw ${wh} Wh`)
    assert.equal(found.coveredS, coveredS, `${key}: covered seconds`)
  }
}

function skipped(t: TestContext, folder: string): boolean {
  if (existsSync(join(FOLDER, folder))) return false
  t.skip(`the recorded data are not there (${join(FOLDER, folder)})`)
  return true
}

/** Left-hold of every column, at most 15 minutes, cut at midnight UTC. */
function heldDays(files: readonly string[]): Days {
  const days: Days = new Map()
  const samples = new Map<string, { at: number; watts: number }[]>()
  for (const file of files.toSorted()) {
    const home = /(?:REFIT|UKDALE)_House\d+/.exec(file)![0]
    const { names, rows } = rowsOf(file)
    for (const row of rows)
      for (const [column, name] of names.entries()) {
        if (column === 0 || row[column] === '' || row[column] === undefined) continue
        const key = `${home} ${name}`
        const own = samples.get(key) ?? []
        samples.set(key, own)
        own.push({ at: Date.parse(`${row[0]!.replace(' ', 'T')}Z`) / 1000, watts: Number(row[column]) })
      }
  }
  for (const [key, own] of samples)
    for (const [index, { at, watts }] of own.entries()) {
      const next = own[index + 1]
      if (!next) break
      const end = Math.min(next.at, at + MAX_GAP_S)
      for (let from = at; from < end;) {
        const to = Math.min(end, (Math.floor(from / DAY_S) + 1) * DAY_S)
        add(days, `${key} ${dateOf(from)}`, (watts * (to - from)) / 3600, to - from)
        from = to
      }
    }
  return days
}

test('house-months, a reading a minute: every device and day as the raw files say; the meter is the house', async (t) => {
  if (skipped(t, 'refit_ukdale_ideal_1min')) return
  const files = globSync(HOUSES, { cwd: join(FOLDER, 'refit_ukdale_ideal_1min') }).map((file) =>
    part(t, join(FOLDER, 'refit_ukdale_ideal_1min', file), '2013-10-01', '2013-10-10'),
  )
  const words = [
    '--wide',
    '--parent',
    'Aggregate',
    '--tz',
    'UTC',
    '--tenant',
    String.raw`((?:REFIT|UKDALE)_House\d+)`,
  ]
  const { data, days, ratios } = await imported(t, { zone: 'UTC', words: [...files, ...words] })
  const expected = heldDays(files)
  // Half a mW for a day is 0.012 Wh.
  assertDays(days, expected, 0.013)
  for (const [key, { coveredS }] of expected)
    assert.ok(Math.abs(ratios.get(key)! - coveredS / DAY_S) <= 5e-7, `${key}: coverage`)
  const homes = await sql<{ key: string; wh: number; untracked: number }>(
    data,
    `SELECT concat_ws(' ', tenant_id, 'Aggregate', date) AS key, CAST(total_energy_wh AS DOUBLE) AS wh,
       CAST(untracked_energy_wh AS DOUBLE) AS untracked FROM gold.daily_business_summary`,
  )
  assert.ok(homes.length > 0)
  for (const { key, wh, untracked } of homes) {
    const [home, , date] = key.split(' ')
    assert.ok(Math.abs(wh - expected.get(key)!.wh) <= 0.013, key)
    const parts = ['Kettle', 'Dishwasher', 'WashingMachine', 'Microwave'].map(
      (name) => expected.get(`${home} ${name} ${date}`)?.wh ?? 0,
    )
    const rest = wh - parts.reduce((sum, one) => sum + one)
    assert.ok(Math.abs(untracked - rest) <= 0.1, `${key}: untracked ${untracked}, raw ${rest}`)
  }
})

test('hours of an electricity board, labelled by their end: the printed date is the day, also where the clock is put forward', async (t) => {
  if (skipped(t, 'openmv')) return
  const file = part(t, join(FOLDER, 'openmv', 'electricity-usage.csv'), '03/01/2012', '03/17/2012')
  const words = [
    file,
    '--map',
    'energy_consumption_wh=Consumption kWh',
    '--tz',
    'America/Toronto',
    '--device',
    'house',
  ]
  const { days, ratios } = await imported(t, { zone: 'America/Toronto', words })
  const expected: Days = new Map()
  const hours = new Map<string, number>()
  for (const [time, kwh] of rowsOf(file).rows) {
    const [month, day, year] = time!.split(' ')[0]!.split('/')
    const key = `home house ${year}-${month}-${day}`
    // The first row has none before it that it could cover back to.
    add(expected, key, Number(kwh) * 1000, expected.size === 0 ? 0 : 3600)
    hours.set(key, (hours.get(key) ?? 0) + 1)
  }
  assertDays(days, expected, 1e-6)
  const short = 'home house 2012-03-11'
  assert.equal(hours.get(short), 23)
  for (const [key, { coveredS }] of expected)
    assert.ok(
      Math.abs(ratios.get(key)! - coveredS / (key === short ? 82_800 : DAY_S)) <= 5e-7,
      `${key}: coverage`,
    )
})

test('energy in Wh every ten minutes: sums by day, the hour that spring leaves out included', async (t) => {
  if (skipped(t, 'candanedo')) return
  const file = part(
    t,
    join(FOLDER, 'candanedo', 'energydata_until_2016-04-30.csv'),
    '2016-03-20',
    '2016-04-05',
  )
  const words = [file, '--wide', '--columns', 'Appliances,lights', '--unit', 'Wh', '--tz', 'Europe/Brussels']
  const { days } = await imported(t, { zone: 'Europe/Brussels', words })
  const { names, rows } = rowsOf(file)
  const expected: Days = new Map()
  for (const [index, row] of rows.entries()) {
    // A clock time as if it were UTC; 00:00 ends the day before.
    const at = Date.parse(`${row[0]!.replace(' ', 'T')}Z`) / 1000
    const date = dateOf(at - 1)
    for (const name of ['Appliances', 'lights'])
      // On the day of the change six rows more than it has room for.
      add(expected, `home ${name} ${date}`, Number(row[names.indexOf(name)]), index === 0 ? 0 : 600)
  }
  for (const name of ['Appliances', 'lights']) expected.get(`home ${name} 2016-03-27`)!.coveredS = 82_800
  assertDays(days, expected, 1e-6)
})

test('a house by day, meter and parts in different units: each date is its day', async (t) => {
  if (skipped(t, 'ipec')) return
  const whole = join(FOLDER, 'ipec', 'household_power_consumption_days_until_2009.csv')
  const file = part(t, whole, '2007-03-01', '2007-04-15')
  const words = [
    file,
    '--wide',
    '--columns',
    'Global_active_power,Sub_metering_*',
    '--unit',
    'Wh',
    '--tz',
    'Europe/Paris',
  ]
  words.push('--unit', 'Global_active_power=kWmin', '--parent', 'Global_active_power')
  const { days, data } = await imported(t, { zone: 'Europe/Paris', words })
  const { names, rows } = rowsOf(file)
  const expected: Days = new Map()
  for (const [index, row] of rows.entries())
    for (const [column, name] of names.entries()) {
      if (name !== 'Global_active_power' && !/^sub_metering/i.test(name)) continue
      // A kW for a minute is 1000 / 60 Wh.
      const wh = Number(row[column]) * (name === 'Global_active_power' ? 1000 / 60 : 1)
      // Paris puts its clock forward on the last Sunday of March and back on that of October.
      add(expected, `home ${name} ${row[0]}`, wh, index === 0 ? 0 : DAY_S - changeS(row[0]!))
    }
  assertDays(days, expected, 1e-6)
  const [house] = await sql<{ wh: number }>(
    data,
    'SELECT CAST(sum(total_energy_wh) AS DOUBLE) AS wh FROM gold.daily_business_summary',
  )
  const meter = [...expected]
    .filter(([key]) => key.includes('Global'))
    .reduce((sum, [, { wh }]) => sum + wh, 0)
  assert.ok(Math.abs(house!.wh - meter) <= 1e-3, `${house!.wh} Wh, raw ${meter} Wh`)
})

/** Seconds by which a European day is shorter. */
function changeS(date: string): number {
  const day = new Date(`${date}T00:00:00Z`)
  const isLastSunday = day.getUTCDay() === 0 && day.getUTCDate() > 24
  if (!isLastSunday) return 0
  return day.getUTCMonth() === 2 ? 3600 : day.getUTCMonth() === 9 ? -3600 : 0
}
