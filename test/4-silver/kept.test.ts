/** Dates that Bronze has given up: what was made from them stays, whatever is worked in later. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createSilverStage } from '../../src/4-silver/refine.ts'
import { openDuckDb } from '../../src/lake/index.ts'
import type { Engine } from '../../src/lake/types.ts'
import { openHouse, type House } from './house.ts'

let engine: Engine
before(async () => {
  engine = await openDuckDb({ threads: 1 })
})
after(() => engine.close())

const meter = (timestamp: string, energy_total_wh: number, at?: string) => ({
  device_id: 'meter',
  timestamp,
  energy_total_wh,
  ...(at !== undefined && { at }),
})

interface Row {
  at: string
  room: string | null
  wh: number | null
}

async function rowsOf({ lake, session }: House): Promise<Row[]> {
  const { files } = await lake.snapshot('silver.readings')
  return await session.rows<Row>(
    `SELECT strftime(timestamp AT TIME ZONE 'UTC', '%d %H:%M') AS at, location AS room, CAST(energy_wh AS DOUBLE) AS wh
     FROM ${lake.scan('silver.readings', files)} ORDER BY timestamp`,
  )
}

test('what was made from dates that Bronze has given up stays; late rows among them are counted once', async () => {
  const house = await openHouse(engine)
  const { lake } = house
  try {
    await house.setCatalogue([{ device_id: 'meter', location: 'hall' }])
    await house.land([
      meter('2024-01-13T23:40:00Z', 100),
      meter('2024-01-13T23:50:00Z', 110),
      { device_id: 'meter', timestamp: '2024-01-13T23:45:00Z', power_usage: 1e9 },
    ])
    await house.land([meter('2024-01-14T00:05:00Z', 130), meter('2024-01-14T00:20:00Z', 160)])
    const stage = await createSilverStage({ lake, engine, lateEveryMs: 1e9 })
    await stage.step({ final: true })
    const rejected = await house.contents('silver.rejects')
    assert.equal(rejected.length, 1)

    await lake.setProperties('bronze.telemetry', { 'lake.retentionDays': '1' })
    const gone = await lake.retain('bronze.telemetry', { nowMs: Date.parse('2024-01-15T12:00:00Z') })
    assert.equal(gone.length, 1)
    // Silver comes to know of it: until then a change is worked in with Bronze as it was before.
    await stage.step({ final: true })
    await house.setCatalogue([{ device_id: 'meter', location: 'attic' }])
    await stage.step({ final: true })
    // Of the row at 00:05 Bronze has the arrival, but not of all that could stand beside it.
    const first = [
      { at: '13 23:40', room: 'hall', wh: null },
      { at: '13 23:50', room: 'hall', wh: 10 },
      { at: '14 00:05', room: 'hall', wh: 20 },
      { at: '14 00:20', room: 'attic', wh: 30 },
    ]
    assert.deepEqual(await rowsOf(house), first)
    assert.deepEqual(await house.contents('silver.rejects'), rejected)

    // One that repeats a row whose arrival is gone, and one between two such rows.
    const at = '2024-01-14T00:30:00Z'
    await house.land([meter('2024-01-13T23:50:00Z', 110, at), meter('2024-01-13T23:45:00Z', 104, at)])
    await stage.step({ final: true })
    assert.deepEqual(await rowsOf(house), [
      { at: '13 23:40', room: 'hall', wh: null },
      { at: '13 23:45', room: 'attic', wh: 4 },
      { at: '13 23:50', room: 'hall', wh: 6 },
      { at: '14 00:05', room: 'attic', wh: 20 },
      { at: '14 00:20', room: 'attic', wh: 30 },
    ])
    assert.deepEqual(await house.contents('silver.rejects'), rejected)
    assert.equal((await house.contents('silver.duplicates')).length, 1)
    await stage.close()
  } finally {
    await house.close()
  }
})

test('nothing is left of Bronze: a change takes nothing away', async () => {
  const house = await openHouse(engine)
  const { lake } = house
  try {
    await house.land([meter('2024-01-13T23:40:00Z', 100), meter('2024-01-13T23:50:00Z', 110)])
    const stage = await createSilverStage({ lake, engine, lateEveryMs: 1e9 })
    await stage.step({ final: true })
    const old = await house.contents('silver.readings')
    await lake.setProperties('bronze.telemetry', { 'lake.retentionDays': '1' })
    await lake.retain('bronze.telemetry', { nowMs: Date.parse('2024-03-01T00:00:00Z') })
    // Silver comes to know of it: until then a change is worked in with Bronze as it was before.
    await stage.step({ final: true })
    await house.setCatalogue([{ device_id: 'meter', location: 'attic' }])
    await stage.step({ final: true })
    assert.deepEqual(await house.contents('silver.readings'), old)
    await stage.close()
  } finally {
    await house.close()
  }
})
