import { PlatformError } from '../errors.ts'

/** One line of data: its values by column name, and where it began in the file (first line = 1). */
export interface CsvRecord {
  line: number
  values: Readonly<Record<string, string>>
}

interface RawRecord {
  line: number
  fields: string[]
}

/**
 * Cuts CSV text into records by RFC 4180: quoted fields may hold commas, line breaks and doubled quotes.
 * LF, CRLF and CR end a record; a byte order mark and empty lines are passed over.
 */
function cutRecords(text: string, file: string): RawRecord[] {
  const records: RawRecord[] = []
  let fields: string[] = []
  let line = 1
  let recordLine = 1
  let at = text.startsWith('\uFEFF') ? 1 : 0
  const endRecord = (): void => {
    if (fields.length > 1 || fields[0] !== '') records.push({ line: recordLine, fields })
    fields = []
    line += 1
    recordLine = line
  }
  while (at < text.length || fields.length > 0) {
    let value = ''
    if (text[at] === '"') {
      const opened = line
      for (at += 1; text[at] !== '"' || text[at + 1] === '"'; at += 1) {
        if (at >= text.length) {
          throw new PlatformError(
            'config_invalid',
            `${file}, line ${opened}: a quoted field is never closed`,
            'Close the field with a quote (").',
          )
        }
        if (text[at] === '"') at += 1
        if (text[at] === '\n') line += 1
        value += text[at]
      }
      at += 1
    } else {
      const end = text.slice(at).search(/[,\r\n]/)
      const until = end === -1 ? text.length : at + end
      value = text.slice(at, until)
      at = until
    }
    fields.push(value.trim())
    if (text[at] === ',') {
      at += 1
      if (at >= text.length) fields.push('')
      else continue
    }
    if (at < text.length && text[at] !== '\r' && text[at] !== '\n') {
      throw new PlatformError(
        'config_invalid',
        `${file}, line ${line}: text follows the closing quote of a field`,
        'Double a quote that belongs to the text ("").',
      )
    }
    at += text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1
    endRecord()
  }
  return records
}

/**
 * Reads CSV text with a header line. Column names may come in any order; unknown, repeated and missing ones,
 * and lines with another number of fields than the header, are errors that name the file, line and column.
 */
export function parseCsv(
  text: string,
  file: string,
  columns: { required: readonly string[]; optional: readonly string[] },
): CsvRecord[] {
  const [header, ...lines] = cutRecords(text, file)
  if (header === undefined) {
    throw new PlatformError(
      'config_invalid',
      `${file} is empty`,
      `Begin it with a header line: ${[...columns.required, ...columns.optional].join(',')}.`,
    )
  }
  checkHeader(header, file, columns)
  return lines.map(({ line, fields }) => {
    if (fields.length !== header.fields.length) {
      throw new PlatformError(
        'config_invalid',
        `${file}, line ${line}: ${fields.length} fields, but the header has ${header.fields.length}`,
        'Give every column a field; put quotes around a field that holds a comma.',
      )
    }
    return { line, values: Object.fromEntries(header.fields.map((name, index) => [name, fields[index]!])) }
  })
}

function checkHeader(
  header: RawRecord,
  file: string,
  columns: { required: readonly string[]; optional: readonly string[] },
): void {
  const known = [...columns.required, ...columns.optional]
  const where = `${file}, line ${header.line}`
  if (header.fields.length === 1 && /[;\t]/.test(header.fields[0]!)) {
    throw new PlatformError(
      'config_invalid',
      `${where}: the columns are not separated by commas`,
      'Save the file as comma-separated values.',
    )
  }
  for (const [index, name] of header.fields.entries()) {
    if (!known.includes(name)) {
      throw new PlatformError(
        'config_invalid',
        `${where}, column ${index + 1}: unknown column "${name}"`,
        `Use these columns: ${known.join(', ')}.`,
      )
    }
    if (header.fields.indexOf(name) !== index) {
      throw new PlatformError(
        'config_invalid',
        `${where}: column "${name}" occurs twice`,
        'Remove one of them.',
      )
    }
  }
  const missing = columns.required.filter((name) => !header.fields.includes(name))
  if (missing.length > 0) {
    throw new PlatformError(
      'config_invalid',
      `${where}: column "${missing[0]}" is missing`,
      `Add ${missing.join(', ')} to the header and to every line.`,
    )
  }
}

/** The error of one field; `expected` says what it should be. */
export function fieldError(
  file: string,
  record: CsvRecord,
  column: string,
  problem: string,
  expected: string,
): PlatformError {
  return new PlatformError(
    'config_invalid',
    `${file}, line ${record.line}, column ${column}: ${problem}`,
    expected,
  )
}

/** A plain decimal number of at least `min`, as written; `null` where the field is empty. */
export function decimalField(
  file: string,
  record: CsvRecord,
  column: string,
  limits: { min: number; exclusive?: boolean },
): string | null {
  const text = record.values[column] ?? ''
  if (text === '') return null
  const value = Number(text)
  const low = limits.exclusive === true ? value <= limits.min : value < limits.min
  if (!/^[+-]?\d+(\.\d+)?$/.test(text) || low) {
    const bound = `${limits.exclusive === true ? 'above' : 'of at least'} ${limits.min}`
    throw fieldError(
      file,
      record,
      column,
      `"${text}" is not such a number`,
      `Write a number ${bound}, such as 0.12.`,
    )
  }
  return text
}

/** Whether the text is a date that exists, `YYYY-MM-DD`. */
export function isDate(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`)
  return (
    /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
  )
}
