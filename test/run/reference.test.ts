import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDeviceBook } from '../../src/commands/device-book.ts'
import { loadConfig } from '../../src/config-file.ts'
import { openDataFolder } from '../../src/data-folder.ts'
import { openWarehouse } from '../../src/main.ts'
import { readCatalogue, readSettings, readTariffs } from '../../src/reference/sync.ts'
import { recordReference } from '../../src/run/reference.ts'

test('what the device book says changes the devices alone, whatever configuration its server began with', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'reference-'))
  const folder = openDataFolder(join(root, 'data'), { create: true })
  const began = (price: string, watermarkHours: string) => {
    const env = {
      SMARTHOUSE_PRICE_ENERGY_RATE_KWH: price,
      SMARTHOUSE_SILVER_LATE_WATERMARK_HOURS: watermarkHours,
    }
    const { config } = loadConfig({ file: 'absent.yaml', named: false, env })
    return { config, baseDir: root, folder }
  }
  const warehouse = await openWarehouse(began('0.1', '24'))
  const { lake, engine } = warehouse
  const book = await openDeviceBook(began('0.1', '24'), warehouse)
  t.after(async () => {
    book.close()
    await warehouse.close()
    rmSync(root, { recursive: true, force: true, maxRetries: 5 })
  })
  // The stages have taken over a changed configuration; the server still has its own.
  await recordReference(began('0.3', '72'), warehouse, () => undefined)
  await book.change('home', { device: 'plug', name: 'Kettle' })

  const named = (await readCatalogue(lake, engine)).value.map(({ device_id, name }) => [device_id, name])
  assert.deepEqual(named, [['plug', 'Kettle']])
  const rates = (await readTariffs(lake, engine)).value.map(({ energy_rate_kwh }) => Number(energy_rate_kwh))
  assert.deepEqual(rates, [0.3])
  assert.equal((await readSettings(lake, engine)).value?.late_watermark_hours, 72)
})
