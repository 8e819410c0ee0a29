/**
 * Programs that the tests talk to and the project does not depend on: installed once into a cache folder of the user
 * by `npm run test-servers`, which CI calls. A version is part of its folder's name, so a new one is installed beside the old.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export interface Installation {
  /** With its version: the folder's name. */
  name: string
  install(folder: string): void
}

const CACHE = join(homedir(), '.cache', 'smarthouse-test')
/** Written last: a folder without it is half an installation. */
const mark = (folder: string): string => join(folder, '.installed')

export function folderOf({ name }: Installation): string {
  return join(CACHE, name)
}

export function isInstalled(installation: Installation): boolean {
  return existsSync(mark(folderOf(installation)))
}

export function ensureInstalled(installation: Installation): void {
  if (isInstalled(installation)) return
  const folder = folderOf(installation)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  installation.install(folder)
  writeFileSync(mark(folder), '')
}

/** Why tests that need it cannot run here; false: they can. In CI they must. */
export function skipWithout(installation: Installation): string | false {
  if (isInstalled(installation)) return false
  const why = `${installation.name} is not installed: npm run test-servers`
  if (process.env['CI']) throw new Error(why)
  return why
}

export function runToEnd(program: string, words: readonly string[], folder: string): void {
  const { status, error } = spawnSync(program, words, {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    // npm and mvn are scripts there, which only a shell starts; no word here needs quoting.
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error(`${program} ${words.join(' ')} failed`, { cause: error })
}
