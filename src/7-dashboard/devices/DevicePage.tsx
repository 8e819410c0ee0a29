/** One device: what it does now, how it is and why, its history, its messages and what was rejected of them. */
import { Link, getRouteApi } from '@tanstack/react-router'
import { Suspense, lazy, useState } from 'react'
import type { DeviceDetail } from '../../6-serve/contract.ts'
import { humanize } from '../format.ts'
import { Card, Failure, Skeleton } from '../kit/Card.tsx'
import { Icon } from '../kit/icons.tsx'
import { Stale } from './DevicesPage.tsx'
import { FactsCard } from './FactsCard.tsx'
import { HealthCard } from './HealthCard.tsx'
import { HistoryCard } from './HistoryCard.tsx'
import { MessagesCard } from './MessagesCard.tsx'
import { NowCard } from './NowCard.tsx'
import { BUTTON, Chip, PresenceWord } from './parts.tsx'
import { texts } from './texts.ts'
import { nameOf, useDevice, useDevices } from './useDevices.ts'

const EditDevice = lazy(() => import('./EditDevice.tsx'))
const route = getRouteApi('/devices/$id')

export function DevicePage() {
  const { id } = route.useParams()
  const { data, error, refetch } = useDevice(id)
  const [editing, setEditing] = useState(false)
  if (error && !data)
    return (
      <div className="grid gap-3">
        <Back />
        <Card title={id} className="min-h-[220px]">
          <Failure error={error} retry={() => void refetch()} />
        </Card>
      </div>
    )
  const stale = Boolean(error && data)
  const figures = { data, stale }
  return (
    <div className="grid grid-cols-12 gap-3" aria-busy={!data}>
      <div className="col-span-12 grid gap-2">
        <Back />
        <Head id={id} data={data} edit={() => setEditing(true)} />
        {stale && data && <Stale data={data} />}
      </div>
      <NowCard {...figures} className="col-span-12 lg:col-span-7" />
      <HealthCard {...figures} className="col-span-12 lg:col-span-5" />
      <HistoryCard key={id} device={id} className="col-span-12" />
      <MessagesCard device={id} className="col-span-12 lg:col-span-7" />
      <FactsCard {...figures} className="col-span-12 lg:col-span-5" />
      {data && editing && <Editing data={data} close={() => setEditing(false)} />}
    </div>
  )
}

function Back() {
  return (
    <Link
      to="/devices"
      search={({ home }) => ({ home })}
      className="target flex w-fit items-center gap-1 text-xs text-muted hover:text-text"
    >
      <Icon name="left" className="size-4" />
      {texts.device.back}
    </Link>
  )
}

function Head({ id, data, edit }: { id: string; data: DeviceDetail | undefined; edit: () => void }) {
  const device = data?.device
  const name = device ? nameOf(device) : humanize(id)
  const chips = device
    ? [
        device.device_type && humanize(device.device_type),
        device.location && humanize(device.location),
        [device.manufacturer, device.model].filter(Boolean).join(' '),
      ].filter((word) => word !== null && word !== '')
    : []
  return (
    <div className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-2">
      <h2 className="min-w-0 text-xl font-semibold break-words">{name}</h2>
      {device ? <PresenceWord presence={device.presence} /> : <Skeleton className="h-5 w-20" />}
      {chips.map((chip) => (
        <Chip key={chip}>{chip}</Chip>
      ))}
      {data && (
        <button type="button" className={`${BUTTON} ml-auto`} onClick={edit}>
          {texts.columns.edit}
        </button>
      )}
    </div>
  )
}

/** To merge it, the others must be known. */
function Editing({ data, close }: { data: DeviceDetail; close: () => void }) {
  const { data: all } = useDevices()
  return (
    <Suspense>
      <EditDevice
        device={data.device}
        data={{ devices: all?.devices, can_change: data.can_change }}
        close={close}
      />
    </Suspense>
  )
}

export interface FigureCardProps {
  data: DeviceDetail | undefined
  stale: boolean
  className: string
}
