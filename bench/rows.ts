/**
 * What a benchmark yields: rows, given to `printRows` as soon as they are measured, any number of times. They are printed, and handed
 * to `run.ts`, which collects those of all processes below it.
 */
import { appendFileSync } from 'node:fs'

export interface Row {
  what: string
  /** Of a benchmark that measures the same at several sizes: at which. */
  at?: string
  figure: number
  unit: string
  /** What the machine itself shows for the least that must be done, in the same run and unit, and what that is. */
  limit?: { figure: number; of: string }
  /** In the row's unit: a rate is at least, a time or a size is at most so much. */
  budget?: { atLeast: number } | { atMost: number }
  /** How much data it was measured over: "600,000 readings of 1,000 devices". */
  data?: string
}

/** The file, one JSON row a line, in which `run.ts` waits for the rows. */
export const ROWS_FILE = 'BENCH_ROWS_FILE'

export function printRows(rows: readonly Row[]): void {
  const unmeasured = rows.find(({ figure }) => !Number.isFinite(figure))
  if (unmeasured !== undefined) throw new Error(`"${unmeasured.what}" was not measured: ${unmeasured.figure}`)
  for (const row of rows) console.log(line(row))
  const file = process.env[ROWS_FILE]
  if (file !== undefined) appendFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
}

/** Is the figure within its budget? Null where it has none. */
export function isWithinBudget({ figure, budget }: Row): boolean | null {
  if (budget === undefined) return null
  return 'atLeast' in budget ? figure >= budget.atLeast : figure <= budget.atMost
}

export function verdict(row: Row): string {
  const within = isWithinBudget(row)
  return within === null ? '' : within ? 'ok' : 'falls short'
}

export function budgetText({ budget }: Row): string {
  if (budget === undefined) return ''
  return 'atLeast' in budget ? `≥ ${rounded(budget.atLeast)}` : `≤ ${rounded(budget.atMost)}`
}

/** Figure / limit: of a rate the share of what is possible, of a time how many times longer. */
export function ratioText({ figure, limit }: Row): string {
  return limit ? rounded(figure / limit.figure) : ''
}

function line(row: Row): string {
  const { what, at, figure, unit, limit } = row
  return [
    (at === undefined ? what : `${at}: ${what}`).padEnd(50),
    `${rounded(figure)} ${unit}`.padStart(20),
    (limit ? `limit ${rounded(limit.figure)} ${unit} (${limit.of}), ratio ${ratioText(row)}` : '').padEnd(60),
    budgetText(row) && `budget ${budgetText(row)}`.padEnd(16),
    verdict(row),
  ]
    .join('  ')
    .trimEnd()
}

export function rounded(figure: number): string {
  return figure.toLocaleString('en', { maximumSignificantDigits: 3 })
}

/** The value below which that share of the figures lies. */
export function percentile(figures: readonly number[], share: number): number {
  const sorted = figures.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}
