/** How the benchmarks print: what, figure, the limit that the same machine showed in the same run, and their ratio. */

export interface Row {
  what: string
  figure: number
  unit: string
  /** What the machine itself takes for the least that must be done, and what that is. */
  limit?: { figure: number; of: string }
  budget?: string
}

export function printRows(rows: readonly Row[]): void {
  for (const { what, figure, unit, limit, budget } of rows) {
    const beside = limit
      ? `   limit ${rounded(limit.figure)} ${unit} (${limit.of}), ratio ${rounded(figure / limit.figure)}`
      : ''
    console.log(
      `${what.padEnd(46)} ${`${rounded(figure)} ${unit}`.padStart(20)}${beside}${budget ? `   budget ${budget}` : ''}`,
    )
  }
}

function rounded(figure: number): string {
  return figure.toLocaleString('en', { maximumSignificantDigits: 3 })
}

/** The value below which that share of the figures lies. */
export function percentile(figures: readonly number[], share: number): number {
  const sorted = figures.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}
