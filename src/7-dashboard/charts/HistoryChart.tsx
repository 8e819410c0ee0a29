/**
 * Figures over time that stand still: a line for a level, bars for what is summed; gaps stay gaps. Of uPlot as `TimeChart` is,
 * with the same keys: left and right move the cursor, Home and End go to the ends.
 */
import { useEffect, useRef, useState } from 'react'
import type { KeyboardEvent } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { texts } from '../texts.ts'
import { cssColour } from './colours.ts'

interface Props {
  label: string
  /** s since 1970, ascending. */
  t: readonly number[]
  values: readonly (number | null)[]
  /** A second, fainter line: the highest of each slot. */
  highest?: readonly (number | null)[]
  kind: 'line' | 'bars'
  /** Whether the axis begins at 0. */
  fromZero: boolean
  /** Text of the axis and of the cursor for a value. */
  format: (value: number) => string
  /** Text of a slot: its day or its time. */
  formatTime: (second: number) => string
  /** Short text of a tick. */
  formatTick: (second: number) => string
  onReadout: (index: number | null) => void
}

export default function HistoryChart(props: Props) {
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(null)
  const latest = useRef(props)
  latest.current = props
  const [spoken, setSpoken] = useState('')
  const [pinned, setPinned] = useState<number | null>(null)
  const { kind, t, values, highest } = props
  const lines = highest ? 2 : 1

  useEffect(() => {
    const element = host.current
    if (!element) return
    const made = new uPlot(optionsOf(latest, lines), dataOf(latest.current), element)
    plot.current = made
    const resize = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: element.clientHeight }),
    )
    resize.observe(element)
    const recolour = () => made.redraw(false)
    addEventListener('themechange', recolour)
    return () => {
      resize.disconnect()
      removeEventListener('themechange', recolour)
      made.destroy()
      plot.current = null
    }
  }, [kind, lines])

  useEffect(() => plot.current?.setData(dataOf(latest.current)), [t, values, highest])

  function move(event: KeyboardEvent): void {
    const last = t.length - 1
    const from = pinned ?? last
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last, Escape: -1 }[event.key]
    if (to === undefined || last < 0) return
    event.preventDefault()
    event.stopPropagation()
    const index = event.key === 'Escape' ? null : Math.min(Math.max(to, 0), last)
    setPinned(index)
    const left = index === null ? -10 : (plot.current?.valToPos(t[index]!, 'x') ?? -10)
    plot.current?.setCursor({ left, top: index === null ? -10 : 10 })
    setSpoken(index === null ? '' : spokenOf(props, index))
  }

  return (
    <>
      <div
        ref={host}
        className="absolute inset-0 rounded-md"
        role="application"
        aria-roledescription={texts.chart.role}
        aria-label={`${props.label}. ${texts.chart.keys}`}
        tabIndex={0}
        onKeyDown={move}
      />
      <p className="sr-only" role="status">
        {spoken}
      </p>
    </>
  )
}

function spokenOf({ t, values, format, formatTime }: Props, index: number): string {
  const value = values[index]
  const figure = value === null || value === undefined ? texts.chart.noValue : format(value)
  return `${formatTime(t[index]!)}: ${figure}`
}

function dataOf({ t, values, highest }: Props): uPlot.AlignedData {
  return [[...t], [...values], ...(highest ? [[...highest]] : [])] as uPlot.AlignedData
}

/** A value between two gaps makes no line: it is a point. */
const LONE_POINTS: uPlot.Series.Points = {
  show: true,
  size: 5,
  fill: () => cssColour('--accent'),
  filter: (u, series) => {
    const values = u.data[series]!
    const isGap = (i: number): boolean => values[i] === null || values[i] === undefined
    return Array.from(values, (_, i) => i).filter((i) => !isGap(i) && isGap(i - 1) && isGap(i + 1))
  },
}

function optionsOf(latest: { current: Props }, lines: number): uPlot.Options {
  const { kind } = latest.current
  const font = '12px system-ui, sans-serif'
  const axis = { font, stroke: () => cssColour('--muted'), ticks: { show: false } }
  const main: uPlot.Series = {
    stroke: () => cssColour('--accent'),
    fill: kind === 'bars' ? () => cssColour('--accent') : undefined,
    width: kind === 'bars' ? 0 : 1.75,
    points: kind === 'bars' ? { show: false } : LONE_POINTS,
    paths: kind === 'bars' ? uPlot.paths.bars!({ size: [0.8, 40] }) : undefined,
  }
  return {
    width: 300,
    height: 200,
    legend: { show: false },
    padding: [8, 16, 0, 0],
    cursor: {
      drag: { x: false, y: false },
      y: false,
      points: { size: 7, width: 2, fill: () => cssColour('--card') },
    },
    scales: {
      x: { time: true, range: (_u, min, max) => [min, max > min ? max : min + 1] },
      y: { range: (_u, min, max) => rangeOf(latest.current.fromZero, min, max) },
    },
    axes: [
      {
        ...axis,
        size: 28,
        space: 84,
        grid: { show: false },
        values: (_u, ticks) => ticks.map((second) => latest.current.formatTick(second)),
      },
      {
        ...axis,
        size: 62,
        space: 44,
        grid: { stroke: () => cssColour('--line'), width: 1 },
        values: (_u, ticks) => ticks.map((value) => latest.current.format(value)),
      },
    ],
    series: [
      {},
      main,
      ...(lines > 1
        ? [{ stroke: () => cssColour('--other'), width: 1, dash: [4, 4], points: { show: false } }]
        : []),
    ],
    hooks: {
      setCursor: [
        (u) => {
          const { idx, left } = u.cursor
          latest.current.onReadout(idx === null || idx === undefined || (left ?? -1) < 0 ? null : idx)
        },
      ],
    },
  }
}

/** What begins at 0 shows how much it is; all else its own range, never flatter than one unit. */
function rangeOf(fromZero: boolean, low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1]
  if (fromZero) return [Math.min(0, low * 1.06), Math.max(high * 1.06, 0.001)]
  const pad = Math.max((high - low) * 0.08, 0.5)
  return [low - pad, high + pad]
}
