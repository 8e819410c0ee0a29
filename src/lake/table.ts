import { LakeError } from './errors.ts'
import {
  checkpointPath,
  checkpointVersion,
  lastCheckpoint,
  readCheckpoint,
  requireClassic,
} from './checkpoint.ts'
import { corruptEntry, ENTRY_NAME, entryPath, logFolder, readEntry } from './log.ts'
import { applyActions, describeEntry, emptyState, entryIdOf, type TableState } from './state.ts'
import type { Engine, Store } from './types.ts'

/** A table's newest state, kept in this process and brought up to date entry by entry. */
export interface OpenTable {
  readonly name: string
  /** One at a time; where nothing is new it costs one look for the next entry. */
  refresh(): Promise<TableState>
  /** As `refresh`, and looks whether the entry that a commit would follow is still the one that was read. */
  refreshToCommit(): Promise<TableState>
  /** This process has made that version: from now on it must be there. */
  committed(version: number): void
  /** Forgets what it knows, an entry that got lost too. */
  forget(): void
  /** The newest state seen so far. */
  readonly seen: TableState | undefined
}

/** Where the tables lie, and what reads their checkpoints. */
export interface Place {
  store: Store
  engine: Engine
  /** What the engine puts before the store's paths. */
  root: string
}

/**
 * Who has not looked for so long looks whether the log was cleaned up, or put back from a backup, meanwhile: the next
 * entry would be absent for ever. Less than the hour for which clean-up keeps everything.
 */
const UNSEEN_MS = 600_000

export function openTable(place: Place, name: string): OpenTable {
  let state: TableState | undefined
  // False while entries are being taken in: where that fails, half of one may have been, and all is read anew.
  let whole = false
  let lookedMs = 0
  // The newest version that was there, seen or made by this process.
  let known = -1
  let last: Promise<unknown> = Promise.resolve()

  async function advance(toCommit: boolean): Promise<TableState> {
    if (state && whole && (toCommit || performance.now() - lookedMs > UNSEEN_MS)) {
      const stands = await standing(place.store, state)
      if (stands === 'exchanged') known = -1
      if (stands !== 'yes') state = undefined
    }
    if (!state || !whole) state = await load(place, name)
    const before = state.version
    whole = false
    try {
      await applyNewer(place.store, state)
    } catch (error) {
      // Nobody writes by half of what an entry says.
      if (error instanceof LakeError) state.damage = error
      throw error
    }
    // Another program may have gone over to checkpoints of another kind.
    if (state.version > before) await lastCheckpoint(place.store, name)
    const lost = state.version < known && !state.damage
    if (lost) damaged(state, corruptEntry(name, state.version + 1, 'is missing, though it was there'))
    known = Math.max(known, state.version)
    whole = true
    lookedMs = performance.now()
    return state
  }
  const inTurn = (toCommit: boolean): Promise<TableState> => {
    const result = last.then(() => advance(toCommit))
    last = result.catch(() => undefined)
    return result
  }

  return {
    name,
    refresh: () => inTurn(false),
    refreshToCommit: () => inTurn(true),
    committed(version) {
      known = Math.max(known, version)
    },
    forget() {
      state = undefined
      known = -1
    },
    get seen() {
      return state
    },
  }
}

function damaged(state: TableState, damage: LakeError | undefined): void {
  if (state.damage?.message === damage?.message) return
  state.damage = damage
  state.snapshot = undefined
}

/**
 * Whether the newest entry of a state is in the log still: it may be another one there (a folder put back, a table made
 * anew), gone behind a newer checkpoint, or missing.
 */
async function standing(store: Store, state: TableState): Promise<'yes' | 'exchanged' | 'missing'> {
  const { table, version, entryId } = state
  // Of a checkpoint without its entry there is nothing to compare.
  if (version < 0 || entryId === undefined) return 'yes'
  const entry = await readEntry(store, table, version)
  if (Array.isArray(entry)) return entryIdOf(entry) === entryId ? 'yes' : 'exchanged'
  if (entry === 'torn') return 'exchanged'
  const pointer = await lastCheckpoint(store, table)
  return pointer !== undefined && pointer.version > version ? 'exchanged' : 'missing'
}

/** The state as of a version that lies in the past. */
export async function stateAt(place: Place, name: string, version: number): Promise<TableState> {
  const state = await load(place, name, version)
  await applyNewer(place.store, state, version)
  if (state.version === version) return state
  throw new LakeError(
    'usage',
    `Table ${name} has no version ${version}; the newest is ${state.version}.`,
    'Ask for a version that the table has.',
  )
}

/**
 * From the newest checkpoint that is not past `upTo` and can be read, else from the log's beginning. What lies in the
 * log from there on is looked through once: a hole, and a checkpoint of a kind that is not known, are refused.
 */
async function load(place: Place, name: string, upTo = Infinity): Promise<TableState> {
  const { store } = place
  const unreadable: { version: number; error: Error }[] = []
  const read = async (version: number, size?: number): Promise<TableState | undefined> => {
    const state = await readCheckpoint(place, name, version, size)
    if (!(state instanceof Error)) return state
    unreadable.push({ version, error: state })
  }
  const pointer = await lastCheckpoint(store, name)
  let state = pointer && pointer.version <= upTo ? await read(pointer.version, pointer.size) : undefined
  state ??= await loadFromListed(place, name, upTo, pointer?.version, read)
  const folder = logFolder(name)
  // `N.checkpoint…` sorts before `N.json`; after `N.` come both.
  const from = entryPath(name, state.version).slice(0, -'json'.length)
  const found = await store.list(folder, state.version < 0 ? undefined : from)
  const names = found.map(({ path }) => path.slice(folder.length))
  for (const each of names) requireClassic(name, each)
  const versions = names.flatMap((each) => ENTRY_NAME.exec(each)?.[1] ?? []).map(Number)
  const newer = versions.filter((version) => version > state.version)
  const hole = newer.findIndex((version, index) => version !== state.version + 1 + index)
  if (hole >= 0 && state.version + 1 + hole <= upTo) {
    if (hole > 0 || state.version >= 0) throw corruptEntry(name, state.version + 1 + hole, 'is missing')
    throw noBeginning(name, upTo, unreadable[0])
  }
  if (versions.includes(state.version)) {
    const entry = await readEntry(store, name, state.version)
    if (Array.isArray(entry)) describeEntry(state, entry)
  }
  return state
}

/** Where the pointer is of no use: the newest checkpoint in the folder that can be read. */
async function loadFromListed(
  { store }: Place,
  name: string,
  upTo: number,
  tried: number | undefined,
  read: (version: number) => Promise<TableState | undefined>,
): Promise<TableState> {
  const folder = logFolder(name)
  const found = await store.list(folder)
  const versions = found.flatMap(({ path }) => checkpointVersion(path.slice(folder.length)) ?? [])
  for (const version of versions.toReversed()) {
    const state = version <= upTo && version !== tried ? await read(version) : undefined
    if (state) return state
  }
  return emptyState(name)
}

/** The log does not reach back to version 0, and no checkpoint stands in. */
function noBeginning(
  name: string,
  upTo: number,
  unreadable: { version: number; error: Error } | undefined,
): LakeError {
  if (unreadable) {
    const what = `cannot be read (${unreadable.error.message.split('\n')[0]}), and the log does not reach back without it`
    return corruptEntry(name, unreadable.version, what, checkpointPath(name, unreadable.version))
  }
  if (upTo === Infinity) return corruptEntry(name, 0, 'is missing')
  return new LakeError(
    'lake_expired',
    `Table ${name}: version ${upTo} is no longer in its log, which was cleaned up since.`,
    'Ask for a newer version.',
  )
}

async function applyNewer(store: Store, state: TableState, upTo = Infinity): Promise<void> {
  while (state.version < upTo) {
    const next = state.version + 1
    const entry = await readEntry(store, state.table, next)
    if (entry === 'absent') break
    if (entry === 'torn') {
      const torn = corruptEntry(state.table, next, 'is torn')
      if ((await readEntry(store, state.table, next + 1)) !== 'absent') throw torn
      return damaged(state, torn)
    }
    applyActions(state, next, entry)
  }
  damaged(state, undefined)
}
