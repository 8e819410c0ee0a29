import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * What runs on a data folder. The lock is the operating system's, on a file, so it is gone with its process
 * however that ended; the status file beside it is only for reading.
 */

export interface PartStatus {
  name: string
  pid: number | null
  state: 'starting' | 'running' | 'waiting' | 'stopped'
  restarts: number
  /** When this state began, ISO. */
  since: string
  /** How it ended last; null: it never did. */
  last_error: string | null
  /** What is wrong now, while it goes on trying; null: nothing. */
  problem: string | null
  /** Resident memory, bytes; null while unknown. */
  memory_bytes: number | null
  /** How late its timers fired in the seconds before, 99th percentile, ms; null while unknown. */
  event_loop_delay_ms: number | null
  /** One line: what it is doing. */
  doing: string
  /** Named figures of the part: rows, pending, … */
  figures: Record<string, number>
}

export interface InstanceStatus {
  pid: number
  url: string
  started: string
  updated: string
  parts: PartStatus[]
}

const statusFile = (runDir: string): string => join(runDir, 'status.json')
const stopFile = (runDir: string): string => join(runDir, 'stop')

const lockFile = (runDir: string): string => join(runDir, 'lock.sqlite')
/** Who looks whether somebody holds the folder is in the way for a moment; who holds it, for longer. */
const LOOK_MS = 500

/** Takes the folder for one instance; undefined where another holds it. */
export function lockInstance(runDir: string): { release(): void } | undefined {
  mkdirSync(runDir, { recursive: true })
  const lock = new DatabaseSync(lockFile(runDir), { timeout: LOOK_MS })
  try {
    lock.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
    return { release: () => lock.close() }
  } catch {
    lock.close()
    return undefined
  }
}

/** Whether somebody holds the folder now. Any number may look at once: none takes another for the holder. */
export function isRunning(runDir: string): boolean {
  if (!existsSync(lockFile(runDir))) return false
  const look = new DatabaseSync(lockFile(runDir), { readOnly: true, timeout: 0 })
  try {
    look.exec('SELECT 1 FROM sqlite_schema')
    return false
  } catch {
    return true
  } finally {
    look.close()
  }
}

export function writeStatus(runDir: string, status: InstanceStatus): void {
  const temporary = join(runDir, `status.${process.pid}.tmp`)
  writeFileSync(temporary, JSON.stringify(status))
  renameSync(temporary, statusFile(runDir))
}

export function readStatus(runDir: string): InstanceStatus | undefined {
  try {
    return JSON.parse(readFileSync(statusFile(runDir), 'utf8')) as InstanceStatus
  } catch {
    return undefined
  }
}

export function clearStatus(runDir: string): void {
  rmSync(statusFile(runDir), { force: true })
  rmSync(stopFile(runDir), { force: true })
}

/** Asks the instance to stop; a file, since signals cannot ask on every system. */
export function requestStop(runDir: string): void {
  writeFileSync(stopFile(runDir), '')
}
export const stopRequested = (runDir: string): boolean => existsSync(stopFile(runDir))
