import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Arguments } from '../commands/command.ts'
import { dataPath, openConfig, PROJECT_ROOT, type Settings } from '../main.ts'
import { isRunning, readStatus, type InstanceStatus } from '../run/instance.ts'

/** What the checks look at. Everything that a test must be able to set is here, with the real thing as default. */
export interface Patient {
  programRoot: string
  /** null: it cannot be read, as `configError` says. */
  config: Settings['config'] | null
  baseDir: string
  configError: unknown
  /** The data folder; it may be absent, foreign or damaged. */
  root: string
  /** What stands in the folder's own file; null: it is not there. */
  marker: { format?: unknown; created?: unknown } | null
  running: boolean
  instance: InstanceStatus | undefined
  /** The port of the command line; else the configuration's. */
  port: number | undefined
  nowMs: number
  /** Environment, for the path on which the system's Node is. */
  env: NodeJS.ProcessEnv
}

export function patientOf(args: Arguments, port: number | undefined): Patient {
  const root = dataPath(args)
  const run = join(root, 'run')
  const read = configOf(args)
  return {
    programRoot: PROJECT_ROOT,
    ...read,
    root,
    marker: markerOf(root),
    running: existsSync(run) && isRunning(run),
    instance: readStatus(run),
    port,
    nowMs: Date.now(),
    env: process.env,
  }
}

function configOf(args: Arguments): Pick<Patient, 'config' | 'baseDir' | 'configError'> {
  try {
    return { ...openConfig(args), configError: undefined }
  } catch (configError) {
    return { config: null, baseDir: PROJECT_ROOT, configError }
  }
}

function markerOf(root: string): Patient['marker'] {
  const file = join(root, 'smarthouse.json')
  if (!existsSync(file)) return null
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Patient['marker']
  } catch {
    return {}
  }
}
