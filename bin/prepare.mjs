// Runs under whatever Node the machine has: checks it, and installs the dependencies (Node 26 among them) on the
// first run or after an update. Everything else is in the program itself.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { missingPackages } from './installation.mjs'

const OLDEST_NODE = 20
const root = fileURLToPath(new URL('..', import.meta.url))

/** Says the cause and the cure, and ends. */
function refuse(message) {
  process.stderr.write(`smarthouse: ${message}\n`)
  process.exit(1)
}

const major = Number(process.versions.node.split('.')[0])
if (major < OLDEST_NODE)
  refuse(
    `Node ${process.versions.node} is too old. Install Node ${OLDEST_NODE} or newer from your system's packages.`,
  )

if (missingPackages(root).length > 0) {
  process.stdout.write('Installing what the platform needs (once) …\n')
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (npm.error) refuse(`npm cannot be started (${npm.error.message}). Install npm, which comes with Node.`)
  if (npm.status !== 0) refuse('The installation failed; npm says why above. Mend it and run this again.')
}
