/** Devices by health and risk: quadrants, labels for the three that need attention most, points for the keyboard. */
import { useEffect, useRef, useState } from 'react'
import { formatShare } from '../format.ts'
import { texts } from '../texts.ts'

export interface ScatterPoint {
  id: string
  label: string
  /** 0…1 */
  health: number
  /** 0…1 */
  risk: number
  cause: string | null
}

interface Props {
  /** Highest risk first. */
  points: readonly ScatterPoint[]
  focused: ReadonlySet<string>
  choose: (id: string) => void
}

const LABELLED = 3
/** Below this there is nothing to point at: in a house where all is well no device is named. */
const NO_RISK = 0.005
/** Below this health, or above this risk, a device needs attention. */
const HEALTH_LIMIT = 0.8
const RISK_LIMIT = 0.25
const EDGE = { left: 44, right: 16, top: 14, bottom: 34 }

export function Scatter({ points, focused, choose }: Props) {
  const host = useRef<HTMLDivElement>(null)
  const [size, setSize] = useState({ width: 0, height: 0 })
  const [hovered, setHovered] = useState<string | null>(null)
  useEffect(() => {
    const resize = new ResizeObserver(([entry]) => {
      if (entry) setSize({ width: entry.contentRect.width, height: entry.contentRect.height })
    })
    if (host.current) resize.observe(host.current)
    return () => resize.disconnect()
  }, [])

  const scale = scaleOf(points, size)
  const shown = points.find((point) => point.id === hovered)
  return (
    <div ref={host} className="absolute inset-0">
      {size.width > 0 && (
        <svg
          width={size.width}
          height={size.height}
          role="group"
          aria-label={texts.scatter.title}
          className="overflow-visible"
        >
          <Frame scale={scale} size={size} />
          {points.map((point, i) => (
            <Point
              key={point.id}
              point={point}
              scale={scale}
              width={size.width}
              labelled={
                i < LABELLED && point.risk >= NO_RISK && (shown === undefined || shown.id === point.id)
              }
              chosen={focused.has(point.id)}
              choose={choose}
              hover={setHovered}
            />
          ))}
        </svg>
      )}
      {shown && <Tip point={shown} scale={scale} width={size.width} />}
    </div>
  )
}

interface Scale {
  x: (health: number) => number
  y: (risk: number) => number
  lowestHealth: number
  highestRisk: number
}

/** Both limits are always in view; from there it opens as far as the points need. */
function scaleOf(points: readonly ScatterPoint[], size: { width: number; height: number }): Scale {
  const lowestHealth = Math.min(0.6, ...points.map((point) => Math.floor(point.health * 10) / 10))
  const highestRisk = Math.max(0.4, ...points.map((point) => Math.ceil(point.risk * 10) / 10))
  const width = size.width - EDGE.left - EDGE.right
  const height = size.height - EDGE.top - EDGE.bottom
  return {
    lowestHealth,
    highestRisk,
    x: (health) => EDGE.left + ((health - lowestHealth) / (1 - lowestHealth)) * width,
    y: (risk) => EDGE.top + (1 - risk / highestRisk) * height,
  }
}

function Frame({ scale, size }: { scale: Scale; size: { width: number; height: number } }) {
  const left = EDGE.left
  const right = size.width - EDGE.right
  const bottom = size.height - EDGE.bottom
  const x = scale.x(HEALTH_LIMIT)
  const y = scale.y(RISK_LIMIT)
  const { quadrants } = texts.scatter
  const ticks = (low: number, high: number) => {
    const step = high - low > 0.5 ? 0.2 : 0.1
    const count = Math.round((high - low) / step)
    return Array.from({ length: count + 1 }, (_, i) => low + i * step)
  }
  return (
    <g aria-hidden="true" className="fill-muted text-[12px]">
      <rect
        x={left}
        y={EDGE.top}
        width={x - left}
        height={y - EDGE.top}
        className="fill-bad"
        opacity="0.07"
      />
      <rect x={x} y={y} width={right - x} height={bottom - y} className="fill-ok" opacity="0.06" />
      <path d={`M${left} ${EDGE.top}V${bottom}H${right}`} fill="none" className="stroke-line" />
      <path
        d={`M${x} ${EDGE.top}V${bottom}M${left} ${y}H${right}`}
        fill="none"
        className="stroke-line"
        strokeDasharray="3 4"
      />
      <text x={left + 10} y={y - 10}>
        {quadrants.act}
      </text>
      <text x={right - 8} y={EDGE.top + 18} textAnchor="end">
        {quadrants.risky}
      </text>
      <text x={left + 10} y={bottom - 10}>
        {quadrants.watch}
      </text>
      {ticks(scale.lowestHealth, 1).map((tick) => (
        <text key={tick} x={scale.x(tick)} y={bottom + 16} textAnchor="middle">
          {Math.round(tick * 100)}
        </text>
      ))}
      {ticks(0, scale.highestRisk).map((tick) => (
        <text key={tick} x={left - 8} y={scale.y(tick) + 4} textAnchor="end">
          {Math.round(tick * 100)} %
        </text>
      ))}
      <text x={(left + right) / 2} y={size.height - 2} textAnchor="middle">
        {texts.scatter.x} →
      </text>
    </g>
  )
}

function Point(props: {
  point: ScatterPoint
  scale: Scale
  width: number
  labelled: boolean
  chosen: boolean
  choose: (id: string) => void
  hover: (id: string | null) => void
}) {
  const { point, scale, chosen, choose, hover } = props
  const x = scale.x(point.health)
  const y = scale.y(point.risk)
  const act = point.health < HEALTH_LIMIT && point.risk >= RISK_LIMIT
  const tone = act
    ? 'fill-bad'
    : point.health < HEALTH_LIMIT || point.risk >= RISK_LIMIT
      ? 'fill-warn'
      : 'fill-accent'
  // Shape beside colour: what needs attention first is a diamond.
  const shape = act ? 'M0 -7 7 0 0 7 -7 0Z' : 'M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0'
  const leftward = x > props.width - 140
  return (
    <g
      transform={`translate(${x.toFixed(1)} ${y.toFixed(1)})`}
      role="button"
      tabIndex={0}
      aria-pressed={chosen}
      aria-label={describe(point)}
      className="cursor-pointer [&:focus-visible>circle]:stroke-accent focus-visible:outline-none"
      onClick={() => choose(point.id)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return
        event.preventDefault()
        choose(point.id)
      }}
      onPointerEnter={() => hover(point.id)}
      onPointerLeave={() => hover(null)}
      onFocus={() => hover(point.id)}
      onBlur={() => hover(null)}
    >
      <circle r="12" fill="transparent" strokeWidth="2" />
      <path d={shape} className={`${tone} stroke-card`} strokeWidth="1.5" />
      {chosen && <circle r="9" fill="none" className="stroke-text" strokeWidth="1.5" />}
      {props.labelled && (
        <text
          x={leftward ? -11 : 11}
          y="4"
          textAnchor={leftward ? 'end' : 'start'}
          className="fill-text stroke-card text-[12px] font-medium"
          strokeWidth="3"
          paintOrder="stroke"
          aria-hidden="true"
        >
          {point.label}
        </text>
      )}
    </g>
  )
}

function Tip({ point, scale, width }: { point: ScatterPoint; scale: Scale; width: number }) {
  const half = 110
  const left = Math.min(Math.max(scale.x(point.health), half), width - half)
  const top = scale.y(point.risk)
  const below = top < 90
  return (
    <div
      aria-hidden="true"
      className={`pointer-events-none absolute z-10 w-[220px] -translate-x-1/2 rounded-md border border-line bg-raised px-3 py-2 text-xs shadow-raised ${below ? '' : '-translate-y-full'}`}
      style={{ left, top: below ? top + 14 : top - 14 }}
    >
      <p className="font-semibold">{point.label}</p>
      <p>
        {texts.scatter.x} {percent(point.health)} · {texts.scatter.columns[2]} {percent(point.risk)}
      </p>
      <p className="text-muted">{point.cause ?? texts.scatter.healthy}</p>
    </div>
  )
}

const percent = (share: number) => {
  const { value, unit } = formatShare(share)
  return `${value} ${unit}`
}

const describe = (point: ScatterPoint) =>
  `${point.label}: ${texts.scatter.x} ${percent(point.health)}, ${texts.scatter.y} ${percent(point.risk)}, ${point.cause ?? texts.scatter.healthy}`
