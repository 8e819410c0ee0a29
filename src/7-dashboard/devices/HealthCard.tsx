/** How a device is, and why: the parts of its score, what takes most first. */
import { formatDay, formatShare } from '../format.ts'
import type { Quantity } from '../format.ts'
import { Card, Empty, Skeleton } from '../kit/Card.tsx'
import { Figure } from '../kit/Figure.tsx'
import { Explain } from '../kit/overlays.tsx'
import type { FigureCardProps } from './DevicePage.tsx'
import { texts } from './texts.ts'

const { device: words } = texts
const percent = (share: number): string => `${formatShare(share).value} %`

export function HealthCard({ data, stale, className }: FigureCardProps) {
  const health = data?.health
  return (
    <Card
      title={words.health}
      note={health ? words.healthNote(formatDay(Date.parse(health.date), 'UTC')) : undefined}
      stale={stale}
      className={`min-h-[232px] ${className}`}
      actions={
        health && (
          <Explain
            title={words.health}
            definition={{
              what: words.healthWhat,
              formula: `${health.parts
                .map(({ weight, share }) => `${weight} × ${share}`)
                .join(' + ')} = ${health.score}`,
            }}
          />
        )
      }
    >
      {!data ? (
        <Skeleton className="h-40" />
      ) : !health ? (
        <Empty what={words.noHealth} why={words.noHealthWhy} />
      ) : (
        <Parts health={health} />
      )}
    </Card>
  )
}

type DeviceHealth = NonNullable<NonNullable<FigureCardProps['data']>['health']>

function Parts({ health }: { health: DeviceHealth }) {
  const { alert_episodes: episodes, uptime } = health
  const figures: (readonly [string, Quantity | null])[] = [
    [words.health, formatShare(health.score)],
    [words.risk, formatShare(health.risk)],
    [words.uptime, uptime === null ? null : formatShare(uptime)],
    [words.alerts, episodes === null ? null : { value: String(episodes), unit: '' }],
  ]
  return (
    <div className="grid gap-3">
      <dl className="grid grid-cols-2 gap-3 text-xs sm:grid-cols-4">
        {figures.map(([name, quantity]) => (
          <div key={name}>
            <dt className="text-muted">{name}</dt>
            <dd>
              <Figure quantity={quantity} size="normal" />
            </dd>
          </div>
        ))}
      </dl>
      <ul className="grid gap-2 text-xs">
        {health.parts.map((part) => (
          <Part key={part.name} {...part} />
        ))}
      </ul>
    </div>
  )
}

type HealthPart = DeviceHealth['parts'][number]

const LEAST_LOST = 0.0005

function Part({ name, share, weight, lost, text }: HealthPart) {
  return (
    <li>
      <div className="flex items-baseline justify-between gap-2">
        <span>
          {words.parts[name] ?? name} <span className="text-muted">{words.weight(String(weight * 100))}</span>
        </span>
        <span className="whitespace-nowrap text-muted">
          {lost < LEAST_LOST ? words.full : words.lost(percent(lost))}
        </span>
      </div>
      <svg
        viewBox="0 0 100 4"
        preserveAspectRatio="none"
        className="my-0.5 h-1 w-full rounded-full"
        aria-hidden="true"
      >
        <rect width="100" height="4" className="fill-(--fill-strong)" />
        <rect width={Math.max(0, share * 100)} height="4" className="fill-(--accent)" />
      </svg>
      {lost >= LEAST_LOST && <p className="text-muted">{text}</p>}
    </li>
  )
}
