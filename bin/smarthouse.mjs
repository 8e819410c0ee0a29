#!/usr/bin/env node
// The way into the program: runs it here where this is Node 26, else hands the words to the Node 26 of the dependencies.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The Node of the dependencies. */
function node26() {
  const require = nodeModule.createRequire(import.meta.url)
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
    'smarthouse: Node 26 is not installed yet. Run ./start or npm ci in the project first (an installed package: install it again).\n',
  )
  process.exit(1)
}

/** A package that is not there is told as what it is; the cure stands in the catalogue, which needs no package. */
async function start() {
  // An installed package carries the program compiled: Node strips no types below node_modules.
  const [folder, ending] = existsSync(join(root, 'src', 'cli.ts')) ? ['src', 'ts'] : ['lib', 'js']
  try {
    await import(`../${folder}/cli.${ending}`)
  } catch (error) {
    if (error?.code !== 'ERR_MODULE_NOT_FOUND') throw error
    const { ERRORS } = await import(`../${folder}/error-catalogue.${ending}`)
    const { what, cure } = ERRORS.installation_incomplete
    process.stderr.write(`smarthouse: ${what} (${error.message.split('\n')[0]}). ${cure}\n`)
    process.exit(1)
  }
}

if (Number(process.versions.node.split('.')[0]) >= 26) {
  // Types are stripped and code is compiled once, not at each start: half the time, and 25 MB less in every process.
  const modules = [join(root, 'node_modules'), dirname(join(root, '.'))].find(
    (folder) => basename(folder) === 'node_modules' && existsSync(folder),
  )
  if (modules) nodeModule.enableCompileCache(join(modules, '.cache', 'smarthouse'))
  await start()
} else {
  const child = spawn(node26(), [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  })
  // A terminal sends Ctrl-C to both, `kill` to this one alone: handed on, the program takes what comes at once for one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => (signal ? process.kill(process.pid, signal) : process.exit(code ?? 1)))
}
