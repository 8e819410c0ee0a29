import type { Settings } from '../main.ts'
import {
  jsonLine,
  prettyLine,
  reaches,
  redactor,
  secretsOf,
  type Level,
  type LogRecord,
  type Say,
} from '../log.ts'
import { openLogFile } from './log-file.ts'

/** The log of this process: what is told before `beginLog` has no part yet and goes to the error output alone. */
let part = 'smarthouse'
let level: Level = 'info'
let redact = redactor([])
let write: (record: LogRecord) => void = () => undefined

const isSupervised = (): boolean => process.send !== undefined

/**
 * Says whose log this is, from now on. A part that was started by hand keeps its own file in `data/logs`; for one that `up`
 * started, `up` does.
 */
export function beginLog(name: string, { config, folder }: Settings): Say {
  part = name
  level = config.logs.level
  redact = redactor(secretsOf(config))
  if (!isSupervised()) write = openLogFile(folder.logs, name, config.logs.max_mb * 1e6)
  return (message, of) => log(message, of)
}

export const isLogged = (of: Level): boolean => reaches({ level: of }, level)

export function log(message: string, of: Level = 'info', code?: string): void {
  if (!isLogged(of)) return
  const time = new Date().toISOString()
  const record: LogRecord = { time, level: of, part, message: redact(message), ...(code && { code }) }
  write(record)
  process.stderr.write(isSupervised() ? jsonLine(record) : shown(record, process.stderr))
}

/** Pretty on a terminal, JSON anywhere else. */
export function shown(record: LogRecord, on: NodeJS.WriteStream): string {
  return on.isTTY ? prettyLine(record, on.hasColors()) : jsonLine(record)
}
