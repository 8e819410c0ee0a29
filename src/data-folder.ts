import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { PlatformError } from './errors.ts'

/** The format of the data folder that this program writes. */
export const FORMAT_VERSION = 3
const MARKER = 'smarthouse.json'
/** What operating systems leave in folders by themselves. */
const HARMLESS = new Set(['.DS_Store', 'lost+found', 'Thumbs.db', 'desktop.ini'])

/** All state of a platform lies in this one folder; copied elsewhere it gives the same figures there. */
export interface DataFolder {
  root: string
  /** Delta tables, `<layer>/<table>`. */
  lake: string
  /** The embedded log. */
  stream: string
  /** What runs at the moment; nothing here is needed by a copy. */
  run: string
  /** What the parts have said; nothing here is needed by a copy. */
  logs: string
  /** Scratch space of the engine and of `verify`. */
  temp: string
}

/**
 * Opens the folder. It is created where it is absent or empty (`create`), and refused where it holds something
 * that is not ours, is of a newer or an older program, or cannot be written.
 */
export function openDataFolder(
  path: string,
  options: { create: boolean; /** For the upgrade: an older format is no error. */ anyFormat?: boolean },
): DataFolder {
  const folder = dataFolderAt(path)
  const { root } = folder
  return orUnwritable(root, () => {
    if (!isBegun(root, options)) begin(root, options.create)
    accessSync(root, constants.W_OK)
    for (const part of [folder.lake, folder.stream, folder.run, folder.logs, folder.temp])
      mkdirSync(part, { recursive: true })
    return folder
  })
}

/** Where everything lies in the folder, whether it is there or not. */
export function dataFolderAt(path: string): DataFolder {
  const root = resolve(path)
  return {
    root,
    lake: join(root, 'lake'),
    stream: join(root, 'stream'),
    run: join(root, 'run'),
    logs: join(root, 'logs'),
    temp: join(root, 'temp'),
  }
}

/** Whether the folder is a platform's already. Throws where `openDataFolder` would for what lies there; changes nothing. */
export function isDataFolder(path: string): boolean {
  const root = resolve(path)
  return orUnwritable(root, () => isBegun(root, {}))
}

function orUnwritable<T>(root: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof PlatformError) throw cause
    throw new PlatformError(
      'data_folder_unwritable',
      `Cannot use ${root} as the data folder: ${(cause as Error).message}`,
      'Choose a folder that you may write to, with --data DIR.',
      { cause },
    )
  }
}

function isBegun(root: string, { anyFormat = false }: { anyFormat?: boolean }): boolean {
  if (/[*?[\]]/.test(root))
    throw new PlatformError(
      'data_folder_unwritable',
      `${root} has a character (* ? [ or ]) that the SQL engine reads as a pattern`,
      'Choose a folder without it, with --data DIR.',
    )
  if (existsSync(join(root, MARKER))) {
    checkFormat(root, anyFormat)
    return true
  }
  const present = existsSync(root)
    ? readdirSync(root).filter((name) => !HARMLESS.has(name) && !name.startsWith(`${MARKER}.`))
    : []
  if (present.length > 0)
    throw new PlatformError(
      'data_folder_foreign',
      `${root} is not a data folder of this platform: it holds ${present.slice(0, 3).join(', ')}${present.length > 3 ? ', …' : ''}`,
      'Choose an absent or empty folder, or the data folder of an earlier run, with --data DIR.',
    )
  return false
}

function begin(root: string, create: boolean): void {
  if (!create)
    throw new PlatformError(
      'data_folder_foreign',
      `There is no data in ${root} yet`,
      'Run `smarthouse up` (or `./start`) first, or name another folder with --data DIR.',
    )
  mkdirSync(root, { recursive: true })
  const content = { platform: 'smarthouse', format: FORMAT_VERSION, created: new Date().toISOString() }
  replaceFile(join(root, MARKER), content)
}

/** The format of a folder that is a platform's. */
export function readFormat(root: string): number {
  const marker = join(root, MARKER)
  try {
    const { format } = JSON.parse(readFileSync(marker, 'utf8')) as { format?: unknown }
    if (typeof format === 'number') return format
  } catch {
    // Told as damaged.
  }
  throw new PlatformError(
    'data_folder_foreign',
    `${marker} is damaged`,
    `Restore it as {"platform":"smarthouse","format":${FORMAT_VERSION}} if this folder is the platform's.`,
  )
}

/** Names another format; whole or not at all. */
export function writeFormat(root: string, format: number): void {
  const marker = join(root, MARKER)
  replaceFile(marker, { ...(JSON.parse(readFileSync(marker, 'utf8')) as object), format })
}

function replaceFile(file: string, content: object): void {
  const temporary = `${file}.${process.pid}.tmp`
  writeFileSync(temporary, `${JSON.stringify(content)}\n`, { flush: true })
  renameSync(temporary, file)
}

function checkFormat(root: string, anyFormat: boolean): void {
  const format = readFormat(root)
  if (format > FORMAT_VERSION)
    throw new PlatformError(
      'data_folder_newer',
      `${root} was written by a newer version of the platform (format ${format}; this one knows ${FORMAT_VERSION})`,
      'Update the platform, or choose another folder with --data DIR.',
    )
  if (format < FORMAT_VERSION && !anyFormat)
    throw new PlatformError(
      'data_folder_older',
      `${root} was written by an older version of the platform (format ${format}; this one writes ${FORMAT_VERSION})`,
      'Run `smarthouse upgrade`.',
    )
}
