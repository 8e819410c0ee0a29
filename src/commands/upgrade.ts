import { FORMAT_VERSION } from '../data-folder.ts'
import { dataPath, openConfig } from '../main.ts'
import { upgradeFolder } from '../upgrade/upgrade.ts'
import { COMMON_OPTIONS, type Arguments, type Command } from './command.ts'

/** Also done by every command that opens an older data folder; returns the format that it had. */
export async function upgradeOf(args: Arguments): Promise<number> {
  return await upgradeFolder(openConfig(args), dataPath(args), (line) => process.stderr.write(`${line}\n`))
}

export const UPGRADE: Command = {
  name: 'upgrade',
  summary: 'bring a data folder of an older version to this one (every command does so by itself)',
  options: COMMON_OPTIONS,
  examples: ['smarthouse upgrade', 'smarthouse upgrade --data /srv/house'],
  async run(args) {
    if ((await upgradeOf(args)) === FORMAT_VERSION)
      console.log(`${dataPath(args)} has format ${FORMAT_VERSION}: there is nothing to do.`)
    return 0
  },
}
