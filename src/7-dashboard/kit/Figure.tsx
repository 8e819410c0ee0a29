/** A number with its smaller unit, the sign of a change, the words of a state. */
import type { ReactNode } from 'react'
import { NOT_KNOWN } from '../format.ts'
import type { Quantity } from '../format.ts'
import { texts } from '../texts.ts'
import { Icon } from './icons.tsx'
import type { IconName } from './icons.tsx'

const SIZES = { large: 'text-xl sm:text-3xl', normal: 'text-xl', inline: 'text-xs' } as const

interface FigureProps {
  /** null: not known; an em dash stands there, and `reason` says why. */
  quantity: Quantity | null
  reason?: string | null
  size?: keyof typeof SIZES
}

export function Figure({ quantity, reason, size = 'large' }: FigureProps) {
  const frame = `whitespace-nowrap font-semibold tracking-tight group-data-stale/card:text-muted ${SIZES[size]}`
  if (quantity === null) {
    return (
      <span className={`${frame} text-muted`} title={reason ?? undefined}>
        <span aria-hidden="true">{NOT_KNOWN}</span>
        <span className="sr-only">{texts.state.notKnown}</span>
      </span>
    )
  }
  return (
    <span className={frame}>
      {quantity.value}
      {quantity.unit && (
        <span className={`font-medium text-muted ${size === 'inline' ? 'text-2xs' : 'text-base'}`}>
          {'\u00a0'}
          {quantity.unit}
        </span>
      )}
    </span>
  )
}

export type Tone = 'ok' | 'warn' | 'bad' | 'none'

const TONES: Record<Tone, string> = { ok: 'text-ok', warn: 'text-warn', bad: 'text-bad', none: 'text-muted' }

/** A state in colour, icon and word: never by colour alone. */
export function StateWord({ tone, icon, children }: { tone: Tone; icon: IconName; children: ReactNode }) {
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <Icon name={icon} className={`size-4 ${TONES[tone]}`} />
      <span>{children}</span>
    </span>
  )
}
