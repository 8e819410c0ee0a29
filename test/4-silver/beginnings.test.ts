import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { rebuildSilver } from '../../src/4-silver/rebuild.ts'
import { SILVER_TABLES } from '../../src/4-silver/tables.ts'
import { openDuckDb } from '../../src/lake/index.ts'
import { rowCount } from '../../src/lake/stats.ts'
import { buildSilver } from '../../src/verify-silver.ts'
import { arrival } from './arrivals.ts'
import { openHouse, type Arrival, type House } from './house.ts'
import type { Engine, Lake } from '../../src/lake/types.ts'

let engine: Engine
before(async () => {
  engine = await openDuckDb({ threads: 1 })
})
after(() => engine.close())

const RUNS = Number(process.env.SILVER_RUNS ?? 5)
const SEED = Number(process.env.SILVER_SEED ?? 5)
const START_MS = Date.parse('2024-01-15T00:00:00Z')

/** One channel, and every third arrival three weeks before the others, so that the windows of hours, of days and all are met. */
const aged = (one: Arrival, index: number): Arrival => ({
  ...one,
  channel: '',
  timestamp: new Date(
    Date.parse(one.timestamp ?? '') - (index % 3 === 0 ? 21 * 86_400_000 : 0),
  ).toISOString(),
})

/** What is counted from a moment on, every column as text. */
async function rowsSince(lake: Lake, house: House, since: string): Promise<string[]> {
  const found: string[] = []
  for (const { name } of SILVER_TABLES) {
    const { files } = await lake.snapshot(name)
    const rows = await house.session.rows<{ row: string }>(
      `SELECT CAST(x AS VARCHAR) AS row FROM ${lake.scan(name, files)} x
       WHERE timestamp >= TIMESTAMPTZ '${since}' ORDER BY ingestion_time, stream_topic, stream_partition, stream_offset, stream_index`,
    )
    found.push(...rows.map(({ row }) => row))
  }
  return found
}

async function beside(
  house: House,
  since: string,
  look: (built: Lake, told: string[]) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'smarthouse-beginnings-'))
  try {
    const told: string[] = []
    const onProgress = (text: string) => told.push(text)
    await look(await buildSilver({ lake: house.lake, engine, root: folder, since, onProgress }), told)
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function countOf(lake: Lake): Promise<number> {
  const { files } = await lake.snapshot('silver.readings')
  return rowCount(files)
}

test('built from where nothing more is carried on, the rows of a span are those of a rebuild, whatever is stored', async () => {
  let shorter = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(arrival, { minLength: 40, maxLength: 120 }),
      fc.integer({ min: 3, max: 58 }),
      async (arrivals, hour) => {
        const house = await openHouse(engine)
        const since = new Date(START_MS + hour * 3_600_000).toISOString()
        try {
          await house.land(arrivals.map(aged))
          // Nothing is stored yet: only Bronze can be looked at.
          await beside(house, since, async (built) => {
            await rebuildSilver({ lake: house.lake, engine })
            assert.deepEqual(await rowsSince(built, house, since), await rowsSince(house.lake, house, since))
            if ((await countOf(built)) < (await countOf(house.lake))) shorter += 1
          })
        } finally {
          await house.close()
        }
      },
    ),
    { numRuns: RUNS, seed: SEED },
  )
  assert.ok(shorter > 0, 'no run was built from less than everything')
})

test('where Bronze promised more than its rows keep, the device is built from its first reading on', async () => {
  const house = await openHouse(engine)
  const since = '2024-01-20T00:00:00Z'
  const at = (hoursBefore: number) => new Date(Date.parse(since) - hoursBefore * 3_600_000).toISOString()
  try {
    const counted = (hours: number, energy_total_wh: number, more: object = {}) => ({
      device_id: 'meter',
      timestamp: at(hours),
      energy_total_wh,
      ...more,
    })
    await house.land([
      counted(100, 10),
      counted(99, 20),
      counted(98, 30),
      // Three counter values within two hours of the span, but each in a reading that is rejected.
      counted(1.5, 31, { temperature: 400 }),
      counted(1, 32, { temperature: 400 }),
      counted(0.5, 33, { temperature: 400 }),
      counted(-1, 40),
    ])
    await beside(house, since, async (built, told) => {
      assert.ok(told.some((text) => text.startsWith('1 devices have to be built from their first reading')))
      const session = house.session
      const { files } = await built.snapshot('silver.readings')
      const rows = await session.rows(
        `SELECT energy_wh, energy_from FROM ${built.scan('silver.readings', files)} WHERE timestamp >= TIMESTAMPTZ '${since}'`,
      )
      // 40 − 30 Wh since the last counter that was accepted, 98 hours before.
      assert.deepEqual(rows, [{ energy_wh: '10.000000000', energy_from: '2024-01-15T22:00:00.000000Z' }])
    })
  } finally {
    await house.close()
  }
})
