/** The devices as cards, one below the other; for narrow screens. */
import { Link } from '@tanstack/react-router'
import type { DeviceRow } from '../../6-serve/contract.ts'
import { Sparkline } from '../charts/Sparkline.tsx'
import { formatEnergy, formatPower, formatTemperature, humanize } from '../format.ts'
import { Icon } from '../kit/icons.tsx'
import { ICON_BUTTON } from '../kit/overlays.tsx'
import type { ListProps } from './DevicesPage.tsx'
import { FIELD, LowBattery, Measured, percent, PresenceWord, Seen } from './parts.tsx'
import { COLUMNS } from './search.ts'
import { texts } from './texts.ts'
import { nameOf } from './useDevices.ts'

const NUMERIC = new Set(['power', 'energy', 'temperature', 'risk', 'seen'])

export function DeviceCards(props: ListProps) {
  const { devices, search, sort } = props
  const sorted = search.sort ?? 'name'
  return (
    <div className="md:hidden">
      <label className="mb-2 flex items-center gap-2 text-xs text-muted">
        <span className="whitespace-nowrap">{texts.sortBy}</span>
        <select
          className={FIELD}
          value={sorted.replace(/^-/, '')}
          onChange={({ target }) => sort(NUMERIC.has(target.value) ? `-${target.value}` : target.value)}
        >
          {COLUMNS.map((name) => (
            <option key={name} value={name}>
              {texts.columns[name]}
            </option>
          ))}
        </select>
      </label>
      <ul className="-mx-4 -mb-4 border-t border-line">
        {devices.map((device) => (
          <DeviceItem key={device.device_id} device={device} {...props} />
        ))}
      </ul>
    </div>
  )
}

function DeviceItem({ device, zone, nowMs, edit }: ListProps & { device: DeviceRow }) {
  const name = nameOf(device)
  const place = [device.location, device.device_type].filter((word) => word !== null).map(humanize)
  return (
    <li className="border-line px-4 py-3 not-first:border-t" data-device={device.device_id}>
      <div className="flex items-start gap-2">
        <div className="min-w-0 grow">
          <Link
            to="/devices/$id"
            params={{ id: device.device_id }}
            search={({ home }) => ({ home })}
            className="target flex items-center truncate font-medium hover:text-accent"
          >
            {name}
          </Link>
          {place.length > 0 && <p className="truncate text-xs text-muted">{place.join(' · ')}</p>}
        </div>
        <span className="pt-2.5 text-xs">
          <PresenceWord presence={device.presence} />
        </span>
        <button
          type="button"
          className={ICON_BUTTON}
          aria-label={texts.edit.open(name)}
          onClick={() => edit(device.device_id)}
        >
          <Icon name="more" className="size-4" />
        </button>
      </div>
      <dl className="mt-1 grid grid-cols-3 gap-x-3 gap-y-1 text-xs">
        <Fact name={texts.columns.power}>
          <Measured value={device.power_w} format={formatPower} />
        </Fact>
        <Fact name={texts.columns.energy}>
          <Measured value={device.today_kwh} format={(kwh) => formatEnergy(kwh * 1000)} />
        </Fact>
        <Fact name={texts.columns.temperature}>
          <Measured value={device.temperature_c} format={formatTemperature} />
        </Fact>
        <Fact name={texts.columns.health}>
          <Measured value={device.health_score} format={percent} />
        </Fact>
        <Fact name={texts.columns.risk}>
          <Measured value={device.failure_probability} format={percent} />
        </Fact>
        <Fact name={texts.columns.seen}>
          <Seen at={device.last_seen} zone={zone} nowMs={nowMs} />
        </Fact>
      </dl>
      <div className="mt-1 text-xs">
        <LowBattery device={device} />
      </div>
      {device.sparkline.some((value) => value !== null && value > 0) && (
        <div className="mt-1">
          <Sparkline values={device.sparkline} kind="bars" label={texts.sparkline(name)} />
        </div>
      )}
    </li>
  )
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-2xs text-muted">{name}</dt>
      <dd className="truncate">{children}</dd>
    </div>
  )
}
