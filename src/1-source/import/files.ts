/** The files of an import: found, opened plain or gzip, known by the digest of what they hold. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { glob, open, stat } from 'node:fs/promises'
import { basename, extname, join, sep } from 'node:path'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { PlatformError } from '../../errors.ts'

/** Inside a folder only these are taken, with or without `.gz`; a file that is named may be called anything. */
const TELEMETRY_ENDINGS = [
  '.csv',
  '.tsv',
  '.jsonl',
  '.ndjson',
  '.json',
  '.parquet',
  '.db',
  '.sqlite',
  '.sqlite3',
]
const SAMPLE_CHARACTERS = 64 * 1024

export interface SourceFile {
  path: string
  bytes: number
  /** Told by its first bytes. */
  kind: 'text' | 'parquet' | 'sqlite'
  /** SHA-256 of the content, decompressed: the same rows under another name or compression are the same file. */
  digest: string
  /** The beginning of the text, whole lines where it has any; empty where it is none. */
  sample: string
}

export interface FoundFile {
  path: string
  /** Whether somebody named this very file, and did not find it in a folder or by a pattern. */
  isNamed: boolean
}

/** The files that paths, folders (with all below) and patterns name, each once, in order. */
export async function expandPaths(paths: readonly string[]): Promise<FoundFile[]> {
  const found = new Map<string, boolean>()
  for (const path of paths) {
    const information = await stat(path).catch(() => undefined)
    if (information?.isFile()) {
      found.set(path, true)
      continue
    }
    const pattern = information?.isDirectory() ? '**/*' : path
    const cwd = information?.isDirectory() ? path : undefined
    const matches: string[] = []
    for await (const match of glob(pattern, cwd === undefined ? {} : { cwd })) {
      const file = cwd === undefined ? match : join(cwd, match)
      if (isTelemetryName(file) && (await stat(file)).isFile()) matches.push(file)
    }
    if (matches.length === 0) throw nothingFound(path, information !== undefined)
    for (const match of matches.toSorted()) found.set(match, found.get(match) ?? false)
  }
  return Array.from(found, ([path, isNamed]) => ({ path, isNamed }))
}

function isTelemetryName(path: string): boolean {
  const name = path.toLowerCase().replace(/\.gz$/, '')
  return TELEMETRY_ENDINGS.includes(extname(name))
}

function nothingFound(path: string, isFolder: boolean): PlatformError {
  return new PlatformError(
    'file_missing',
    isFolder ? `The folder ${path} holds no telemetry file.` : `There is no file ${path}.`,
    `Check the path; files in folders and patterns are taken where they end in ${TELEMETRY_ENDINGS.join(', ')}, also with .gz.`,
  )
}

/** The file's name without folders and endings. */
export function nameWithoutEndings(path: string): string {
  return basename(path)
    .replace(/\.gz$/i, '')
    .replace(/\.[A-Za-z]\w*$/, '')
}

/** The path as patterns see it, the same on every system. */
export function portablePath(path: string): string {
  return path.split(sep).join('/')
}

const PARQUET_MAGIC = 'PAR1'
const SQLITE_MAGIC = 'SQLite format 3\0'

/** Reads the whole file once: so that a file that is cut off or no text is refused before any of it is taken. */
export async function inspectFile(path: string): Promise<SourceFile> {
  const hash = createHash('sha256')
  const decoder = new TextDecoder()
  let sample = ''
  let head = ''
  try {
    for await (const chunk of await openContent(path)) {
      hash.update(chunk)
      if (head.length < SQLITE_MAGIC.length) head += chunk.toString('latin1', 0, SQLITE_MAGIC.length)
      if (sample.length < SAMPLE_CHARACTERS) sample += decoder.decode(chunk, { stream: true })
    }
    // What a database has written last may still stand beside it.
    if (head.startsWith(SQLITE_MAGIC))
      for await (const chunk of createReadStream(`${path}-wal`)) hash.update(chunk as Buffer)
  } catch (error) {
    if (!(error instanceof Error && 'path' in error && error.path === `${path}-wal`))
      throw readError(path, error)
  }
  const kind = head.startsWith(PARQUET_MAGIC) ? 'parquet' : head.startsWith(SQLITE_MAGIC) ? 'sqlite' : 'text'
  if (kind !== 'text' && (await isGzip(path)))
    throw new PlatformError(
      'file_not_telemetry',
      `${path} is a packed ${kind === 'parquet' ? 'Parquet file' : 'database'}, which is read in place. Nothing was taken.`,
      'Unpack it (gzip -d), and import that.',
    )
  const { size } = await stat(path)
  const lastLineEnd = sample.lastIndexOf('\n')
  const whole = sample.length < SAMPLE_CHARACTERS || lastLineEnd < 0 ? sample : sample.slice(0, lastLineEnd)
  return { path, bytes: size, kind, digest: hash.digest('hex'), sample: kind === 'text' ? whole : '' }
}

/** The text of a file in pieces; `onBytes` hears how much of the file itself has been read. */
export async function* readText(path: string, onBytes: (bytes: number) => void): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  try {
    for await (const chunk of await openContent(path, onBytes)) yield decoder.decode(chunk, { stream: true })
  } catch (error) {
    throw readError(path, error)
  }
  yield decoder.decode()
}

/** Whether it is gzip is told by its first bytes, not by its name. */
async function openContent(path: string, onBytes?: (bytes: number) => void): Promise<AsyncIterable<Buffer>> {
  const isPacked = await isGzip(path)
  const file: Readable = createReadStream(path, { highWaterMark: 256 * 1024 })
  let bytes = 0
  if (onBytes) file.on('data', (chunk: Buffer) => onBytes((bytes += chunk.length)))
  if (!isPacked) return file
  const gunzip = createGunzip()
  file.on('error', (error) => gunzip.destroy(error))
  gunzip.on('close', () => file.destroy())
  return file.pipe(gunzip)
}

async function isGzip(path: string): Promise<boolean> {
  const handle = await open(path)
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0)
  await handle.close()
  return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b
}

function readError(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'Z_BUF_ERROR') {
    return new PlatformError(
      'file_truncated',
      `The gzip file ${path} ends in the middle: the end of it is missing, and nothing of it was taken.`,
      'Fetch the file again; or unpack what is there (gzip -dc) into a plain file and import that.',
      { cause: error },
    )
  }
  if (code === 'Z_DATA_ERROR') {
    return new PlatformError(
      'file_not_telemetry',
      `The gzip file ${path} is damaged, and nothing of it was taken.`,
      'Fetch the file again.',
      { cause: error },
    )
  }
  return error
}
