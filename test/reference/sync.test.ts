import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDuckDb, openLake } from '../../src/lake/index.ts'
import { parseCatalogueCsv } from '../../src/reference/catalogue.ts'
import { readCatalogue, readSettings, readTariffs, syncReference } from '../../src/reference/sync.ts'
import { REFERENCE_TABLES } from '../../src/reference/tables.ts'
import { tariffRows } from '../../src/reference/tariffs.ts'

test('a reference table gets a new version only where something changed; a price that stays keeps its own', async () => {
  const root = await mkdtemp(join(tmpdir(), 'reference-'))
  const engine = await openDuckDb()
  const lake = await openLake({ root, engine })
  for (const table of REFERENCE_TABLES) await lake.define(table)
  const sync = (
    catalogue: string,
    bands: Parameters<typeof tariffRows>[0]['bands'],
    zone = 'Europe/Berlin',
  ) =>
    syncReference({
      lake,
      engine,
      catalogue: parseCatalogueCsv(catalogue, 'c.csv').rows,
      tariffs: tariffRows({ currency: 'EUR', bands }),
      settings: { time_zone: zone, late_watermark_hours: 48, currency: 'EUR', format_version: 1 },
    })
  try {
    assert.equal((await readSettings(lake, engine)).value, null)
    const plug = 'device_id,rated_power_w\nplug,3680.5\n'
    const january = { user_id: 'u', valid_from: '2026-01-01', energy_rate_kwh: '0.1' }
    const all = ['reference.catalogue', 'reference.tariffs', 'reference.settings']
    assert.deepEqual((await sync(plug, [january])).changed, all)
    assert.deepEqual((await sync(plug, [january])).changed, [])
    assert.equal((await readCatalogue(lake, engine)).value[0]?.rated_power_w, 3680.5)

    const february = { user_id: 'u', valid_from: '2026-02-01', energy_rate_kwh: '0.2' }
    assert.deepEqual((await sync(plug, [january, february])).changed, ['reference.tariffs'])
    const prices = (await readTariffs(lake, engine)).value.map(
      (row) =>
        `${row.user_id} ${row.valid_from}..${row.valid_to} ${row.energy_rate_kwh} v${row.tariff_version}`,
    )
    assert.deepEqual(prices.toSorted(), [
      'null 1970-01-01..null 0.120000000 v1',
      'u 2026-01-01..2026-02-01 0.100000000 v1',
      'u 2026-02-01..null 0.200000000 v2',
    ])

    const other = await sync(plug, [january, february], 'Asia/Tokyo')
    assert.deepEqual(other.changed, [])
    assert.equal(other.settings.time_zone, 'Europe/Berlin')
    assert.match(
      other.notices[0] ?? '',
      /Europe\/Berlin; "Asia\/Tokyo" from the configuration is not applied/,
    )
    assert.equal((await readSettings(lake, engine)).value?.time_zone, 'Europe/Berlin')
  } finally {
    await lake.close()
    await engine.close()
    await rm(root, { recursive: true, force: true })
  }
})
