/** The same values as the chart beside it, for reading, copying and screen readers. */
import type { TimeSeries } from '../charts/TimeChart.tsx'
import { NOT_KNOWN, formatSeconds } from '../format.ts'
import type { Quantity } from '../format.ts'
import type { Column } from '../live/rings.ts'
import { useThrottled } from '../live/throttled.ts'
import { useLiveStore } from '../live/useLive.tsx'
import { texts } from '../texts.ts'

const ROWS = 60

export function LiveTable(props: {
  title: string
  series: readonly TimeSeries[]
  columns: (fromS: number, toS: number) => Column[]
  windowS: number
  zone: string
  format: (value: number) => Quantity
}) {
  useThrottled(useLiveStore(), 2000)
  const step = Math.max(1, Math.round(props.windowS / ROWS))
  // Whole steps, so that the rows keep their times.
  const toS = Math.floor(Date.now() / 1000 / step) * step
  const fromS = toS - props.windowS
  const columns = props.columns(fromS - step + 1, toS)
  const rows = Array.from({ length: Math.floor(props.windowS / step) }, (_, i) => toS - i * step)

  return (
    <div
      className="absolute inset-0 overflow-auto rounded-md border border-line"
      tabIndex={0}
      role="group"
      aria-label={props.title}
    >
      <table className="w-full text-xs">
        <thead className="sticky top-0 bg-card text-left text-muted">
          <tr>
            <th scope="col" className="px-2 py-1.5 font-medium">
              {texts.readings.columns.time}
            </th>
            {props.series.map((each) => (
              <th key={each.id} scope="col" className="px-2 py-1.5 text-right font-medium whitespace-nowrap">
                {each.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((second) => (
            <tr key={second} className="border-t border-line">
              <th scope="row" className="px-2 py-1 text-left font-normal whitespace-nowrap">
                {formatSeconds(second * 1000, props.zone)}
              </th>
              {columns.map((column, i) => (
                <td key={props.series[i]?.id ?? i} className="px-2 py-1 text-right whitespace-nowrap">
                  {cell(column, second - fromS + step - 1, step, props.format)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** The last value of the step that ends at `index`. */
function cell(column: Column, index: number, step: number, format: (value: number) => Quantity): string {
  for (let i = index; i > index - step; i--) {
    const value = column[i]
    if (typeof value !== 'number') continue
    const { value: text, unit } = format(value)
    return `${text} ${unit}`
  }
  return NOT_KNOWN
}
