/** Every call of this process that changes the file system, or a SQLite file, is heard just before it is made. */
import fs from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import sqlite from 'node:sqlite'

type Heard = (name: string, of: unknown) => void
type Call = (this: unknown, ...words: never[]) => unknown

let hear: Heard = () => undefined

/** From now on it hears of each call; given none, nobody does. */
export function hearCalls(listener: Heard = () => undefined): void {
  hear = listener
}

/** Each of them is heard of, and is then what it was. */
function heard(module: object, names: readonly string[]): void {
  const all = module as Record<string, Call>
  for (const name of names) {
    const real = all[name]!
    all[name] = function (...words) {
      hear(name, words[0])
      return real.apply(this, words)
    }
  }
}

heard(promises, ['link', 'rename', 'rm', 'unlink', 'mkdir', 'mkdtemp', 'writeFile', 'cp', 'copyFile'])
heard(fs, ['linkSync', 'renameSync', 'rmSync', 'mkdirSync', 'writeFileSync', 'appendFileSync', 'cpSync'])
heard(sqlite.DatabaseSync.prototype, ['exec'])
heard(sqlite.StatementSync.prototype, ['run'])

const open = promises.open
const isWrite = (flags: unknown): boolean => typeof flags === 'string' && /[wax+]/.test(flags)
promises.open = (...words) => {
  if (isWrite(words[1])) hear('open', words[0])
  return open(...words)
}
syncBuiltinESMExports()
