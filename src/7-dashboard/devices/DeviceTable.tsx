/** The devices as a table whose heads sort; for screens that are wide enough. */
import { Link } from '@tanstack/react-router'
import type { DeviceRow } from '../../6-serve/contract.ts'
import { Sparkline } from '../charts/Sparkline.tsx'
import { NOT_KNOWN, formatEnergy, formatPower, formatTemperature, humanize } from '../format.ts'
import { Icon } from '../kit/icons.tsx'
import { ICON_BUTTON } from '../kit/overlays.tsx'
import type { ListProps } from './DevicesPage.tsx'
import type { ColumnName } from './search.ts'
import { LowBattery, Measured, percent, PresenceWord, Seen } from './parts.tsx'
import { texts } from './texts.ts'
import { nameOf } from './useDevices.ts'

const CELL = 'px-2 py-1.5 whitespace-nowrap'
const NUMBER = `${CELL} text-right`
/** Left out where it is narrow; the page of the device has them. */
const WIDE = 'max-lg:hidden'

interface Head {
  name: ColumnName
  numeric?: boolean
  wide?: boolean
  title?: string
}
const BEFORE: readonly Head[] = [
  { name: 'state' },
  { name: 'name' },
  { name: 'type', wide: true },
  { name: 'room', wide: true },
  { name: 'power', numeric: true, title: texts.titles.power },
  { name: 'energy', numeric: true, title: texts.titles.energy },
]
const AFTER: readonly Head[] = [
  { name: 'temperature', numeric: true, title: texts.titles.temperature },
  { name: 'health', numeric: true, title: texts.titles.health },
  { name: 'risk', numeric: true, wide: true, title: texts.titles.risk },
  { name: 'seen', numeric: true, title: texts.titles.seen },
]

export function DeviceTable(props: ListProps) {
  const { devices, search, sort } = props
  return (
    <div
      className="-mx-4 -mb-4 overflow-x-auto rounded-b-lg border-t border-line max-md:hidden"
      tabIndex={0}
      role="group"
      aria-label={texts.table}
    >
      <table className="w-full text-xs">
        <thead className="bg-card text-left text-muted shadow-[0_1px_0_var(--line)]">
          <tr>
            {BEFORE.map((head) => (
              <SortHead key={head.name} {...head} sorted={search.sort ?? 'name'} sort={sort} />
            ))}
            <th scope="col" className={`${CELL} ${WIDE} font-medium`} title={texts.titles.course}>
              {texts.columns.course}
            </th>
            {AFTER.map((head) => (
              <SortHead key={head.name} {...head} sorted={search.sort ?? 'name'} sort={sort} />
            ))}
            <th scope="col" className="pr-2">
              <span className="sr-only">{texts.columns.edit}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {devices.map((device) => (
            <Row key={device.device_id} device={device} {...props} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function SortHead({
  name,
  numeric,
  wide,
  title,
  sorted,
  sort,
}: Head & { sorted: string; sort: (column: string) => void }) {
  const isSorted = sorted.replace(/^-/, '') === name
  const down = sorted.startsWith('-')
  // Numbers are asked for from the largest down first.
  const next = isSorted ? (down ? name : `-${name}`) : numeric ? `-${name}` : name
  return (
    <th
      scope="col"
      className={`${wide ? WIDE : ''} p-0 font-medium first:pl-2`}
      aria-sort={isSorted ? (down ? 'descending' : 'ascending') : undefined}
      title={title}
    >
      <button
        type="button"
        onClick={() => sort(next)}
        className={`target flex h-9 w-full items-center whitespace-nowrap gap-0.5 px-2 hover:text-text ${numeric ? 'flex-row-reverse' : ''} ${isSorted ? 'text-text' : ''}`}
      >
        {texts.columns[name]}
        <Icon
          name="chevron"
          className={`size-4 ${isSorted ? '' : 'opacity-0'} ${isSorted && !down ? 'rotate-180' : ''}`}
        />
      </button>
    </th>
  )
}

function NameCell({ device }: { device: DeviceRow }) {
  return (
    <th scope="row" className={`${CELL} max-w-[180px] text-left font-medium lg:max-w-[240px]`}>
      <Link
        to="/devices/$id"
        params={{ id: device.device_id }}
        search={({ home }) => ({ home })}
        className="block truncate hover:text-accent hover:underline"
        title={device.device_id}
      >
        {nameOf(device)}
      </Link>
      {device.location && (
        <span className="block truncate font-normal text-muted lg:hidden">{humanize(device.location)}</span>
      )}
      <LowBattery device={device} />
    </th>
  )
}

function Row({ device, zone, nowMs, edit }: ListProps & { device: DeviceRow }) {
  const name = nameOf(device)
  return (
    <tr className="border-line not-first:border-t hover:bg-fill/60" data-device={device.device_id}>
      <td className={`${CELL} pl-4`}>
        <PresenceWord presence={device.presence} />
      </td>
      <NameCell device={device} />
      <td className={`${CELL} ${WIDE} max-w-[140px] truncate text-muted`}>
        {device.device_type ? humanize(device.device_type) : NOT_KNOWN}
      </td>
      <td className={`${CELL} ${WIDE} max-w-[120px] truncate text-muted`}>
        {device.location ? humanize(device.location) : NOT_KNOWN}
      </td>
      <td className={NUMBER}>
        <Measured value={device.power_w} format={formatPower} />
      </td>
      <td className={NUMBER}>
        <Measured value={device.today_kwh} format={(kwh) => formatEnergy(kwh * 1000)} />
      </td>
      <td className={`${CELL} ${WIDE} w-[104px]`}>
        <Sparkline values={device.sparkline} kind="bars" label={texts.sparkline(name)} />
      </td>
      <td className={NUMBER}>
        <Measured value={device.temperature_c} format={formatTemperature} />
      </td>
      <td className={NUMBER} title={device.main_cause ?? undefined}>
        <Measured value={device.health_score} format={percent} />
      </td>
      <td className={`${NUMBER} ${WIDE}`}>
        <Measured value={device.failure_probability} format={percent} />
      </td>
      <td className={`${NUMBER} text-muted`}>
        <Seen at={device.last_seen} zone={zone} nowMs={nowMs} />
      </td>
      <td className="pr-2 text-right">
        <button
          type="button"
          className={ICON_BUTTON}
          aria-label={texts.edit.open(name)}
          title={texts.columns.edit}
          onClick={() => edit(device.device_id)}
        >
          <Icon name="more" className="size-4" />
        </button>
      </td>
    </tr>
  )
}
