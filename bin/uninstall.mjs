// Removes what the installation brought into the project's folder. The data and the configuration stay.
import { spawnSync } from 'node:child_process'
import { existsSync, lstatSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { missingPackages } from './installation.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const words = process.argv.slice(2)
if (words.length > 0 && (words.length !== 2 || words[0] !== '--data')) {
  process.stderr.write(
    'Usage: uninstall [--data DIR]\nStops the platform and removes what was installed; data and configuration stay.\n',
  )
  process.exit(words[0] === '--help' ? 0 : 2)
}

if (existsSync(join(root, 'node_modules'))) {
  const { status, signal } = spawnSync(
    process.execPath,
    [join(root, 'bin', 'smarthouse.mjs'), 'down', ...words],
    { stdio: 'inherit' },
  )
  if (status !== 0) {
    // Half an installation cannot say whether anything runs; a whole one says why it could not stop what does.
    if (signal || missingPackages(root).length === 0) {
      process.stderr.write('Nothing was removed: the platform could not be stopped.\n')
      process.exit(signal ? 130 : 1)
    }
    process.stdout.write('Could not ask whether the platform runs; going on.\n')
  }
}
/** What is removed, with the file by which it is known to be whole: that one goes first, so that a half is never taken for it. */
const INSTALLED = [
  ['node_modules', '.package-lock.json'],
  [join('src', '7-dashboard', 'dist'), 'built-from.txt'],
  ['lib', 'cli.js'],
]
for (const [folder, mark] of INSTALLED) {
  const path = join(root, folder)
  const info = lstatSync(path, { throwIfNoEntry: false })
  if (!info) continue
  if (!info.isSymbolicLink()) rmSync(join(path, mark), { force: true })
  rmSync(path, { recursive: true, force: true, maxRetries: 5 })
  process.stdout.write(`Removed ${path}\n`)
}
process.stdout.write(
  `The data (${words[1] ?? join(root, 'data')}) and the configuration (${join(root, 'config')}) are left; delete the folder ${root} to remove everything.\n`,
)
