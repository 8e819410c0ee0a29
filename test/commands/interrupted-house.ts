/** A small house on which commands are interrupted: what they are, what each must leave, and what it must lead to in the end. */
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseWords } from '../../src/commands/command.ts'
import { STAGES } from '../../src/commands/stages.ts'
import { beginSettings, openStreamAlone } from '../../src/main.ts'
import { clockAhead } from './clock.ts'
import { requireVerified, say, withLake, type Place } from './interrupted-alone.ts'

/** In their order: each is said on what the ones before have left. */
export const SAID: readonly (readonly string[])[] = [
  ['correct', '--device', 'lamp', '--from', '2026-01-15T10:00:00Z', '--exclude', '--reason', 'a spike'],
  ['devices', 'rename', 'new', '--name', 'Washing machine', '--location', 'cellar'],
  ['devices', 'merge', 'old', 'new'],
  ['devices', 'retire', 'lamp'],
  ['rules', 'apply'],
  ['lake', 'optimize'],
  ['rebuild', 'silver'],
  ['rebuild', 'gold'],
  // More dates than there are: nothing goes, and that it is kept so is recorded.
  ['lake', 'retain', 'bronze.telemetry', '--days', '400'],
  // After all that write: what these leave when they are killed, an entry that was not put in its place yet, goes with the rest.
  ['lake', 'vacuum'],
  ['lake', 'clean'],
]

/** Said when what has left the tables, and the log of that, may go. */
const AHEAD_DAYS = 40
export const aheadOf = (said: readonly string[]): number =>
  /vacuum|clean|retain .* --days 1$/.test(said.join(' ')) ? AHEAD_DAYS : 0

export interface InterruptedHouse {
  /** For files and folders beside it. */
  home: string
  config: string
  /** The folder in which all layers hold what was reported. */
  first: string
  placeOf(data: string): Place
  remove(): void
}

export async function openInterruptedHouse(): Promise<InterruptedHouse> {
  const home = mkdtempSync(join(tmpdir(), 'smarthouse-interrupted-'))
  const config = join(home, 'smarthouse.yaml')
  const first = join(home, 'first')
  const placeOf = (data: string): Place => ({ data, config, home, first })
  writeFileSync(config, 'time_zone: UTC\n')
  const settings = await beginSettings(parseWords(STAGES, ['--data', first, '--config', config]))
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
  await again(placeOf(first), ['stages', '--once'])
  // A checkpoint at every other version: then there are entries before one, and `clean` has something to delete.
  await withLake(placeOf(first), ({ lake }) =>
    lake.setProperties('silver.readings', { 'delta.checkpointInterval': '2' }),
  )
  writeFileSync(config, 'time_zone: UTC\nrules: [{ rule: unknown_location, points: 30 }]\n')
  return {
    home,
    config,
    first,
    placeOf,
    remove: () => rmSync(home, { recursive: true, force: true, maxRetries: 5 }),
  }
}

export function copyFolder(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true })
  cpSync(from, to, { recursive: true })
}

/** The folder opens, and each table is what its log says, file by file. */
export const requireWhole = (place: Place, of: string): Promise<void> =>
  withLake(place, async ({ lake }) => {
    for (const table of await lake.tables())
      assert.deepEqual((await lake.check(table)).findings, [], `${table} after ${of}`)
  })

export async function again(place: Place, said: readonly string[]): Promise<void> {
  const setRight = clockAhead(aheadOf(said))
  try {
    assert.equal(await say(place, said), 0, said.join(' '))
  } finally {
    setRight()
  }
}

/** What may go by then of the tables' files and of their logs. */
export const expiredIn = (place: Place): Promise<{ files: number; entries: number }> =>
  withLake(place, async ({ lake }) => {
    const options = { dryRun: true, nowMs: Date.now() + AHEAD_DAYS * 86_400_000 }
    const expired = { files: 0, entries: 0 }
    for (const table of await lake.tables()) {
      expired.files += (await lake.vacuum(table, options)).length
      expired.entries += (await lake.cleanUpLog(table, options)).length
    }
    return expired
  })

/** What the commands were for: the lamp's 7 Wh count for nothing, the plugs are one, what may go is gone; and all of it can be rebuilt. */
export async function requireDone(place: Place): Promise<void> {
  await withLake(place, async ({ lake, engine }) => {
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
  assert.deepEqual(await expiredIn(place), { files: 0, entries: 0 })
  await requireVerified(place)
}
