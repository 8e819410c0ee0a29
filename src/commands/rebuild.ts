import { PlatformError } from '../errors.ts'
import { openSettings, openWarehouse, type Warehouse } from '../main.ts'
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

export const REBUILD: Command = {
  name: 'rebuild',
  summary: 'build Silver or Gold anew from the layer before it',
  positional: 'silver|gold',
  options: COMMON_OPTIONS,
  examples: ['smarthouse rebuild silver', 'smarthouse rebuild gold'],
  async run(args) {
    const [layer, ...others] = args.positionals
    if ((layer !== 'silver' && layer !== 'gold') || others.length > 0)
      throw new PlatformError(
        'usage',
        'rebuild takes one layer: silver or gold',
        'Write smarthouse rebuild silver.',
      )
    const settings = openSettings(args, { create: false })
    const warehouse = await openWarehouse(settings)
    try {
      await rebuildStage(layer, warehouse, (text) => process.stderr.write(`${text}\n`))
      console.log(`${layer} is rebuilt`)
      return 0
    } finally {
      await warehouse.close()
    }
  },
}
