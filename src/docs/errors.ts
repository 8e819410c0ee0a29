import { ERRORS, entryOf, exitOf, statusOf, TROUBLES, type ErrorCode } from '../error-catalogue.ts'
import { table } from './markdown.ts'

const INTRODUCTION = `# Errors

Written by \`npm run docs\` from \`src/error-catalogue.ts\`; a test holds the two together.

Every error that is told on purpose has a code. The command line prints what was wrong, where, and what to do, and ends with
the exit code; the server answers with the status as \`application/problem+json\` (RFC 9457) with \`code\`, \`detail\` and
\`cure\`. *Again* says whether the same request may succeed later without any change.
`

/** docs/errors.md, from the catalogue. */
export function errorsPage(): string {
  const rows = (Object.keys(ERRORS) as ErrorCode[]).map((code) => {
    const { what, where, cure, retryable } = entryOf(code)
    return [
      `\`${code}\``,
      `${what}.`,
      where,
      cure,
      String(exitOf(code)),
      String(statusOf(code)),
      retryable ? 'yes' : 'no',
    ]
  })
  const head = ['code', 'what', 'where', 'what to do', 'exit', 'status', 'again']
  return `${INTRODUCTION}\n${table(head, rows)}`
}

/** The README's troubleshooting list: what `smarthouse doctor` looks for, in its order. */
export function troubleshooting(): string {
  const rows = TROUBLES.map((code) => {
    const { sign = '', what, cure } = entryOf(code)
    return [`${sign[0]!.toUpperCase()}${sign.slice(1)}`, `${what} (\`${code}\`)`, cure]
  })
  return `\n${table(['what you see', 'cause', 'cure'], rows)}\n`
}
