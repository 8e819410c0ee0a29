/** Every topic: how much it holds, how fast it grows, how far its readers are behind. */
import { useState } from 'react'
import type { StreamGroup, Streams, StreamTopic } from '../../6-serve/contract.ts'
import { Sparkline } from '../charts/Sparkline.tsx'
import { NOT_KNOWN, formatBytes, formatCount } from '../format.ts'
import { Card, Empty } from '../kit/Card.tsx'
import { formatKept, formatRate, lagIn } from './numbers.ts'
import { useStreamSearch } from './search.ts'
import { CELL, NUMBER, Scroll } from './table.tsx'
import { texts } from './texts.ts'
import { SortSign, TrendWord } from './TrendWord.tsx'

type Column = keyof typeof texts.topics.columns
const COLUMNS = Object.keys(texts.topics.columns) as Column[]
const { titles, columns } = texts.topics

interface Sort {
  by: Column
  down: boolean
}

interface Row {
  topic: StreamTopic
  /** The group that is furthest behind; undefined: nobody reads it. */
  group: StreamGroup | undefined
  lag: number | null
}

export function TopicsCard(props: {
  streams: Streams
  chosen: string | undefined
  stale: boolean
  className: string
}) {
  const { streams, chosen, stale, className } = props
  const [sort, setSort] = useState<Sort>({ by: 'topic', down: false })
  const rows = rowsOf(streams).toSorted((a, b) => compare(a, b, sort.by) * (sort.down ? -1 : 1))
  const turn = (by: Column) =>
    setSort((old) => (old.by === by ? { by, down: !old.down } : { by, down: by !== 'topic' }))
  return (
    <Card
      title={texts.topics.title}
      note={texts.topics.where[streams.adapter](streams.where)}
      stale={stale}
      className={className}
    >
      {rows.length === 0 ? (
        <Empty what={texts.topics.none} why={texts.topics.noneWhy} />
      ) : (
        <>
          <div className="max-md:hidden">
            <Scroll label={texts.topics.title}>
              <table className="w-full text-xs">
                <Heads sort={sort} turn={turn} />
                <tbody>
                  {rows.map((row) => (
                    <TopicRow key={row.topic.topic} row={row} current={row.topic.topic === chosen} />
                  ))}
                </tbody>
              </table>
            </Scroll>
          </div>
          <ul className="flex flex-col gap-2 md:hidden">
            {rows.map((row) => (
              <TopicCard key={row.topic.topic} row={row} current={row.topic.topic === chosen} />
            ))}
          </ul>
        </>
      )}
    </Card>
  )
}

function Heads({ sort, turn }: { sort: Sort; turn: (by: Column) => void }) {
  return (
    <thead className="text-left text-muted">
      <tr>
        {COLUMNS.map((name) => (
          <th
            key={name}
            scope="col"
            className={`${name === 'topic' ? CELL : NUMBER} font-medium`}
            aria-sort={sort.by === name ? (sort.down ? 'descending' : 'ascending') : undefined}
          >
            <button
              type="button"
              onClick={() => turn(name)}
              title={name in titles ? titles[name as keyof typeof titles] : undefined}
              className={`target inline-flex items-center gap-1 font-medium hover:text-text ${name === 'topic' ? 'flex-row-reverse' : ''}`}
            >
              <SortSign down={sort.down} className={sort.by === name ? '' : 'invisible'} />
              {columns[name]}
            </button>
          </th>
        ))}
      </tr>
    </thead>
  )
}

function rowsOf({ topics, groups }: Streams): Row[] {
  return topics.map((topic) => {
    const readers = groups.filter((group) => group.partitions.some((one) => one.topic === topic.topic))
    const group = readers.toSorted((a, b) => lagIn(b, topic.topic) - lagIn(a, topic.topic))[0]
    return { topic, group, lag: group ? lagIn(group, topic.topic) : null }
  })
}

function compare(a: Row, b: Row, by: Column): number {
  if (by === 'topic') return a.topic.topic < b.topic.topic ? -1 : 1
  const value = ({ topic, lag }: Row): number =>
    ({
      partitions: topic.partitions.length,
      messages: topic.messages,
      rate: topic.rate_per_s ?? -1,
      size: topic.bytes ?? -1,
      kept: topic.retention_ms ?? Infinity,
      lag: lag ?? -1,
    })[by]
  const [left, right] = [value(a), value(b)]
  return left === right ? 0 : left < right ? -1 : 1
}

function TopicButton({ topic, current }: { topic: StreamTopic; current: boolean }) {
  const [, change] = useStreamSearch()
  return (
    <button
      type="button"
      aria-pressed={current}
      onClick={() => change({ topic: topic.topic, from: undefined, at: undefined, partition: undefined })}
      className="target max-w-full truncate text-left font-medium hover:underline aria-pressed:text-accent"
    >
      {topic.topic}
    </button>
  )
}

function TopicRow({ row: { topic, group, lag }, current }: { row: Row; current: boolean }) {
  return (
    <tr
      className={`border-t border-line ${current ? 'bg-fill/60' : 'hover:bg-fill/40'}`}
      data-topic={topic.topic}
    >
      <th scope="row" className={`${CELL} text-left font-normal`}>
        <TopicButton topic={topic} current={current} />
      </th>
      <td className={NUMBER}>
        {topic.partitions.length}
        {topic.replication > 1 && (
          <span className="text-muted"> · {texts.topics.replicas(topic.replication)}</span>
        )}
      </td>
      <td className={NUMBER}>{formatCount(topic.messages)}</td>
      <td className={NUMBER}>{formatRate(topic.rate_per_s)}</td>
      <td className={NUMBER}>{topic.bytes === null ? NOT_KNOWN : formatBytes(topic.bytes)}</td>
      <td className={NUMBER}>{formatKept(topic.retention_ms)}</td>
      <td className={NUMBER}>
        {group === undefined ? (
          NOT_KNOWN
        ) : (
          <span className="inline-flex items-center justify-end gap-3">
            <span className="max-lg:hidden">
              <TrendWord perS={group.lag_trend_per_s} />
            </span>
            <span className="block w-16 max-lg:hidden">
              <Sparkline values={group.lag_history} kind="line" label={texts.groups.history(group.group)} />
            </span>
            <span className="min-w-10 font-medium">{formatCount(lag!)}</span>
          </span>
        )}
      </td>
    </tr>
  )
}

/** The same on a phone. */
function TopicCard({ row: { topic, group, lag }, current }: { row: Row; current: boolean }) {
  const facts: [string, string][] = [
    [columns.partitions, String(topic.partitions.length)],
    [columns.messages, formatCount(topic.messages)],
    [columns.rate, formatRate(topic.rate_per_s)],
    [columns.size, topic.bytes === null ? NOT_KNOWN : formatBytes(topic.bytes)],
    [columns.kept, formatKept(topic.retention_ms)],
    [columns.lag, lag === null ? NOT_KNOWN : formatCount(lag)],
  ]
  return (
    <li className={`rounded-md border p-3 text-xs ${current ? 'border-accent' : 'border-line'}`}>
      <TopicButton topic={topic} current={current} />
      <dl className="mt-1 grid grid-cols-3 gap-x-3 gap-y-1.5">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className="text-2xs text-muted">{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {group && (
        <p className="mt-1.5">
          <TrendWord perS={group.lag_trend_per_s} />
        </p>
      )}
    </li>
  )
}
