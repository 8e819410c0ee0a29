// Runs under whatever Node the machine has: checks it, and installs the dependencies (Node 26 among them) on the
// first run or after an update. Everything else is in the program itself.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

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

/** The packages that a lockfile names, as path → version; a folder that is not there has none. */
function packagesOf(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {}
}

// npm writes down what it installed; what is there now is held against what should be there.
const installed = packagesOf(join(root, 'node_modules', '.package-lock.json'))
const complete = Object.entries(packagesOf(join(root, 'package-lock.json'))).every(
  ([path, entry]) => path === '' || entry.optional || installed[path]?.version === entry.version,
)

if (!complete) {
  process.stdout.write('Installing what the platform needs (once) …\n')
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (npm.error) refuse(`npm cannot be started (${npm.error.message}). Install npm, which comes with Node.`)
  if (npm.status !== 0) refuse('The installation failed; npm says why above. Mend it and run this again.')
}
