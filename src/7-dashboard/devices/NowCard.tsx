/** What a device says at this moment. */
import type { ReactNode } from 'react'
import { formatEnergy, formatPower, formatTemperature } from '../format.ts'
import { Card, Skeleton } from '../kit/Card.tsx'
import { Figure } from '../kit/Figure.tsx'
import type { FigureCardProps } from './DevicePage.tsx'
import { LowBattery, Measured, Seen } from './parts.tsx'
import { texts } from './texts.ts'

const { device: words } = texts
/** A clock that is off by less is right: a message takes as long. */
const CLOCK_RIGHT_S = 2
/** Ten years: it stands where it stood when it was made. */
const CLOCK_NEVER_SET_S = 3.15e8

export function NowCard({ data, stale, className }: FigureCardProps) {
  const device = data?.device
  return (
    <Card title={words.now} stale={stale} className={`min-h-[232px] ${className}`}>
      {!data || !device ? (
        <Skeleton className="h-40" />
      ) : (
        <div className="grid gap-4">
          <dl className="grid grid-cols-2 gap-3 sm:grid-cols-3">
            <Large name={words.power} title={texts.titles.power}>
              <Figure
                quantity={device.power_w === null ? null : formatPower(device.power_w)}
                reason={words.noPower}
              />
            </Large>
            <Large name={words.energy} title={texts.titles.energy}>
              <Figure quantity={device.today_kwh === null ? null : formatEnergy(device.today_kwh * 1000)} />
            </Large>
            <Large name={words.temperature} title={texts.titles.temperature}>
              <Figure
                quantity={device.temperature_c === null ? null : formatTemperature(device.temperature_c)}
              />
            </Large>
          </dl>
          <dl className="grid grid-cols-2 gap-3 text-xs sm:grid-cols-4">
            <Small name={words.seen}>
              <Seen at={device.last_seen} zone={data.time_zone} nowMs={Date.parse(data.generated_at)} />
            </Small>
            <Small name={words.battery}>
              {device.battery_pct !== null && device.battery_pct <= 20 ? (
                <LowBattery device={device} />
              ) : (
                <Measured
                  value={device.battery_pct}
                  format={(pct) => ({ value: String(Math.round(pct)), unit: '%' })}
                />
              )}
            </Small>
            <Small name={words.link}>
              <Link quality={device.link_quality} rssi={device.rssi_dbm} />
            </Small>
            <Small name={words.clock}>
              <Clock offset={device.clock_offset_s} />
            </Small>
          </dl>
        </div>
      )}
    </Card>
  )
}

function Large({ name, title, children }: { name: string; title: string; children: ReactNode }) {
  return (
    <div title={title}>
      <dt className="text-xs text-muted">{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Small({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-2xs text-muted">{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Link({ quality, rssi }: { quality: number | null; rssi: number | null }) {
  if (quality !== null && rssi === null)
    return <Measured value={quality} format={(lqi) => ({ value: `${lqi}`, unit: '/ 255' })} />
  return <Measured value={rssi} format={(dbm) => ({ value: `${dbm}`.replace('-', '−'), unit: 'dBm' })} />
}

function Clock({ offset }: { offset: number | null }) {
  if (offset === null) return <Measured value={null} format={formatPower} />
  if (offset < -CLOCK_NEVER_SET_S) return <>{words.clockNotSet}</>
  if (Math.abs(offset) < CLOCK_RIGHT_S) return <>{words.clockRight}</>
  const text = durationText(Math.abs(offset))
  return <>{offset > 0 ? words.clockAhead(text) : words.clockBehind(text)}</>
}

/** A length of time in its largest unit that says it. */
export function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds * 10) / 10} s`
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min`
  if (seconds < 129_600) return `${Math.round(seconds / 3_600)} h`
  return `${Math.round(seconds / 86_400)} d`
}
