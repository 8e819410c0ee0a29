import { existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'

/** The folder itself, or the nearest one above it that exists. */
export function existing(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existing(dirname(folder))
}

/** Bytes that a user may still write where a folder lies, or will lie. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(existing(folder))
  return bavail * bsize
}
