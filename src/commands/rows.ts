/** How commands print rows. */

export type Row = Record<string, unknown>

/** Rows of an answer, or anything else, as JSON text. */
export function asJson(rows: unknown): string {
  // An integer beyond what JSON readers keep exactly is written as text.
  return `${JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value), 2)}\n`
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

export function asCsv(rows: Row[]): string {
  if (rows.length === 0) return ''
  const quote = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const names = Object.keys(rows[0]!)
  return [names, ...rows.map((row) => names.map((name) => cell(row[name])))]
    .map((cells) => `${cells.map(quote).join(',')}\n`)
    .join('')
}

/** Aligned columns, long texts cut. */
export function asTable(rows: Row[]): string {
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
