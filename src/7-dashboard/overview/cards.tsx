/** The other cards of the Overview, in the order of the page. */
import type { Alert, Overview } from '../../6-serve/contract.ts'
import { Gauge } from '../charts/Gauge.tsx'
import { formatAge, formatEnergy, formatInstant, formatMoney, formatShare, humanize } from '../format.ts'
import { Card, Empty, Skeleton } from '../kit/Card.tsx'
import { Icon } from '../kit/icons.tsx'
import { Explain } from '../kit/overlays.tsx'
import { ageOf, useNow } from '../kit/time.ts'
import { texts } from '../texts.ts'

export interface CardData {
  data: Overview | undefined
  stale: boolean
  className: string
}

export function InsightCard({ data, className }: CardData) {
  return (
    <section
      aria-label={texts.insight.label}
      className={`flex min-h-[62px] items-center max-lg:min-h-[80px] gap-3 rounded-lg border border-line bg-card px-4 py-3 shadow-card ${className}`}
    >
      <Icon name="insight" className={data?.insight ? 'text-accent' : 'text-muted'} />
      {data ? (
        <p className="min-w-0">
          {data.insight ? (
            <>
              <span className="font-medium">{data.insight.text}</span>{' '}
              <span className="text-xs text-muted">{data.insight.basis}</span>
            </>
          ) : (
            <span className="text-muted">{data.insight_reason ?? texts.insight.none}</span>
          )}
        </p>
      ) : (
        <Skeleton className="h-4 w-2/3" />
      )}
    </section>
  )
}

export function GaugeCard({ data, stale, className }: CardData) {
  const health = data?.system_health
  return (
    <Card
      title={texts.gauge.title}
      stale={stale}
      className={className}
      actions={health && <Explain title={texts.gauge.title} definition={health.definition} />}
    >
      {health ? (
        <div className="flex grow flex-col justify-between gap-4">
          <div className="flex grow items-center">
            <Gauge value={health.value} word={health.word} label={texts.gauge.title} />
          </div>
          {health.value === null ? (
            <p className="text-center text-xs text-muted">{health.reason}</p>
          ) : (
            <div className="flex items-start gap-2.5 rounded-md bg-fill px-3 py-2.5 text-xs">
              <Icon
                name={health.top_issue ? 'warn' : 'ok'}
                className={`mt-px size-4 ${health.top_issue ? 'text-warn' : 'text-ok'}`}
              />
              <p>
                {health.top_issue ? (
                  <>
                    <span className="block text-muted">{texts.gauge.issue}</span>
                    {health.top_issue.text}
                  </>
                ) : (
                  texts.gauge.noIssue
                )}
              </p>
            </div>
          )}
        </div>
      ) : (
        <Skeleton className="min-h-40 grow" />
      )}
    </Card>
  )
}

export function EnergyByTypeCard({ data, stale, className }: CardData) {
  const energy = data?.energy_by_type
  return (
    <Card
      title={texts.types.title}
      stale={stale}
      className={className}
      actions={energy && <Explain title={texts.types.title} definition={energy.definition} />}
    >
      {!energy ? (
        <Skeleton className="min-h-40 grow" />
      ) : energy.rows.length === 0 ? (
        <Empty what={texts.empty.figures} why={energy.reason} />
      ) : (
        <TypeBars energy={energy} currency={data.currency} />
      )}
    </Card>
  )
}

function TypeBars({ energy, currency }: { energy: Overview['energy_by_type']; currency: string }) {
  const untracked = energy.untracked_kwh
  const most = Math.max(...energy.rows.map((row) => row.energy_kwh), untracked ?? 0)
  return (
    <ul className="flex grow flex-col justify-center gap-3.5">
      {energy.rows.map((row) => (
        <TypeBar
          key={row.device_type}
          label={humanize(row.device_type)}
          kwh={row.energy_kwh}
          most={most}
          note={[
            `${formatShare(row.share).value} %`,
            row.cost === null ? null : formatMoney(row.cost, currency),
            texts.power.devices(row.devices),
          ]
            .filter(Boolean)
            .join(' · ')}
          fill="fill-accent"
        />
      ))}
      {untracked !== null && (
        <TypeBar
          label={texts.types.untracked}
          kwh={untracked}
          most={most}
          note={texts.types.untrackedTitle}
          fill="fill-control"
        />
      )}
    </ul>
  )
}

function TypeBar(props: { label: string; kwh: number; most: number; note: string; fill: string }) {
  const { value, unit } = formatEnergy(props.kwh * 1000)
  return (
    <li>
      <div className="flex items-baseline gap-2">
        <span className="truncate">{props.label}</span>
        <span className="ml-auto font-medium whitespace-nowrap">
          {value} <span className="text-xs text-muted">{unit}</span>
        </span>
      </div>
      <svg className="my-1 h-2 w-full" aria-hidden="true">
        <rect width="100%" height="8" rx="4" className="fill-fill" />
        <rect
          width={`${Math.max(1, (Math.max(props.kwh, 0) / props.most) * 100)}%`}
          height="8"
          rx="4"
          className={props.fill}
        />
      </svg>
      <p className="text-xs text-muted">{props.note}</p>
    </li>
  )
}

export function AlertsCard({ data, stale, className }: CardData) {
  const now = useNow()
  const alerts = data?.alerts
  const checked = ageOf(alerts?.checked_at ?? null, now)
  return (
    <Card
      title={texts.alerts.title}
      stale={stale}
      className={className}
      note={alerts && alerts.open_count > 0 ? String(alerts.open_count) : undefined}
    >
      {!alerts ? (
        <Skeleton className="min-h-40 grow" />
      ) : alerts.reason !== null ? (
        <Empty what={texts.alerts.unwatched} why={alerts.reason} />
      ) : alerts.rows.length === 0 ? (
        <div className="flex grow flex-col items-center justify-center gap-1 py-6 text-center">
          <Icon name="ok" className="mb-1 text-ok" />
          <p className="font-medium">{texts.alerts.clear}</p>
          {checked !== null && (
            <p className="text-xs text-muted">{texts.alerts.checked(formatAge(checked))}</p>
          )}
        </div>
      ) : (
        <>
          <ul className="-mx-2 flex flex-col">
            {alerts.rows.map((alert) => (
              <AlertRow key={alert.id} alert={alert} now={now} zone={data.time_zone} />
            ))}
          </ul>
          <p className="mt-auto pt-2 text-xs text-muted">
            {[
              alerts.open_count > alerts.rows.length &&
                texts.alerts.more(alerts.open_count - alerts.rows.length),
              checked !== null && texts.alerts.checked(formatAge(checked)),
            ]
              .filter(Boolean)
              .join(' · ')}
          </p>
        </>
      )}
    </Card>
  )
}

function AlertRow({ alert, now, zone }: { alert: Alert; now: number; zone: string }) {
  const critical = alert.severity === 'critical'
  const age = ageOf(alert.since, now) ?? 0
  return (
    <li className="flex gap-3 border-line px-2 py-2.5 not-first:border-t">
      <Icon name={critical ? 'bad' : 'warn'} className={`mt-px ${critical ? 'text-bad' : 'text-warn'}`} />
      <div className="min-w-0 text-xs">
        <p className="flex flex-wrap items-baseline gap-x-2">
          <span className="text-base font-medium">{humanize(alert.name)}</span>
          <span className="text-muted">
            {texts.alerts.severity[alert.severity]} ·{' '}
            <time dateTime={alert.since} title={formatInstant(Date.parse(alert.since), zone)}>
              {texts.alerts.since(formatAge(age))}
            </time>
          </span>
        </p>
        <p>{alert.text}</p>
        <p className="text-muted">{alert.action}</p>
      </div>
    </li>
  )
}
