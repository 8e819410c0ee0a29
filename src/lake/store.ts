import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { LakeError } from './errors.ts'
import type { Store } from './types.ts'

/**
 * A folder on this machine. What is written becomes visible whole or not at all, and is on the disk before
 * the promise resolves: temporary file, fsync, link (or rename), fsync of the folder.
 */
export function localStore(root: string): Store {
  const absolute = (name: string): string => path.join(root, ...name.split('/'))

  async function inPlace(name: string, bytes: Uint8Array, place: (temporary: string) => Promise<boolean>) {
    const target = absolute(name)
    const folder = path.dirname(target)
    await ensureFolder(folder)
    const temporary = path.join(folder, `.${path.basename(target)}.${randomUUID()}.tmp`)
    try {
      await writeDurably(temporary, bytes)
      const placed = await place(temporary)
      // Where another one was first, its name may not be on the disk yet, and we are about to build upon it.
      await syncFolder(folder)
      return placed
    } finally {
      await rm(temporary, { force: true })
    }
  }

  return {
    async list(folder, after = '') {
      const below = folder === '' || folder.endsWith('/') ? folder : `${folder}/`
      const entries = await readdir(absolute(below), { withFileTypes: true }).catch(emptyWhereAbsent)
      const found = []
      for (const entry of entries) {
        const name = below + entry.name + (entry.isDirectory() ? '/' : '')
        if (name <= after) continue
        const info = await stat(absolute(name)).catch(undefinedWhereAbsent)
        if (info) found.push({ path: name, bytes: info.size, modifiedMs: info.mtimeMs })
      }
      return found.toSorted((a, b) => (a.path < b.path ? -1 : 1))
    },
    read: (name) => readFile(absolute(name)),
    put: (name, bytes, { ifAbsent = false } = {}) =>
      inPlace(name, bytes, async (temporary) => {
        if (ifAbsent) return linkIfAbsent(temporary, absolute(name))
        await retriedOnWindows(() => rename(temporary, absolute(name)))
        return true
      }),
    settle: (names) => syncWritten(root, names),
    delete: (name) => rm(absolute(name), { force: true }),
  }
}

/** Makes a file that somebody else wrote durable, with the folders that lead to it below `root`. */
async function syncWritten(root: string, files: readonly string[]): Promise<void> {
  const folders = new Set<string>()
  for (const file of files) {
    const full = path.join(root, ...file.split('/'))
    const handle = await open(full, 'r+')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
    for (let folder = path.dirname(full); folder.length >= root.length; folder = path.dirname(folder)) {
      folders.add(folder)
    }
  }
  for (const folder of folders) await syncFolder(folder)
}

/** Creates a folder and those above it; each new name is made durable in its parent. */
async function ensureFolder(folder: string): Promise<void> {
  const firstNew = await mkdir(folder, { recursive: true })
  if (firstNew === undefined) return
  for (let each = folder; each.length >= firstNew.length; each = path.dirname(each)) {
    await syncFolder(path.dirname(each))
  }
}

async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx')
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function linkIfAbsent(temporary: string, target: string): Promise<boolean> {
  try {
    await retriedOnWindows(() => link(temporary, target))
    return true
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EEXIST') return false
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'ENOSYS' || code === 'EOPNOTSUPP') {
      throw new LakeError(
        'data_folder_unwritable',
        `The file system of ${path.dirname(target)} has no hard links (${code}), so two commits could not be told apart.`,
        'Put the data folder on a file system such as ext4, APFS or NTFS.',
        { cause: error },
      )
    }
    throw error
  }
}

/** Windows refuses to sync a folder; NTFS journals names by itself. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A virus scanner or an indexer may hold a fresh file for a moment on Windows. */
async function retriedOnWindows(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      const busy = ['EPERM', 'EACCES', 'EBUSY'].includes(codeOf(error) ?? '')
      if (process.platform !== 'win32' || !busy || attempt === 10) throw error
      await new Promise((resolve) => setTimeout(resolve, attempt * 10))
    }
  }
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

function emptyWhereAbsent(error: unknown): [] {
  if (codeOf(error) === 'ENOENT') return []
  throw error
}

function undefinedWhereAbsent(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT') return undefined
  throw error
}
