/** The legend of a live chart: it names the lines, says their values under the cursor, and focuses devices. */
import { useState } from 'react'
import type { SeriesColour } from '../charts/colours.ts'
import { colourOf } from '../charts/colours.ts'
import type { Readout, TimeSeries } from '../charts/TimeChart.tsx'
import { humanize } from '../format.ts'
import type { Quantity } from '../format.ts'
import { Figure } from '../kit/Figure.tsx'
import { useThrottled } from '../live/throttled.ts'
import type { Measure } from '../live/store.ts'
import { useLiveStore } from '../live/useLive.tsx'
import { texts } from '../texts.ts'
import type { Drawn } from './LiveCharts.tsx'

interface Props {
  series: readonly TimeSeries[]
  drawn: Drawn
  measure: Measure
  readout: Readout | null
  format: (value: number) => Quantity
  choose: (id: string, add: boolean) => void
  focused: ReadonlySet<string>
}

export function Legend({ series, drawn, measure, readout, format, choose, focused }: Props) {
  const store = useLiveStore()
  const [all, setAll] = useState(false)
  useThrottled(store, 500)
  const rings = store.rings[measure]
  const places = new Map([...store.devices().keys()].map((id, i) => [id, i]))
  const freshFromS = store.freshFromS()
  const now = (id: string) => rings.latest(id, freshFromS)
  const rest = all ? drawn.rest : []

  return (
    <ul
      aria-label={texts.charts.legend}
      className="mt-3 grid min-h-[118px] lg:min-h-[88px] grid-cols-2 content-start gap-x-3 gap-y-0.5 lg:grid-cols-3"
    >
      {series.map((each, i) => {
        const single = i < drawn.single.length
        const value = readout
          ? (readout.values[i] ?? null)
          : single
            ? now(each.id)
            : sumOf(drawn.rest.map(now))
        return (
          <Entry
            key={each.id}
            {...each}
            value={value}
            format={format}
            pressed={focused.has(each.id)}
            choose={single ? choose : undefined}
          />
        )
      })}
      {rest.map((id) => (
        <Entry
          key={id}
          id={id}
          label={humanize(id)}
          colour={colourOf(places.get(id) ?? 0)}
          dim={false}
          value={readout ? null : now(id)}
          format={format}
          pressed={focused.has(id)}
          choose={choose}
        />
      ))}
      {drawn.rest.length > 0 && (
        <li className="flex">
          <button
            type="button"
            onClick={() => setAll(!all)}
            className="target flex h-7 items-center rounded-sm px-1.5 text-xs text-accent hover:underline"
          >
            {all ? texts.charts.fewer : texts.charts.more(drawn.rest.length)}
          </button>
        </li>
      )}
    </ul>
  )
}

/** null where none of them is known. */
function sumOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0)
}

function Entry(props: {
  id: string
  label: string
  colour: SeriesColour
  dim: boolean
  value: number | null
  format: (value: number) => Quantity
  pressed: boolean
  choose: ((id: string, add: boolean) => void) | undefined
}) {
  const { id, label, colour, value, format, choose } = props
  const content = (
    <>
      <svg width="14" height="8" aria-hidden="true" className="shrink-0">
        <path
          d="M1 4H13"
          stroke={`var(${colour.variable})`}
          strokeWidth="3"
          strokeLinecap={colour.dashed ? 'butt' : 'round'}
          strokeDasharray={colour.dashed ? '4 3' : undefined}
        />
      </svg>
      <span className="truncate text-muted group-hover/entry:text-text group-aria-pressed/entry:font-medium group-aria-pressed/entry:text-text">
        {label}
      </span>
      <span className="ml-auto shrink-0">
        <Figure quantity={value === null ? null : format(value)} size="inline" />
      </span>
    </>
  )
  const frame = 'group/entry flex h-7 w-full min-w-0 items-center gap-2 rounded-sm px-1.5 text-xs'
  return (
    <li className="flex min-w-0">
      {choose ? (
        <button
          type="button"
          aria-pressed={props.pressed}
          title={label}
          onClick={(event) => choose(id, event.shiftKey || event.ctrlKey || event.metaKey)}
          className={`${frame} target hover:bg-fill aria-pressed:bg-fill`}
        >
          {content}
        </button>
      ) : (
        <div className={frame}>{content}</div>
      )}
    </li>
  )
}
