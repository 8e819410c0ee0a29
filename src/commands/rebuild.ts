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

export const REBUILD: Command = {
  name: 'rebuild',
  summary: 'build Silver or Gold anew from the layer before it, or what is known of devices from Bronze',
  positional: 'devices|silver|gold',
  options: COMMON_OPTIONS,
  examples: ['smarthouse rebuild silver', 'smarthouse rebuild gold', 'smarthouse rebuild devices'],
  async run(args) {
    const [layer, ...others] = args.positionals
    if ((layer !== 'silver' && layer !== 'gold' && layer !== 'devices') || others.length > 0)
      throw new PlatformError(
        'usage',
        'rebuild takes one of devices, silver and gold',
        'Write smarthouse rebuild silver.',
      )
    const settings = openSettings(args, { create: false })
    const warehouse = await openWarehouse(settings)
    try {
      // A decoder or a mapping that has come reads what was raw until now.
      if (layer !== 'gold') await rebuildDevices(settings, warehouse)
      if (layer === 'devices') return 0
      await rebuildStage(layer, warehouse, (text) => process.stderr.write(`${text}\n`))
      console.log(`${layer} is rebuilt`)
      return 0
    } finally {
      await warehouse.close()
    }
  },
}
