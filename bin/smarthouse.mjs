#!/usr/bin/env node
// `npx smarthouse`: hands the words to the program under the Node 26 of the dependencies.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const cli = join(root, 'src', 'cli.ts')

/** The Node of the dependencies; the running one where that is new enough. */
function node26() {
  if (Number(process.versions.node.split('.')[0]) >= 26) return process.execPath
  const require = createRequire(import.meta.url)
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const platform = process.platform === 'win32' ? 'win' : process.platform
  for (const candidate of [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`]) {
    try {
      const folder = dirname(require.resolve(`${candidate}/package.json`))
      const file = join(folder, 'bin', name)
      if (existsSync(file)) return file
    } catch {
      // not this one
    }
  }
  process.stderr.write(
    'smarthouse: Node 26 is not installed yet. Run ./start or npm ci in the project first.\n',
  )
  process.exit(1)
}

const child = spawn(node26(), [cli, ...process.argv.slice(2)], { stdio: 'inherit' })
// Ctrl-C reaches the program by the terminal; this process only waits for it to end cleanly.
for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => undefined)
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('exit', (code, signal) => (signal ? process.kill(process.pid, signal) : process.exit(code ?? 1)))
