/** Health against risk of every device: as points with quadrants, or as a table. */
import { startTransition } from 'react'
import type { Overview } from '../../6-serve/contract.ts'
import { Scatter } from '../charts/Scatter.tsx'
import { formatShare, humanize } from '../format.ts'
import { Card, Empty, Skeleton } from '../kit/Card.tsx'
import { Icon } from '../kit/icons.tsx'
import { Explain, ICON_BUTTON } from '../kit/overlays.tsx'
import { texts } from '../texts.ts'
import type { CardData } from './cards.tsx'
import { useFocus } from './focus.ts'

export function ScatterCard({
  data,
  stale,
  className,
  table,
  setTable,
}: CardData & { table: boolean; setTable: (table: boolean) => void }) {
  const { focused, choose } = useFocus()
  const risk = data?.health_vs_risk
  const toggle = table ? texts.charts.chart : texts.charts.table
  return (
    <Card
      title={texts.scatter.title}
      note={texts.scatter.note}
      stale={stale}
      className={className}
      actions={
        risk && (
          <>
            <Explain title={texts.scatter.title} definition={risk.definition} />
            <button
              type="button"
              className={ICON_BUTTON}
              onClick={() => startTransition(() => setTable(!table))}
              aria-label={`${texts.scatter.title}: ${toggle}`}
              title={toggle}
            >
              <Icon name={table ? 'chart' : 'table'} className="size-4" />
            </button>
          </>
        )
      }
    >
      <div className="relative flex min-h-[280px] grow flex-col">
        {!risk ? (
          <Skeleton className="grow" />
        ) : risk.devices.length === 0 ? (
          <Empty what={texts.empty.figures} why={risk.reason} />
        ) : table ? (
          <RiskTable devices={risk.devices} />
        ) : (
          <Scatter
            points={risk.devices.map((device) => ({
              id: device.device_id,
              label: humanize(device.device_id),
              health: device.health_score,
              risk: device.failure_probability,
              cause: device.main_cause,
            }))}
            focused={focused}
            choose={choose}
          />
        )}
      </div>
    </Card>
  )
}

function RiskTable({ devices }: { devices: Overview['health_vs_risk']['devices'] }) {
  const [device, health, risk, cause] = texts.scatter.columns
  return (
    <div
      className="absolute inset-0 overflow-auto rounded-md border border-line"
      tabIndex={0}
      role="group"
      aria-label={texts.scatter.title}
    >
      <table className="w-full text-xs">
        <thead className="sticky top-0 bg-card text-left text-muted">
          <tr>
            <th scope="col" className="px-3 py-1.5 font-medium">
              {device}
            </th>
            <th scope="col" className="px-3 py-1.5 text-right font-medium">
              {health}
            </th>
            <th scope="col" className="px-3 py-1.5 text-right font-medium">
              {risk}
            </th>
            <th scope="col" className="px-3 py-1.5 font-medium">
              {cause}
            </th>
          </tr>
        </thead>
        <tbody>
          {devices.map((each) => (
            <tr key={each.device_id} className="border-t border-line">
              <th scope="row" className="px-3 py-1.5 text-left font-medium whitespace-nowrap">
                {humanize(each.device_id)}
              </th>
              <td className="px-3 py-1.5 text-right">{percent(each.health_score)}</td>
              <td className="px-3 py-1.5 text-right">{percent(each.failure_probability)}</td>
              <td className="px-3 py-1.5 text-muted">{each.main_cause ?? texts.scatter.healthy}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const percent = (share: number) => `${formatShare(share).value} %`
