/** Where the data is: files and rows per table, what waits before each layer, and from what its state is derived. */
import { BRONZE_TELEMETRY } from '../3-bronze/tables.ts'
import { SILVER_READINGS } from '../4-silver/tables.ts'
import { GOLD_SUMMARY } from '../5-gold/tables.ts'
import type { StreamLog } from '../2-stream/log.ts'
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

export async function readDataStatus({ lake, log, partStatus, clock }: StatusOptions): Promise<DataStatus> {
  const names = (await lake.tables()).toSorted()
  const tables = new Map(
    await Promise.all(names.map(async (name) => [name, await lake.snapshot(name)] as const)),
  )
  const parts = partStatus ? await partStatus() : []
  const stream = log ? await streamStatus(log, tables.get(BRONZE_TELEMETRY.name)) : null
  const layers = [...Map.groupBy(names, (name) => name.split('.', 1)[0]!)]
    .map(([layer, own]) => {
      const snapshots = own.map((name) => tables.get(name)!)
      return layerStatus(layer, snapshots, lagOf(layer, tables, stream), parts, clock())
    })
    .toSorted((a, b) => rank(a.layer) - rank(b.layer) || (a.layer < b.layer ? -1 : 1))
  const failed = parts.find((part) => part.state === 'failed')
  const worst = layers.toSorted((a, b) => WORST.indexOf(a.state) - WORST.indexOf(b.state))[0]
  return {
    generated_at: new Date(clock()).toISOString(),
    state: failed ? 'error' : (worst?.state ?? 'empty'),
    reason: failed
      ? partReason(failed)
      : worst
        ? `${worst.layer}: ${worst.reason}`
        : 'There is no table yet.',
    layers,
    stream,
    parts,
  }
}

const rank = (layer: string): number => (ORDER.includes(layer) ? ORDER.indexOf(layer) : ORDER.length)

async function streamStatus(log: StreamLog, bronze: Snapshot | undefined): Promise<DataStatus['stream']> {
  const partitions = (await log.bounds()).map(({ partition, start, end }) => {
    const landed = bronze?.txns.get(`stream:${log.topic}/${partition}`) ?? 0
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
  /** Since when the oldest of it may have waited; null where that is not known. */
  sinceMs: number | null
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
    const value = stream.partitions.reduce((sum, partition) => sum + partition.lag, 0)
    return { unit: 'messages', value, sinceMs: bronze?.timestampMs ?? null }
  }
  const input = layer === 'silver' ? bronze : layer === 'gold' ? silver : undefined
  const output = layer === 'silver' ? silver : tables.get(GOLD_SUMMARY.name)
  if (!input || !output) return null
  const done = output.txns.get(input.table)
  // Version 0 creates the table and holds nothing.
  const value = Math.max(0, input.version - (done ?? 0))
  return { unit: 'commits', value, sinceMs: output.timestampMs }
}

function layerStatus(
  layer: string,
  snapshots: readonly Snapshot[],
  lag: Lag | null,
  parts: readonly PartStatus[],
  nowMs: number,
): LayerStatus {
  const tables = snapshots.map(({ table, version, timestampMs, files }) => ({
    name: table,
    files: files.length,
    rows: files.reduce((sum, file) => sum + file.stats.rows, 0),
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    version,
    updated_at: version < 0 ? null : new Date(timestampMs).toISOString(),
  }))
  const rows = tables.reduce((sum, table) => sum + table.rows, 0)
  const updatedMs = Math.max(0, ...snapshots.map(({ timestampMs }) => timestampMs))
  return {
    layer,
    ...stateOf(layer, rows, updatedMs, lag, parts, nowMs),
    files: tables.reduce((sum, table) => sum + table.files, 0),
    rows,
    bytes: tables.reduce((sum, table) => sum + table.bytes, 0),
    updated_at: updatedMs > 0 ? new Date(updatedMs).toISOString() : null,
    lag: lag && { unit: lag.unit, value: lag.value },
    tables,
  }
}

function stateOf(
  layer: string,
  rows: number,
  updatedMs: number,
  lag: Lag | null,
  parts: readonly PartStatus[],
  nowMs: number,
): Pick<LayerStatus, 'state' | 'reason'> {
  const failed = parts.find((part) => part.name === layer && part.state === 'failed')
  if (failed) return { state: 'error', reason: partReason(failed) }
  const waiting = lag && lag.value > 0 ? counted(lag.value, lag.unit.slice(0, -1)) : null
  const waitedS = lag?.sinceMs ? Math.round((nowMs - lag.sinceMs) / 1000) : 0
  if (waiting && waitedS * 1000 > STALE_MS)
    return { state: 'stale', reason: `${waiting} waiting; nothing was written for ${waitedS} s.` }
  if (rows === 0)
    return {
      state: 'empty',
      reason: waiting ? `First rows are on the way: ${waiting} waiting.` : 'No rows yet.',
    }
  const ageS = Math.max(0, Math.round((nowMs - updatedMs) / 1000))
  return {
    state: 'ok',
    reason: waiting ? `Written ${ageS} s ago; ${waiting} on the way.` : `Up to date; written ${ageS} s ago.`,
  }
}

function partReason(part: PartStatus): string {
  return `${part.name} has failed${part.last_error ? `: ${part.last_error}` : '.'}`
}
