/** What is known of a device: who makes it, how it speaks, how its times were understood. */
import type { DeviceDetail } from '../../6-serve/contract.ts'
import { formatCount, formatInstant, formatPower, humanize } from '../format.ts'
import { Card, Skeleton } from '../kit/Card.tsx'
import type { FigureCardProps } from './DevicePage.tsx'
import { durationText } from './NowCard.tsx'
import { texts } from './texts.ts'

const { device: words } = texts

export function FactsCard({ data, stale, className }: FigureCardProps) {
  return (
    <Card title={words.facts} stale={stale} className={`min-h-[420px] ${className}`}>
      {data ? (
        <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1.5 text-xs">
          {factsOf(data).map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-muted">{name}</dt>
              <dd className="break-words">{value}</dd>
            </div>
          ))}
        </dl>
      ) : (
        <Skeleton className="h-80" />
      )}
    </Card>
  )
}

/** Those that there are, in the order in which people ask. */
function factsOf({ device, facts, time_zone: zone }: DeviceDetail): (readonly [string, string])[] {
  const { fact } = words
  const list = (items: readonly string[]) => (items.length === 0 ? null : items.join(', '))
  const all: (readonly [string, string | null])[] = [
    [fact.id, device.device_id],
    [fact.maker, device.manufacturer],
    [fact.model, device.model],
    [fact.protocol, device.protocol],
    [fact.origin, device.origin && words.origins[device.origin]],
    [fact.owner, device.user_id],
    [fact.aliases, list(facts.aliases)],
    [fact.merged, list(facts.merged_ids)],
    [fact.gateway, facts.gateway],
    [fact.parent, facts.parent_device_id],
    [fact.installed, facts.installation_date],
    [fact.rated, facts.rated_power_w === null ? null : textOf(formatPower(facts.rated_power_w))],
    [fact.first, facts.first_seen && formatInstant(Date.parse(facts.first_seen), zone)],
    [fact.messages, facts.messages === 0 ? null : formatCount(facts.messages)],
    [fact.interval, durationOf(facts.usual_interval_s ?? facts.expected_interval_s)],
    [fact.units, list(Object.entries(facts.units).map(([name, unit]) => `${humanize(name)} ${unit}`))],
    [fact.times, list(Object.entries(facts.time_rules).map(ruleText))],
  ]
  return all.filter((each): each is readonly [string, string] => each[1] !== null && each[1] !== '')
}

const textOf = ({ value, unit }: { value: string; unit: string }): string => `${value} ${unit}`
const durationOf = (seconds: number | null): string | null =>
  seconds === null ? null : durationText(seconds)
const ruleText = ([rule, count]: [string, number]): string =>
  `${formatCount(count)}: ${words.rules[rule] ?? rule}`
