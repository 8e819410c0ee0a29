import { cpSync, existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { FORMAT_VERSION, openDataFolder, readFormat, writeFormat } from '../data-folder.ts'
import { PlatformError } from '../errors.ts'
import type { Settings } from '../main.ts'
import { lockInstance } from '../run/instance.ts'
import { MIGRATIONS, type Migration } from './migrations.ts'

/**
 * Brings a data folder of an older format to this program's, step by step. What a step changes is copied to
 * `backup/format-N` first; the folder's own file names the new format only when the step is done. Ended at any moment,
 * the next call goes on with the step that was not done. Returns the format that it found.
 */
export async function upgradeFolder(
  { config, baseDir }: Pick<Settings, 'config' | 'baseDir'>,
  root: string,
  say: (line: string) => void,
): Promise<number> {
  const folder = openDataFolder(root, { create: false, anyFormat: true })
  const found = readFormat(root)
  if (found === FORMAT_VERSION) return found
  const lock = lockInstance(folder.run)
  if (!lock)
    throw new PlatformError(
      'data_folder_older',
      `${root} has format ${found}, and a platform runs on it, or upgrades it just now`,
      'Stop it with `smarthouse down`, then run `smarthouse upgrade`.',
    )
  try {
    // Looked at again: another one may have been faster.
    for (let format = readFormat(root); format < FORMAT_VERSION; format += 1) {
      const migration = MIGRATIONS.find(({ from }) => from === format)!
      say(`Upgrading ${root} from format ${format} to ${format + 1}: ${migration.what}`)
      keepAside(root, migration, say)
      await migration.run({ config, baseDir, folder }, say)
      writeFormat(root, format + 1)
    }
    say(`${root} has format ${FORMAT_VERSION} now`)
    return found
  } finally {
    lock.release()
  }
}

/** Copies what the step changes. A copy that is there is whole: it gets its name last. */
function keepAside(root: string, { from, changes }: Migration, say: (line: string) => void): void {
  const backup = join(root, 'backup', `format-${from}`)
  if (existsSync(backup)) return say(`What it changes is in ${backup} already`)
  const making = `${backup}.making`
  rmSync(making, { recursive: true, force: true })
  mkdirSync(making, { recursive: true })
  for (const change of changes)
    if (existsSync(join(root, change))) copyFolder(join(root, change), join(making, change))
  renameSync(making, backup)
  say(`What it changes was kept in ${backup}; delete it when you are content`)
}

/** Data files are never written again once they are there: a second name for them is a copy, and takes no space. */
function copyFolder(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) copyFolder(source, target)
    else if (!entry.name.endsWith('.parquet') || !linked(source, target)) cpSync(source, target)
  }
}

function linked(source: string, target: string): boolean {
  try {
    linkSync(source, target)
    return true
  } catch {
    // A disk that knows no second names.
    return false
  }
}
