/** Where the data is: files and rows per table, what waits before each layer, and from what its state is derived. */
import { BRONZE_TELEMETRY } from '../3-bronze/tables.ts'
import { SILVER_READINGS } from '../4-silver/tables.ts'
import { GOLD_SUMMARY } from '../5-gold/tables.ts'
import type { StreamLog } from '../2-stream/log.ts'
import { isPlatformError } from '../errors.ts'
import { rowCount } from '../lake/stats.ts'
import type { Lake, Snapshot } from '../lake/types.ts'
import type { DataStatus, LayerStatus, PartStatus } from './contract.ts'
import { counted } from './picture.ts'

/** Input may wait so long before a layer that does not take it is called stale. */
const STALE_MS = 120_000
const ORDER = ['bronze', 'silver', 'gold', 'reference']
const WORST = ['error', 'stale', 'empty', 'ok'] as const

export interface StatusOptions {
  lake: Lake
  log: StreamLog | null
  partStatus?: () => Promise<PartStatus[]>
  clock: () => number
}

/** Reads the status again and again; it remembers since when something has been waiting. */
export function createDataStatus(options: StatusOptions): () => Promise<DataStatus> {
  const waits: Waits = new Map()
  return () => readDataStatus(options, waits)
}

/** Per layer: how far it had come when its present wait began. */
type Waits = Map<string, { done: number; sinceMs: number }>

async function readDataStatus(
  { lake, log, partStatus, clock }: StatusOptions,
  waits: Waits,
): Promise<DataStatus> {
  const names = (await lake.tables()).toSorted()
  const tables = new Map(
    await Promise.all(names.map(async (name) => [name, await snapshotOf(lake, name)] as const)),
  )
  const parts = partStatus ? await partStatus() : []
  const { stream, problem } = await streamOrProblem(log, tables.get(BRONZE_TELEMETRY.name))
  const layers = [...Map.groupBy(names, (name) => name.split('.', 1)[0]!)]
    .map(([layer, own]) => {
      const snapshots = own.map((name) => tables.get(name)!)
      const lag = lagOf(layer, tables, stream)
      return layerStatus(layer, snapshots, lag, waitedMs(waits, layer, lag, clock()), parts, clock())
    })
    .toSorted((a, b) => rank(a.layer) - rank(b.layer) || (a.layer < b.layer ? -1 : 1))
  const failed = parts.find((part) => part.state === 'failed')
  const worst = layers.toSorted((a, b) => WORST.indexOf(a.state) - WORST.indexOf(b.state))[0]
  return {
    generated_at: new Date(clock()).toISOString(),
    state: failed || problem ? 'error' : (worst?.state ?? 'empty'),
    reason: failed
      ? partReason(failed)
      : problem
        ? `stream: ${problem}`
        : worst
          ? `${worst.layer}: ${worst.reason}`
          : 'There is no table yet.',
    layers,
    stream,
    parts,
  }
}

/** A table that cannot be read keeps no other from being told of. */
async function snapshotOf(lake: Lake, table: string): Promise<Snapshot> {
  try {
    return await lake.snapshot(table)
  } catch (error) {
    if (!isPlatformError(error)) throw error
    const nothing = { version: -1, timestampMs: 0, files: [], txns: new Map(), columns: [], partitionBy: [] }
    return { table, ...nothing, description: '', properties: {}, damage: error.message }
  }
}

const rank = (layer: string): number => (ORDER.includes(layer) ? ORDER.indexOf(layer) : ORDER.length)

/** The stream, or why it does not answer: what lies in the lake is shown all the same. */
async function streamOrProblem(
  log: StreamLog | null,
  bronze: Snapshot | undefined,
): Promise<{ stream: DataStatus['stream']; problem: string | null }> {
  try {
    return { stream: log ? await streamStatus(log, bronze) : null, problem: null }
  } catch (error) {
    if (!isPlatformError(error)) throw error
    return { stream: null, problem: `${error.message}. ${error.cure}` }
  }
}

async function streamStatus(log: StreamLog, bronze: Snapshot | undefined): Promise<DataStatus['stream']> {
  const partitions = (await log.bounds()).map(({ partition, start, end }) => {
    const landed = bronze?.txns.get(`stream:${log.id}/${partition}`) ?? 0
    return { partition, start, end, landed, lag: Math.max(0, end - Math.max(start, landed)) }
  })
  return {
    topic: log.topic,
    partitions,
    // What was trimmed before Bronze had it: by construction none, and this is where it would show.
    dropped: partitions.reduce(
      (sum, { start, landed }) => sum + (landed > 0 ? Math.max(0, start - landed) : 0),
      0,
    ),
  }
}

interface Lag {
  unit: 'messages' | 'commits'
  value: number
  /** How far the layer has come: offsets landed, or the version worked off. */
  done: number
}

/** What waits before a layer: messages of the stream before Bronze, commits of the layer before otherwise. */
function lagOf(
  layer: string,
  tables: ReadonlyMap<string, Snapshot>,
  stream: DataStatus['stream'],
): Lag | null {
  const bronze = tables.get(BRONZE_TELEMETRY.name)
  const silver = tables.get(SILVER_READINGS.name)
  if (layer === 'bronze') {
    if (!stream) return null
    const total = (of: 'lag' | 'landed') =>
      stream.partitions.reduce((sum, partition) => sum + partition[of], 0)
    return { unit: 'messages', value: total('lag'), done: total('landed') }
  }
  const input = layer === 'silver' ? bronze : layer === 'gold' ? silver : undefined
  const output = layer === 'silver' ? silver : tables.get(GOLD_SUMMARY.name)
  if (!input || !output) return null
  // Version 0 creates the table and holds nothing.
  const done = output.txns.get(input.table) ?? 0
  return { unit: 'commits', value: Math.max(0, input.version - done), done }
}

/** How long input has been waiting without any of it being worked off. */
function waitedMs(waits: Waits, layer: string, lag: Lag | null, nowMs: number): number {
  if (!lag || lag.value === 0) {
    waits.delete(layer)
    return 0
  }
  const wait = waits.get(layer)
  if (wait?.done === lag.done) return nowMs - wait.sinceMs
  waits.set(layer, { done: lag.done, sinceMs: nowMs })
  return 0
}

function layerStatus(
  layer: string,
  snapshots: readonly Snapshot[],
  lag: Lag | null,
  waitMs: number,
  parts: readonly PartStatus[],
  nowMs: number,
): LayerStatus {
  const tables = snapshots.map(({ table, version, timestampMs, files, damage }) => ({
    name: table,
    files: files.length,
    rows: rowCount(files),
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    version,
    updated_at: version < 0 ? null : new Date(timestampMs).toISOString(),
    problem: damage ?? null,
  }))
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  const updatedMs = Math.max(0, ...snapshots.map(({ timestampMs }) => timestampMs))
  return {
    layer,
    ...stateOf({ layer, rows, ageMs: nowMs - updatedMs, lag, waitMs, parts, tables }),
    files: tables.reduce((sum, table) => sum + table.files, 0),
    rows,
    bytes: tables.reduce((sum, table) => sum + table.bytes, 0),
    updated_at: updatedMs > 0 ? new Date(updatedMs).toISOString() : null,
    lag: lag && { unit: lag.unit, value: lag.value },
    last_step_ms:
      parts.map(({ figures }) => figures[`${layer}_last_step_ms`]).find((ms) => ms !== undefined) ?? null,
    tables,
  }
}

function stateOf(of: {
  layer: string
  rows: number
  ageMs: number
  lag: Lag | null
  waitMs: number
  parts: readonly PartStatus[]
  tables: LayerStatus['tables']
}): Pick<LayerStatus, 'state' | 'reason'> {
  const damaged = of.tables.find(({ problem }) => problem !== null)
  if (damaged) return { state: 'error', reason: damaged.problem! }
  const failed = of.parts.find((part) => part.name === of.layer && part.state === 'failed')
  if (failed) return { state: 'error', reason: partReason(failed) }
  const waiting = of.lag && of.lag.value > 0 ? counted(of.lag.value, of.lag.unit.slice(0, -1)) : null
  if (waiting && of.waitMs > STALE_MS)
    return {
      state: 'stale',
      reason: `${waiting} waiting; none was worked off for ${Math.round(of.waitMs / 1000)} s.`,
    }
  if (of.rows === 0)
    return {
      state: 'empty',
      reason: waiting ? `First rows are on the way: ${waiting} waiting.` : 'No rows yet.',
    }
  const ageS = Math.max(0, Math.round(of.ageMs / 1000))
  return {
    state: 'ok',
    reason: waiting ? `Written ${ageS} s ago; ${waiting} on the way.` : `Up to date; written ${ageS} s ago.`,
  }
}

function partReason(part: PartStatus): string {
  return `${part.name} has failed${part.last_error ? `: ${part.last_error}` : '.'}`
}
