/**
 * `node --import dying-fs.ts …` with DIE_AT=N and DIE_BY=SIGKILL|SIGINT: the signal comes just before the N-th call that changes the file
 * system; with DIE_HALF a removal is in the middle then. With AHEAD_DAYS the clock stands so many days ahead, so that what expires has expired.
 */
import fs from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import path from 'node:path'
import { clockAhead } from './clock.ts'

const { DIE_AT, DIE_BY = 'SIGKILL', DIE_HALF, AHEAD_DAYS = '0' } = process.env
const remove = fs.rmSync
let calls = 0

function called(name = '', of: unknown = ''): void {
  calls += 1
  if (calls !== Number(DIE_AT)) return
  if (DIE_HALF !== undefined && name.startsWith('rm')) removeHalf(String(of))
  process.kill(process.pid, DIE_BY)
}

/** Every other file below the folder; the folders stay. */
function removeHalf(folder: string): void {
  if (!fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return
  const files = fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((name) => fs.statSync(name).isFile())
  for (const file of files.toSorted().filter((_, n) => n % 2 === 1)) remove(file)
}

type Call = (...words: never[]) => unknown

/** Each of them counts, and is then what it was. */
function counted(module: object, names: readonly string[]): void {
  const all = module as Record<string, Call>
  for (const name of names) {
    const real = all[name]!
    all[name] = (...words) => (called(name, words[0]), real(...words))
  }
}

counted(promises, ['link', 'rename', 'rm', 'unlink', 'mkdir', 'mkdtemp', 'writeFile', 'cp', 'copyFile'])
counted(fs, ['linkSync', 'renameSync', 'rmSync', 'mkdirSync', 'writeFileSync', 'appendFileSync', 'cpSync'])

const open = promises.open
const isWrite = (flags: unknown): boolean => typeof flags === 'string' && /[wax+]/.test(flags)
promises.open = (...words) => {
  if (isWrite(words[1])) called()
  return open(...words)
}
syncBuiltinESMExports()
clockAhead(Number(AHEAD_DAYS))
