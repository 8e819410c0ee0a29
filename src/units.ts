import { PlatformError } from './errors.ts'

/** Milliseconds per unit of a written duration. */
const DURATION_UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `90s`, `2m`, `6h`, `7d`, `250ms`, or several after each other (`1h30m`), in milliseconds; undefined if it is none. */
export function durationMs(text: string): number | undefined {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)]
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text.trim().replaceAll(' ', ''))
    return undefined
  return parts.reduce(
    (sum, part) => sum + Number(part[1]) * DURATION_UNIT_MS[part[2] as keyof typeof DURATION_UNIT_MS],
    0,
  )
}

/** As `durationMs`, but a text that is no duration is the caller's mistake. */
export function requireDurationMs(option: string, text: string): number {
  const ms = durationMs(text)
  if (ms === undefined)
    throw new PlatformError(
      'usage',
      `${option} is no duration: "${text}"`,
      'Write for example 90s, 15m, 6h or 7d.',
    )
  return ms
}

/** 1536 → `1.5 kB`; powers of 1000. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** How far a word is from another: insertions, deletions, replacements and neighbour swaps (Damerau, optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows: number[][] = Array.from({ length: a.length + 1 }, (_, i) => [i])
  for (let j = 0; j <= b.length; j += 1) rows[0]![j] = j
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1)
      rows[i]![j] = best
    }
  }
  return rows[a.length]![b.length]!
}

/** The word of a list that was most likely meant; undefined where none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)
  const best = ranked[0]
  return best && best.distance <= Math.max(2, Math.floor(best.candidate.length / 3))
    ? best.candidate
    : undefined
}
