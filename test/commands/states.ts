/**
 * `node --import states.ts …` with STATES_OF=FOLDER and STATES_INTO=FOLDER: just before each call that changes the file system, the folder is
 * copied as it lies there. That is what a SIGKILL at that moment leaves: all that was written is in the file system, and nothing else is.
 * Where two moments have the same bytes there is one copy. A removal of a folder is also copied half done. `calls.json` names them all.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { clockAhead } from './clock.ts'

/** What is copied by the N-th call. */
export interface State {
  /** The first call before which the folder is so. */
  at: number
  name: string
  /** Name of the copy. */
  copy: string
  isHalf: boolean
}

// Taken before they are heard of.
const { mkdirSync, writeFileSync, readdirSync, readFileSync, statSync } = fs
const { hearCalls } = await import('./fs-calls.ts')
const { STATES_OF: of = '', STATES_INTO: into = '', AHEAD_DAYS = '0' } = process.env
const states: State[] = []
const known = new Set<string>()
let calls = 0

hearCalls((name, what) => {
  calls += 1
  const all = filesOf(of)
  keep(name, all, false)
  const target = typeof what === 'string' ? path.resolve(what) : ''
  if (!name.startsWith('rm') || !isFolder(target)) return
  const below = [...all.keys()].filter(
    (file) => all.get(file) !== null && path.join(of, file).startsWith(target + path.sep),
  )
  if (below.length === 0) return
  for (const [n, file] of below.toSorted().entries()) if (n % 2 === 1) all.delete(file)
  keep(name, all, true)
})

const isFolder = (name: string): boolean => statSync(name, { throwIfNoEntry: false })?.isDirectory() === true

/** Every file below the folder with its bytes, every folder with null. What the engine's threads remove meanwhile is left out. */
function filesOf(folder: string): Map<string, Buffer | null> {
  const all = new Map<string, Buffer | null>()
  if (!isFolder(folder)) return all
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted())
    try {
      const full = path.join(folder, file)
      all.set(file, isFolder(full) ? null : readFileSync(full))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  return all
}

function keep(name: string, all: ReadonlyMap<string, Buffer | null>, isHalf: boolean): void {
  const hash = createHash('sha256')
  for (const [file, bytes] of all) hash.update(`${file} ${bytes?.length}\n`).update(bytes ?? '')
  const digest = hash.digest('hex')
  if (known.has(digest)) return
  known.add(digest)
  const copy = `state-${states.length}`
  states.push({ at: calls, name, copy, isHalf })
  if (all.size === 0) return
  mkdirSync(path.join(into, copy), { recursive: true })
  for (const [file, bytes] of all) {
    const target = path.join(into, copy, file)
    if (bytes === null) mkdirSync(target, { recursive: true })
    else writeFileSync(target, bytes)
  }
}

process.on('exit', () => writeFileSync(path.join(into, 'calls.json'), JSON.stringify({ calls, states })))
clockAhead(Number(AHEAD_DAYS))
