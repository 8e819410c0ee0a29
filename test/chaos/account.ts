/** What stands in the lake, against what was acknowledged to those who sent it. */
import { join } from 'node:path'
import { openDuckDb, openLake } from '../../src/lake/index.ts'
import type { VerifyReport } from '../../src/verify.ts'
import { smarthouseHere } from '../house/run-cli.ts'
import type { Place } from './platform.ts'
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
  const drained = await said(place, 'stages', '--once')
  if (drained.status !== 0)
    problems.push(`stages --once ended with ${drained.status}: ${drained.stderr.trim()}`)
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

/** Nothing is killed any more: in this process, of which one round warms up for the next. */
const said = ({ data, config }: Place, ...words: string[]) =>
  smarthouseHere(...words, '--data', data, '--config', config)

export function isClean({ lost, twice, unknown, problems }: Account): boolean {
  return lost.length + twice.length + unknown.length + problems.length === 0
}

async function verified(place: Place): Promise<string[]> {
  const { status, stdout, stderr } = await said(place, 'verify', '--json')
  if (status !== 0 && stdout === '') return [`verify ended with ${status}: ${stderr.trim()}`]
  const { equal, tables, accounting, behind } = JSON.parse(stdout) as VerifyReport
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
  const { status, stdout, stderr } = await said(place, 'lake', 'check', '--json')
  if (stdout === '') return [`lake check ended with ${status}: ${stderr.trim()}`]
  const { tables } = JSON.parse(stdout) as {
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
