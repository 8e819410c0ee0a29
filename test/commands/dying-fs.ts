/**
 * `node --import dying-fs.ts …` with DIE_AT=N and DIE_BY=SIGKILL|SIGINT: the signal comes just before the N-th call that changes the file
 * system; with DIE_HALF a removal is in the middle then. With AHEAD_DAYS the clock stands so many days ahead, so that what expires has expired.
 */
import fs from 'node:fs'
import path from 'node:path'
import { clockAhead } from './clock.ts'

// Taken before it is heard of.
const remove = fs.rmSync
const { hearCalls } = await import('./fs-calls.ts')
const { DIE_AT, DIE_BY = 'SIGKILL', DIE_HALF, AHEAD_DAYS = '0' } = process.env
let calls = 0

hearCalls((name, of) => {
  calls += 1
  if (calls !== Number(DIE_AT)) return
  if (DIE_HALF !== undefined && name.startsWith('rm')) removeHalf(String(of))
  process.kill(process.pid, DIE_BY)
})

/** Every other file below the folder; the folders stay. */
function removeHalf(folder: string): void {
  if (!fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return
  const files = fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((name) => fs.statSync(name).isFile())
  for (const file of files.toSorted().filter((_, n) => n % 2 === 1)) remove(file)
}

clockAhead(Number(AHEAD_DAYS))
