/** The last 100 readings as they arrive: newest first, at most two changes a second, only new rows are drawn. */
import { memo } from 'react'
import type { LiveReading } from '../../6-serve/contract.ts'
import {
  NOT_KNOWN,
  formatInstant,
  formatPower,
  formatSeconds,
  formatTemperature,
  humanize,
} from '../format.ts'
import type { Quantity } from '../format.ts'
import { Card, Empty } from '../kit/Card.tsx'
import { Icon } from '../kit/icons.tsx'
import { keyOf } from '../live/store.ts'
import { useThrottled } from '../live/throttled.ts'
import { useLiveStore } from '../live/useLive.tsx'
import { texts } from '../texts.ts'

const CELL = 'px-3 py-1 whitespace-nowrap'
const NUMBER = `${CELL} text-right`
/** Columns that a narrow screen leaves out. */
const WIDE = 'max-md:hidden'
const { columns } = texts.readings

export function ReadingsCard({ zone, className }: { zone: string; className: string }) {
  const store = useLiveStore()
  useThrottled(store, 500)
  const readings = store.readings()
  return (
    <Card
      title={texts.readings.title}
      note={readings.length > 0 ? `${readings.length} · ${zone}` : zone}
      className={className}
    >
      {readings.length === 0 ? (
        <div className="flex h-[360px]">
          <Empty what={texts.empty.noReadings} why={texts.empty.noLiveWhy} />
        </div>
      ) : (
        <div
          className="-mx-4 -mb-4 h-[376px] overflow-auto overscroll-contain rounded-b-lg border-t border-line"
          tabIndex={0}
          role="group"
          aria-label={texts.readings.title}
        >
          <table className="w-full text-xs">
            <Head />
            <tbody>
              {readings.map((reading) => (
                <Row key={keyOf(reading)} reading={reading} zone={zone} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  )
}

function Head() {
  return (
    <thead className="sticky top-0 z-10 bg-card text-left text-muted shadow-[0_1px_0_var(--line)]">
      <tr>
        <th scope="col" className={`${CELL} pl-4 font-medium`}>
          {columns.time}
        </th>
        <th scope="col" className={`${CELL} font-medium`}>
          {columns.device}
        </th>
        <th scope="col" className={`${CELL} ${WIDE} font-medium`}>
          {columns.type}
        </th>
        <th scope="col" className={`${NUMBER} font-medium`}>
          {columns.power}
        </th>
        <th scope="col" className={`${NUMBER} font-medium`}>
          {columns.temperature}
        </th>
        <th scope="col" className={`${NUMBER} ${WIDE} font-medium`}>
          {columns.energy}
        </th>
        <th scope="col" className={`${CELL} ${WIDE} font-medium`}>
          {columns.status}
        </th>
        <th scope="col" className={`${CELL} ${WIDE} pr-4 font-medium`}>
          {columns.alert}
        </th>
      </tr>
    </thead>
  )
}

const Row = memo(function Row({ reading, zone }: { reading: LiveReading; zone: string }) {
  const at = Date.parse(reading.timestamp)
  const { status, alert } = reading
  const alarmed = alert !== null && alert !== 'none'
  return (
    <tr className="border-line not-first:border-t h-8 hover:bg-fill/60">
      <td className={`${CELL} pl-4 text-muted`}>
        <time dateTime={reading.timestamp} title={formatInstant(at, zone)}>
          {formatSeconds(at, zone)}
        </time>
      </td>
      <th scope="row" className={`${CELL} max-w-[40vw] truncate text-left font-medium`}>
        {humanize(reading.device_id)}
        {alarmed && <Icon name="warn" className="ml-1.5 inline size-4 align-[-3px] text-warn md:hidden" />}
        {reading.location && (
          <span className="ml-2 font-normal text-muted max-sm:hidden">{humanize(reading.location)}</span>
        )}
      </th>
      <td className={`${CELL} ${WIDE} text-muted`}>
        {reading.device_type ? humanize(reading.device_type) : NOT_KNOWN}
      </td>
      <td className={NUMBER}>{measured(reading.power_usage, formatPower)}</td>
      <td className={NUMBER}>{measured(reading.temperature, formatTemperature)}</td>
      <td className={`${NUMBER} ${WIDE}`}>{measured(reading.energy_consumption_wh, milliwatthours)}</td>
      <td className={`${CELL} ${WIDE} ${status === 'online' ? 'text-muted' : ''}`}>
        {status ? humanize(status) : NOT_KNOWN}
      </td>
      <td className={`${CELL} ${WIDE} pr-4`}>
        {alarmed ? (
          <span className="inline-flex items-center gap-1.5">
            <Icon name="warn" className="size-4 text-warn" />
            {humanize(alert)}
          </span>
        ) : (
          <span className="text-muted">{alert === null ? NOT_KNOWN : texts.readings.noAlert}</span>
        )}
      </td>
    </tr>
  )
})

/** A single reading's energy is a fraction of a Wh. */
const milliwatthours = (wh: number): Quantity =>
  Math.abs(wh) < 1
    ? { value: (wh * 1000).toPrecision(3), unit: 'mWh' }
    : { value: wh.toPrecision(3), unit: 'Wh' }

function measured(value: number | null, format: (value: number) => Quantity) {
  if (value === null) return <span className="text-muted">{NOT_KNOWN}</span>
  const quantity = format(value)
  return (
    <>
      {quantity.value} <span className="text-muted">{quantity.unit}</span>
    </>
  )
}
