import { PlatformError } from '../errors.ts'
import { readCheckpoint } from './checkpoint.ts'
import { corruptEntry, entryVersions, readEntry } from './log.ts'
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
  throw new PlatformError(
    'usage',
    `Table ${name} has no version ${version}; the newest is ${state.version}.`,
    'Ask for a version that the table has.',
  )
}

async function load({ store, engine, root }: Place, name: string, upTo = Infinity): Promise<TableState> {
  const state = (await readCheckpoint(store, engine, root, name, upTo)) ?? emptyState(name)
  const versions = await entryVersions(store, name, state.version)
  const hole = versions.findIndex((version, index) => version !== state.version + 1 + index)
  if (hole >= 0) throw corruptEntry(name, state.version + 1 + hole, 'is missing')
  return state
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
