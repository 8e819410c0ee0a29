/**
 * Loaded into every process of the platform (`node --import`) while chaos runs: its clock goes wrong by so many milliseconds as
 * stand in the file, and its writes find the disk full while the other file is there. Nothing of the platform knows of it.
 */
import fs, { existsSync, readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const clockFile = process.env['CHAOS_CLOCK_FILE']
const fullFile = process.env['CHAOS_FULL_FILE']
const LOOK_EVERY_MS = 100

if (clockFile !== undefined) {
  const trueNow = Date.now
  let offsetMs = 0
  const look = (): void => {
    try {
      offsetMs = Number(readFileSync(clockFile, 'utf8')) || 0
    } catch {
      offsetMs = 0
    }
  }
  look()
  setInterval(look, LOOK_EVERY_MS).unref()
  Date.now = () => trueNow() + offsetMs
  globalThis.Date = new Proxy(Date, {
    construct: (target, words, newTarget) =>
      Reflect.construct(target, words.length === 0 ? [Date.now()] : words, newTarget) as object,
    apply: () => new Date().toString(),
  })
}

if (fullFile !== undefined) {
  const { open } = fs.promises
  fs.promises.open = async (path, flags, mode) => {
    const writes = typeof flags === 'string' && /[wax+]/.test(flags)
    if (writes && existsSync(fullFile))
      throw Object.assign(new Error(`ENOSPC: no space left on device, open '${String(path)}'`), {
        code: 'ENOSPC',
      })
    return await open(path, flags, mode)
  }
  syncBuiltinESMExports()
}
