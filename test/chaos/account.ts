/** What stands in the lake, against what was acknowledged to those who sent it. */
import { join } from 'node:path'
import { openDuckDb, openLake } from '../../src/lake/index.ts'
import type { VerifyReport } from '../../src/verify.ts'
import { run, type Place } from './platform.ts'
import type { ReadingId } from './senders.ts'

export interface Account {
  acknowledged: number
  /** Acknowledged, and not in Silver. */
  lost: ReadingId[]
  /** In Silver more than once. */
  twice: ReadingId[]
  /** In Silver, and never acknowledged. */
  unknown: ReadingId[]
  /** What else is not as it should be: a command that fails, a table that differs from its rebuild, a file from its log. */
  problems: string[]
}

/** Works off all that is there, compares with a rebuild and with the senders' own lists. Nothing else may run on the folder. */
export async function account(place: Place, acknowledged: readonly ReadingId[]): Promise<Account> {
  const problems: string[] = []
  const drained = await run(place, ['stages', '--once'])
  if (drained.code !== 0) problems.push(`stages --once ended with ${drained.code}: ${drained.errors.trim()}`)
  problems.push(...(await verified(place)), ...(await checked(place)))
  const wanted = new Set(acknowledged)
  const stored = await readingsOf(place)
  return {
    acknowledged: wanted.size,
    lost: [...wanted].filter((id) => !stored.has(id)),
    twice: [...stored].filter(([, times]) => times > 1).map(([id]) => id),
    unknown: [...stored.keys()].filter((id) => !wanted.has(id)),
    problems,
  }
}

export function isClean({ lost, twice, unknown, problems }: Account): boolean {
  return lost.length + twice.length + unknown.length + problems.length === 0
}

async function verified(place: Place): Promise<string[]> {
  const { code, output, errors } = await run(place, ['verify', '--json'])
  if (code !== 0 && output === '') return [`verify ended with ${code}: ${errors.trim()}`]
  const { equal, tables, accounting, behind } = JSON.parse(output) as VerifyReport
  const differ = tables.filter(({ onlyStored, onlyRebuilt }) => onlyStored + onlyRebuilt > 0)
  return [
    ...(equal ? [] : ['verify: not equal']),
    ...differ.map(
      ({ table, onlyStored, onlyRebuilt, examples }) =>
        `verify: ${table} has ${onlyStored} rows that a rebuild has not, and lacks ${onlyRebuilt}: ${examples[0] ?? ''}`,
    ),
    ...(accounting.closes && accounting.pending === 0
      ? []
      : [`verify: ${JSON.stringify(accounting)} does not close`]),
    ...behind,
  ]
}

async function checked(place: Place): Promise<string[]> {
  const { code, output, errors } = await run(place, ['lake', 'check', '--json'])
  if (output === '') return [`lake check ended with ${code}: ${errors.trim()}`]
  const { tables } = JSON.parse(output) as {
    tables: { findings: { table: string; file?: string; problem: string }[] }[]
  }
  return tables.flatMap(({ findings }) =>
    findings
      // Torn by us, and passed over as it should be: the next checkpoint takes its place.
      .filter(
        ({ file, problem }) =>
          !(file?.endsWith('.checkpoint.parquet') && problem.startsWith('cannot be read')),
      )
      .map(({ table, file, problem }) => `lake check: ${table} ${file ?? ''} ${problem}`),
  )
}

/** How often each reading stands in Silver. */
async function readingsOf({ data }: Place): Promise<Map<ReadingId, number>> {
  const engine = await openDuckDb({ threads: 1, memoryLimitMb: 256 })
  const lake = await openLake({ root: join(data, 'lake'), engine })
  const session = await engine.session()
  try {
    const { files } = await lake.snapshot('silver.readings')
    const rows = await session.rows<{ id: ReadingId; times: number }>(
      `SELECT device_id || '/' || CASE WHEN starts_with(event_id, 'e') THEN event_id ELSE 'p' || CAST(power_usage AS INTEGER) END AS id,
         count(*) AS times
       FROM ${lake.scan('silver.readings', files)} GROUP BY ALL`,
    )
    return new Map(rows.map(({ id, times }) => [id, times]))
  } finally {
    await session.close()
    await lake.close()
    await engine.close()
  }
}
