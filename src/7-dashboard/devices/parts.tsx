/** Small things that the table, the cards and the page of a device share. */
import type { ReactNode } from 'react'
import type { DeviceRow, Presence } from '../../6-serve/contract.ts'
import { NOT_KNOWN, formatAge, formatInstant, formatShare } from '../format.ts'
import type { Quantity } from '../format.ts'
import { StateWord } from '../kit/Figure.tsx'
import type { Tone } from '../kit/Figure.tsx'
import type { IconName } from '../kit/icons.tsx'
import { texts } from './texts.ts'

const SIGNS: Record<Presence, { tone: Tone; icon: IconName }> = {
  online: { tone: 'ok', icon: 'ok' },
  offline: { tone: 'bad', icon: 'bad' },
  silent: { tone: 'warn', icon: 'clock' },
  unknown: { tone: 'none', icon: 'empty' },
  merged: { tone: 'none', icon: 'layers' },
  retired: { tone: 'none', icon: 'pause' },
}

export function PresenceWord({ presence }: { presence: Presence }) {
  return (
    <span title={texts.presenceTitle[presence]} className="inline-flex align-middle">
      <StateWord {...SIGNS[presence]}>{texts.presence[presence]}</StateWord>
    </span>
  )
}

const LOW_BATTERY_PCT = 20

export function LowBattery({ device }: { device: DeviceRow }) {
  if (device.battery_pct === null || device.battery_pct > LOW_BATTERY_PCT) return null
  return (
    <StateWord tone="warn" icon="warn">
      {texts.lowBattery(String(Math.round(device.battery_pct)))}
    </StateWord>
  )
}

/** A number with its unit, or a dash. */
export function Measured({ value, format }: { value: number | null; format: (value: number) => Quantity }) {
  if (value === null) return <span className="text-muted">{NOT_KNOWN}</span>
  const { value: text, unit } = format(value)
  return (
    <>
      {text} <span className="text-muted">{unit}</span>
    </>
  )
}

export const percent = (share: number): Quantity => formatShare(share)

export function Seen({ at, zone, nowMs }: { at: string | null; zone: string; nowMs: number }) {
  if (at === null) return <span className="text-muted">{NOT_KNOWN}</span>
  const ms = Date.parse(at)
  return (
    <time dateTime={at} title={formatInstant(ms, zone)}>
      {texts.ago(formatAge(nowMs - ms))}
    </time>
  )
}

export function Chip({ children }: { children: ReactNode }) {
  return <span className="rounded-full border border-line px-2 py-0.5 text-xs text-muted">{children}</span>
}

export const BUTTON =
  'target inline-flex h-9 items-center justify-center gap-1.5 rounded-md border border-control px-3 text-xs font-medium hover:bg-fill disabled:opacity-50'
export const FIELD =
  'target h-9 w-full rounded-md border border-control bg-card px-2.5 text-base text-text placeholder:text-muted'
