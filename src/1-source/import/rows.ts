/** From text in pieces to rows: CSV with any delimiter, or JSON lines. Memory is bounded by the longest row. */
import { isRecord } from './values.ts'

export interface SourceRow {
  /** Line of the file in which the row begins, from 1. */
  line: number
  /** Values by column number from 1, or by name; undefined where the row has no such column. */
  value(column: string): unknown
  /** The object of a JSON line. */
  json?: Record<string, unknown>
}

/** A row that could not be taken apart. */
export interface BrokenRow {
  line: number
  reason: 'not_json' | 'quote_not_closed' | 'too_long'
  text: string
}

export interface Format {
  kind: 'csv' | 'jsonl'
  /** CSV only. */
  delimiter: string
  header: boolean
}

const MAX_ROW_CHARACTERS = 1024 * 1024
const DELIMITERS = [';', '\t', ',', '|']

/** The delimiter that cuts the most lines of the sample into the same number of columns; undefined where none does. */
export function findDelimiter(sample: string): string | undefined {
  const lines = sample
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .slice(0, 50)
  let best: { delimiter: string; lines: number; columns: number } | undefined
  for (const delimiter of DELIMITERS) {
    const counts = new Map<number, number>()
    for (const line of lines) {
      const columns = splitRow(line, delimiter)?.length ?? 1
      if (columns > 1) counts.set(columns, (counts.get(columns) ?? 0) + 1)
    }
    for (const [columns, count] of counts) {
      const better = !best || count > best.lines || (count === best.lines && columns > best.columns)
      if (better) best = { delimiter, lines: count, columns }
    }
  }
  return best?.delimiter
}

/** The cells of one CSV row; undefined while a quotation is still open at its end. */
export function splitRow(text: string, delimiter: string): string[] | undefined {
  if (!text.includes('"')) return text.split(delimiter)
  const cells: string[] = []
  let at = 0
  for (;;) {
    let cell = ''
    if (text[at] === '"') {
      for (;;) {
        const close = text.indexOf('"', at + 1)
        if (close < 0) return undefined
        cell += text.slice(at + 1, close)
        at = close + 1
        if (text[at] !== '"') break
        cell += '"' // A quotation mark doubled inside of a quotation is one.
      }
    }
    const end = text.indexOf(delimiter, at)
    cells.push(cell + (end < 0 ? text.slice(at) : text.slice(at, end)))
    if (end < 0) return cells
    at = end + delimiter.length
  }
}

async function* readLines(pieces: AsyncIterable<string>): AsyncGenerator<{ line: number; text: string }> {
  let rest = ''
  let line = 0
  for await (const piece of pieces) {
    let from = 0
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', from)) {
      const text = rest + piece.slice(from, end)
      yield { line: ++line, text: text.endsWith('\r') ? text.slice(0, -1) : text }
      rest = ''
      from = end + 1
    }
    // Of a line without an end only so much is kept as shows that it is too long.
    if (rest.length <= MAX_ROW_CHARACTERS) rest += piece.slice(from)
  }
  if (rest !== '') yield { line: ++line, text: rest }
}

/** All rows of a file but its header and blank lines. */
export async function* readRows(
  pieces: AsyncIterable<string>,
  format: Format,
): AsyncGenerator<SourceRow | BrokenRow> {
  let columns: Map<string, number> | undefined = format.header ? undefined : new Map()
  let open: { line: number; text: string } | undefined
  for await (const { line, text } of readLines(pieces)) {
    if (text.length > MAX_ROW_CHARACTERS) {
      yield { line, reason: 'too_long', text: text.slice(0, 80) }
    } else if (format.kind === 'jsonl') {
      if (text.trim() !== '') yield jsonRow(line, text)
    } else {
      if (!open && text.trim() === '') continue
      const row: { line: number; text: string } = open
        ? { line: open.line, text: `${open.text}\n${text}` }
        : { line, text }
      const cells = splitRow(row.text, format.delimiter)
      open = cells === undefined ? row : undefined
      if (open && open.text.length > MAX_ROW_CHARACTERS) {
        yield { line: open.line, reason: 'quote_not_closed', text: open.text.slice(0, 80) }
        open = undefined
      }
      if (!cells) continue
      if (columns) yield csvRow(row.line, cells, columns)
      else columns = headerColumns(cells)
    }
  }
  if (open) yield { line: open.line, reason: 'quote_not_closed', text: open.text.slice(0, 80) }
}

export function headerColumns(cells: readonly string[]): Map<string, number> {
  return new Map(cells.map((cell, index) => [cell.replace('\uFEFF', '').trim().toLowerCase(), index + 1]))
}

function csvRow(line: number, cells: readonly string[], columns: ReadonlyMap<string, number>): SourceRow {
  return {
    line,
    value(column) {
      const number = columns.get(column.toLowerCase()) ?? (/^\d+$/.test(column) ? Number(column) : 0)
      return cells[number - 1]
    },
  }
}

function jsonRow(line: number, text: string): SourceRow | BrokenRow {
  let parsed: unknown
  try {
    parsed = JSON.parse(text.replace('\uFEFF', ''))
  } catch {
    parsed = undefined
  }
  if (!isRecord(parsed)) return { line, reason: 'not_json', text: text.slice(0, 80) }
  const json = parsed
  return { line, value: (column) => json[column], json }
}
