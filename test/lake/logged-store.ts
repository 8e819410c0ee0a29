import { localStore, type Store } from '../../src/lake/index.ts'

/**
 * A store as an object store is one: no folders, no renames. What the lake alone reads lies in memory; data files and
 * checkpoints lie where the engine finds them, below `root`. It keeps the paths of all that went through it.
 */
export function loggedStore(
  root: string,
): Store & { entries: Map<string, Uint8Array>; engines: Set<string> } {
  const disk = localStore(root)
  const entries = new Map<string, Uint8Array>()
  const engines = new Set<string>()
  const forEngine = (path: string): boolean => path.endsWith('.parquet')
  return {
    entries,
    engines,
    async list(folder, after = '') {
      const found = new Map<string, { path: string; bytes: number; modifiedMs: number }>()
      for (const each of await disk.list(folder, after)) found.set(each.path, each)
      for (const [path, { length }] of entries) {
        if (!path.startsWith(folder)) continue
        const rest = path.slice(folder.length)
        const below = rest.includes('/') ? folder + rest.slice(0, rest.indexOf('/') + 1) : path
        if (below > after) found.set(below, { path: below, bytes: length, modifiedMs: Date.now() })
      }
      return [...found.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1))
    },
    async read(path) {
      const bytes = entries.get(path)
      if (bytes) return bytes
      return forEngine(path)
        ? disk.read(path)
        : Promise.reject(Object.assign(new Error(path), { code: 'ENOENT' }))
    },
    async put(path, bytes, { ifAbsent = false } = {}) {
      if (forEngine(path)) {
        engines.add(path)
        return disk.put(path, bytes, { ifAbsent })
      }
      if (ifAbsent && entries.has(path)) return false
      entries.set(path, bytes)
      return true
    },
    async settle(paths) {
      for (const path of paths) engines.add(path)
    },
    async delete(path) {
      entries.delete(path)
      engines.delete(path)
      await disk.delete(path)
    },
  }
}
