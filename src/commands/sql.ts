import { PlatformError } from '../errors.ts'
import type { TableRead } from '../lake/types.ts'
import { openLakeAlone, openSettings } from '../main.ts'
import { bytesText, nearest } from '../units.ts'
import { COMMON_OPTIONS, type Arguments, type Command } from './command.ts'
import { asCsv, asJson, asTable, type Row } from './rows.ts'

const PRINT: Readonly<Record<string, (rows: Row[]) => string>> = { table: asTable, json: asJson, csv: asCsv }

export const SQL: Command = {
  name: 'sql',
  summary: 'query the tables of the lake, read-only',
  positional: '"SELECT …"',
  options: {
    ...COMMON_OPTIONS,
    format: { value: 'table|json|csv', description: 'how to print the rows; default: table' },
    at: {
      value: 'TIME|TABLE=VERSION|TABLE=TIME',
      description:
        'the lake as it was: all tables at a moment, or one (may be repeated) at a version or a moment',
      multiple: true,
    },
    explain: { description: 'run nothing; say how many files of how many the query reads' },
  },
  examples: [
    'smarthouse sql "SELECT count(*) FROM bronze.telemetry"',
    'smarthouse sql "SELECT date, total_energy_kwh FROM gold.daily_business_summary ORDER BY date" --format csv',
    'smarthouse sql "SELECT count(*) FROM silver.readings" --at silver.readings=12',
    'smarthouse sql "SELECT count(*) FROM silver.readings" --at 2026-03-29T12:00:00Z',
    `smarthouse sql "SELECT * FROM gold.daily_energy_consumption WHERE date = '2026-03-29'" --explain`,
  ],
  async run(args) {
    const print = PRINT[args.text('format') ?? 'table']
    if (!print)
      throw new PlatformError(
        'usage',
        `--format must be table, json or csv, not "${args.text('format')}"`,
        'Write --format json.',
      )
    const [query, ...others] = args.positionals
    if (query === undefined || others.length > 0)
      throw new PlatformError('usage', 'sql takes one query', 'Put it in quotes: smarthouse sql "SELECT 1".')
    const at = momentsOf(args.list('at'))
    const { lake, engine, close } = await openLakeAlone(openSettings(args))
    const { openQuerySession } = await import('../lake/index.ts')
    try {
      if (!(at instanceof Date)) requireTables(Object.keys(at), await lake.tables())
      const session = await openQuerySession(lake, engine, { at })
      const rows = args.flag('explain')
        ? (await session.reads(query)).map((read) => explained(read, args))
        : await session.rows(query)
      for (const damage of session.damages(query))
        process.stderr.write(`smarthouse: the version before is read. ${damage}\n`)
      await session.close()
      process.stdout.write(print(rows))
      return 0
    } finally {
      await close()
    }
  },
}

function explained({ table, version, files, bytes }: TableRead, args: Arguments): Row {
  const size = (count: number): string | number =>
    args.text('format') === undefined ? bytesText(count) : count
  return {
    table,
    version,
    files_read: files.read,
    files: files.of,
    bytes_read: size(bytes.read),
    bytes: size(bytes.of),
  }
}

/** `--at` as the lake takes it: one moment for all, or a version or moment by table. */
function momentsOf(texts: readonly string[]): Date | Record<string, number | Date> {
  const [first] = texts
  if (first !== undefined && texts.length === 1 && !first.includes('=')) return momentOf(first)
  return Object.fromEntries(
    texts.map((text) => {
      const [, table, when] = /^([a-z0-9_]+\.[a-z0-9_]+)=(.+)$/.exec(text) ?? []
      if (table === undefined || when === undefined) throw wrongMoment(text)
      return [table, /^\d{1,15}$/.test(when) ? Number(when) : momentOf(when)]
    }),
  )
}

/** A moment carries its zone: without one it would mean another moment on another machine. */
function momentOf(text: string): Date {
  const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d.*(Z|[+-]\d\d:\d\d)$/.test(text) ? new Date(text) : undefined
  if (!moment || Number.isNaN(moment.getTime())) throw wrongMoment(text)
  return moment
}

function wrongMoment(text: string): PlatformError {
  return new PlatformError(
    'usage',
    `--at is neither a moment nor TABLE=VERSION: "${text}"`,
    'Write --at 2026-03-29T12:00:00Z or --at silver.readings=12; the first stands alone.',
  )
}

/** Every one of them is in the lake. */
export function requireTables(named: readonly string[], known: readonly string[]): void {
  const unknown = named.find((table) => !known.includes(table))
  if (unknown === undefined) return
  const guess = nearest(unknown, known)
  throw new PlatformError(
    'usage',
    `There is no table ${unknown} in the lake`,
    guess ? `Did you mean ${guess}?` : 'smarthouse lake status lists the tables.',
  )
}
