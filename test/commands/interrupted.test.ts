/**
 * Every command that changes what is known, ended before one of its calls to the file system, killed or by Ctrl-C: afterwards the folder
 * opens whole, the same command said again does it, and the figures are what they must be. `npm run soak -- interrupted` tries each call.
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { tmpdir } from 'node:os'
import { parseWords } from '../../src/commands/command.ts'
import { STAGES } from '../../src/commands/stages.ts'
import { openSettings, openStreamAlone } from '../../src/main.ts'
import { ROOT } from '../house/run-cli.ts'
import { clockAhead } from './clock.ts'
import { endedAt, type Moment } from './ended.ts'
import { ALONE, say, withLake, type Alone, type Place } from './interrupted-alone.ts'

type Signal = Moment['by']
const isSoak = process.env.SOAK !== undefined
/** `npm run soak -- interrupted WORD`: the commands with this word. */
const only = process.env.SOAK === '1' ? '' : (process.env.SOAK ?? '')

const home = mkdtempSync(join(tmpdir(), 'smarthouse-interrupted-'))
const config = join(home, 'smarthouse.yaml')
const first = join(home, 'first')
after(() => rmSync(home, { recursive: true, force: true, maxRetries: 5 }))

/** In their order: each is said on what the ones before have left. */
const SAID: readonly (readonly string[])[] = [
  ['correct', '--device', 'lamp', '--from', '2026-01-15T10:00:00Z', '--exclude', '--reason', 'a spike'],
  ['devices', 'rename', 'new', '--name', 'Washing machine', '--location', 'cellar'],
  ['devices', 'merge', 'old', 'new'],
  ['devices', 'retire', 'lamp'],
  ['rules', 'apply'],
  ['lake', 'optimize'],
  ['rebuild', 'silver'],
  ['rebuild', 'gold'],
  ['lake', 'vacuum'],
  ['lake', 'clean'],
  // More dates than there are: nothing goes, and that it is kept so is recorded.
  ['lake', 'retain', 'bronze.telemetry', '--days', '400'],
]

/** Said when what has left the tables, and the log of that, may go. */
const AHEAD_DAYS = 40
const aheadOf = (said: readonly string[]): number =>
  /vacuum|clean|retain .* --days 1$/.test(said.join(' ')) ? AHEAD_DAYS : 0

const RULES = 'rules: [{ rule: unknown_location, points: 30 }]'

const placeOf = (data: string): Place => ({ data, config, home, first })

before(async () => {
  writeFileSync(config, 'time_zone: UTC\n')
  const settings = openSettings(parseWords(STAGES, ['--data', first, '--config', config]), { create: true })
  const log = await openStreamAlone(settings)
  // The old plug counts 1,000 → 1,200 Wh; the new one that took its place goes on to 1,250. The lamp reports 7 and 5 Wh.
  const readings = [
    { device_id: 'old', timestamp: '2026-01-15T10:00:00Z', energy_total_wh: 1000 },
    { device_id: 'old', timestamp: '2026-01-15T10:10:00Z', energy_total_wh: 1200 },
    { device_id: 'new', timestamp: '2026-01-15T10:20:00Z', energy_total_wh: 1200 },
    { device_id: 'new', timestamp: '2026-01-15T10:30:00Z', energy_total_wh: 1250 },
    { device_id: 'lamp', timestamp: '2026-01-15T10:00:00Z', energy_consumption_wh: 7 },
    { device_id: 'lamp', timestamp: '2026-01-15T10:20:00Z', energy_consumption_wh: 5 },
  ]
  await log.append(readings.map((one) => ({ key: one.device_id, value: Buffer.from(JSON.stringify(one)) })))
  await log.close()
  await again(first, ['stages', '--once'])
  // A checkpoint at every other version: then there are entries before one, and `clean` has something to delete.
  await withLake({ data: first, config }, ({ lake }) =>
    lake.setProperties('silver.readings', { 'delta.checkpointInterval': '2' }),
  )
  writeFileSync(config, `time_zone: UTC\n${RULES}\n`)
})

/** Starts a command that is ended at a call; whether it was, before it was done. */
const interrupted = (data: string, said: readonly string[], at: number, by: Signal): Promise<boolean> =>
  endedAt([join(ROOT, 'src', 'cli.ts'), ...said, '--data', data, '--config', config], {
    at,
    by,
    aheadDays: aheadOf(said),
  })

/** The folder opens, and each table is what its log says, file by file. */
const requireWhole = (data: string, of: string): Promise<void> =>
  withLake({ data, config }, async ({ lake }) => {
    for (const table of await lake.tables())
      assert.deepEqual((await lake.check(table)).findings, [], `${table} after ${of}`)
  })

async function again(data: string, said: readonly string[]): Promise<void> {
  const setRight = clockAhead(aheadOf(said))
  try {
    assert.equal(await say(placeOf(data), said), 0, said.join(' '))
  } finally {
    setRight()
  }
}

/** What may go by then of the tables' files and of their logs. */
const expiredIn = (data: string): Promise<{ files: number; entries: number }> =>
  withLake({ data, config }, async ({ lake }) => {
    const options = { dryRun: true, nowMs: Date.now() + AHEAD_DAYS * 86_400_000 }
    const expired = { files: 0, entries: 0 }
    for (const table of await lake.tables()) {
      expired.files += (await lake.vacuum(table, options)).length
      expired.entries += (await lake.cleanUpLog(table, options)).length
    }
    return expired
  })

/** What the commands were for: the lamp's 7 Wh count for nothing, the plugs are one, what may go is gone; and all of it can be rebuilt. */
async function requireDone(data: string): Promise<void> {
  await withLake({ data, config }, async ({ lake, engine }) => {
    const session = await engine.session()
    const from = async (table: string): Promise<string> =>
      lake.scan(table, (await lake.snapshot(table)).files)
    assert.deepEqual(
      await session.rows(
        `SELECT device_id, sum(energy_wh)::DOUBLE AS wh FROM ${await from('gold.quarter_hourly_energy')} GROUP BY ALL ORDER BY ALL`,
      ),
      [
        { device_id: 'lamp', wh: 5 },
        { device_id: 'new', wh: 250 },
      ],
    )
    assert.deepEqual(
      await session.rows(
        `SELECT DISTINCT location, quality_score::DOUBLE AS score FROM ${await from('silver.readings')} WHERE device_id = 'lamp'`,
      ),
      // Manufacturer and model are unknown at 0.1 each, and the location at what the rules say now.
      [{ location: null, score: 0.5 }],
    )
    await session.close()
  })
  assert.deepEqual(await expiredIn(data), { files: 0, entries: 0 })
  await again(data, ['verify'])
}

/** Of those that are said alone: ends it, looks at the folder, says it again. Whether it was ended before it was done. */
async function endAlone(alone: Alone, data: string, base: string, at: number, by: Signal): Promise<boolean> {
  rmSync(data, { recursive: true, force: true })
  if (existsSync(base)) cpSync(base, data, { recursive: true })
  const said = alone.said(placeOf(data))
  const moment = `${said.join(' ')}, ${by} at ${at}`
  const wasEnded = await interrupted(data, said, at, by)
  const isTorn = said.includes('--repair')
  if (existsSync(join(data, 'lake')) && !isTorn && said[0] !== 'upgrade') await requireWhole(data, moment)
  await again(data, said)
  await alone.done(placeOf(data))
  return wasEnded
}

/** The folder on which it is said; absent where it begins with none. */
async function baseOf(alone: Alone, name: string): Promise<string> {
  const base = join(home, name)
  await alone.given(placeOf(base))
  return base
}

/** How many of the commands are ended in one run of the tests; another choice each time. */
const ENDED = 1
const anyMoment = (): number => 1 + Math.floor(Math.random() * 25)

test('a command that is ended at any moment leaves the folder whole, and said again it is done', async () => {
  const data = join(home, 'each')
  cpSync(first, data, { recursive: true })
  const chosen = SAID.map((said) => ({ said, lot: Math.random() })).toSorted((a, b) => a.lot - b.lot)
  const ended = new Set(chosen.slice(0, ENDED).map(({ said }) => said))
  for (const [index, said] of SAID.entries()) {
    if (said[1] === 'vacuum') {
      const { files, entries } = await expiredIn(data)
      assert.ok(files > 0 && entries > 0, 'there is something to delete')
    }
    if (ended.has(said)) {
      const by = index % 2 === 0 ? 'SIGKILL' : 'SIGINT'
      const at = anyMoment()
      await interrupted(data, said, at, by)
      await requireWhole(data, `${said.join(' ')}, ${by} at ${at}`)
    }
    await again(data, said)
  }
  await requireDone(data)
})

test('… and so does one that is said on a folder of its own', async () => {
  const alone = ALONE[Math.floor(Math.random() * ALONE.length)]!
  const by = Math.random() < 0.5 ? 'SIGKILL' : 'SIGINT'
  await endAlone(alone, join(home, 'alone'), await baseOf(alone, 'alone-base'), anyMoment(), by)
})

if (isSoak)
  test('… each of these at every single call', async () => {
    for (const [index, alone] of ALONE.entries()) {
      const name = alone.said(placeOf('')).join(' ')
      if (!name.includes(only)) continue
      const base = await baseOf(alone, `base-${index}`)
      let ended = 0
      for (const by of ['SIGKILL', 'SIGINT'] as const)
        for (let at = 1; await endAlone(alone, join(home, 'alone'), base, at, by); at += 1) ended += 1
      console.log(`${name}: ended ${ended} times`)
    }
  })

if (isSoak)
  test('… those on one folder at every single call', async () => {
    const base = join(home, 'base')
    cpSync(first, base, { recursive: true })
    const data = join(home, 'data')
    for (const said of SAID) {
      let ended = 0
      const isChosen = said.join(' ').includes(only)
      for (const by of isChosen ? (['SIGKILL', 'SIGINT'] as const) : [])
        for (let at = 1; ; at += 1) {
          rmSync(data, { recursive: true, force: true })
          cpSync(base, data, { recursive: true })
          const wasEnded = await interrupted(data, said, at, by)
          await requireWhole(data, `${said.join(' ')}, ${by} at ${at}`)
          // All that comes after it, too, on what was left.
          for (const later of SAID.slice(SAID.indexOf(said))) await again(data, later)
          await requireDone(data)
          if (!wasEnded) break
          ended += 1
        }
      console.log(`${said.join(' ')}: ended ${ended} times`)
      await again(base, said)
    }
  })
