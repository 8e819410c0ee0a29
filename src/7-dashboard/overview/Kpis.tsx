/** Power now and the four figures of the range, each with its change, its course, and how it is calculated. */
import type { Kpi, Overview } from '../../6-serve/contract.ts'
import { Sparkline } from '../charts/Sparkline.tsx'
import {
  formatChange,
  formatCount,
  formatDay,
  formatEnergy,
  formatInstant,
  formatMoney,
  formatPower,
  formatShare,
  formatTime,
  humanize,
} from '../format.ts'
import type { Quantity } from '../format.ts'
import { Card, Skeleton } from '../kit/Card.tsx'
import { Figure, StateWord } from '../kit/Figure.tsx'
import { Explain } from '../kit/overlays.tsx'
import { Icon } from '../kit/icons.tsx'
import { useThrottled } from '../live/throttled.ts'
import { useLiveStore } from '../live/useLive.tsx'
import { texts } from '../texts.ts'

const CONSUMERS = 3

export function PowerNowCard({
  data,
  stale,
  className,
}: {
  data: Overview | undefined
  stale: boolean
  className: string
}) {
  const live = useLiveStore()
  useThrottled(live, 500)
  // The live value, once a second; while there is no connection that of the last refresh.
  const now = data && (live.power() ?? data.power_now)
  return (
    <Card
      title={texts.power.title}
      quiet
      stale={stale}
      className={className}
      actions={
        now && (
          <Explain
            title={texts.power.title}
            definition={now.definition}
            rows={
              now.as_of ? [[texts.explain.asOf, formatInstant(Date.parse(now.as_of), data.time_zone)]] : []
            }
          />
        )
      }
    >
      {now ? (
        <>
          <p className="h-9">
            <Figure quantity={now.value_w === null ? null : formatPower(now.value_w)} reason={now.reason} />
          </p>
          <p className="text-xs text-muted md:min-h-10 lg:min-h-5">
            {now.value_w === null
              ? now.reason
              : [
                  now.cost_per_hour !== null &&
                    texts.power.perHour(formatMoney(now.cost_per_hour, data.currency)),
                  texts.power.devices(now.devices),
                  now.as_of && texts.power.at(formatTime(Date.parse(now.as_of), data.time_zone)),
                ]
                  .filter(Boolean)
                  .join(' · ')}
          </p>
          <Consumers />
        </>
      ) : (
        <>
          <Skeleton className="mb-1 h-8 w-32" />
          <Skeleton className="mb-0.5 h-[17px] w-48 md:mb-6 lg:mb-0.5" />
          <div className="mt-auto h-[84px]" />
        </>
      )}
    </Card>
  )
}

/** Who uses most at this moment, from the live view. Its height is the same whoever they are. */
function Consumers() {
  const store = useLiveStore()
  useThrottled(store, 500)
  const rings = store.rings.power
  const freshFromS = store.freshFromS()
  const top = rings
    .devices()
    .map((id) => ({ id, power: rings.latest(id, freshFromS) ?? 0 }))
    .toSorted((a, b) => b.power - a.power)
    .slice(0, CONSUMERS)
    .filter(({ power }) => power > 0)
  const most = top[0]?.power ?? 1
  return (
    <ul aria-label={texts.power.consumers} className="mt-auto grid h-[84px] content-end gap-1.5 pt-3 text-xs">
      {top.map(({ id, power }) => {
        const { value, unit } = formatPower(power)
        return (
          <li key={id} className="grid grid-cols-[minmax(0,1.5fr)_minmax(0,1fr)_4rem] items-center gap-2">
            <span className="truncate text-muted">{humanize(id)}</span>
            <svg className="h-1.5 w-full" aria-hidden="true">
              <rect width="100%" height="6" rx="3" className="fill-fill" />
              <rect
                width={`${Math.max(1, (power / most) * 100)}%`}
                height="6"
                rx="3"
                className="fill-accent"
              />
            </svg>
            <span className="text-right">
              {value} {unit}
            </span>
          </li>
        )
      })}
    </ul>
  )
}

type KpiName = 'energy' | 'cost' | 'devices' | 'health'

interface Spec {
  name: KpiName
  of: (kpis: Overview['kpis']) => Kpi
  format: (value: number, data: Overview) => Quantity
  kind: 'bars' | 'line'
  /** Whether more is worse: then "down" is the good news. */
  lessIsBetter: boolean
}

const SPECS: readonly Spec[] = [
  {
    name: 'energy',
    of: (k) => k.total_energy_kwh,
    format: (kwh) => formatEnergy(kwh * 1000),
    kind: 'bars',
    lessIsBetter: true,
  },
  {
    name: 'cost',
    of: (k) => k.total_cost,
    format: (cost, { currency }) => ({ value: formatMoney(cost, currency), unit: '' }),
    kind: 'bars',
    lessIsBetter: true,
  },
  {
    name: 'devices',
    of: (k) => k.active_devices,
    format: (n, { kpis }) => ({
      value: formatCount(n),
      unit: texts.kpi.of(formatCount(kpis.active_devices.total)),
    }),
    kind: 'line',
    lessIsBetter: false,
  },
  {
    name: 'health',
    of: (k) => k.mean_health_score,
    format: (score) => formatShare(score),
    kind: 'line',
    lessIsBetter: false,
  },
]

export function KpiCards({
  data,
  stale,
  className,
}: {
  data: Overview | undefined
  stale: boolean
  className: string
}) {
  return SPECS.map((spec) => (
    <KpiCard key={spec.name} spec={spec} data={data} stale={stale} className={className} />
  ))
}

function KpiCard({
  spec,
  data,
  stale,
  className,
}: {
  spec: Spec
  data: Overview | undefined
  stale: boolean
  className: string
}) {
  const title = texts.kpi[spec.name]
  const kpi = data && spec.of(data.kpis)
  return (
    <Card
      title={title}
      quiet
      stale={stale}
      className={className}
      actions={data && kpi && <Explain title={title} definition={kpi.definition} rows={factsOf(kpi, data)} />}
    >
      {data && kpi ? (
        <>
          <p data-kpi={spec.name} className="h-9">
            <Figure quantity={kpi.value === null ? null : spec.format(kpi.value, data)} reason={kpi.reason} />
          </p>
          <Change kpi={kpi} spec={spec} />
          <div className="mt-auto pt-2">
            <Coverage ratio={kpi.coverage_ratio} />
            <Sparkline
              values={kpi.sparkline.value}
              kind={spec.kind}
              label={courseOf(title, kpi, data.time_zone)}
            />
          </div>
        </>
      ) : (
        <>
          <Skeleton className="h-8 w-24" />
          <Skeleton className="mt-2 h-4 w-20" />
          <Skeleton className="mt-auto h-8 w-full" />
        </>
      )}
    </Card>
  )
}

function Change({ kpi, spec }: { kpi: Kpi; spec: Spec }) {
  if (kpi.value === null) return <p className="line-clamp-2 min-h-10 text-xs text-muted">{kpi.reason}</p>
  const { delta } = kpi
  if (delta === null) {
    return (
      <p className="line-clamp-2 min-h-10 text-xs text-muted" title={kpi.delta_reason ?? undefined}>
        {kpi.delta_reason ?? texts.delta.none}
      </p>
    )
  }
  const still = delta.absolute === 0 || (delta.ratio !== null && Math.abs(delta.ratio) < 0.005)
  const good = delta.absolute < 0 === spec.lessIsBetter
  const change = delta.ratio === null ? String(delta.absolute) : formatChange(delta.ratio)
  return (
    <p className="line-clamp-2 min-h-10 text-xs text-muted" title={texts.delta.versus(delta.text)}>
      <span className={`font-medium ${still ? 'text-text' : good ? 'text-ok' : 'text-warn'}`}>
        {!still && <Icon name={delta.absolute > 0 ? 'rise' : 'fall'} className="mr-1 inline size-3" />}
        {change}
      </span>{' '}
      {texts.delta.versus(delta.text)}
    </p>
  )
}

/** Said only where something is missing; 99.6 % would be shown as 100 %, and say nothing. */
function Coverage({ ratio }: { ratio: number | null }) {
  if (ratio === null || ratio >= 0.995) return null
  return (
    <p className="mb-2 text-xs" title={texts.state.coverageTitle}>
      <StateWord tone="warn" icon="info">
        {texts.state.coverage(`${formatShare(ratio).value} %`)}
      </StateWord>
    </p>
  )
}

function factsOf(kpi: Kpi, data: Overview): [string, string][] {
  const rows: [string, string][] = []
  if (kpi.delta) {
    const { from, to } = kpi.delta.compared_to
    rows.push([
      texts.explain.compared,
      `${kpi.delta.text} (${formatInstant(Date.parse(from), data.time_zone)} – ${formatInstant(Date.parse(to), data.time_zone)})`,
    ])
  }
  if (kpi.coverage_ratio !== null) {
    const { value, unit } = formatShare(kpi.coverage_ratio)
    rows.push([texts.explain.coverage, `${value} ${unit}${kpi.partial ? `, ${texts.state.open}` : ''}`])
  }
  return rows
}

function courseOf(title: string, { sparkline }: Kpi, zone: string): string {
  const first = sparkline.t[0]
  const last = sparkline.t.at(-1)
  if (!first || !last) return title
  const format = sparkline.grain === 'hour' ? formatTime : formatDay
  return `${title}, ${format(Date.parse(first), zone)} – ${format(Date.parse(last), zone)}`
}
