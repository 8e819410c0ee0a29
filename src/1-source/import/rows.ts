/** From text in pieces to rows: CSV with any delimiter, or JSON lines. Memory is bounded by the longest row. */
import { isRecord } from './values.ts'

export interface SourceRow {
  /** Line of the file in which the row begins, from 1; in a file without lines, the number of the row. */
  line: number
  /** By column, from 0; empty for a JSON line. */
  cells: readonly unknown[]
  /** The object of a JSON line. */
  json?: Record<string, unknown>
}

/** A row that could not be taken apart. */
export interface BrokenRow {
  line: number
  reason: 'not_json' | 'quote_not_closed' | 'too_long' | 'cut_off'
  text: string
}

export interface Format {
  kind: 'csv' | 'jsonl'
  /** CSV only; a space stands for any white space. */
  delimiter: string
  /** Line of the header, from 1; 0: there is none, and what lies above the first row is taken for rows. */
  headerLine: number
  /** How many columns a whole row has. */
  columns: number
}

const MAX_ROW_CHARACTERS = 1024 * 1024
/** The cells of one CSV row; undefined while a quotation is still open at its end. */
export function splitRow(text: string, delimiter: string): string[] | undefined {
  if (delimiter === ' ') return text.trim().split(/\s+/)
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

/** The lines; `isTail`: the last one, without an end of its own. */
async function* readLines(
  pieces: AsyncIterable<string>,
): AsyncGenerator<{ line: number; text: string; isTail: boolean }> {
  let rest = ''
  let line = 0
  for await (const piece of pieces) {
    let from = 0
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', from)) {
      const text = rest + piece.slice(from, end)
      yield { line: ++line, text: text.endsWith('\r') ? text.slice(0, -1) : text, isTail: false }
      rest = ''
      from = end + 1
    }
    // Of a line without an end only so much is kept as shows that it is too long.
    if (rest.length <= MAX_ROW_CHARACTERS) rest += piece.slice(from)
  }
  if (rest !== '') yield { line: ++line, text: rest, isTail: true }
}

/** What introduces a file or comments it: no row. */
const ASIDE = /^(?:#|sep=)/i

/** All rows of a file but its header, what lies above that, and blank lines. */
export async function* readRows(
  pieces: AsyncIterable<string>,
  format: Format,
): AsyncGenerator<SourceRow | BrokenRow> {
  let open: { line: number; text: string } | undefined
  for await (const { line, text, isTail } of readLines(pieces)) {
    if (line <= format.headerLine) continue
    if (text.length > MAX_ROW_CHARACTERS) {
      yield { line, reason: 'too_long', text: text.slice(0, 80) }
    } else if (format.kind === 'jsonl') {
      if (text.trim() !== '') yield jsonRow(line, text)
    } else {
      if (!open && (text.trim() === '' || ASIDE.test(text))) continue
      const row: { line: number; text: string } = open
        ? { line: open.line, text: `${open.text}\n${text}` }
        : { line, text: line === 1 ? text.replace('\uFEFF', '') : text }
      const cells = splitRow(row.text, format.delimiter)
      open = cells === undefined ? row : undefined
      if (open && open.text.length > MAX_ROW_CHARACTERS) {
        yield { line: open.line, reason: 'quote_not_closed', text: open.text.slice(0, 80) }
        open = undefined
      }
      if (!cells) continue
      // Of a row that the file breaks off in, the last number may have lost its last digits.
      if (isTail && cells.length < format.columns)
        yield { line: row.line, reason: 'cut_off', text: text.slice(0, 80) }
      else yield { line: row.line, cells }
    }
  }
  if (open) yield { line: open.line, reason: 'quote_not_closed', text: open.text.slice(0, 80) }
}

function jsonRow(line: number, text: string): SourceRow | BrokenRow {
  let parsed: unknown
  try {
    parsed = JSON.parse(text.replace('\uFEFF', ''))
  } catch {
    parsed = undefined
  }
  if (!isRecord(parsed)) return { line, reason: 'not_json', text: text.slice(0, 80) }
  return { line, cells: [], json: parsed }
}
