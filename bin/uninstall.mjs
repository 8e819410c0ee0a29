// Removes what the installation brought into the project's folder. The data and the configuration stay.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const words = process.argv.slice(2)
if (words.length > 0 && (words.length !== 2 || words[0] !== '--data')) {
  process.stderr.write(
    'Usage: uninstall [--data DIR]\nStops the platform and removes what was installed; data and configuration stay.\n',
  )
  process.exit(words[0] === '--help' ? 0 : 2)
}

if (existsSync(join(root, 'node_modules'))) {
  const down = spawnSync(process.execPath, [join(root, 'bin', 'smarthouse.mjs'), 'down', ...words], {
    stdio: 'inherit',
  })
  // Half an installation cannot say whether anything runs; nothing that it started can run either.
  if (down.status !== 0) process.stdout.write('Could not ask whether the platform runs; going on.\n')
}
for (const folder of ['node_modules', join('src', '7-dashboard', 'dist'), 'lib']) {
  if (!existsSync(join(root, folder))) continue
  rmSync(join(root, folder), { recursive: true, force: true, maxRetries: 5 })
  process.stdout.write(`Removed ${join(root, folder)}\n`)
}
process.stdout.write(
  `The data (${words[1] ?? join(root, 'data')}) and the configuration (${join(root, 'config')}) are left; delete the folder ${root} to remove everything.\n`,
)
