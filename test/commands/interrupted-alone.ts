/** Commands that are ended each on a folder of its own: what it holds before, and what it must hold once the command was said again. */
import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { COMMANDS } from '../../src/commands/index.ts'
import { parseWords } from '../../src/commands/command.ts'
import { openEmbeddedLog } from '../../src/2-stream/embedded.ts'
import { openLakeAlone, openSettings, type Warehouse } from '../../src/main.ts'
import { DEAD_LETTER_TOPIC } from '../../src/reading.ts'

export interface Place {
  data: string
  config: string
  /** For files that do not belong to the folder. */
  home: string
  /** A folder with three devices' readings of 2026-01-15 in all layers; the lamp has used 12 Wh. */
  first: string
}

export interface Alone {
  said(place: Place): readonly string[]
  given(place: Place): unknown
  done(place: Place): Promise<void>
}

export async function say(
  place: Place,
  words: readonly string[],
  stop: AbortSignal = new AbortController().signal,
): Promise<number> {
  const [name, ...rest] = words
  const command = await COMMANDS[name!]!()
  const args = parseWords(command, [...rest, '--data', place.data, '--config', place.config])
  return await command.run(args, stop)
}

/** Said on a folder whose tables cannot all be read, or not yet. */
export const isTorn = (said: readonly string[]): boolean => said.includes('--repair') || said[0] === 'upgrade'

export async function withLake<T>(
  { data, config }: Pick<Place, 'data' | 'config'>,
  work: (warehouse: Warehouse) => Promise<T>,
): Promise<T> {
  const args = parseWords(await COMMANDS.lake!(), ['--data', data, '--config', config])
  const warehouse = await openLakeAlone(openSettings(args))
  try {
    return await work(warehouse)
  } finally {
    await warehouse.close()
  }
}

const rowsOf = (place: Place, table: string, what: string): Promise<Record<string, unknown>[]> =>
  withLake(place, async ({ lake, engine }) => {
    const session = await engine.session()
    try {
      return await session.rows(
        `SELECT ${what} FROM ${lake.scan(table, (await lake.snapshot(table)).files)} GROUP BY ALL ORDER BY ALL`,
      )
    } finally {
      await session.close()
    }
  })

const WH = 'device_id, sum(energy_wh)::DOUBLE AS wh'
const asFirst = ({ first, data }: Place): void => cpSync(first, data, { recursive: true })
async function requireLampWh(place: Place, wh: number): Promise<void> {
  const rows = await rowsOf(place, 'gold.quarter_hourly_energy', WH)
  assert.equal(rows.find(({ device_id }) => device_id === 'lamp')?.['wh'], wh)
}

/** Rows of Bronze, Silver and Gold that `verify` has found to be right. */
const verified = new Set<string>()

/** What they hold can be rebuilt from Bronze, as `verify` says; rows that it has seen in another folder are not asked about again. */
export async function requireVerified(place: Place): Promise<void> {
  const rows = await rowsOfLayers(place)
  if (verified.has(rows)) return
  assert.equal(await say(place, ['verify']), 0)
  verified.add(rows)
}

/** Of each table how many rows it has, and a hash of them all. */
const rowsOfLayers = (place: Place): Promise<string> =>
  withLake(place, async ({ lake, engine }) => {
    const session = await engine.session()
    const all: unknown[] = []
    for (const table of await lake.tables()) {
      if (table.startsWith('reference.')) continue
      const from = lake.scan(table, (await lake.snapshot(table)).files)
      const hash = 'count(*)::VARCHAR AS n, bit_xor(hash(t))::VARCHAR AS hash'
      all.push([table, await session.rows(`SELECT ${hash} FROM ${from} AS t`)])
    }
    await session.close()
    return JSON.stringify(all)
  })

const EXCLUDE = [
  'correct',
  '--device',
  'lamp',
  '--from',
  '2026-01-15T10:00:00Z',
  '--exclude',
  '--reason',
  'x',
]
const csvOf = ({ home }: Place): string => join(home, 'import.csv')

/** The newest entry of the log of what the lamp and the plugs report. */
function newestEntry(data: string): string {
  const log = join(data, 'lake', 'silver', 'readings', '_delta_log')
  const names = readdirSync(log).filter((name) => /^\d{20}\.json$/.test(name))
  return join(log, names.toSorted().at(-1)!)
}

export const ALONE: readonly Alone[] = [
  {
    said: (place) => ['import', csvOf(place)],
    given: (place) =>
      writeFileSync(
        csvOf(place),
        'timestamp,device_id,power_usage\n2026-01-15T10:00:00Z,a,1\n2026-01-15T10:01:00Z,a,2\n2026-01-15T10:02:00Z,b,3\n',
      ),
    async done(place) {
      const log = await openEmbeddedLog({ dir: join(place.data, 'stream') })
      assert.equal((await log.bounds())[0]!.end - (await log.bounds())[0]!.start, 3, 'each row once')
      await log.close()
    },
  },
  {
    said: () => ['stages', '--once'],
    given(place) {
      asFirst(place)
      // Only the stream is left: all layers are made from it.
      rmSync(join(place.data, 'lake'), { recursive: true })
    },
    async done(place) {
      await requireLampWh(place, 12)
      await requireVerified(place)
    },
  },
  {
    said: () => [
      'simulate',
      '--devices',
      '2',
      '--from',
      '2026-01-15T10:00:00Z',
      '--for',
      '5m',
      '--rate',
      '1/min',
    ],
    given: () => undefined,
    async done(place) {
      assert.equal(await say(place, ['stages', '--once']), 0)
      // Said twice, the same readings came twice: each counts once.
      const rows = await rowsOf(place, 'silver.readings', 'device_id, count(*)::INTEGER AS n')
      assert.deepEqual(
        rows.map(({ n }) => n),
        [5, 5],
      )
      await requireVerified(place)
    },
  },
  {
    said: () => ['stream', 'replay', '--all'],
    async given(place) {
      asFirst(place)
      const dead = await openEmbeddedLog({ dir: join(place.data, 'stream'), topic: DEAD_LETTER_TOPIC })
      const value = '{"device_id":"lamp","timestamp":"2026-01-15T10:30:00Z","energy_consumption_wh":3}'
      await dead.append([{ key: 'lamp', value: Buffer.from(value) }])
      await dead.close()
    },
    async done(place) {
      assert.equal(await say(place, ['stages', '--once']), 0)
      await requireLampWh(place, 15)
    },
  },
  {
    said: () => ['correct', '--undo', '1', '--reason', 'it was true after all'],
    async given(place) {
      asFirst(place)
      await say(place, EXCLUDE)
      await requireLampWh(place, 5)
    },
    async done(place) {
      await requireLampWh(place, 12)
      await requireVerified(place)
    },
  },
  {
    said: () => ['devices', 'merge', 'old', '--undo'],
    async given(place) {
      asFirst(place)
      await say(place, ['devices', 'merge', 'old', 'new'])
    },
    async done(place) {
      assert.equal(await say(place, ['stages', '--once']), 0)
      assert.deepEqual(await rowsOf(place, 'gold.quarter_hourly_energy', WH), [
        { device_id: 'lamp', wh: 12 },
        { device_id: 'new', wh: 50 },
        { device_id: 'old', wh: 200 },
      ])
    },
  },
  {
    said: () => ['lake', 'check', '--repair'],
    given(place) {
      asFirst(place)
      const entry = newestEntry(place.data)
      truncateSync(entry, Math.floor(readFileSync(entry).length / 2))
    },
    async done(place) {
      assert.equal(await say(place, ['lake', 'check']), 0)
      assert.equal(await say(place, ['rebuild', 'silver']), 0)
      assert.equal(await say(place, ['rebuild', 'gold']), 0)
      await requireVerified(place)
    },
  },
  {
    said: () => ['lake', 'retain', 'bronze.telemetry', '--days', '1'],
    given: asFirst,
    done: (place) =>
      withLake(place, async ({ lake }) => {
        const { files, properties } = await lake.snapshot('bronze.telemetry')
        assert.deepEqual([files.length, properties['lake.retentionDays']], [0, '1'])
      }),
  },
  {
    said: () => ['verify'],
    given: asFirst,
    async done(place) {
      await requireVerified(place)
      assert.deepEqual(readdirSync(join(place.data, 'temp')), [])
    },
  },
  {
    said: () => ['rebuild', 'devices'],
    given: asFirst,
    done: requireVerified,
  },
  {
    said: () => ['upgrade'],
    given: ({ data }) =>
      cpSync(join(import.meta.dirname, '..', 'upgrade', 'format-1'), data, { recursive: true }),
    async done(place) {
      // As test/upgrade reckons it: 2 kW for ten minutes, 60 W for twenty.
      const rows = await rowsOf(place, 'gold.quarter_hourly_energy', `user_id, ${WH}`)
      assert.deepEqual(
        rows.map(({ user_id, wh }) => [user_id, Math.round(Number(wh))]),
        [
          ['ada', 333],
          ['ben', 20],
        ],
      )
    },
  },
]
