/** What a person says of readings that the rules let through: recorded in the lake, and only ever added to. */
import { PlatformError } from '../errors.ts'
import type { Engine, Lake, Session } from '../lake/types.ts'
import { loadRows } from './rows.ts'
import { REFERENCE_CORRECTIONS } from './tables.ts'

/** The fields that a person can set, with the magnitude that their integer form holds (exclusive). */
export const CORRECTABLE = {
  temperature: { limit: 1e6, unit: '°C' },
  power_usage: { limit: 1e9, unit: 'W' },
  energy_consumption_wh: { limit: 9e8, unit: 'Wh' },
  energy_total_wh: { limit: 9e12, unit: 'Wh' },
} as const
export type Correctable = keyof typeof CORRECTABLE

/** A record of `reference.corrections` without its number; times as ISO instants. */
export interface CorrectionDraft {
  recorded_at: string
  recorded_by: string
  reason: string
  tenant_id: string
  device_id: string
  /** null: every channel of the device. */
  channel: string | null
  /** First and last event time that it concerns, both inclusive. */
  from_time: string
  to_time: string
  action: 'exclude' | 'set' | 'undo'
  field: Correctable | null
  /** null: the field has no value. */
  value: number | null
  undoes: number | null
}

export interface Correction extends CorrectionDraft {
  correction_id: number
}

const ATTEMPTS = 5

/** Every record, the oldest first. */
export async function readCorrections(lake: Lake, engine: Engine): Promise<Correction[]> {
  const session = await engine.session()
  try {
    return (await newest(lake, session)).records
  } finally {
    await session.close()
  }
}

/** The numbers of the corrections that have been taken back. */
export function undoneBy(records: readonly Correction[]): Set<number> {
  return new Set(records.flatMap(({ undoes }) => (undoes === null ? [] : [undoes])))
}

/** Adds records in one commit; returns them with their numbers. Throws `lake_conflict` where others keep adding. */
export async function recordCorrections(
  lake: Lake,
  engine: Engine,
  drafts: readonly CorrectionDraft[],
): Promise<Correction[]> {
  const session = await engine.session()
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const { records, numbered } = await newest(lake, session)
      const first = records.reduce((most, { correction_id: id }) => Math.max(most, id), 0) + 1
      const added = drafts.map((draft, index) => ({ correction_id: first + index, ...draft }))
      await loadRows(session, 'correction_rows', REFERENCE_CORRECTIONS.columns, added)
      const add = await lake.write(session, REFERENCE_CORRECTIONS.name, 'SELECT * FROM correction_rows')
      const last = first + drafts.length - 1
      const { applied } = await lake
        .commit(REFERENCE_CORRECTIONS.name, {
          operation: 'WRITE',
          add,
          txns: { 'reference.corrections': last },
          expectTxns: { 'reference.corrections': numbered },
        })
        .catch((error: Error & { code?: string }) => {
          if (error.code === 'lake_conflict') return { applied: false }
          throw error
        })
      if (applied) return added
    }
  } finally {
    await session.close()
  }
  throw new PlatformError(
    'lake_conflict',
    'Others have recorded corrections at the same time, again and again',
    'Try once more.',
  )
}

async function newest(lake: Lake, session: Session): Promise<{ records: Correction[]; numbered: number }> {
  const snapshot = await lake.snapshot(REFERENCE_CORRECTIONS.name)
  const records = await session.rows<Correction>(
    `SELECT * FROM ${lake.scan(REFERENCE_CORRECTIONS.name, snapshot.files)} ORDER BY correction_id`,
  )
  return { records, numbered: snapshot.txns.get('reference.corrections') ?? -1 }
}
