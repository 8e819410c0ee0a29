import { stripVTControlCharacters, styleText } from 'node:util'

/** What is logged, in one shape everywhere: a line of JSON in files and pipes, a short sentence on a terminal. */
export const LEVELS = ['error', 'warn', 'info', 'debug'] as const
export type Level = (typeof LEVELS)[number]

export interface LogRecord {
  /** ISO 8601, UTC. */
  time: string
  level: Level
  /** Who says it: `stages`, `serve`, `broker`, … */
  part: string
  message: string
  /** Of the catalogue, where it is one of its errors. */
  code?: string
}

/** What a part says: information where no level is given. */
export type Say = (message: string, level?: Level) => void

/** Whether a record is serious enough. */
export const reaches = (record: Pick<LogRecord, 'level'>, level: Level): boolean =>
  LEVELS.indexOf(record.level) <= LEVELS.indexOf(level)

export const jsonLine = (record: LogRecord): string => `${JSON.stringify(record)}\n`

const COLOUR = { error: 'red', warn: 'yellow', debug: 'dim' } as const

/** For a person: local time, part and message; the level where it is not the usual one. */
export function prettyLine({ time, level, part, message, code }: LogRecord, colours: boolean): string {
  const clock = new Date(time).toTimeString().slice(0, 8)
  const word = level === 'info' ? '' : `${level}: `
  const text = `${word}${message}${code === undefined ? '' : ` [${code}]`}`
  const told = colours && level !== 'info' ? styleText(COLOUR[level], text, { validateStream: false }) : text
  return `${clock}  ${part.padEnd(8)}  ${told}\n`
}

/** pino's numbers, as the web server writes them. */
const LEVEL_OF_NUMBER: Record<number, Level> = {
  10: 'debug',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'error',
}

/**
 * A line that a part wrote, as a record: its own JSON, that of the web server, or any other text with the level that is
 * given. What it says of its part counts for nothing: the one who started it knows better.
 */
export function recordOf(line: string, part: string, fallback: Level, now = new Date()): LogRecord {
  const told = parsed(line)
  const time = now.toISOString()
  if (!told) return { time, level: fallback, part, message: stripVTControlCharacters(line) }
  const level =
    LEVELS.find((known) => known === told.level) ?? LEVEL_OF_NUMBER[Number(told.level)] ?? fallback
  return {
    time: typeof told.time === 'string' ? told.time : time,
    level,
    part,
    message: messageOf(told),
    ...(typeof told.code === 'string' && { code: told.code }),
  }
}

interface Told {
  time?: unknown
  level?: unknown
  message?: unknown
  code?: unknown
  msg?: unknown
  reqId?: unknown
  err?: { message?: unknown; stack?: unknown }
}

function parsed(line: string): Told | null {
  if (!line.startsWith('{')) return null
  try {
    const value = JSON.parse(line) as Told
    return value.level !== undefined && (value.message !== undefined || value.msg !== undefined)
      ? value
      : null
  } catch {
    return null
  }
}

function messageOf({ message, msg, reqId, err }: Told): string {
  const text = String(message ?? err?.stack ?? err?.message ?? msg)
  return typeof reqId === 'string' ? `${reqId}: ${text}` : text
}

/** Takes out what no log may hold: the given secrets, and whatever stands before the @ of an address. */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const known = secrets.filter((secret) => secret.length >= 4).toSorted((a, b) => b.length - a.length)
  return (text) =>
    known
      .reduce((rest, secret) => rest.replaceAll(secret, '•••'), text)
      .replaceAll(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"]+@/gi, '$1•••@')
}

const SECRET_NAMES = new Set(['password', 'key', 'key_passphrase'])

/** Every value of a configuration that is a secret by its name. */
export function secretsOf(config: unknown): string[] {
  if (typeof config !== 'object' || config === null) return []
  return Object.entries(config).flatMap(([name, value]) =>
    typeof value === 'string' ? (SECRET_NAMES.has(name) ? [value] : []) : secretsOf(value),
  )
}
