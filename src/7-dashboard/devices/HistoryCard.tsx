/** A device over time: power, energy or temperature, as a chart or as a table. */
import { Suspense, lazy, useState } from 'react'
import {
  NOT_KNOWN,
  formatDay,
  formatEnergy,
  formatPower,
  formatShare,
  formatTemperature,
  formatTime,
} from '../format.ts'
import type { Quantity } from '../format.ts'
import { Card, Empty, Failure, Skeleton } from '../kit/Card.tsx'
import { Icon } from '../kit/icons.tsx'
import { ICON_BUTTON } from '../kit/overlays.tsx'
import { Segments } from '../kit/Segments.tsx'
import { daysAfter, formatPeriod } from '../shell/period.ts'
import { useShortcut } from '../shell/shortcuts.ts'
import { texts as common } from '../texts.ts'
import { texts } from './texts.ts'
import { useHistory } from './useDevices.ts'
import type { History, HistoryRange } from './useDevices.ts'

const HistoryChart = lazy(() => import('../charts/HistoryChart.tsx'))
const { device: words } = texts
const RANGES = ['1d', '7d', '30d', '365d'] as const

type Measure = keyof typeof words.measures
const MEASURES = ['power', 'energy', 'temperature'] as const
const FORMATS: Record<Measure, (value: number) => Quantity> = {
  power: formatPower,
  energy: (kwh) => formatEnergy(kwh * 1000),
  temperature: formatTemperature,
}
const COLUMNS = { power: 'power_w', energy: 'energy_kwh', temperature: 'temperature_c' } as const

const textOf = ({ value, unit }: Quantity): string => `${value} ${unit}`

export function HistoryCard({ device, className }: { device: string; className: string }) {
  const [range, setRange] = useState<HistoryRange>('1d')
  const [measure, setMeasure] = useState<Measure>('power')
  const [table, setTable] = useState(false)
  const [end, setEnd] = useState<string>()
  const { data, error, refetch, isPlaceholderData } = useHistory(device, range, end)
  useShortcut('t', () => setTable((shown) => !shown))
  const toggle = table ? common.charts.chart : common.charts.table
  return (
    <Card
      title={words.history}
      stale={Boolean(error && data)}
      className={`min-h-[400px] ${className}`}
      actions={
        <button
          type="button"
          className={ICON_BUTTON}
          onClick={() => setTable(!table)}
          aria-label={`${words.history}: ${toggle}`}
          title={`${toggle} (t)`}
        >
          <Icon name={table ? 'chart' : 'table'} className="size-4" />
        </button>
      }
    >
      <div className="mb-2 flex flex-wrap gap-2">
        <Segments
          label={words.range}
          segments={RANGES.map((value) => ({ value, label: words.ranges[value] }))}
          value={range}
          choose={setRange}
        />
        <Segments
          label={words.measure}
          segments={MEASURES.map((value) => ({ value, label: words.measures[value] }))}
          value={measure}
          choose={setMeasure}
        />
        {data && <Steps history={data} range={range} goTo={setEnd} />}
      </div>
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton className="min-h-[280px] grow" />
      ) : (
        <div className={`flex grow flex-col ${isPlaceholderData ? 'opacity-60' : ''}`}>
          <Drawn history={data} measure={measure} table={table} />
        </div>
      )}
    </Card>
  )
}

const DAY_MS = 86_400_000
const DAYS: Record<HistoryRange, number> = { '1d': 1, '7d': 7, '30d': 30, '365d': 365 }

/** The days that are shown, and the way to those before and after; `[` and `]` go it, too. */
function Steps(props: { history: History; range: HistoryRange; goTo: (end: string | undefined) => void }) {
  const { history, range, goTo } = props
  const step = (direction: -1 | 1) => {
    if (direction === 1 && history.is_open) return
    const end = daysAfter(history.to, direction * DAYS[range])
    // Today is what moves on; a date that has come is that, too.
    goTo(Date.parse(end) + DAY_MS > Date.now() ? undefined : end)
  }
  useShortcut('[', () => step(-1))
  useShortcut(']', () => step(1))
  return (
    <div className="flex items-center gap-1">
      <button
        type="button"
        className={ICON_BUTTON}
        onClick={() => step(-1)}
        aria-label={words.earlier}
        title={`${words.earlier} ([)`}
      >
        <Icon name="left" className="size-4" />
      </button>
      <span className="text-center text-xs whitespace-nowrap text-muted">
        {formatPeriod(history.from, history.to)}
      </span>
      <button
        type="button"
        className={`${ICON_BUTTON} disabled:opacity-35`}
        onClick={() => step(1)}
        disabled={history.is_open}
        aria-label={words.later}
        title={`${words.later} (])`}
      >
        <Icon name="right" className="size-4" />
      </button>
    </div>
  )
}

function Drawn({ history, measure, table }: { history: History; measure: Measure; table: boolean }) {
  const [index, setIndex] = useState<number | null>(null)
  const values = history[COLUMNS[measure]]
  const format = FORMATS[measure]
  if (history.reason !== null || values.every((value) => value === null))
    return <Empty what={common.empty.figures} why={history.reason ?? common.chart.noValue} />
  const { formatSlot, formatTick } = timesOf(history)
  const label = `${words.measures[measure]}, ${words.per(words.grains[history.grain])}`
  return (
    <>
      <Summary history={history} measure={measure} index={index} formatSlot={formatSlot} />
      <div className="relative min-h-[260px] grow">
        {table ? (
          <HistoryTable history={history} measure={measure} formatSlot={formatSlot} />
        ) : (
          <Suspense fallback={<Skeleton className="h-full" />}>
            <HistoryChart
              label={label}
              t={history.t}
              values={values}
              highest={measure === 'power' ? history.power_max_w : undefined}
              kind={measure === 'energy' ? 'bars' : 'line'}
              fromZero={measure !== 'temperature'}
              format={(value) => textOf(format(value))}
              formatTime={formatSlot}
              formatTick={formatTick}
              onReadout={setIndex}
            />
          </Suspense>
        )}
      </div>
    </>
  )
}

/** Days are named by their date, which stands at midnight UTC; all else is time of the house. */
function timesOf({ grain, time_zone: zone, t }: History) {
  const isDay = grain === 'day'
  const long = (t.at(-1) ?? 0) - (t[0] ?? 0) > 2 * 86_400
  const day = (second: number) => formatDay(second * 1000, isDay ? 'UTC' : zone)
  const time = (second: number) => formatTime(second * 1000, zone)
  return {
    formatSlot: (second: number) => (isDay ? day(second) : `${day(second)}, ${time(second)}`),
    formatTick: (second: number) => (isDay || long ? day(second) : time(second)),
  }
}

function Summary(props: {
  history: History
  measure: Measure
  index: number | null
  formatSlot: (second: number) => string
}) {
  const { history, measure, index, formatSlot } = props
  const value = index === null ? null : history[COLUMNS[measure]][index]
  return (
    <p className="mb-1 flex min-h-6 flex-wrap items-baseline gap-x-4 text-xs text-muted">
      {index !== null ? (
        <span className="text-text">
          {formatSlot(history.t[index]!)}:{' '}
          {value === null || value === undefined ? common.chart.noValue : textOf(FORMATS[measure](value))}
        </span>
      ) : (
        <>
          {history.total_kwh !== null && (
            <span>
              {words.total}{' '}
              <span className="font-medium text-text">{textOf(formatEnergy(history.total_kwh * 1000))}</span>
            </span>
          )}
          {history.coverage_ratio !== null && (
            <span title={words.coverageTitle}>
              {words.coverage} {formatShare(history.coverage_ratio).value} %
            </span>
          )}
          <span>
            {measure === 'power' ? `${words.mean}, ${words.highest} ` : ''}
            {words.per(words.grains[history.grain])} · {history.time_zone}
          </span>
        </>
      )}
    </p>
  )
}

const MOST_ROWS = 200

function HistoryTable(props: { history: History; measure: Measure; formatSlot: (second: number) => string }) {
  const { history, measure, formatSlot } = props
  const values = history[COLUMNS[measure]]
  const rows = history.t.map((second, i) => ({ second, i })).slice(-MOST_ROWS)
  return (
    <div
      className="absolute inset-0 overflow-auto rounded-md border border-line"
      tabIndex={0}
      role="group"
      aria-label={words.history}
    >
      <table className="w-full text-xs">
        <thead className="sticky top-0 bg-card text-left text-muted">
          <tr>
            <th scope="col" className="px-3 py-1.5 font-medium">
              {words.time}
            </th>
            <th scope="col" className="px-3 py-1.5 text-right font-medium">
              {words.measures[measure]}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.toReversed().map(({ second, i }) => {
            const value = values[i]
            return (
              <tr key={second} className="border-t border-line">
                <th scope="row" className="px-3 py-1 text-left font-normal whitespace-nowrap">
                  {formatSlot(second)}
                </th>
                <td className="px-3 py-1 text-right whitespace-nowrap">
                  {value === null || value === undefined ? NOT_KNOWN : textOf(FORMATS[measure](value))}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
