/**
 * Every command that changes what is known, ended before one of its calls to the file system, killed or by Ctrl-C: afterwards the folder
 * opens whole, the same command said again does it, and the figures are what they must be. `npm run soak -- interrupted` tries each call.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { tmpdir } from 'node:os'
import { parseWords, type Command } from '../../src/commands/command.ts'
import { COMMANDS } from '../../src/commands/index.ts'
import { BRONZE, GOLD, SILVER } from '../../src/commands/stages.ts'
import { openLakeAlone, openSettings, openStreamAlone } from '../../src/main.ts'
import { ROOT } from '../house/run-cli.ts'

const DYING = pathToFileURL(fileURLToPath(new URL('dying-fs.ts', import.meta.url))).href
const isSoak = process.env.SOAK !== undefined

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
  // More dates than there are: nothing goes, and that it is kept so is recorded.
  ['lake', 'retain', 'bronze.telemetry', '--days', '400'],
]

const RULES = 'rules: [{ rule: unknown_location, points: 30 }]'

async function run(command: Command, data: string, words: readonly string[]): Promise<number> {
  const args = parseWords(command, [...words, '--data', data, '--config', config])
  return await command.run(args, new AbortController().signal)
}

before(async () => {
  writeFileSync(config, 'time_zone: UTC\n')
  const settings = openSettings(parseWords(BRONZE, ['--data', first, '--config', config]), { create: true })
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
  for (const stage of [BRONZE, SILVER, GOLD]) await run(stage, first, ['--once'])
  writeFileSync(config, `time_zone: UTC\n${RULES}\n`)
})

/** Starts a command that is ended at a call; whether it was, before it was done. */
async function interrupted(data: string, said: readonly string[], at: number, by: string): Promise<boolean> {
  const words = [...said, '--data', data, '--config', config]
  const child = spawn(process.execPath, ['--import', DYING, join(ROOT, 'src', 'cli.ts'), ...words], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, DIE_AT: String(at), DIE_BY: by },
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  const clean = signal === 'SIGKILL' || code === 0 || code === 130
  assert.ok(clean, `${said.join(' ')}, ${by} at ${at}: ${code} ${signal} ${errors}`)
  return signal === 'SIGKILL' || code === 130
}

/** The folder opens, and no table is damaged. */
async function requireWhole(data: string, of: string): Promise<void> {
  const warehouse = await openLakeAlone(
    openSettings(parseWords(BRONZE, ['--data', data, '--config', config]), { create: false }),
  )
  try {
    for (const { table, damage, error } of await warehouse.lake.status())
      assert.equal(damage ?? error, undefined, `${table} after ${of}`)
  } finally {
    await warehouse.close()
  }
}

async function again(data: string, said: readonly string[]): Promise<void> {
  const [name, ...words] = said
  const code = await run(await COMMANDS[name!]!(), data, words)
  assert.equal(code, 0, said.join(' '))
}

/** What the commands were for: the lamp's 7 Wh count for nothing, the plugs are one, in the cellar; and all of it can be rebuilt. */
async function requireDone(data: string): Promise<void> {
  const warehouse = await openLakeAlone(
    openSettings(parseWords(BRONZE, ['--data', data, '--config', config]), { create: false }),
  )
  const session = await warehouse.engine.session()
  try {
    const from = async (table: string): Promise<string> =>
      warehouse.lake.scan(table, (await warehouse.lake.snapshot(table)).files)
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
  } finally {
    await session.close()
    await warehouse.close()
  }
  assert.equal(await run(await COMMANDS.verify!(), data, []), 0)
}

/** How many of the commands are ended in one run of the tests; another choice each time. */
const ENDED = 2

test('a command that is ended at any moment leaves the folder whole, and said again it is done', async () => {
  const data = join(home, 'each')
  cpSync(first, data, { recursive: true })
  const chosen = SAID.map((said) => ({ said, lot: Math.random() })).toSorted((a, b) => a.lot - b.lot)
  const ended = new Set(chosen.slice(0, ENDED).map(({ said }) => said))
  for (const [index, said] of SAID.entries()) {
    if (ended.has(said)) {
      const by = index % 2 === 0 ? 'SIGKILL' : 'SIGINT'
      const at = 1 + Math.floor(Math.random() * 25)
      await interrupted(data, said, at, by)
      await requireWhole(data, `${said.join(' ')}, ${by} at ${at}`)
    }
    await again(data, said)
  }
  await requireDone(data)
})

if (isSoak)
  test('… at every single call', async () => {
    const base = join(home, 'base')
    cpSync(first, base, { recursive: true })
    const data = join(home, 'data')
    for (const said of SAID) {
      let ended = 0
      for (const by of ['SIGKILL', 'SIGINT'])
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
