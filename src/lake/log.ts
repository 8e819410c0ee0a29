import { LakeError } from './errors.ts'
import { codeOf } from './store.ts'
import type { Store } from './types.ts'

/** One entry of the transaction log (PROTOCOL.md, Delta Log Entries and Actions). */

export interface Protocol {
  minReaderVersion: number
  minWriterVersion: number
  readerFeatures?: string[]
  writerFeatures?: string[]
}
export interface MetaData {
  id: string
  name?: string
  description?: string
  format: { provider: string; options: Record<string, string> }
  schemaString: string
  partitionColumns: string[]
  configuration: Record<string, string>
  createdTime?: number
}
export interface Add {
  path: string
  partitionValues: Record<string, string | null>
  size: number
  modificationTime: number
  dataChange: boolean
  stats?: string
  deletionVector?: unknown
}
export interface Remove {
  path: string
  deletionTimestamp?: number
  dataChange: boolean
  extendedFileMetadata?: boolean
  partitionValues?: Record<string, string | null>
  size?: number
  stats?: string
}
export interface Txn {
  appId: string
  version: number
  lastUpdated?: number
}
export interface CommitInfo {
  timestamp?: number
  operation?: string
  operationParameters?: Record<string, string>
  operationMetrics?: Record<string, string>
  readVersion?: number
  engineInfo?: string
  /** Chosen by the writer, so that one whose answer got lost can tell its own commit. */
  txnId?: string
  /** Versions of the input tables that this commit covers. */
  inputVersions?: Record<string, number>
  /** How many actions follow in this entry: one that was cut at the end of a line is torn as well. */
  actionCount?: number
}
export interface Action {
  commitInfo?: CommitInfo
  protocol?: Protocol
  metaData?: MetaData
  txn?: Txn
  add?: Add
  remove?: Remove
}

export const ENTRY_NAME = /^(\d{20})\.json$/

/** `silver.readings` lies in `silver/readings`. */
export function tableFolder(table: string): string {
  if (!/^[a-z0-9_]+\.[a-z0-9_]+$/.test(table)) throw new TypeError(`Not a table name: ${table}`)
  return table.replace('.', '/')
}

export function logFolder(table: string): string {
  return `${tableFolder(table)}/_delta_log/`
}

export function entryPath(table: string, version: number): string {
  return `${logFolder(table)}${String(version).padStart(20, '0')}.json`
}

/** `commitInfo` comes first; it is given the number of actions. */
export function encodeEntry(commitInfo: CommitInfo, actions: readonly Action[]): Uint8Array {
  const lines = [{ commitInfo: { ...commitInfo, actionCount: actions.length } }, ...actions]
  return new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
}

/** Undefined where the text is not a whole entry. */
export function decodeEntry(bytes: Uint8Array): Action[] | undefined {
  let actions: Action[]
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    actions = text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as Action)
  } catch {
    return undefined
  }
  if (actions.some((action) => typeof action !== 'object' || action === null)) return undefined
  const expected = actions.find((action) => action.commitInfo)?.commitInfo?.actionCount
  if (actions.length === 0 || (expected !== undefined && expected !== actions.length - 1)) return undefined
  return actions
}

/** `absent`: no such version yet. `torn`: the entry is there but not whole. */
export async function readEntry(
  store: Store,
  table: string,
  version: number,
): Promise<Action[] | 'absent' | 'torn'> {
  try {
    return decodeEntry(await store.read(entryPath(table, version))) ?? 'torn'
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'absent'
    throw error
  }
}

/** The versions that have an entry, ascending. */
export async function entryVersions(store: Store, table: string, after = -1): Promise<number[]> {
  const folder = logFolder(table)
  const found = await store.list(folder, after < 0 ? undefined : entryPath(table, after))
  return found.flatMap(({ path }) => {
    const match = ENTRY_NAME.exec(path.slice(folder.length))
    return match ? [Number(match[1])] : []
  })
}

/** As nearly every path is: nothing to encode or to decode, and no part that begins with a dot. */
const PLAIN_PATH = /^[\w=-][\w=.-]*(?:\/[\w=-][\w=.-]*)*$/

export function encodePath(path: string): string {
  if (PLAIN_PATH.test(path)) return path
  return path
    .split('/')
    .map((part) => encodeURIComponent(part).replaceAll('%3D', '='))
    .join('/')
}

/**
 * Throws `lake_corrupt` for a path that leads out of the table's folder, and `lake_unsupported` for an absolute one, wherever it
 * leads: the format allows it (PROTOCOL.md, Add File and Remove File), as a shallow clone of a table has it.
 */
export function decodePath(table: string, version: number, encoded: string): string {
  // The log may lack it: then this throws, as it should.
  if (!encoded.includes('%') && PLAIN_PATH.test(encoded)) return encoded
  const parts = encoded.includes('%') ? encoded.split('/').map(decodePart) : encoded.split('/')
  if (encoded.startsWith('/') || /^[a-z][a-z0-9+.-]*:/i.test(encoded))
    throw new LakeError(
      'lake_unsupported',
      `Table ${table}: its log names at version ${version} the file ${encoded} by an absolute path; this lake reads files that are named relative to the table's folder.`,
      'Copy the table as a whole (a deep clone) with the program that wrote it, or rebuild it here.',
    )
  if (parts.some((part) => part === '..' || /[/\\\0]/.test(part))) {
    throw new LakeError(
      'lake_corrupt',
      `Table ${table}: its log names at version ${version} the file ${encoded}, which does not lie inside the table's folder.`,
      'Restore the table from a backup, or rebuild it.',
    )
  }
  return parts.join('/')
}

/** A name with a bare `%` was not encoded at all. */
function decodePart(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** `what` is wrong with an entry, or with another file of the log. */
export function corruptEntry(
  table: string,
  version: number,
  what: string,
  file = entryPath(table, version),
): LakeError {
  return new LakeError(
    'lake_corrupt',
    `Table ${table}, version ${version}: the log's ${file} ${what}.`,
    'Where it is the newest entry, `lake check --repair` moves it aside (its commit is lost; what it read will be read again). Else restore the table from a backup, or rebuild it.',
  )
}

const WRITER_FEATURES: Readonly<Record<number, string>> = {
  3: 'checkConstraints',
  4: 'changeDataFeed or generatedColumns',
  5: 'columnMapping',
  6: 'identityColumns',
}

/** Throws `lake_unsupported`, with the features' names, for anything but reader 1 and writer 1 or 2. */
export function requireProtocol(table: string, protocol: Protocol): void {
  const { minReaderVersion: reader, minWriterVersion: writer } = protocol
  const named = [...new Set([...(protocol.readerFeatures ?? []), ...(protocol.writerFeatures ?? [])])]
  if (reader <= 1 && writer <= 2 && named.length === 0) return
  const features = named.length > 0 ? named.join(', ') : (WRITER_FEATURES[writer] ?? 'table features')
  throw unsupported(table, `${features} (protocol ${reader},${writer})`)
}

export function unsupported(table: string, feature: string): LakeError {
  return new LakeError(
    'lake_unsupported',
    `Table ${table} uses ${feature}; this lake reads and writes Delta protocol (1,2).`,
    'Read the table with the program that changed it, or rebuild it here.',
  )
}
