import { PlatformError } from '../errors.ts'
import { openSettings, openWarehouse } from '../main.ts'
import { COMMON_OPTIONS, type Command } from './command.ts'

const FORMATS = ['table', 'json', 'csv'] as const

export const SQL: Command = {
  name: 'sql',
  summary: 'query the tables of the lake, read-only',
  positional: '"SELECT …"',
  options: {
    ...COMMON_OPTIONS,
    format: { value: 'table|json|csv', description: 'how to print the rows; default: table' },
  },
  examples: [
    'smarthouse sql "SELECT count(*) FROM bronze.telemetry"',
    'smarthouse sql "SELECT date, total_energy_kwh FROM gold.daily_business_summary ORDER BY date" --format csv',
  ],
  async run(args) {
    const format = args.text('format') ?? 'table'
    if (!FORMATS.some((known) => known === format))
      throw new PlatformError(
        'usage',
        `--format must be table, json or csv, not "${format}"`,
        'Write --format json.',
      )
    const [query, ...others] = args.positionals
    if (query === undefined || others.length > 0)
      throw new PlatformError('usage', 'sql takes one query', 'Put it in quotes: smarthouse sql "SELECT 1".')
    const warehouse = await openWarehouse(openSettings(args, { create: false }))
    const { openQuerySession } = await import('../lake/index.ts')
    try {
      const session = await openQuerySession(warehouse.lake, warehouse.engine)
      const rows = await session.rows(query)
      await session.close()
      process.stdout.write(PRINT[format as (typeof FORMATS)[number]](rows))
      return 0
    } finally {
      await warehouse.close()
    }
  },
}

type Row = Record<string, unknown>
const PRINT: Record<(typeof FORMATS)[number], (rows: Row[]) => string> = {
  json: asJson,
  csv: asCsv,
  table: asTable,
}

function asJson(rows: Row[]): string {
  // An integer beyond what JSON readers keep exactly is written as text.
  return `${JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value), 2)}\n`
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function asCsv(rows: Row[]): string {
  if (rows.length === 0) return ''
  const quote = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const names = Object.keys(rows[0]!)
  return [names, ...rows.map((row) => names.map((name) => cell(row[name])))]
    .map((cells) => `${cells.map(quote).join(',')}\n`)
    .join('')
}

function asTable(rows: Row[]): string {
  if (rows.length === 0) return '(no rows)\n'
  const names = Object.keys(rows[0]!)
  const lines = [
    names,
    ...rows.map((row) => names.map((name) => cell(row[name]).replaceAll(/\s+/g, ' ').slice(0, 60))),
  ]
  const widths = names.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  const text = lines.map((line) =>
    line
      .map((value, column) => value.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
  text.splice(1, 0, widths.map((width) => '─'.repeat(width)).join('  '))
  return `${text.join('\n')}\n(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})\n`
}
