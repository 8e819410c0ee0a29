import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { missingPackages } from '../../bin/installation.mjs'
import { DASHBOARD_DIST, dashboardIsStale } from '../7-dashboard/build.ts'
import type { Verdict } from './examine.ts'
import type { Patient } from './patient.ts'

const OLDEST_NODE = 20

/** The Node that the start scripts find; the platform itself runs on the one that comes as a dependency. */
export function systemNode({ env }: Patient): Verdict {
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const folder = (env.PATH ?? env.Path ?? '')
    .split(delimiter)
    .filter((path) => path !== '' && !path.includes('node_modules'))
    .find((path) => existsSync(join(path, name)))
  const here = `the platform runs on Node ${process.versions.node}`
  if (folder === undefined) return { state: 'ok', what: `No Node on the path of this terminal; ${here}` }
  const { stdout } = spawnSync(join(folder, name), ['--version'], { encoding: 'utf8' })
  const version = /^v(\d+)\.\S+/.exec(stdout ?? '')
  if (!version) return { state: 'note', what: `${join(folder, name)} does not say its version; ${here}` }
  const what = `Node ${version[0].slice(1)} in ${folder}`
  if (Number(version[1]) >= OLDEST_NODE) return { state: 'ok', what: `${what}; ${here}` }
  return { state: 'wrong', what: `${what} is older than ${OLDEST_NODE}` }
}

export function installation({ programRoot }: Patient): Verdict {
  const missing = missingPackages(programRoot)
  if (missing.length === 0) return { state: 'ok', what: 'Every package is there' }
  return {
    state: 'wrong',
    what: `${missing.length} packages are missing or of another version: ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ', …' : ''}`,
  }
}

export async function dashboard(): Promise<Verdict> {
  if (!existsSync(join(DASHBOARD_DIST, 'index.html')))
    return { state: 'wrong', what: 'The dashboard is not built' }
  if (await dashboardIsStale())
    return { state: 'wrong', what: 'The dashboard was built from other sources than these' }
  return { state: 'ok', what: 'The dashboard is built' }
}
