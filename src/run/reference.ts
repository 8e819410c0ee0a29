import { statSync } from 'node:fs'
import { FORMAT_VERSION } from '../data-folder.ts'
import type { Registry } from '../1-source/registry/registry.ts'
import type { Say } from '../log.ts'
import { openDevices, type Settings, type Warehouse } from '../main.ts'
import { listDevices, listPeriods, type DiscoveredDevice } from '../reference/devices.ts'
import { readBillingFile, readCatalogueFile, referenceFile } from '../reference/files.ts'
import { readDeviceNotes, readSettings, syncDevices, syncReference } from '../reference/sync.ts'
import { tariffRows } from '../reference/tariffs.ts'
import { pause } from './loop.ts'
import { recordFirstRules } from './rules.ts'

const LOOK_EVERY_MS = 5000

/**
 * Records catalogue, tariffs and settings in the lake now; `run` does so again whenever one of their files changes.
 * A file that is wrong is an error at the start; later the last good version stays in force and the error is said.
 */
export async function watchReference(settings: Settings, warehouse: Warehouse, say: Say) {
  await recordReference(settings, warehouse, say)
  const registry = await openDevices(settings)
  return {
    async run(stop: AbortSignal): Promise<void> {
      let seen = stamp(settings, registry)
      for (;;) {
        await pause(LOOK_EVERY_MS, stop)
        if (stop.aborted) return
        const now = stamp(settings, registry)
        if (now === seen) continue
        seen = now
        await recordReference(settings, warehouse, say).catch((error: Error) =>
          say(`The changed file is not taken, the version before it holds: ${error.message}`, 'warn'),
        )
      }
    },
    close: () => registry.close(),
  }
}

function stamp(settings: Settings, registry: Registry): string {
  return (['catalogue', 'billing'] as const)
    .map((key) => {
      const stat = statSync(referenceFile(settings, key), { throwIfNoEntry: false })
      return stat ? `${stat.mtimeMs}/${stat.size}` : 'absent'
    })
    .concat(String(registry.factsVersion()))
    .join(' ')
}

/** Records what the files, people and the devices themselves say now. */
export async function recordReference(
  settings: Settings,
  warehouse: Warehouse,
  say: (line: string) => void,
): Promise<void> {
  const { config } = settings
  const devices = await devicesNow(settings, warehouse)
  const billing = await readBillingFile(settings)
  const report = await syncReference({
    ...warehouse,
    ...devices,
    tariffs: tariffRows({
      currency: config.currency,
      price: config.price,
      bands: [...config.tariffs, ...billing],
    }),
    settings: {
      time_zone: config.time_zone,
      late_watermark_hours: config.silver.late_watermark_hours,
      currency: config.currency,
      format_version: FORMAT_VERSION,
    },
  })
  await recordFirstRules(config, warehouse, say)
  for (const notice of [...devices.notices, ...report.notices]) say(notice)
  tellChanged(report.changed, say)
}

/**
 * Records what is said of devices now, and nothing else: prices and settings are put into force by what reads them, never by a
 * part that may have begun under an older configuration.
 */
export async function recordDevices(
  settings: Settings,
  warehouse: Warehouse,
  say: (line: string) => void,
): Promise<void> {
  const devices = await devicesNow(settings, warehouse)
  const changed = await syncDevices({ ...warehouse, ...devices })
  for (const notice of devices.notices) say(notice)
  tellChanged(changed, say)
}

function tellChanged(changed: readonly string[], say: (line: string) => void): void {
  if (changed.length > 0) say(`Recorded in the lake: ${changed.join(', ')}`)
}

/** The devices by the catalogue's file, by what people say, and by what was heard. */
async function devicesNow(settings: Settings, warehouse: Warehouse) {
  const { rows, periods, notices } = await readCatalogueFile(settings, await zoneOf(settings, warehouse))
  const notes = await readDeviceNotes(warehouse.lake, warehouse.engine)
  const found = await discovered(settings)
  return {
    catalogue: listDevices(rows, notes, found),
    periods: listPeriods(periods, notes, found),
    notices,
  }
}

/** The house's zone is fixed in the lake at the first start. */
async function zoneOf({ config }: Settings, { lake, engine }: Warehouse): Promise<string> {
  return (await readSettings(lake, engine)).value?.time_zone ?? config.time_zone
}

async function discovered(settings: Settings): Promise<DiscoveredDevice[]> {
  const registry = await openDevices(settings)
  try {
    return registry.devices().map(({ tenant_id, facts }) => ({ ...facts, tenant_id }))
  } finally {
    registry.close()
  }
}
