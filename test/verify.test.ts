import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { openDuckDb } from '../src/lake/index.ts'
import { verify, type VerifyReport } from '../src/verify.ts'
import { DEFAULT_TARIFF } from './oracle/arrivals.ts'
import { openWorld, type World } from './pipeline/world.ts'
import type { Engine } from '../src/lake/types.ts'
import type { Case } from './pipeline/case.ts'
import { hearCalls } from './commands/fs-calls.ts'

const { tariff_version: _version, ...tariff } = DEFAULT_TARIFF
const sent = (minute: number, fields: object): Case['messages'][number] => ({
  acceptedAtMs: Date.parse('2024-06-03T10:00:01Z') + minute * 60_000,
  value: JSON.stringify({
    device_id: 'plug',
    timestamp: new Date(Date.parse('2024-06-03T10:00:00Z') + minute * 60_000).toISOString(),
    ...fields,
  }),
})
const given: Case = {
  timeZone: 'UTC',
  lateWatermarkHours: 48,
  catalogue: [],
  tariffs: [tariff],
  messages: [
    sent(0, { power_usage: 60, metrics: { voltage_v: 230, current_a: 0.3 } }),
    sent(5, { power_usage: 120 }),
    sent(5, { power_usage: 120 }),
    sent(6, { temperature: 400 }),
    sent(10, { device_id: 'lamp', power_usage: 5 }),
    sent(20, { power_usage: 60 }),
  ],
  schedule: [],
}

let engine: Engine
/** One lake for all tests but the one of days; each goes on from where the one before it left it. */
let world: World
before(async () => {
  engine = await openDuckDb({ threads: 1 })
  world = await openWorld(engine, given)
})
after(async () => {
  await world.close()
  await engine.close()
})

const check = (more: object = {}): Promise<VerifyReport> =>
  verify({ lake: world.lake, engine, tempDir: tmpdir(), ...more })

test('what a stage has not worked off yet is told, not taken for a difference', async () => {
  await world.happen({ do: 'append', messages: 2 })
  for (const stage of ['bronze', 'silver', 'gold'] as const) await world.happen({ do: stage, final: true })
  await world.happen({ do: 'append', messages: 3 })
  await world.happen({ do: 'bronze', final: true })
  const report = await check()
  assert.equal(report.equal, true)
  assert.equal(report.accounting.bronze, 5)
  assert.equal(report.accounting.pending, 3)
  assert.match(report.behind.join('\n'), /silver\.readings .* 3 rows have come since/)
  await world.happen({ do: 'silver', final: true })
  const later = await check()
  assert.equal(later.equal, true)
  assert.equal(later.accounting.pending, 0)
  assert.match(later.behind.join('\n'), /gold\..* of silver\.readings/)
})

test('an interrupted verify goes on where it was, and leaves nothing behind; a clean lake is equal to its rebuild, and every arrival is accounted for', async () => {
  await world.finish()
  const tempDir = mkdtempSync(join(tmpdir(), 'smarthouse-verify-'))
  let report: VerifyReport
  try {
    const stop = new AbortController()
    const interrupted = check({
      tempDir,
      onProgress: (text: string) => {
        if (text.startsWith('building Gold')) stop.abort()
        stop.signal.throwIfAborted()
      },
    })
    await assert.rejects(interrupted, { name: 'AbortError' })
    const [left] = readdirSync(tempDir)
    assert.ok(left)
    const silver = () => readdirSync(join(tempDir, left, 'silver', 'readings', '_delta_log')).length
    const built = silver()
    let during = 0
    // A verify that was killed while it removed what it had built; a removal that begins under the folder's own name would be gone on with.
    mkdirSync(join(tempDir, `${left}.ended`, 'silver'), { recursive: true })
    const removed: string[] = []
    hearCalls((name, of) => {
      if (name === 'rm' && dirname(String(of)) === tempDir) removed.push(basename(String(of)))
    })
    report = await check({
      tempDir,
      onProgress: (text: string) => {
        if (text.startsWith('building Gold')) during = silver()
      },
    })
    assert.equal(during, built, 'Silver was not built again')
    assert.deepEqual(readdirSync(tempDir), [])
    assert.deepEqual(new Set(removed), new Set([`${left}.ended`]))
  } finally {
    hearCalls()
    rmSync(tempDir, { recursive: true, force: true })
  }
  assert.deepEqual(
    report.tables.flatMap((table) => table.examples),
    [],
  )
  assert.equal(report.equal, true)
  // Six messages: the repeat is a duplicate, 400 °C a reject.
  const { closes, ...counts } = report.accounting
  assert.deepEqual(counts, { bronze: 6, readings: 4, rejects: 1, duplicates: 1, pending: 0 })
  assert.equal(closes, true)
  assert.deepEqual(report.behind, [])
  assert.equal(report.tables.find((t) => t.table === 'gold.daily_energy_consumption')?.rows, 2)
  const ofLamp = await check({ device: 'lamp' })
  assert.equal(ofLamp.equal, true)
  assert.equal(ofLamp.tables.find((t) => t.table === 'silver.readings')?.rows, 1)
  const ofToday = await check({ days: 1 })
  assert.deepEqual(
    ofToday.tables.map((t) => t.rows),
    ofToday.tables.map(() => 0),
  )
})

test('a changed figure and a lost row are found and named', async () => {
  const { lake } = world
  const replace = async (table: string, select: (from: string) => string): Promise<void> => {
    const session = await engine.session()
    const { files } = await lake.snapshot(table)
    const add = await lake.write(session, table, select(lake.scan(table, files)))
    await lake.commit(table, { operation: 'WRITE', add, remove: files })
    await session.close()
  }
  const daily = 'gold.daily_energy_consumption'
  await replace(
    daily,
    (from) =>
      `SELECT * REPLACE (total_energy_wh + 1 AS total_energy_wh) FROM ${from} WHERE device_id = 'plug' UNION ALL SELECT * FROM ${from} WHERE device_id = 'lamp'`,
  )
  await replace('silver.rejects', (from) => `SELECT * FROM ${from} WHERE false`)
  await replace('gold.monthly_energy', (from) => `SELECT * FROM ${from} UNION ALL SELECT * FROM ${from}`)
  const report = await check()
  assert.equal(report.equal, false)
  assert.equal(report.accounting.closes, false)
  const found = report.tables.find((t) => t.table === daily)
  assert.deepEqual([found?.onlyStored, found?.onlyRebuilt], [1, 1])
  // 60 W × 5 min + 120 W × 15 min = 5 + 30 Wh.
  assert.deepEqual(found?.examples, [
    `${daily} tenant_id=home device_id=plug date=2024-06-03: total_energy_wh is "36.000000000", a rebuild gives "35.000000000"`,
  ])
  const rejects = report.tables.find((t) => t.table === 'silver.rejects')
  assert.deepEqual([rejects?.onlyStored, rejects?.onlyRebuilt], [0, 1])
  assert.match(rejects?.examples[0] ?? '', /it is not stored/)
  // Both devices' month stands there twice: the rows are equal, but one of each is too many.
  const months = report.tables.find((t) => t.table === 'gold.monthly_energy')
  assert.deepEqual([months?.rows, months?.onlyStored, months?.onlyRebuilt], [4, 2, 0])
})

/** `days` so that the looked-at ones begin on this UTC date. */
const daysSince = (date: string): number => Math.floor((Date.now() - Date.parse(date)) / 86_400_000)

test('of some days, what differs in them is found, and what lies before them is neither looked at nor built on', async () => {
  const day = 24 * 60
  const messages = [0, 60, 12 * 60, day, day + 60].flatMap((minute) => [
    sent(minute, { energy_total_wh: 1000 + minute, alert: minute === day ? 'high_power' : undefined }),
    sent(minute + 1, { device_id: 'lamp', power_usage: 6, alert: 'high_power' }),
  ])
  const ofDays = await openWorld(engine, { ...given, messages })
  const checkDays = (more: object) => verify({ lake: ofDays.lake, engine, tempDir: tmpdir(), ...more })
  const differing = async (more: object = {}): Promise<Record<string, number>> => {
    const { tables } = await checkDays(more)
    const found = tables.filter(({ onlyStored, onlyRebuilt }) => onlyStored + onlyRebuilt > 0)
    return Object.fromEntries(found.map(({ table, onlyStored }) => [table, onlyStored]))
  }
  const plant = async (table: string, column: string, date: string): Promise<void> => {
    const session = await engine.session()
    const { files } = await ofDays.lake.snapshot(table)
    const by = table === 'silver.readings' ? 'event_date' : 'date'
    const wrong = `CASE WHEN device_id = 'plug' AND ${by} = DATE '${date}' THEN ${column} + 1 ELSE ${column} END`
    const rows = `SELECT * REPLACE (${wrong} AS ${column}) FROM ${ofDays.lake.scan(table, files)}`
    const add = await ofDays.lake.write(session, table, rows)
    await ofDays.lake.commit(table, { operation: 'WRITE', add, remove: files })
    await session.close()
  }
  const later = { days: daysSince('2024-06-04') }
  try {
    await ofDays.finish()
    // Wrong before the days that are looked at: three readings of the plug lie on the first day, its counter among what the second one goes on from.
    await plant('silver.readings', 'energy_total_wh', '2024-06-03')
    await plant('gold.daily_energy_consumption', 'total_energy_wh', '2024-06-03')
    const ofLater = await checkDays(later)
    assert.equal(ofLater.equal, true)
    const rowsOf = (name: string) => ofLater.tables.find(({ table }) => table === name)?.rows
    assert.deepEqual(
      ['silver.readings', 'gold.daily_energy_consumption', 'gold.monthly_energy'].map(rowsOf),
      [4, 2, 2],
    )
    await plant('silver.readings', 'energy_wh', '2024-06-04')
    await plant('gold.hourly_energy', 'energy_wh', '2024-06-04')
    const ofPlug = await differing({ ...later, device: 'plug' })
    assert.deepEqual(ofPlug['silver.readings'], 2)
    assert.ok(ofPlug['gold.hourly_energy']! > 0)
    assert.deepEqual(await differing({ ...later, device: 'lamp' }), {})
    assert.deepEqual(await differing(), {
      ...ofPlug,
      'silver.readings': 5,
      'gold.daily_energy_consumption': 1,
    })
  } finally {
    await ofDays.close()
  }
})
