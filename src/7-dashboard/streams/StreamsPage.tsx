/** The stream from outside: topics, their partitions, who reads them and how far behind, and the messages themselves. */
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { ask } from '../api.ts'
import { formatTime, machineZone } from '../format.ts'
import { Card, Failure, Skeleton } from '../kit/Card.tsx'
import { StateWord } from '../kit/Figure.tsx'
import { texts as common } from '../texts.ts'
import { useOverview } from '../useHouse.ts'
import { GroupsCard } from './GroupsCard.tsx'
import { MessagesCard } from './MessagesCard.tsx'
import { PartitionsCard } from './PartitionsCard.tsx'
import { useStreamSearch } from './search.ts'
import { texts } from './texts.ts'
import { TopicsCard } from './TopicsCard.tsx'

const REFRESH_MS = 5_000

export function StreamsPage() {
  const streams = useQuery({
    queryKey: ['streams'],
    queryFn: ({ signal }) => ask('streams', {}, signal),
    refetchInterval: REFRESH_MS,
    placeholderData: keepPreviousData,
  })
  const [search] = useStreamSearch()
  // The header asks for it in any case.
  const zone = useOverview().data?.time_zone ?? machineZone()
  const { data } = streams
  if (!data)
    return (
      <Card title={texts.topics.title} className="min-h-[220px]">
        {streams.error ? (
          <Failure error={streams.error} retry={() => void streams.refetch()} />
        ) : (
          <Skeleton className="mt-2 h-36 w-full" />
        )}
      </Card>
    )
  const topic =
    data.topics.find((one) => one.topic === search.topic) ??
    data.topics.find(({ kind }) => kind === 'telemetry') ??
    data.topics[0]
  const groups = data.groups.filter((group) => group.partitions.some((one) => one.topic === topic?.topic))
  return (
    <div className="grid grid-cols-12 gap-3">
      {streams.isError && (
        <p
          className="col-span-12 w-fit rounded-full border border-warn/50 bg-card px-2.5 py-1 text-xs"
          role="status"
        >
          <StateWord tone="warn" icon="clock">
            {common.state.staleSince(formatTime(Date.parse(data.generated_at), zone))}:{' '}
            {streams.error.message}
          </StateWord>
        </p>
      )}
      <TopicsCard streams={data} chosen={topic?.topic} stale={streams.isError} className="col-span-12" />
      {topic && (
        <>
          <PartitionsCard topic={topic} stale={streams.isError} className="col-span-12 lg:col-span-6" />
          <GroupsCard
            topic={topic.topic}
            groups={groups}
            stale={streams.isError}
            className="col-span-12 lg:col-span-6"
          />
          <MessagesCard key={topic.topic} topic={topic} zone={zone} className="col-span-12" />
        </>
      )}
    </div>
  )
}
