/** How a text file is laid out: what parts its columns, which line is the header, from its beginning. */
import { allOrders, parseClock } from './clock.ts'
import { splitRow, type Format } from './rows.ts'

const DELIMITERS = [';', '\t', ',', '|']
const SAMPLE_LINES = 50

/** A file's columns by name, '' where there is no header. */
export interface Layout {
  format: Format
  names: string[]
}

/** The delimiter that cuts the most lines of the sample into the same number of columns; undefined where none does. */
export function findDelimiter(sample: string): string | undefined {
  const lines = sampleLines(sample)
  let best: { delimiter: string; lines: number; columns: number } | undefined
  for (const delimiter of DELIMITERS) {
    const counts = new Map<number, number>()
    for (const { text } of lines) {
      const columns = splitRow(text, delimiter)?.length ?? 1
      if (columns > 1) counts.set(columns, (counts.get(columns) ?? 0) + 1)
    }
    for (const [columns, count] of counts) {
      const better = !best || count > best.lines || (count === best.lines && columns > best.columns)
      if (better) best = { delimiter, lines: count, columns }
    }
  }
  if (best) return best.delimiter
  // `1303132929 220.30`: an epoch and a number, parted by nothing but space.
  const isSpaced = lines.every(({ text }) => /^\s*\d{9,19}(?:\.\d+)?(?:\s+[+-]?[\d.]+)+\s*$/.test(text))
  return isSpaced && lines.length > 0 ? ' ' : undefined
}

function sampleLines(sample: string): { line: number; text: string }[] {
  return sample
    .replace('\uFEFF', '')
    .split(/\r?\n/)
    .map((text, index) => ({ line: index + 1, text }))
    .filter(({ text }) => text.trim() !== '' && !/^sep=/i.test(text))
    .slice(0, SAMPLE_LINES)
}

/**
 * The header is the first line of as many columns as the rows have, above the first line that holds a time; a file whose
 * first line holds one has none. `header: false`: it has none in any case.
 */
export function layoutOf(sample: string, delimiter: string, header: boolean | undefined): Layout {
  const lines = sampleLines(sample).map(({ line, text }) => ({
    line,
    cells: splitRow(text.replace(/^#\s*/, ''), delimiter) ?? [],
    isComment: text.startsWith('#'),
  }))
  const format: Format = { kind: 'csv', delimiter, headerLine: 0, columns: 0 }
  const data = lines.findIndex(({ cells, isComment }) => !isComment && cells.some(isTime))
  const columns = (lines[data] ?? lines[0])?.cells.length ?? 0
  const above = lines.slice(0, data < 0 ? 1 : data)
  const found =
    header === false
      ? undefined
      : (above.find(({ cells, isComment }) => !isComment && cells.length === columns) ??
        above.findLast(({ cells }) => cells.length === columns))
  // A file that names its columns in spite of everything is not asked twice.
  const forced = header === true && !found ? lines[0] : undefined
  const head = found ?? forced
  const names = head ? head.cells.map((cell) => cell.trim()) : Array.from({ length: columns }, () => '')
  return { format: { ...format, headerLine: head?.line ?? 0, columns }, names }
}

const ANY_ORDER = [allOrders('dmy'), allOrders('mdy'), allOrders('ymd')]

function isTime(cell: string): boolean {
  return ANY_ORDER.some((orders) => parseClock(cell.trim(), orders) !== undefined)
}
