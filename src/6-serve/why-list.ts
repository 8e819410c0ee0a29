/** What an explanation lists: readings, duplicates and rejects, each with its place in Bronze. */
import type { Why, WhyQuery } from './contract-why.ts'
import type { View } from './lake-reader.ts'
import { originOf, positionId, readFiles } from './why-bronze.ts'
import type { DuplicateRow, RejectRow } from './why-left-out.ts'
import { energyFormula, type DeviceDay, type DeviceRow } from './why-readings.ts'
import { SLOT_US } from './why-slots.ts'

type ShownSlot = Why['quarter_hours'][number]

/** At most `limit` of each; where a quarter-hour is asked for, only what lies in it. */
export async function listed(work: {
  view: View
  day: DeviceDay
  rows: readonly DeviceRow[]
  shown: readonly ShownSlot[]
  duplicates: readonly DuplicateRow[]
  rejects: readonly RejectRow[]
  asked: WhyQuery
  limit: number
}): Promise<Pick<Why, 'quarter_hours' | 'readings' | 'duplicates' | 'rejects' | 'omitted'>> {
  const { view, day, rows, shown, asked, limit } = work
  const carrying = new Set(shown.flatMap((slot) => slot.parts.map((part) => part.reading)))
  const slotStarts = new Set(shown.map((slot) => Date.parse(slot.start) * 1000))
  const inShown = (us: number): boolean => slotStarts.has(us - (us % SLOT_US))
  const concerned = rows
    .map((row, at) => ({ row, at }))
    .filter(
      ({ row }) =>
        carrying.has(positionId(row)) ||
        (row.t_us >= day.startUs && row.t_us < day.endUs && inShown(row.t_us)),
    )
  const some = concerned.slice(0, limit)
  let left = limit
  const slots = shown.map((slot) => {
    const parts = slot.parts.slice(0, left)
    left -= parts.length
    return { ...slot, parts }
  })
  const of = <T extends { t_us: number | null }>(all: readonly T[]): T[] =>
    asked.at === undefined ? [...all] : all.filter(({ t_us: us }) => us !== null && inShown(us))
  const [duplicates, rejects] = [of(work.duplicates), of(work.rejects)]
  const positions = [...some.map(({ row }) => row), ...duplicates.slice(0, limit), ...rejects.slice(0, limit)]
  const files = await readFiles(view, day, positions)
  const partCount = shown.reduce((sum, slot) => sum + slot.parts.length, 0)
  return {
    quarter_hours: slots,
    readings: some.map(({ row, at }) => readingOf(row, energyFormula(row, at, rows), files)),
    duplicates: duplicates.slice(0, limit).map((row) => ({
      bronze: originOf(row, files),
      timestamp: row.timestamp,
      channel: row.channel,
      of: row.of,
    })),
    rejects: rejects.slice(0, limit).map((row) => ({
      bronze: originOf(row, files),
      timestamp: row.timestamp,
      reason: row.reject_reason,
      detail: row.reject_detail,
    })),
    omitted: {
      readings: concerned.length - some.length,
      parts: Math.max(0, partCount - limit),
      duplicates: Math.max(0, duplicates.length - limit),
      rejects: Math.max(0, rejects.length - limit),
    },
  }
}

function readingOf(
  row: DeviceRow,
  formula: string,
  files: ReadonlyMap<string, string>,
): Why['readings'][number] {
  const { t_us: _t, from_us: _from, to_us: _to, ingestion_time: _i, ...fields } = row
  const { stream_topic: _topic, stream_partition: _p, stream_offset: _o, stream_index: _x, ...shown } = fields
  return { id: positionId(row), bronze: originOf(row, files), ...shown, formula }
}
