/** The partitions of a topic: their offsets, how the messages are spread, where they lie. */
import type { StreamTopic } from '../../6-serve/contract.ts'
import { NOT_KNOWN, formatCount } from '../format.ts'
import { Card, Empty } from '../kit/Card.tsx'
import { StateWord } from '../kit/Figure.tsx'
import { formatRate } from './numbers.ts'
import { CELL, Heads, NUMBER, Scroll } from './table.tsx'
import { texts } from './texts.ts'

const { columns } = texts.partitions

export function PartitionsCard(props: { topic: StreamTopic; stale: boolean; className: string }) {
  const { topic, stale, className } = props
  const { partitions } = topic
  const largest = Math.max(1, ...partitions.map(({ start, end }) => end - start))
  // The embedded log has one place, and says nothing about nodes.
  const hasNodes = partitions.some(({ replicas }) => replicas.length > 0)
  const first = partitions[0]
  return (
    <Card title={texts.partitions.title} note={topic.topic} stale={stale} className={className}>
      {topic.messages === 0 && first ? (
        <Empty what={texts.partitions.empty(first.start, first.end)} why={texts.partitions.emptyWhy} />
      ) : (
        <Scroll label={texts.partitions.title}>
          <table className="w-full text-xs">
            <Heads names={hasNodes ? columns : columns.slice(0, 4)} />
            <tbody>
              {partitions.map(({ partition, start, end, rate_per_s, leader, replicas, in_sync }) => (
                <tr key={partition} className="border-t border-line" data-partition={partition}>
                  <th scope="row" className={`${CELL} text-left font-medium`}>
                    {partition}
                  </th>
                  <td className={NUMBER}>
                    {start}–{end}
                  </td>
                  <td className={NUMBER}>
                    <span className="inline-flex items-center gap-2">
                      <Bar
                        share={(end - start) / largest}
                        label={texts.partitions.share(formatCount(end - start))}
                      />
                      <span className="min-w-12">{formatCount(end - start)}</span>
                    </span>
                  </td>
                  <td className={NUMBER}>{formatRate(rate_per_s)}</td>
                  {hasNodes && (
                    <>
                      <td className={NUMBER}>{leader ?? NOT_KNOWN}</td>
                      <td className={NUMBER}>
                        <InStep count={in_sync.length} of={replicas.length} />
                      </td>
                    </>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </Card>
  )
}

function Bar({ share, label }: { share: number; label: string }) {
  return (
    <svg width="72" height="8" role="img" aria-label={label} className="text-accent">
      <rect width="72" height="8" rx="2" className="fill-fill-strong" />
      <rect width={Math.max(1, share * 72)} height="8" rx="2" fill="currentColor" />
    </svg>
  )
}

function InStep({ count, of }: { count: number; of: number }) {
  const words = texts.partitions.inStep(count, of)
  if (count >= of) return words
  return (
    <span title={texts.partitions.short}>
      <StateWord tone="warn" icon="warn">
        {words}
      </StateWord>
    </span>
  )
}
