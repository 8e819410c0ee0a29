/** All devices of the home: which there are, whether they report, what they use; what nobody could read below. */
import { getRouteApi } from '@tanstack/react-router'
import { Suspense, lazy, useCallback, useState } from 'react'
import type { DeviceRow, Devices } from '../../6-serve/contract.ts'
import { formatTime } from '../format.ts'
import { Card, Empty, Failure, Skeleton } from '../kit/Card.tsx'
import { StateWord } from '../kit/Figure.tsx'
import { Icon } from '../kit/icons.tsx'
import { ICON_BUTTON } from '../kit/overlays.tsx'
import { Segments } from '../kit/Segments.tsx'
import { texts as common } from '../texts.ts'
import { useHomes } from '../useHouse.ts'
import { DeviceCards } from './DeviceCards.tsx'
import { DeviceTable } from './DeviceTable.tsx'
import { arranged } from './order.ts'
import { FIELD } from './parts.tsx'
import { SHOWN } from './search.ts'
import type { DevicesSearch } from './search.ts'
import { texts } from './texts.ts'
import { UnknownCard } from './UnknownCard.tsx'
import { useDevices } from './useDevices.ts'

const EditDevice = lazy(() => import('./EditDevice.tsx'))
const route = getRouteApi('/devices')

export function DevicesPage() {
  const { data, error, isFetching, refetch } = useDevices()
  const homes = useHomes()
  const [editing, setEditing] = useState<string | null>(null)
  const retry = () => {
    void homes.refetch()
    void refetch()
  }
  if (error && !data)
    return (
      <Card title={texts.title} className="min-h-[220px]">
        <Failure error={error} retry={retry} />
      </Card>
    )
  const edited = data?.devices.find(({ device_id }) => device_id === editing)
  return (
    <div className="grid gap-3" aria-busy={isFetching && !data}>
      {error && data && <Stale data={data} />}
      <ListCard data={data} stale={Boolean(error && data)} edit={setEditing} />
      {data && data.unknown_messages > 0 && (
        <UnknownCard count={data.unknown_messages} zone={data.time_zone} />
      )}
      {data && edited && (
        <Suspense>
          <EditDevice key={edited.device_id} device={edited} data={data} close={() => setEditing(null)} />
        </Suspense>
      )}
    </div>
  )
}

export interface ListProps {
  devices: readonly DeviceRow[]
  zone: string
  nowMs: number
  search: DevicesSearch
  sort: (column: string) => void
  edit: (device: string) => void
}

function ListCard({
  data,
  stale,
  edit,
}: {
  data: Devices | undefined
  stale: boolean
  edit: (device: string) => void
}) {
  const search: DevicesSearch = route.useSearch()
  const navigate = route.useNavigate()
  const change = useCallback(
    (next: DevicesSearch) =>
      void navigate({ search: (old) => ({ ...old, ...next }), replace: true, resetScroll: false }),
    [navigate],
  )
  if (!data)
    return (
      <Card title={texts.title} quiet className="min-h-[560px]">
        <Skeleton className="h-[500px]" />
      </Card>
    )
  if (data.devices.length === 0) return <NoDevices />
  const devices = arranged(data.devices, search)
  const list: ListProps = {
    devices,
    zone: data.time_zone,
    nowMs: Date.parse(data.generated_at),
    search,
    sort: (sort) => change({ sort }),
    edit,
  }
  return (
    <Card
      title={texts.title}
      note={texts.count(devices.length, data.devices.length)}
      stale={stale}
      className="min-h-[560px]"
    >
      <Filters search={search} change={change} />
      {devices.length === 0 ? (
        <NoneFits clear={() => change({ q: undefined, show: undefined })} />
      ) : (
        <>
          <DeviceTable {...list} />
          <DeviceCards {...list} />
        </>
      )}
    </Card>
  )
}

function NoneFits({ clear }: { clear: () => void }) {
  return (
    <Empty
      what={texts.empty.none}
      why={null}
      action={
        <button type="button" className="target mt-2 text-xs text-accent underline" onClick={clear}>
          {texts.clear}
        </button>
      }
    />
  )
}

function Filters({ search, change }: { search: DevicesSearch; change: (next: DevicesSearch) => void }) {
  return (
    <div className="mb-3 flex flex-wrap items-center gap-2">
      <div className="relative min-w-0 grow basis-60">
        <input
          type="search"
          className={`${FIELD} pr-10`}
          placeholder={texts.filter}
          aria-label={texts.filter}
          value={search.q ?? ''}
          onChange={(event) => change({ q: event.target.value || undefined })}
        />
        {search.q && (
          <button
            type="button"
            className={`${ICON_BUTTON} absolute top-1/2 right-0.5 -translate-y-1/2`}
            aria-label={texts.clear}
            onClick={() => change({ q: undefined })}
          >
            <Icon name="close" className="size-4" />
          </button>
        )}
      </div>
      <Segments
        label={texts.statesLabel}
        segments={SHOWN.map((value) => ({ value, label: texts.states[value] }))}
        value={search.show ?? 'all'}
        choose={(show) => change({ show: show === 'all' ? undefined : show })}
      />
    </div>
  )
}

function NoDevices() {
  return (
    <Card title={texts.title} className="min-h-[260px]">
      <Empty
        what={texts.empty.title}
        why={texts.empty.why}
        action={
          <code className="mt-2 max-w-full rounded-md bg-fill px-2 py-1 text-xs break-words select-all">
            {texts.empty.command}
          </code>
        }
      />
    </Card>
  )
}

/** The last refresh failed: what is shown is of then. */
export function Stale({ data }: { data: { generated_at: string; time_zone: string } }) {
  return (
    <p className="w-fit rounded-full border border-warn/50 bg-card px-2.5 py-1 text-xs" role="status">
      <StateWord tone="warn" icon="clock">
        {common.state.staleSince(formatTime(Date.parse(data.generated_at), data.time_zone))}
      </StateWord>
    </p>
  )
}
