import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { dataFolder, ROOT, smarthouseHere, sql } from './run-cli.ts'

const FOLDER = join(ROOT, '..', 'shared', 'data', 'timeseries', 'tracebase', 'complete')
/**
 * Folders and patterns. `npm run soak -- plugs` takes all plugs; here a day of winter and two of summer, one after the other, have to do.
 */
const PLUGS =
  process.env['SOAK'] !== undefined && existsSync(FOLDER)
    ? readdirSync(FOLDER)
    : ['Lamp', 'Washingmachine/*_2012.05.2[01].csv.gz']
const MAX_GAP_MS = 15 * 60_000
/** Berlin was one hour ahead of UTC in January 2012 and two in May: enough for the days of these files. */
const offsetMs = (month: number): number => (month >= 4 && month <= 10 ? 2 : 1) * 3_600_000

interface Sample {
  atMs: number
  powerW: number
}

/** The plugs as the raw files have them: `12/01/2012 00:00:02;156;156`, local time; the first of a second counts. */
function readPlugs(): Map<string, Sample[]> {
  const plugs = new Map<string, Map<number, number>>()
  const files = globSync(
    PLUGS.map((plug) => (plug.includes('*') ? plug : `${plug}/*.csv.gz`)),
    { cwd: FOLDER },
  )
  for (const file of files.toSorted()) {
    const device = /dev_[0-9A-F]+/.exec(file)![0]
    const samples = plugs.get(device) ?? new Map<number, number>()
    plugs.set(device, samples)
    for (const line of gunzipSync(readFileSync(join(FOLDER, file)))
      .toString('latin1')
      .split('\n')) {
      const match = /^(\d+)\/(\d+)\/(\d+) (\d+):(\d+):(\d+);\s*(\d+)/.exec(line)
      if (!match) continue
      const [day, month, year, hour, minute, second, powerW] = match.slice(1).map(Number) as [
        number,
        number,
        number,
        number,
        number,
        number,
        number,
      ]
      const atMs = Date.UTC(year, month - 1, day, hour, minute, second) - offsetMs(month)
      if (!samples.has(atMs)) samples.set(atMs, powerW)
    }
  }
  return new Map(
    [...plugs].map(([device, samples]) => [
      device,
      [...samples].map(([atMs, powerW]) => ({ atMs, powerW })).toSorted((a, b) => a.atMs - b.atMs),
    ]),
  )
}

const localDate = (atMs: number): string =>
  new Date(atMs + offsetMs(new Date(atMs).getUTCMonth() + 1)).toISOString().slice(0, 10)

/** Left-hold: each sample's power holds until the next one, at most 15 minutes; cut at local midnight. */
function kwhPerDay(samples: readonly Sample[]): Map<string, number> {
  const days = new Map<string, number>()
  for (const [index, { atMs, powerW }] of samples.entries()) {
    const next = samples[index + 1]
    if (!next) continue
    const endMs = Math.min(next.atMs, atMs + MAX_GAP_MS)
    for (let from = atMs; from < endMs;) {
      const offset = offsetMs(new Date(from).getUTCMonth() + 1)
      const midnight = (Math.floor((from + offset) / 86_400_000) + 1) * 86_400_000 - offset
      const to = Math.min(endMs, midnight)
      days.set(localDate(from), (days.get(localDate(from)) ?? 0) + (powerW * (to - from)) / 3.6e9)
      from = to
    }
  }
  return days
}

test('real plugs of a house: kWh per device and day within 1 % of the raw files; a second import adds nothing', async (t) => {
  if (!existsSync(FOLDER)) {
    t.skip(`the recorded plugs are not there (${FOLDER})`)
    return
  }
  const data = dataFolder(t)
  const words = [
    'import',
    ...PLUGS.map((plug) => join(FOLDER, plug)),
    '--data',
    data,
    '--no-header',
    '--map',
    'timestamp=1',
    '--map',
    'power_usage=2',
  ]
  words.push(
    '--date-order',
    'dmy',
    '--tz',
    'Europe/Berlin',
    '--device',
    '(dev_[0-9A-F]+)',
    '--type',
    '([^/]+)/[^/]+$',
  )
  process.env['SMARTHOUSE_TIME_ZONE'] = 'Europe/Berlin'
  t.after(() => delete process.env['SMARTHOUSE_TIME_ZONE'])
  const first = await smarthouseHere(...words, '--wait', '--json')
  assert.equal(first.status, 0, first.stderr)
  const report = JSON.parse(first.stdout) as {
    rows: number
    appended: number
    verdicts: Record<string, number>
  }
  const { accepted, duplicate, rejected } = report.verdicts
  assert.equal(accepted! + duplicate! + rejected!, report.appended)

  const gold = await sql<{ device_id: string; date: string; kwh: number }>(
    data,
    `SELECT device_id, date, CAST(total_energy_wh AS DOUBLE) / 1000 AS kwh FROM gold.daily_energy_consumption
     WHERE total_energy_wh IS NOT NULL`,
  )
  const actual = new Map(gold.map((row) => [`${row.device_id} ${row.date}`, row.kwh]))
  let compared = 0
  for (const [device, samples] of readPlugs())
    for (const [date, kwh] of kwhPerDay(samples)) {
      const found = actual.get(`${device} ${date}`)
      assert.ok(found !== undefined, `${device} ${date}`)
      assert.ok(
        Math.abs(found - kwh) <= Math.max(kwh * 0.01, 1e-6),
        `${device} ${date}: ${found} kWh, raw ${kwh} kWh`,
      )
      compared += 1
    }
  assert.ok(compared >= PLUGS.length, `${compared} device-days`)

  const rows = async () =>
    (await sql<{ n: number }>(data, 'SELECT count(*) AS n FROM bronze.telemetry'))[0]!.n
  const before = await rows()
  assert.equal(before, report.appended)
  const again = await smarthouseHere(...words, '--wait', '--json')
  assert.equal(again.status, 0, again.stderr)
  assert.equal(await rows(), before)
})
