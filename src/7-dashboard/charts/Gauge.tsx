/** A half ring for 0…100: number and word in the middle, the ring in the colour of the word. */
import { texts } from '../texts.ts'

export type GaugeWord = 'good' | 'fair' | 'poor' | 'unknown'

const COLOURS: Record<GaugeWord, string> = {
  good: 'stroke-ok',
  fair: 'stroke-warn',
  poor: 'stroke-bad',
  unknown: 'stroke-control',
}
const RADIUS = 80
const ARC = `M20 100 A${RADIUS} ${RADIUS} 0 0 1 180 100`
const LENGTH = Math.PI * RADIUS

export function Gauge({ value, word, label }: { value: number | null; word: GaugeWord; label: string }) {
  const share = Math.min(Math.max((value ?? 0) / 100, 0), 1)
  const number = value === null ? '—' : String(Math.round(value))
  return (
    <svg
      viewBox="0 0 200 112"
      role="img"
      aria-label={`${label}: ${value === null ? texts.state.notKnown : `${number} of 100`}, ${texts.gauge.words[word]}`}
      className="mx-auto w-full max-w-[216px]"
    >
      <path d={ARC} fill="none" className="stroke-fill-strong" strokeWidth="12" strokeLinecap="round" />
      {value !== null && (
        <path
          d={ARC}
          fill="none"
          className={COLOURS[word]}
          strokeWidth="12"
          strokeLinecap="round"
          strokeDasharray={`${(share * LENGTH).toFixed(1)} ${LENGTH.toFixed(1)}`}
        />
      )}
      <text x="100" y="84" textAnchor="middle" className="fill-text text-[40px] font-semibold tracking-tight">
        {number}
      </text>
      <text x="100" y="104" textAnchor="middle" className="fill-muted text-[14px]">
        {texts.gauge.words[word]}
      </text>
    </svg>
  )
}
