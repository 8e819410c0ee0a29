import { openStage, type Settings, type StageName, type Warehouse } from '../main.ts'
import { isRunning } from './instance.ts'
import { runStage } from './loop.ts'

/**
 * Lets Silver and Gold do what a change of the reference tables asks of them: here, unless a platform runs on the folder, which
 * does it by itself within seconds. Returns whether it is done.
 */
export async function workOff(
  settings: Settings,
  warehouse: Warehouse,
  stop: AbortSignal,
  say: (line: string) => void,
): Promise<boolean> {
  if (isRunning(settings.folder.run)) return false
  for (const name of ['silver', 'gold'] satisfies StageName[]) {
    const stage = await openStage(name, settings, warehouse)
    try {
      await runStage(stage, {
        once: true,
        pauseMs: 0,
        stop,
        onStep: (_, { notices = [] }) => notices.forEach((notice) => say(`${name}: ${notice}`)),
      })
    } finally {
      await stage.close()
    }
  }
  return !stop.aborted
}
