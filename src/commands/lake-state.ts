/** `lake status`, `history` and `check`: what lies in the tables, and whether it is whole. */
import type { CheckReport, HistoryEntry, TableStatus } from '../lake/types.ts'
import type { Warehouse } from '../main.ts'
import { bytesText } from '../units.ts'
import { wholeNumber, type Arguments } from './command.ts'
import { asTable } from './rows.ts'

/** Exit code where something is wrong with a table. */
export const FOUND = 3

/** What an action found or did: for scripts, and for people. */
export interface Outcome {
  json: unknown
  text: string
  exit?: number
}

export async function status({ lake }: Warehouse): Promise<Outcome> {
  const tables = await lake.status()
  const broken = tables.filter(({ error, damage }) => error !== undefined || damage !== undefined)
  const problems = broken.map(({ table, error, damage }) => `${table}: ${error ?? damage}\n`)
  return {
    json: { tables },
    text: asTable(tables.map(statusRow)) + problems.join(''),
    exit: broken.length > 0 ? FOUND : 0,
  }
}

function statusRow(each: TableStatus): Record<string, unknown> {
  return {
    table: each.table,
    version: each.version,
    oldest: each.oldestVersion,
    checkpoint: each.checkpointVersion < 0 ? '–' : each.checkpointVersion,
    rows: each.rows,
    files: each.files,
    size: bytesText(each.bytes),
    smallest: bytesText(each.smallestFileBytes),
    median: bytesText(each.medianFileBytes),
    keeps: each.retentionDays === null ? 'all' : `${each.retentionDays} days`,
  }
}

export async function history(
  { lake }: Warehouse,
  [table = '']: readonly string[],
  args: Arguments,
): Promise<Outcome> {
  const versions = await lake.history(table, limitOf(args))
  return { json: { table, versions }, text: asTable(versions.map(historyRow)) }
}

export function limitOf(args: Arguments): { limit?: number } {
  const limit = args.text('limit')
  return limit === undefined ? {} : { limit: wholeNumber('--limit', limit, 1, 1_000_000_000) }
}

function historyRow(entry: HistoryEntry): Record<string, unknown> {
  const pairs = (values: Readonly<Record<string, unknown>>): string =>
    Object.entries(values)
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(' ')
  return {
    version: entry.version,
    time: new Date(entry.timestampMs).toISOString(),
    operation: entry.operation,
    added: entry.filesAdded,
    removed: entry.filesRemoved,
    inputs: pairs(entry.inputs),
    metrics: pairs(entry.metrics),
  }
}

export async function check(
  { lake }: Warehouse,
  tables: readonly string[],
  args: Arguments,
): Promise<Outcome> {
  const reports: CheckReport[] = []
  for (const table of tables) reports.push(await lake.check(table, { repair: args.flag('repair') }))
  const findings = reports.flatMap((report) => report.findings)
  const ahead = (await Promise.all(reports.map((report) => readersAhead(lake, report)))).flat()
  const lines = reports.map(({ table, version, files, rows, movedAside }) => {
    const aside = movedAside === undefined ? '' : `; its torn newest entry was moved to ${movedAside}`
    return `${table}: version ${version}, ${files} files, ${rows} rows${aside}\n`
  })
  const wrong = findings.map(
    ({ table, version, file, problem }) =>
      `WRONG ${table}, version ${version}${file === undefined ? '' : `, ${file}`}: ${problem}\n`,
  )
  return {
    json: { tables: reports, ...(ahead.length > 0 && { ahead }) },
    text: [...lines, ...wrong, ...ahead.map((line) => `${line}\n`), `${findings.length} findings\n`].join(''),
    exit: findings.length > 0 ? FOUND : 0,
  }
}

/** Tables that were made from the version which a repair has given up: their rows of it may come again, cut otherwise. */
async function readersAhead(
  lake: Warehouse['lake'],
  { table, version, movedAside }: CheckReport,
): Promise<string[]> {
  if (movedAside === undefined) return []
  const lines: string[] = []
  for (const name of await lake.tables()) {
    const read = await lake.snapshot(name).then(
      ({ txns }) => txns.get(table) ?? -1,
      () => -1,
    )
    const layer = name.slice(0, name.indexOf('.'))
    if (read > version)
      lines.push(
        `${name} was made from version ${read} of ${table}, which is lost: run smarthouse rebuild ${layer}`,
      )
  }
  return lines
}
