import { isZone } from '../config.ts'
import { PlatformError } from '../errors.ts'
import {
  openDevices,
  openSettings,
  openStage,
  openStream,
  openWarehouse,
  type Settings,
  type Warehouse,
} from '../main.ts'
import { recordReference } from '../run/reference.ts'
import { nearest } from '../units.ts'
import { COMMON_OPTIONS, type Command } from './command.ts'

/** Builds a layer anew, wholly, from the one before it; its tables are replaced in one commit each. */
export async function rebuildStage(
  name: 'silver' | 'gold',
  { lake, engine }: Warehouse,
  onProgress: (text: string) => void,
): Promise<void> {
  if (name === 'silver')
    await (await import('../4-silver/rebuild.ts')).rebuildSilver({ lake, engine, onProgress })
  else await (await import('../5-gold/rebuild.ts')).rebuildGold({ lake, engine, onProgress })
}

/** Reads the messages in Bronze once more; what can be read only now is in Bronze as readings afterwards. */
async function rebuildDevices(settings: Settings, warehouse: Warehouse): Promise<void> {
  const { decodeAgain } = await import('../1-source/registry/decode-again.ts')
  const { BRONZE_TELEMETRY } = await import('../3-bronze/tables.ts')
  const { config } = settings
  const registry = await openDevices(settings)
  const log = await openStream(settings, warehouse.lake)
  try {
    const done = await decodeAgain({
      ...warehouse,
      sink: log,
      registry,
      bronze: BRONZE_TELEMETRY.name,
      timeZone: config.time_zone,
      mappings: config.sources.mappings,
    })
    console.log(
      `${done.messages} messages read again: ${done.devices} devices, ${done.decoded} raw messages decoded now`,
    )
    await recordReference(settings, warehouse, (line) => process.stderr.write(`${line}\n`))
    if (done.decoded === 0) return
  } finally {
    await log.close()
    registry.close()
  }
  const bronze = await openStage('bronze', settings, warehouse)
  try {
    while ((await bronze.step({ final: true })).more);
  } finally {
    await bronze.close()
  }
}

function requireZone(zone: string, layer: string): void {
  if (layer !== 'gold')
    throw new PlatformError(
      'usage',
      `rebuild ${layer} takes no --zone`,
      'Write smarthouse rebuild gold --zone ZONE.',
    )
  if (!isZone(zone))
    throw new PlatformError(
      'usage',
      `--zone takes an IANA time zone, not "${zone}"`,
      'Write for example --zone Europe/Berlin.',
    )
}

async function changeZone(settings: Settings, warehouse: Warehouse, zone: string): Promise<boolean> {
  const { readSettings, recordZone } = await import('../reference/sync.ts')
  const { lake, engine } = warehouse
  if ((await readSettings(lake, engine)).value === null)
    await recordReference(settings, warehouse, (line) => process.stderr.write(`${line}\n`))
  return await recordZone(lake, engine, zone)
}

export const REBUILD: Command = {
  name: 'rebuild',
  summary: 'build Silver or Gold anew from the layer before it, or what is known of devices from Bronze',
  positional: 'devices|silver|gold',
  options: {
    ...COMMON_OPTIONS,
    zone: {
      value: 'ZONE',
      description:
        'gold: the house lies in this IANA time zone from now on; every local day is computed anew',
    },
  },
  examples: [
    'smarthouse rebuild silver',
    'smarthouse rebuild gold',
    'smarthouse rebuild gold --zone Europe/Lisbon',
    'smarthouse rebuild devices',
  ],
  exitCodes: {
    130: 'interrupted; it goes on from there the next time, if nothing has come meanwhile',
  },
  async run(args, stop) {
    const [layer, ...others] = args.positionals
    if ((layer !== 'silver' && layer !== 'gold' && layer !== 'devices') || others.length > 0)
      throw new PlatformError(
        'usage',
        'rebuild takes one of devices, silver and gold',
        `Write smarthouse rebuild ${nearest(layer ?? '', ['devices', 'silver', 'gold']) ?? 'silver'}.`,
      )
    const zone = args.text('zone')
    if (zone !== undefined) requireZone(zone, layer)
    const settings = openSettings(args)
    const warehouse = await openWarehouse(settings)
    try {
      const moved = zone !== undefined && (await changeZone(settings, warehouse, zone))
      // A decoder or a mapping that has come reads what was raw until now.
      if (layer !== 'gold') await rebuildDevices(settings, warehouse)
      if (layer === 'devices') return 0
      await rebuildStage(layer, warehouse, (text) => {
        process.stderr.write(`${text}\n`)
        stop.throwIfAborted()
      })
      console.log(`${layer} is rebuilt`)
      if (moved)
        console.log(
          `Days are those of ${zone} now. Set time_zone to it in the configuration; a platform that runs shows it once it is started again.`,
        )
      return 0
    } catch (error) {
      if (stop.aborted) return 130
      throw error
    } finally {
      await warehouse.close()
    }
  },
}
