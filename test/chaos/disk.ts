/** What goes wrong with the disk: full, read-only, torn files. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  statfsSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Place } from './platform.ts'
import type { Random } from './random.ts'

export interface Disk {
  /** How disks become full here: a small file system of its own, or writes that are told so. */
  kind: 'tmpfs' | 'injected'
  /** Both return how it is mended. */
  fill(): () => void
  /** Nothing can be created in that folder. Undefined where this system does not let us. */
  makeReadOnly(folder: string): (() => void) | undefined
  close(): void
}

const SIZE_MB = 192

const isRoot = process.getuid?.() === 0

function mount(...words: string[]): boolean {
  return spawnSync('mount', words, { stdio: 'ignore' }).status === 0
}

function unmount(folder: string): void {
  spawnSync('umount', ['-l', folder], { stdio: 'ignore' })
}

/** Puts a small file system under the folder where that is allowed. */
export function openDisk(folder: string, { fullFile }: Pick<Place, 'fullFile'>): Disk {
  mkdirSync(folder, { recursive: true })
  const isMounted =
    process.platform === 'linux' && isRoot && mount('-t', 'tmpfs', '-o', `size=${SIZE_MB}m`, 'tmpfs', folder)
  return {
    kind: isMounted ? 'tmpfs' : 'injected',
    fill: () => (isMounted ? fillUp(join(folder, 'ballast')) : injectFull(fullFile)),
    makeReadOnly,
    close() {
      if (isMounted) unmount(folder)
    },
  }
}

function injectFull(file: string): () => void {
  writeFileSync(file, '')
  return () => rmSync(file, { force: true })
}

/** A file that takes all the room there is. */
function fillUp(file: string): () => void {
  const descriptor = openSync(file, 'a')
  const block = Buffer.alloc(1 << 16)
  try {
    for (;;) writeSync(descriptor, block)
  } catch {
    // Full: that is what it is for.
  }
  closeSync(descriptor)
  return () => rmSync(file, { force: true })
}

function makeReadOnly(folder: string): (() => void) | undefined {
  if (!existsSync(folder)) return undefined
  if (!isRoot && process.platform !== 'win32') {
    const { mode } = statSync(folder)
    chmodSync(folder, 0o555)
    return () => chmodSync(folder, mode)
  }
  if (process.platform !== 'linux') return undefined
  // Whoever may do everything is stopped by a mount alone.
  if (!mount('--bind', folder, folder)) return undefined
  if (mount('-o', 'remount,ro,bind', folder)) return () => unmount(folder)
  unmount(folder)
  return undefined
}

/** Free bytes below the folder. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/** The folders of the tables of a lake. */
export function tableFolders(lake: string): string[] {
  if (!existsSync(lake)) return []
  return readdirSync(lake).flatMap((layer) =>
    readdirSync(join(lake, layer))
      .map((table) => join(lake, layer, table))
      .filter((folder) => existsSync(join(folder, '_delta_log'))),
  )
}

/** What a crash leaves half done beside what was committed; called while nothing runs. Says what it did. */
export function tearFiles(lake: string, random: Random): string {
  const folder = random.pick(tableFolders(lake))
  const log = join(folder, '_delta_log')
  const newest = readdirSync(log)
    .filter((name) => /^\d{20}\.json$/.test(name))
    .toSorted()
    .at(-1)
  const next = String(Number(newest?.slice(0, 20) ?? -1) + 1).padStart(20, '0')
  const checkpoint = readdirSync(log)
    .filter((name) => name.endsWith('.checkpoint.parquet'))
    .toSorted()
    .at(-1)
  const pointer = join(log, '_last_checkpoint')
  const ways: [string, () => void][] = [
    [
      'a temporary file of a commit',
      () => writeFileSync(join(log, `.${next}.json.0.tmp`), '{"commitInfo":{"ti'),
    ],
    [
      'half a data file that was never committed',
      () => writeFileSync(join(folder, 'part-0.parquet'), 'PAR1\u0015'),
    ],
  ]
  if (existsSync(pointer)) ways.push(['half a checkpoint pointer', () => cut(pointer, random)])
  if (checkpoint !== undefined) ways.push(['half a checkpoint', () => cut(join(log, checkpoint), random)])
  const [what, tear] = random.pick(ways)
  tear()
  return `${what} in ${folder.slice(lake.length + 1)}`
}

/**
 * Cuts the entry that was committed last of all: what a disk may lose that does not keep its word. What was committed before it
 * is built upon. Says which; undefined where there is none.
 */
export function tearNewestEntry(lake: string, random: Random): string | undefined {
  const entries = tableFolders(lake).flatMap((folder) => {
    const log = join(folder, '_delta_log')
    return readdirSync(log)
      .filter((name) => /^\d{20}\.json$/.test(name) && Number(name.slice(0, 20)) > 0)
      .map((name) => ({ file: join(log, name), writtenMs: statSync(join(log, name)).mtimeMs }))
  })
  const newest = entries.toSorted((a, b) => a.writtenMs - b.writtenMs).at(-1)
  if (newest === undefined) return undefined
  cut(newest.file, random)
  return newest.file.slice(lake.length + 1)
}

/** Cuts a file at some byte. */
export function cut(file: string, random: Random): void {
  truncateSync(file, Math.floor(random() * statSync(file).size))
}
