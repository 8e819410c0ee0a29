/** The Overview: what the house uses now, what it used, how it is, in the order in which people ask. */
import { memo, startTransition, useDeferredValue, useState } from 'react'
import type { Overview } from '../../6-serve/contract.ts'
import { formatDate, formatTime } from '../format.ts'
import { Card, Empty, Failure } from '../kit/Card.tsx'
import { StateWord } from '../kit/Figure.tsx'
import { Icon } from '../kit/icons.tsx'
import { useShortcut } from '../shell/shortcuts.ts'
import { texts } from '../texts.ts'
import { useHomes, useOverview, useSearchState, useTenant } from '../useHouse.ts'
import { AlertsCard, EnergyByTypeCard, GaugeCard, InsightCard } from './cards.tsx'
import { KpiCards, PowerNowCard } from './Kpis.tsx'
import { LiveChartCard } from './LiveCharts.tsx'
import type { WindowS } from './LiveCharts.tsx'
import { ReadingsCard } from './ReadingsCard.tsx'
import { ScatterCard } from './ScatterCard.tsx'

/** On a narrow screen the insight stands after live power, on a middle one the two charts one below the other. */
const LATER = 'max-lg:order-2'

export function OverviewPage() {
  const overview = useOverview()
  // Fresh figures are drawn in slices after the page has answered, not in one piece before it.
  const data = useDeferredValue(overview.data)
  return (
    <Cards
      data={data}
      // The last refresh failed: the figures stay, and say of when they are.
      stale={data !== undefined && overview.isError}
      error={overview.data ? null : overview.error}
      busy={overview.isFetching}
      refetch={overview.refetch}
    />
  )
}

interface CardsProps {
  data: Overview | undefined
  stale: boolean
  error: Error | null
  busy: boolean
  refetch: () => unknown
}

const Cards = memo(function Cards({ data, stale, error, busy, refetch }: CardsProps) {
  const tenant = useTenant()
  const home = useHomes().data?.homes.find((each) => each.tenant === tenant)
  const [windowS, setWindow] = useState<WindowS>('100')
  const [table, setTable] = useState(false)
  useShortcut('t', () => startTransition(() => setTable((shown) => !shown)))

  // First the figures, then what stands below them: a slow phone answers in between.
  const below = useDeferredValue(true, false)

  const zone = data?.time_zone ?? 'UTC'
  const figures = { data, stale }
  const live = { zone, windowS, setWindow, table, setTable }

  return (
    <div className="grid grid-cols-12 gap-3" aria-busy={busy}>
      {home && !home.has_data && <FirstReading simulated={home.simulated} />}
      {stale && data && <StaleNotice data={data} />}
      {data?.newest_day && <NewestDay day={data.newest_day} />}
      {error ? (
        <Card title={texts.nav.overview} className="col-span-12 min-h-[220px]">
          <Failure error={error} retry={() => void refetch()} />
        </Card>
      ) : (
        <>
          <PowerNowCard {...figures} className="col-span-12 md:col-span-4 md:row-span-2 lg:row-span-1" />
          <KpiCards {...figures} className="col-span-6 min-h-[208px] md:col-span-4 lg:col-span-2" />
        </>
      )}
      {below && <Below {...{ figures, live, error }} />}
    </div>
  )
})

interface BelowProps {
  figures: { data: Overview | undefined; stale: boolean }
  live: Omit<Parameters<typeof LiveChartCard>[0], 'measure' | 'className'>
  error: Error | null
}

function Below({ figures, live, error }: BelowProps) {
  const { zone, table, setTable } = live
  return (
    <>
      {!error && <InsightCard {...figures} className="col-span-12 max-md:order-1" />}
      <LiveChartCard {...live} measure="power" className="col-span-12 min-h-[348px] lg:col-span-8" />
      {!error && <GaugeCard {...figures} className={`col-span-12 md:col-span-6 lg:col-span-4 ${LATER}`} />}
      <LiveChartCard
        {...live}
        measure="temperature"
        className="col-span-12 min-h-[348px] max-md:order-2 lg:col-span-8"
      />
      {!error && (
        <>
          <EnergyByTypeCard {...figures} className={`col-span-12 md:col-span-6 lg:col-span-4 ${LATER}`} />
          <ScatterCard
            {...figures}
            table={table}
            setTable={setTable}
            className={`col-span-12 lg:col-span-8 ${LATER}`}
          />
          <AlertsCard {...figures} className={`col-span-12 lg:col-span-4 ${LATER}`} />
        </>
      )}
      <ReadingsCard
        zone={zone}
        className={`col-span-12 [contain-intrinsic-size:auto_432px] [content-visibility:auto] ${LATER}`}
      />
    </>
  )
}

function FirstReading({ simulated }: { simulated: boolean }) {
  return (
    <section className="col-span-12 rounded-lg border border-line bg-card shadow-card">
      <Empty
        what={texts.empty.title}
        why={simulated ? texts.empty.simulated : texts.empty.real}
        action={
          simulated ? undefined : (
            <code className="mt-2 rounded-md bg-fill px-2 py-1 text-xs select-all">
              {texts.empty.command}
            </code>
          )
        }
      />
    </section>
  )
}

/** An imported house may end years ago: the way to its figures, where the range has none. */
function NewestDay({ day }: { day: string }) {
  const [, change] = useSearchState()
  return (
    <div
      role="status"
      className="col-span-12 flex flex-wrap items-center gap-x-3 gap-y-2 rounded-lg border border-line bg-card px-4 py-3 shadow-card"
    >
      <Icon name="clock" className="text-muted" />
      <p>{texts.empty.newest(formatDate(day))}</p>
      <button
        type="button"
        onClick={() => change({ range: 'custom', from: day, to: day })}
        className="target inline-flex h-8 items-center rounded-md border border-control px-3 text-xs font-medium hover:bg-fill"
      >
        {texts.empty.showNewest}
      </button>
    </div>
  )
}

/** The last refresh failed: what is shown is of then. */
function StaleNotice({ data }: { data: Overview }) {
  return (
    <p
      className="col-span-12 w-fit rounded-full border border-warn/50 bg-card px-2.5 py-1 text-xs"
      role="status"
    >
      <StateWord tone="warn" icon="clock">
        {texts.state.staleSince(formatTime(Date.parse(data.generated_at), data.time_zone))}
      </StateWord>
    </p>
  )
}
