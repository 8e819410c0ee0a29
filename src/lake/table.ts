import { LakeError } from './errors.ts'
import { checkpointVersion, lastCheckpoint, readCheckpoint, requireClassic } from './checkpoint.ts'
import { corruptEntry, ENTRY_NAME, entryPath, logFolder, readEntry } from './log.ts'
import { applyActions, emptyState, type TableState } from './state.ts'
import type { Engine, Store } from './types.ts'

/** A table's newest state, kept in this process and brought up to date entry by entry. */
export interface OpenTable {
  readonly name: string
  /** One at a time; where nothing is new it costs one look for the next entry. */
  refresh(): Promise<TableState>
  /** The newest state seen so far. */
  readonly seen: TableState | undefined
}

/** Where the tables lie, and what reads their checkpoints. */
export interface Place {
  store: Store
  engine: Engine
  /** The lake's folder, absolute, `/` between folders. */
  root: string
}

export function openTable(place: Place, name: string): OpenTable {
  let state: TableState | undefined
  // False while entries are being taken in: where that fails, half of one may have been, and all is read anew.
  let whole = false
  let last: Promise<unknown> = Promise.resolve()

  async function advance(): Promise<TableState> {
    if (!state || !whole) state = await load(place, name)
    whole = false
    await applyNewer(place.store, state)
    whole = true
    return state
  }

  return {
    name,
    refresh() {
      const result = last.then(advance)
      last = result.catch(() => undefined)
      return result
    },
    get seen() {
      return state
    },
  }
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
  const pointed = (await lastCheckpoint(store, name)) ?? -1
  let state = pointed >= 0 && pointed <= upTo ? await readCheckpoint(place, name, pointed) : undefined
  if (!state) state = await loadFromListed(place, name, upTo)
  const folder = logFolder(name)
  // `N.checkpoint…` sorts before `N.json`; after `N.` come both.
  const from = entryPath(name, state.version).slice(0, -'json'.length)
  const found = await store.list(folder, state.version < 0 ? undefined : from)
  const names = found.map(({ path }) => path.slice(folder.length))
  for (const each of names) requireClassic(name, each)
  const versions = names.flatMap((each) => ENTRY_NAME.exec(each)?.[1] ?? []).map(Number)
  const newer = versions.filter((version) => version > state.version)
  const hole = newer.findIndex((version, index) => version !== state.version + 1 + index)
  if (hole >= 0 && state.version + 1 + hole <= upTo)
    throw missingEntry(name, state.version + 1 + hole, hole, upTo)
  return state
}

/** Where the pointer is of no use: the newest checkpoint in the folder that can be read. */
async function loadFromListed(place: Place, name: string, upTo: number): Promise<TableState> {
  const folder = logFolder(name)
  const found = await place.store.list(folder)
  const versions = found.flatMap(({ path }) => checkpointVersion(path.slice(folder.length)) ?? [])
  for (const version of versions.toReversed()) {
    const state = version <= upTo ? await readCheckpoint(place, name, version) : undefined
    if (state) return state
  }
  return emptyState(name)
}

function missingEntry(name: string, version: number, hole: number, upTo: number): LakeError {
  if (hole > 0 || upTo === Infinity) return corruptEntry(name, version, 'is missing')
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
      if ((await readEntry(store, state.table, next + 1)) !== 'absent') {
        throw corruptEntry(state.table, next, 'is torn')
      }
      state.damage = corruptEntry(state.table, next, 'is torn').message
      state.snapshot = undefined
      return
    }
    applyActions(state, next, entry)
  }
  if (state.damage !== undefined) {
    state.damage = undefined
    state.snapshot = undefined
  }
}
