/** Who reads a topic, and how far behind: per group, member and partition. */
import type { StreamGroup } from '../../6-serve/contract.ts'
import { Sparkline } from '../charts/Sparkline.tsx'
import { formatCount, humanize } from '../format.ts'
import { Card, Empty } from '../kit/Card.tsx'
import { lagIn } from './numbers.ts'
import { CELL, Heads, NUMBER, Scroll } from './table.tsx'
import { texts } from './texts.ts'
import { TrendWord } from './TrendWord.tsx'

export function GroupsCard(props: {
  topic: string
  groups: readonly StreamGroup[]
  stale: boolean
  className: string
}) {
  const { topic, groups, stale, className } = props
  return (
    <Card title={texts.groups.title} note={topic} stale={stale} className={className}>
      {groups.length === 0 ? (
        <Empty what={texts.groups.none} why={texts.groups.noneWhy} />
      ) : (
        <div className="flex flex-col gap-5 text-xs">
          {groups.map((group) => (
            <Group key={group.group} group={group} topic={topic} />
          ))}
        </div>
      )}
    </Card>
  )
}

function Group({ group, topic }: { group: StreamGroup; topic: string }) {
  const own = group.partitions.filter((one) => one.topic === topic)
  const lag = formatCount(lagIn(group, topic))
  return (
    <section data-group={group.group}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h3 className="font-semibold">{group.group}</h3>
        <span className="text-muted">
          {humanize(group.state)} · {texts.groups.members(group.members.length)}
        </span>
        <span className="ml-auto inline-flex items-center gap-3">
          <span className="block w-20">
            <Sparkline values={group.lag_history} kind="line" label={texts.groups.history(group.group)} />
          </span>
          <span className="font-medium">{texts.groups.lag(lag)}</span>
          <TrendWord perS={group.lag_trend_per_s} />
        </span>
      </div>
      <Scroll label={group.group}>
        <table className="mt-1 w-full">
          <Heads names={texts.groups.columns} />
          <tbody>
            {own.map(({ partition, committed, end, lag: behind, lag_trend_per_s }) => (
              <tr key={partition} className="border-t border-line">
                <th scope="row" className={`${CELL} text-left font-medium`}>
                  {partition}
                </th>
                <td className={NUMBER}>{committed}</td>
                <td className={NUMBER}>{end}</td>
                <td className={`${NUMBER} font-medium`}>{formatCount(behind)}</td>
                <td className={NUMBER}>
                  <TrendWord perS={lag_trend_per_s} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {group.members.length > 0 && (
        <ul className="mt-1.5 text-muted">
          {group.members.map(({ client, host, partitions }, n) => {
            const mine = partitions.flatMap((place) =>
              place.startsWith(`${topic}/`) ? [place.slice(topic.length + 1)] : [],
            )
            return (
              <li key={`${client} ${host} ${n}`}>
                {client} ({host}) {mine.length > 0 ? texts.groups.reads(mine.join(', ')) : texts.groups.idle}
              </li>
            )
          })}
        </ul>
      )}
    </section>
  )
}
