/** What the stream did not have any more, or never had: recorded, so that no offset is passed over in silence. */
import { PlatformError, isPlatformError } from '../errors.ts'
import type { Lake, Session } from '../lake/types.ts'
import type { Gap } from './take.ts'
import { BRONZE_GAPS } from './tables.ts'

/** One row for a partition, step and reason: a transactional topic has a gap behind each transaction. */
interface GapRow {
  stream_topic: string
  stream_partition: number
  first_offset: number
  end_offset: number
  missing_offsets: number
  gaps: number
  reason: Gap['reason']
}

/**
 * Writes the gaps before the rows behind them are committed. The table remembers per partition how far it has come, so
 * that a step that is done again, or that another worker has done, records none twice.
 */
export async function recordGaps(
  lake: Lake,
  session: Session,
  streamId: string,
  gaps: readonly Gap[],
): Promise<void> {
  if (gaps.length === 0) return
  const { txns } = await lake.snapshot(BRONZE_GAPS.name)
  const app = (partition: number): string => `stream:${streamId}/${partition}`
  const unknown = gaps.filter(({ partition, to }) => to > (txns.get(app(partition)) ?? -1))
  if (unknown.length === 0) return
  const rows = rowsOf(streamId, unknown)
  const select = `SELECT * FROM (SELECT unnest(from_json($1, '${ROW_TYPES}'), recursive := true))`
  await session.run(`CREATE OR REPLACE TEMP TABLE gaps AS ${select}`, [JSON.stringify(rows)])
  const files = await lake.write(session, BRONZE_GAPS.name, 'SELECT * FROM gaps')
  const ends = Map.groupBy(unknown, ({ partition }) => partition)
  const reached = [...ends].map(([partition, own]) => [app(partition), Math.max(...own.map(({ to }) => to))])
  try {
    await lake.commit(BRONZE_GAPS.name, {
      operation: 'WRITE',
      add: files,
      txns: Object.fromEntries(reached) as Record<string, number>,
      expectTxns: Object.fromEntries(
        [...ends.keys()].map((partition) => [app(partition), txns.get(app(partition)) ?? -1]),
      ),
    })
  } catch (error) {
    if (!isConflict(error)) throw error
    // Another worker has recorded some of them: what it has not is written again.
    await recordGaps(lake, session, streamId, gaps)
  }
}

const isConflict = (error: unknown): error is PlatformError =>
  isPlatformError(error) && error.code === 'lake_conflict'

const ROW_TYPES = JSON.stringify([
  {
    stream_topic: 'VARCHAR',
    stream_partition: 'INTEGER',
    first_offset: 'BIGINT',
    end_offset: 'BIGINT',
    missing_offsets: 'BIGINT',
    gaps: 'BIGINT',
    reason: 'VARCHAR',
  },
])

function rowsOf(streamId: string, gaps: readonly Gap[]): GapRow[] {
  return [...Map.groupBy(gaps, ({ partition, reason }) => `${partition} ${reason}`).values()].map((own) => ({
    stream_topic: streamId,
    stream_partition: own[0]!.partition,
    first_offset: own[0]!.from,
    end_offset: own.at(-1)!.to,
    missing_offsets: own.reduce((sum, { from, to }) => sum + to - from, 0),
    gaps: own.length,
    reason: own[0]!.reason,
  }))
}
