/** Live power and live temperature: who is drawn, which window, legend with values, chart or table. */
import {
  Suspense,
  lazy,
  startTransition,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react'
import { OTHER_COLOUR, colourOf } from '../charts/colours.ts'
import type { Readout, TimeSeries } from '../charts/TimeChart.tsx'
import { formatPower, formatSeconds, formatTemperature, humanize } from '../format.ts'
import type { Quantity } from '../format.ts'
import { Card, Empty, Skeleton } from '../kit/Card.tsx'
import { Icon } from '../kit/icons.tsx'
import { ICON_BUTTON } from '../kit/overlays.tsx'
import { Segments } from '../kit/Segments.tsx'
import type { Column } from '../live/rings.ts'
import type { LiveStore, Measure } from '../live/store.ts'
import { useLiveStore, usePaused, useSelected } from '../live/useLive.tsx'
import { texts } from '../texts.ts'
import { useFocus } from './focus.ts'
import { Legend } from './Legend.tsx'
import { LiveTable } from './LiveTable.tsx'

// uPlot comes after the first paint; the card has its size already.
const TimeChart = lazy(() => import('../charts/TimeChart.tsx'))

export type WindowS = '100' | '300' | '3600'
const WINDOWS: readonly WindowS[] = ['100', '300', '3600']
/** Devices drawn one by one; the rest of the power is one grey sum, the rest of the temperatures waits. */
const DRAWN = 5
const OTHER = 'other'

const isFilled = (store: LiveStore) => store.state().filled
const devicesOf = (store: LiveStore) => store.devices()
const idsOf = (measure: Measure) => (store: LiveStore) => store.rings[measure].devices().toSorted().join('\n')
const IDS = { power: idsOf('power'), temperature: idsOf('temperature') }

interface Props {
  measure: Measure
  zone: string
  windowS: WindowS
  setWindow: (windowS: WindowS) => void
  table: boolean
  setTable: (table: boolean) => void
  className: string
}

export function LiveChartCard(props: Props) {
  const { measure, zone } = props
  const store = useLiveStore()
  const paused = usePaused()
  const { focused, choose } = useFocus()
  const [readout, setReadout] = useState<Readout | null>(null)
  // A chart is made once, when all is known that it begins with.
  const filled = useSelected(store, isFilled)
  const drawn = useDrawn(store, measure, focused, filled)
  const { series, columns } = useSeries(store, measure, drawn, focused)
  const format = measure === 'power' ? formatPower : formatTemperature
  const title = texts.charts[measure]

  return (
    <Card
      title={title}
      note={readout ? formatSeconds(readout.second * 1000, zone) : texts.charts.now}
      className={props.className}
      actions={<Actions {...props} title={title} />}
    >
      <div className="relative min-h-[208px] grow">
        {!filled ? (
          <Skeleton className="absolute inset-0" />
        ) : series.length === 0 ? (
          <Waiting measure={measure} />
        ) : props.table ? (
          <LiveTable
            title={title}
            series={series}
            columns={columns}
            windowS={Number(props.windowS)}
            zone={zone}
            format={format}
          />
        ) : (
          <Suspense fallback={<Skeleton className="absolute inset-0" />}>
            <TimeChart
              label={title}
              series={series}
              columns={columns}
              windowS={Number(props.windowS)}
              zone={zone}
              format={(value) => inWords(format(value))}
              yRange={measure === 'power' ? powerRange : temperatureRange}
              paused={paused}
              onReadout={setReadout}
            />
          </Suspense>
        )}
      </div>
      <Legend
        series={series}
        drawn={drawn}
        measure={measure}
        readout={readout}
        format={format}
        choose={choose}
        focused={focused}
      />
    </Card>
  )
}

function Actions({ windowS, setWindow, table, setTable, title }: Props & { title: string }) {
  const toggle = table ? texts.charts.chart : texts.charts.table
  return (
    <>
      <Segments
        label={`${title}: ${texts.charts.window}`}
        segments={WINDOWS.map((value) => ({
          value,
          label: texts.charts.windows[value],
          title: texts.charts.windowTitles[value],
        }))}
        value={windowS}
        choose={(value) => startTransition(() => setWindow(value))}
      />
      <button
        type="button"
        className={`${ICON_BUTTON} ml-1`}
        onClick={() => startTransition(() => setTable(!table))}
        aria-label={`${title}: ${toggle}`}
        title={toggle}
      >
        <Icon name={table ? 'chart' : 'table'} className="size-4" />
      </button>
    </>
  )
}

function Waiting({ measure }: { measure: Measure }) {
  const store = useLiveStore()
  const heard = useSyncExternalStore(store.subscribe, store.devices).size > 0
  return (
    <div className="absolute inset-0 flex">
      {heard && measure === 'temperature' ? (
        <Empty what={texts.empty.noTemperature} why={null} />
      ) : (
        <Empty what={texts.empty.noLive} why={texts.empty.noLiveWhy} />
      )}
    </div>
  )
}

export interface Drawn {
  /** Drawn one by one, in the order of the legend. */
  single: readonly string[]
  rest: readonly string[]
}

/**
 * Which devices are drawn. Chosen anew only when the last hour is known, a device comes or goes, or is focused: a
 * legend whose entries change places while one looks at it cannot be read.
 */
function useDrawn(store: LiveStore, measure: Measure, focused: ReadonlySet<string>, filled: boolean): Drawn {
  const ids = useSelected(store, IDS[measure])
  return useMemo(() => {
    const rings = store.rings[measure]
    const thermostat = (id: string) => (store.devices().get(id)?.device_type === 'thermostat' ? 1 : 0)
    const order = filled && ids !== '' ? ids.split('\n') : []
    const ranks = new Map(order.map((id) => [id, measure === 'power' ? rings.mean(id) : thermostat(id)]))
    const rank = (id: string) => ranks.get(id) ?? 0
    const ranked = order.toSorted((a, b) => rank(b) - rank(a) || (a < b ? -1 : 1))
    // One more than is drawn needs no "other".
    const top = ranked.length <= DRAWN + 1 ? ranked : ranked.slice(0, DRAWN)
    const single = [...top, ...ranked.filter((id) => focused.has(id) && !top.includes(id))]
    return { single, rest: ranked.filter((id) => !single.includes(id)) }
  }, [ids, store, measure, focused, filled])
}

function useSeries(store: LiveStore, measure: Measure, drawn: Drawn, focused: ReadonlySet<string>) {
  const order = useSelected(store, devicesOf)
  const series = useMemo((): TimeSeries[] => {
    const place = new Map([...order.keys()].map((id, i) => [id, i]))
    const anyFocused = drawn.single.some((id) => focused.has(id))
    const all = drawn.single.map((id) => ({
      id,
      label: humanize(id),
      colour: colourOf(place.get(id) ?? 0),
      dim: anyFocused && !focused.has(id),
    }))
    if (measure === 'power' && drawn.rest.length > 0) {
      all.push({
        id: OTHER,
        label: texts.charts.other(drawn.rest.length),
        colour: OTHER_COLOUR,
        dim: anyFocused,
      })
    }
    return all
  }, [order, drawn, focused, measure])

  // The same function while nothing changes, or the chart would be made anew.
  const latest = useRef(drawn)
  useEffect(() => void (latest.current = drawn), [drawn])
  const columns = useMemo(
    () =>
      (fromS: number, toS: number): Column[] => {
        const rings = store.rings[measure]
        const { single, rest } = latest.current
        const all = single.map((id) => rings.column(id, fromS, toS))
        if (measure === 'power' && rest.length > 0) all.push(rings.sum(rest, fromS, toS))
        return all
      },
    [store, measure],
  )
  return { series, columns }
}

const inWords = ({ value, unit }: Quantity) => `${value} ${unit}`

/** From 0, with air above, in steps: the axis does not creep with every value. */
function powerRange(min: number, max: number): [number, number] {
  const step = 10 ** Math.floor(Math.log10(Math.max(max, 10)))
  const high = Math.ceil((Math.max(max, 10) * 1.08) / (step / 2)) * (step / 2)
  return [min < 0 ? Math.floor(min / (step / 2)) * (step / 2) : 0, high]
}

/** What is there with half a degree around it, at least two degrees: noise is not a drama. */
function temperatureRange(min: number, max: number): [number, number] {
  const low = Math.floor((min - 0.25) * 2) / 2
  return [low, Math.max(Math.ceil((max + 0.25) * 2) / 2, low + 2)]
}
