import { existsSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Removes `NAME.PID…` beside a file or folder, where the process that was making it there has died. */
export function removeLeftOf(target: string): void {
  const folder = dirname(target)
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder)) {
    const rest = name.startsWith(`${basename(target)}.`) ? name.slice(basename(target).length + 1) : ''
    const pid = Number(/^\d+/.exec(rest)?.[0])
    if (pid > 0 && !isAlive(pid)) rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 5 })
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
