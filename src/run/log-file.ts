import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { jsonLine, type LogRecord } from '../log.ts'

/** The newest file, and so many older ones: together they take the space that a part's log may take. */
const OLDER = 3

const fileOf = (dir: string, part: string, age: number): string =>
  join(dir, age === 0 ? `${part}.log` : `${part}.${age}.log`)

/**
 * Appends records to `<dir>/<part>.log`; the oldest go, so that all files of a part together hold at most `maxBytes`. A disk that takes
 * nothing stops no part: what cannot be written was on the terminal. Opened for each record, so that several processes
 * may write, and a person may delete the file.
 */
export function openLogFile(dir: string, part: string, maxBytes: number): (record: LogRecord) => void {
  const most = Math.floor(maxBytes / (OLDER + 1))
  let bytes = sizeOf(fileOf(dir, part, 0))
  return (record) => {
    const line = jsonLine(record).slice(0, most)
    try {
      mkdirSync(dir, { recursive: true })
      if (bytes + Buffer.byteLength(line) > most) {
        rotate(dir, part)
        bytes = 0
      }
      appendFileSync(fileOf(dir, part, 0), line)
      bytes += Buffer.byteLength(line)
    } catch {
      bytes = sizeOf(fileOf(dir, part, 0))
    }
  }
}

function rotate(dir: string, part: string): void {
  rmSync(fileOf(dir, part, OLDER), { force: true })
  for (let age = OLDER - 1; age >= 0; age -= 1)
    if (existsSync(fileOf(dir, part, age))) renameSync(fileOf(dir, part, age), fileOf(dir, part, age + 1))
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0

/** The parts that have a log. */
export function loggedParts(dir: string): string[] {
  if (!existsSync(dir)) return []
  const names = readdirSync(dir).flatMap((name) => /^([a-z]+)(?:\.\d+)?\.log$/.exec(name)?.[1] ?? [])
  return [...new Set(names)].toSorted()
}

/** The last records of some parts, in the order of their time. A line that is none (torn by a crash) is left out. */
export function lastRecords(
  dir: string,
  parts: readonly string[],
  keep: (record: LogRecord) => boolean,
  count: number,
): LogRecord[] {
  const records = parts.flatMap((part) => {
    const own: LogRecord[] = []
    for (let age = 0; age <= OLDER && own.length < count; age += 1)
      own.unshift(
        ...recordsIn(fileOf(dir, part, age))
          .filter(keep)
          .slice(-count),
      )
    return own
  })
  return records.toSorted((a, b) => (a.time < b.time ? -1 : Number(a.time > b.time))).slice(-count)
}

function recordsIn(file: string): LogRecord[] {
  return existsSync(file) ? parseLines(readFileSync(file, 'utf8')) : []
}

function parseLines(text: string): LogRecord[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as LogRecord]
    } catch {
      return []
    }
  })
}

/** What is new in the logs since the last call; the first call remembers where they end. */
export function followRecords(dir: string, partsOf: () => readonly string[]): () => LogRecord[] {
  const read = new Map<string, { inode: number; bytes: number }>()
  const look = (): LogRecord[] =>
    partsOf().flatMap((part) => {
      const file = fileOf(dir, part, 0)
      const stat = statSync(file, { throwIfNoEntry: false })
      if (!stat) return []
      const before = read.get(part) ?? { inode: stat.ino, bytes: started ? 0 : stat.size }
      const rotated = before.inode !== stat.ino || stat.size < before.bytes
      // What the file before had besides comes first.
      const rest = rotated ? tail(fileOf(dir, part, 1), before.bytes) : ''
      const news = tail(file, rotated ? 0 : before.bytes)
      const whole = news.slice(0, news.lastIndexOf('\n') + 1)
      read.set(part, {
        inode: stat.ino,
        bytes: (rotated ? 0 : before.bytes) + Buffer.byteLength(whole),
      })
      return parseLines(rest + whole)
    })
  let started = false
  look()
  started = true
  return look
}

function tail(file: string, from: number): string {
  return existsSync(file) ? readFileSync(file).subarray(from).toString('utf8') : ''
}
