import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

interface Entry {
  version?: string
  resolved?: string
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
  peerDependenciesMeta?: Record<string, { optional?: boolean }>
}
const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as {
  packages: Record<string, Entry>
}
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Record<
  string,
  Record<string, string>
>

test('the lockfile names every dependency of every package, for every platform', () => {
  const missing: string[] = []
  for (const [path, entry] of Object.entries(lock.packages))
    for (const name of needed(entry)) if (!found(path, name)) missing.push(`${path} → ${name}`)
  assert.deepEqual(missing, [])
})

/** Peers too, but for those that a package can do without. */
function needed(entry: Entry): string[] {
  const isOptional = (peer: string) => entry.peerDependenciesMeta?.[peer]?.optional === true
  return [
    ...Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }),
    ...Object.keys(entry.peerDependencies ?? {}).filter((peer) => !isOptional(peer)),
  ]
}

/** npm looks for a package beside the one that wants it, then one level of node_modules up after the other. */
function found(path: string, name: string): boolean {
  for (
    let at = path;
    ;
    at = at.includes('/node_modules/') ? at.slice(0, at.lastIndexOf('/node_modules/')) : ''
  ) {
    if (`${at}${at === '' ? '' : '/'}node_modules/${name}` in lock.packages) return true
    if (at === '') return false
  }
}

test('the lockfile names no host', () => {
  assert.deepEqual(
    Object.entries(lock.packages)
      .filter(([, entry]) => entry.resolved !== undefined)
      .map(([path]) => path),
    [],
  )
})

test('every direct dependency is an exact version', () => {
  const loose = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
    Object.entries(manifest[kind] ?? {}).filter(([, version]) => !/^\d+\.\d+\.\d+[\w.-]*$/.test(version)),
  )
  assert.deepEqual(loose, [])
})
