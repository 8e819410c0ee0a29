import { setTimeout as sleep } from 'node:timers/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { PlatformError } from '../errors.ts'
import { dataPath, openConfig } from '../main.ts'
import { clearStatus, isRunning, readStatus, requestStop, stopRequested } from '../run/instance.ts'
import { COMMON_OPTIONS, type Command } from './command.ts'

/** How long a clean stop may take before the processes are ended. */
const PATIENCE_MS = 20_000
const LOOK_EVERY_MS = 100

export const DOWN: Command = {
  name: 'down',
  summary: 'stop the platform that runs on a data folder, from any terminal',
  options: COMMON_OPTIONS,
  examples: ['smarthouse down', 'smarthouse down --data /srv/house'],
  exitCodes: { 130: 'interrupted; the platform goes on stopping' },
  async run(args, stop) {
    // A configuration that is named is checked; the one that is not named may be broken, and keeps nobody from stopping.
    if (args.text('config') !== undefined) openConfig(args)
    const root = dataPath(args)
    const runDir = join(root, 'run')
    if (!existsSync(runDir) || !isRunning(runDir)) {
      const left = readStatus(runDir)
      if (existsSync(runDir)) clearStatus(runDir)
      console.log(
        left
          ? `Nothing runs on ${root}: the platform of ${left.started} ended without a clean stop. Its data is safe.`
          : `Nothing runs on ${root}.`,
      )
      return 0
    }
    const deadline = performance.now() + PATIENCE_MS
    while (isRunning(runDir) && performance.now() < deadline && !stop.aborted) {
      // One that starts just now removes what it takes for the request to an earlier one.
      if (!stopRequested(runDir)) requestStop(runDir)
      await sleep(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => undefined)
    }
    if (isRunning(runDir) && stop.aborted) {
      console.log(`The platform on ${root} was asked to stop, and goes on stopping.`)
      return 130
    }
    if (isRunning(runDir))
      throw new PlatformError(
        'not_running',
        `The platform on ${root} (process ${readStatus(runDir)?.pid}) does not stop`,
        'End that process; no acknowledged reading is lost by it.',
      )
    console.log('Stopped.')
    return 0
  },
}
