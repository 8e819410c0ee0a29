/** Where in Bronze the arrivals of a device lie. */
import { BRONZE_TELEMETRY } from '../3-bronze/tables.ts'
import { REFERENCE_CATALOGUE } from '../reference/tables.ts'
import type { Origin } from './contract-why.ts'
import { literal, type View } from './lake-reader.ts'

/** Where an arrival stands in the stream. */
export interface Position {
  ingestion_time: string
  stream_topic: string
  stream_partition: number
  stream_offset: number
  stream_index: number
}

/** `topic/partition/offset/index`: names an arrival for good. */
export const positionId = (at: Position): string =>
  [at.stream_topic, at.stream_partition, at.stream_offset, at.stream_index].join('/')

export function originOf(at: Position, files: ReadonlyMap<string, string>): Origin {
  return {
    topic: at.stream_topic,
    partition: at.stream_partition,
    offset: at.stream_offset,
    index: at.stream_index,
    file: files.get(positionId(at)) ?? null,
    ingestion_time: at.ingestion_time,
  }
}

/** The data file of each arrival, by its id; those of devices that were merged into this one are its own. */
export async function readFiles(
  view: View,
  { tenant, device }: { tenant: string; device: string },
  positions: readonly Position[],
): Promise<Map<string, string>> {
  if (positions.length === 0) return new Map()
  const times = positions.map((at) => at.ingestion_time).toSorted()
  const [first, last] = [times[0]!, times.at(-1)!]
  const { files } = view.snapshot(BRONZE_TELEMETRY.name)
  const candidates = files.filter(({ stats: { min, max } }) => {
    const [from, to] = [min.ingestion_time, max.ingestion_time]
    return (
      (typeof to !== 'string' || Date.parse(to) >= Date.parse(first)) &&
      (typeof from !== 'string' || Date.parse(from) <= Date.parse(last))
    )
  })
  if (candidates.length === 0) return new Map()
  const merged = `SELECT device_id FROM ${view.from(REFERENCE_CATALOGUE.name)}
    WHERE tenant_id = ${literal(tenant)} AND merged_into = ${literal(device)}`
  const selects = candidates.map(
    (file) =>
      `SELECT ${literal(file.path)} AS file, stream_topic, stream_partition, stream_offset, stream_index
       FROM ${view.from(BRONZE_TELEMETRY.name, ({ path }) => path === file.path)}
       WHERE (device_id = ${literal(device)} OR device_id IN (${merged}))
         AND ingestion_time BETWEEN TIMESTAMPTZ ${literal(first)} AND TIMESTAMPTZ ${literal(last)}`,
  )
  const rows = await view.ask<Position & { file: string }>(selects.join(' UNION ALL '), { keep: false })
  return new Map(rows.map((row) => [positionId(row), row.file]))
}
