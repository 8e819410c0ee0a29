/**
 * The one adapter to uPlot: lines over time that scroll by the wall clock, a cursor for pointer and keyboard,
 * gaps drawn as gaps. Everything else of the dashboard knows only these properties.
 */
import { useEffect, useRef, useState } from 'react'
import type { KeyboardEvent } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { formatSeconds, formatTime } from '../format.ts'
import type { Column } from '../live/rings.ts'
import { texts } from '../texts.ts'
import { cssColour } from './colours.ts'
import type { SeriesColour } from './colours.ts'

export interface TimeSeries {
  id: string
  label: string
  colour: SeriesColour
  /** Drawn faintly, because another series has the focus. */
  dim: boolean
}

/** What the cursor stands on; `values` in the order of the series. */
export interface Readout {
  second: number
  values: (number | null)[]
}

interface Props {
  label: string
  series: readonly TimeSeries[]
  /** Columns of the seconds from…to, inclusive, in the order of the series. */
  columns: (fromS: number, toS: number) => Column[]
  windowS: number
  zone: string
  format: (value: number) => string
  /** Range of the y axis for the extent of what is visible. */
  yRange: (min: number, max: number) => [number, number]
  paused: boolean
  onReadout: (readout: Readout | null) => void
}

/** Charts of one page share their cursor. */
const SYNC_KEY = 'overview'
/** How far back the cursor looks for a value where a device is silent in a second. */
const HOLD_S = 15

export default function TimeChart(props: Props) {
  const host = useRef<HTMLDivElement>(null)
  const chart = useRef<LiveChart>(null)
  const latest = useRef(props)
  latest.current = props
  const [spoken, setSpoken] = useState('')
  const seriesKey = props.series.map((s) => `${s.id}/${s.colour.variable}`).join(' ')
  const dimmed = props.series.map((s) => Number(s.dim)).join('')

  useEffect(() => {
    if (!host.current) return
    const made = drawLive(host.current, latest)
    chart.current = made
    return () => {
      made.stop()
      chart.current = null
    }
  }, [seriesKey, props.windowS, props.zone])
  // Another focus changes how lines look; the chart stays.
  useEffect(() => chart.current?.dim(), [dimmed])

  function move(event: KeyboardEvent): void {
    const text = chart.current?.key(event.key)
    if (text === undefined) return
    event.preventDefault()
    event.stopPropagation()
    setSpoken(text)
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
        onBlur={() => chart.current?.key('Escape')}
      />
      <p className="sr-only" role="status">
        {spoken}
      </p>
    </>
  )
}

interface LiveChart {
  /** Moves the keyboard's cursor; returns what to say, or undefined where the key means nothing here. */
  key: (key: string) => string | undefined
  /** Draws each line as its series says by now: faintly or not. */
  dim: () => void
  stop: () => void
}

function drawLive(host: HTMLDivElement, latest: { current: Props }): LiveChart {
  let span: [number, number] = [0, 1]
  /** Second on which the keyboard's cursor stands; it stays there while the chart scrolls. */
  let pinnedS: number | null = null
  let chosen = 0
  const plot = new uPlot(
    optionsOf(latest, () => span, report),
    [[], ...latest.current.series.map(() => [])],
    host,
  )

  function report(u: uPlot): void {
    const { idx } = u.cursor
    if (idx === null || idx === undefined || (u.cursor.left ?? -1) < 0) return latest.current.onReadout(null)
    latest.current.onReadout({ second: u.data[0]![idx]!, values: valuesAt(u, idx) })
  }

  function draw(): void {
    const nowS = Date.now() / 1000
    span = [nowS - latest.current.windowS, nowS]
    const fromS = Math.floor(span[0]) - 1
    const toS = Math.floor(nowS)
    const x = Array.from({ length: toS - fromS + 1 }, (_, i) => fromS + i)
    plot.setData([x, ...latest.current.columns(fromS, toS)] as uPlot.AlignedData)
    if (pinnedS !== null) place()
  }

  function place(): void {
    if (pinnedS === null) return
    pinnedS = Math.min(Math.max(pinnedS, Math.ceil(span[0])), Math.floor(span[1]))
    plot.setCursor({ left: plot.valToPos(pinnedS, 'x'), top: plot.over.clientHeight / 2 })
  }

  function key(name: string): string | undefined {
    const { series, windowS, zone, format } = latest.current
    if (name === 'Escape') {
      if (pinnedS === null) return undefined
      pinnedS = null
      plot.setCursor({ left: -10, top: -10 })
      return ''
    }
    const step = Math.max(1, Math.round(windowS / 100))
    if (name === 'ArrowLeft') pinnedS = (pinnedS ?? Math.floor(span[1])) - step
    else if (name === 'ArrowRight') pinnedS = (pinnedS ?? Math.floor(span[1])) + step
    else if (name === 'Home') pinnedS = Math.ceil(span[0])
    else if (name === 'End') pinnedS = Math.floor(span[1])
    else if (name === 'ArrowUp') chosen = (chosen + series.length - 1) % series.length
    else if (name === 'ArrowDown') chosen = (chosen + 1) % series.length
    else return undefined
    pinnedS ??= Math.floor(span[1])
    place()
    const value = valuesAt(plot, plot.valToIdx(pinnedS))[chosen]
    const figure = value === null || value === undefined ? texts.chart.noValue : format(value)
    return `${formatSeconds(pinnedS * 1000, zone)}: ${series[chosen]?.label ?? ''} ${figure}`
  }

  function dim(): void {
    latest.current.series.forEach((each, i) => Object.assign(plot.series[i + 1]!, lookOf(each)))
    plot.redraw(false)
  }

  return { key, dim, stop: keepDrawing(plot, host, latest, draw) }
}

/** Draws whenever the clock has moved a pixel on, and never while hidden, out of view or paused. */
function keepDrawing(
  plot: uPlot,
  host: HTMLDivElement,
  latest: { current: Props },
  draw: () => void,
): () => void {
  const calm = matchMedia('(prefers-reduced-motion: reduce)')
  let timer: ReturnType<typeof setTimeout> | undefined
  let frame = 0
  let seen = true

  function tick(): void {
    if (seen && !latest.current.paused) draw()
    const pixelMs = (latest.current.windowS * 1000) / Math.max(plot.width, 1)
    const stepMs = calm.matches ? 1000 : Math.round(Math.min(Math.max(pixelMs, 100), 1000))
    // A frame only when one is due: sixty a second cost a phone more than all the drawing. At multiples of the step,
    // so that charts of one page are drawn in the same frame.
    timer = setTimeout(() => (frame = requestAnimationFrame(tick)), stepMs - (Date.now() % stepMs))
  }
  const resize = new ResizeObserver(() => {
    plot.setSize({ width: host.clientWidth, height: host.clientHeight })
  })
  resize.observe(host)
  const view = new IntersectionObserver((entries) => {
    const now = entries.at(-1)!.isIntersecting
    if (now && !seen && !latest.current.paused) draw()
    seen = now
  })
  view.observe(host)
  const recolour = () => plot.redraw(false)
  addEventListener('themechange', recolour)
  const print = () => latest.current.paused || draw()
  addEventListener('beforeprint', print)
  frame = requestAnimationFrame(() => {
    // Once in any case, or a chart that is made while paused would stay empty.
    if (latest.current.paused) draw()
    tick()
  })
  return () => {
    clearTimeout(timer)
    cancelAnimationFrame(frame)
    resize.disconnect()
    view.disconnect()
    removeEventListener('themechange', recolour)
    removeEventListener('beforeprint', print)
    plot.destroy()
  }
}

/** Values under the cursor, each held over the seconds in which its device said nothing. */
function valuesAt(u: uPlot, idx: number): (number | null)[] {
  return u.data.slice(1).map((column) => {
    for (let i = idx; i >= Math.max(0, idx - HOLD_S); i--) {
      const value = column[i]
      if (value !== undefined) return value
    }
    return null
  })
}

const lookOf = ({ dim }: TimeSeries) => ({ width: dim ? 1 : 1.75, alpha: dim ? 0.22 : 1 })

function optionsOf(
  latest: { current: Props },
  span: () => [number, number],
  report: (u: uPlot) => void,
): uPlot.Options {
  const { series, windowS, zone } = latest.current
  const font = '12px system-ui, sans-serif'
  const axis = { font, stroke: () => cssColour('--muted'), ticks: { show: false } }
  const time = windowS <= 600 ? formatSeconds : formatTime
  return {
    width: 300,
    height: 200,
    legend: { show: false },
    // On the right there is room for half a label.
    padding: [8, 30, 0, 0],
    cursor: {
      sync: { key: SYNC_KEY, setSeries: false },
      drag: { x: false, y: false },
      y: false,
      points: { size: 7, width: 2, fill: () => cssColour('--card') },
    },
    scales: {
      x: { time: true, range: span },
      y: { range: (_u, min, max) => latest.current.yRange(min ?? 0, max ?? 0) },
    },
    axes: [
      {
        ...axis,
        size: 28,
        space: 84,
        grid: { show: false },
        values: (_u, ticks) => ticks.map((t) => time(t * 1000, zone)),
      },
      {
        ...axis,
        size: 58,
        space: 44,
        grid: { stroke: () => cssColour('--line'), width: 1 },
        values: (_u, ticks) => ticks.map((value) => latest.current.format(value)),
      },
    ],
    series: [
      {},
      ...series.map((each): uPlot.Series => ({
        ...lookOf(each),
        label: each.label,
        stroke: () => cssColour(each.colour.variable),
        dash: each.colour.dashed ? [5, 4] : undefined,
        points: { show: false },
      })),
    ],
    hooks: { setCursor: [report] },
  }
}
