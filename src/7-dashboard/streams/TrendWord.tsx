/** Which way a lag goes: sign and word, colour besides. */
import { wayOf, type Way } from './numbers.ts'

const UP = 'M5 1.5 9 8.5H1z'
const DOWN = 'M5 8.5 1 1.5h8z'
const SIGNS: Record<Way, { path: string; colour: string }> = {
  growing: { path: UP, colour: 'text-warn' },
  shrinking: { path: DOWN, colour: 'text-ok' },
  steady: { path: 'M1 4h8v2H1z', colour: 'text-ok' },
  unknown: { path: '', colour: 'text-muted' },
}

export function TrendWord({ perS }: { perS: number | null }) {
  const { way, words } = wayOf(perS)
  const { path, colour } = SIGNS[way]
  return (
    <span className="inline-flex items-center gap-1 whitespace-nowrap text-muted" data-way={way}>
      {path !== '' && <Sign path={path} className={colour} />}
      {words}
    </span>
  )
}

/** The way in which a column is sorted. */
export const SortSign = ({ down, className }: { down: boolean; className: string }) => (
  <Sign path={down ? DOWN : UP} className={className} />
)

function Sign({ path, className }: { path: string; className: string }) {
  return (
    <svg viewBox="0 0 10 10" width="9" height="9" aria-hidden="true" className={`shrink-0 ${className}`}>
      <path d={path} fill="currentColor" />
    </svg>
  )
}
