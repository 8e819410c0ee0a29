import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SILVER_READINGS } from '../../src/4-silver/tables.ts'
import { rebuildGold } from '../../src/5-gold/rebuild.ts'
import { GOLD_TABLES } from '../../src/5-gold/tables.ts'
import { goldRows, openBeside, openHouse, reading, setReference, writeRows } from './gold-house.ts'
import type { Lake } from '../../src/lake/types.ts'

const SCRIPT = fileURLToPath(new URL('rebuild-process.ts', import.meta.url))
const MONTHS = ['01', '02', '03', '04', '05', '06']

/** Rebuilds in a process of its own, ended by SIGKILL once it has begun the third month. */
async function killed(root: string): Promise<void> {
  const child = spawn(process.execPath, [SCRIPT, root], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  let told = ''
  child.stdout.on('data', (text: Buffer) => {
    told += text.toString()
    if (told.includes('gold 2024-03')) child.kill('SIGKILL')
  })
  assert.equal((await ended)[1], 'SIGKILL')
}

async function versions(lake: Lake): Promise<number[]> {
  return await Promise.all(GOLD_TABLES.map(async ({ name }) => (await lake.snapshot(name)).version))
}

test('a rebuild that was killed goes on after the months that were done, and ends as one that was not', async () => {
  const house = await openHouse()
  try {
    await setReference(house, { zone: 'Europe/Berlin' })
    await writeRows(
      house,
      SILVER_READINGS,
      MONTHS.flatMap((month, index) =>
        ['a', 'b'].map((device_id) =>
          reading({
            device_id,
            timestamp: `2024-${month}-15T10:30:00Z`,
            power_usage: 100 + index,
            energy_wh: `${index + 1}.5`,
            energy_from: `2024-${month}-15T10:10:00Z`,
            energy_to: `2024-${month}-15T10:30:00Z`,
            energy_method: 'integrated',
          }),
        ),
      ),
    )
    const options = { lake: house.lake, engine: house.engine, saveEveryMs: 0 }
    await rebuildGold(options)
    const before = await versions(house.lake)
    const right = await goldRows(house, house.lake)
    assert.equal(right['gold.monthly_energy']?.length, 12)

    await killed(house.root)
    assert.deepEqual(await versions(house.lake), before, 'nothing half done is seen')
    const told: string[] = []
    await rebuildGold({ ...options, onProgress: (text) => told.push(text) })
    const [, done = ''] = /^gold: goes on after (\d) months/.exec(told[0] ?? '') ?? []
    assert.ok(Number(done) >= 2, told.join('\n'))
    assert.deepEqual(
      told.slice(1).map((text) => text.slice(0, 12)),
      MONTHS.slice(Number(done)).map((month) => `gold 2024-${month}`),
    )
    assert.deepEqual(await goldRows(house, house.lake), right)
    assert.deepEqual(await house.lake.store.list('_rebuild/'), [], 'nothing is left beside the tables')

    // Killed between two tables: their files are named once more, and each only once.
    const dying: Lake = {
      ...house.lake,
      commit: async (name, request) => {
        if (name === 'gold.monthly_energy') throw new Error('killed')
        return await house.lake.commit(name, request)
      },
    }
    await assert.rejects(rebuildGold({ ...options, lake: dying }), /killed/)
    await rebuildGold(options)
    assert.deepEqual(await goldRows(house, house.lake), right)

    // Other inputs: what was done before is of no use.
    await killed(house.root)
    await writeRows(house, SILVER_READINGS, [
      reading({ device_id: 'a', timestamp: '2024-01-20T00:00:00Z', power_usage: 5 }),
    ])
    const anew: string[] = []
    await rebuildGold({ ...options, onProgress: (text) => anew.push(text) })
    assert.match(anew[0] ?? '', /^gold 2024-01: 3 device-days/)
    const beside = await openBeside(house, 'beside')
    await rebuildGold({ ...options, target: beside })
    assert.deepEqual(await goldRows(house, house.lake), await goldRows(house, beside))
  } finally {
    await house.close()
  }
})
