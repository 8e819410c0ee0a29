/** Data status whole: why each layer is in its state, its tables, the stream, the parts that run. */
import type { DataStatus, LayerStatus } from '../../6-serve/contract.ts'
import { formatAge, formatBytes, formatCount } from '../format.ts'
import { StateWord } from '../kit/Figure.tsx'
import type { Tone } from '../kit/Figure.tsx'
import type { IconName } from '../kit/icons.tsx'
import { Sheet } from '../kit/popups.tsx'
import { ageOf, useNow } from '../kit/time.ts'
import { texts } from '../texts.ts'
import { useDataStatus } from '../useHouse.ts'
import { StateOf, titleOf } from './DataStatus.tsx'

export function DataStatusSheet({ open, close }: { open: boolean; close: () => void }) {
  const { data } = useDataStatus()
  return (
    <Sheet title={texts.data.title} open={open} close={close} wide>
      {data ? (
        <div className="flex flex-col gap-5 text-xs">
          <p>
            <StateOf state={data.state} />
            <span className="mt-0.5 block text-muted">{data.reason}</span>
          </p>
          {data.stream && <Stream stream={data.stream} />}
          {data.layers.map((layer) => (
            <Tables key={layer.layer} layer={layer} />
          ))}
          {data.parts.length > 0 && <Parts parts={data.parts} />}
        </div>
      ) : (
        <p className="text-muted">{texts.data.unreachable}</p>
      )}
    </Sheet>
  )
}

function Stream({ stream }: { stream: NonNullable<DataStatus['stream']> }) {
  const lag = stream.partitions.reduce((sum, { lag: waiting }) => sum + waiting, 0)
  return (
    <section>
      <h3 className="font-semibold">
        {texts.data.stream} <code className="font-normal text-muted">{stream.topic}</code>
      </h3>
      <p className="mt-0.5 flex flex-wrap gap-x-4">
        <span>{texts.data.lag(formatCount(lag))}</span>
        <StateWord tone={stream.dropped === 0 ? 'ok' : 'bad'} icon={stream.dropped === 0 ? 'ok' : 'bad'}>
          {texts.data.dropped(formatCount(stream.dropped))}
        </StateWord>
      </p>
    </section>
  )
}

function Tables({ layer }: { layer: LayerStatus }) {
  const now = useNow()
  return (
    <section>
      <h3 className="flex items-baseline justify-between gap-2 font-semibold">
        {titleOf(layer.layer)}
        <span className="font-normal">
          <StateOf state={layer.state} />
        </span>
      </h3>
      <p className="text-muted">{layer.reason}</p>
      {layer.lag && (
        <p className="flex flex-wrap gap-x-4 text-muted">
          <span>{texts.data.layerLag[layer.lag.unit](formatCount(layer.lag.value))}</span>
          {layer.last_step_ms !== null && <span>{texts.data.lastStep(formatMs(layer.last_step_ms))}</span>}
        </p>
      )}
      <div className="mt-2 overflow-x-auto" tabIndex={0} role="group" aria-label={titleOf(layer.layer)}>
        <table className="w-full">
          <thead className="text-left text-muted">
            <tr>
              {texts.data.columns.map((name, i) => (
                <th
                  key={name}
                  scope="col"
                  className={`py-1 font-medium whitespace-nowrap ${i === 0 ? '' : 'pl-4 text-right'}`}
                >
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {layer.tables.map((table) => {
              const age = ageOf(table.updated_at, now)
              return (
                <tr
                  key={table.name}
                  className="border-t border-line [&>td]:py-1 [&>td]:pl-4 [&>td]:text-right [&>td]:whitespace-nowrap"
                >
                  <th scope="row" className="py-1 text-left font-normal">
                    <code>{table.name}</code>
                  </th>
                  <td>{formatCount(table.rows)}</td>
                  <td>{formatCount(table.files)}</td>
                  <td>{formatBytes(table.bytes)}</td>
                  <td>{table.version < 0 ? '—' : table.version}</td>
                  <td>{age === null ? texts.data.never : texts.data.ago(formatAge(age))}</td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </div>
    </section>
  )
}

const PART_STATES: Record<DataStatus['parts'][number]['state'], { tone: Tone; icon: IconName }> = {
  running: { tone: 'ok', icon: 'ok' },
  waiting: { tone: 'ok', icon: 'clock' },
  restarting: { tone: 'warn', icon: 'retry' },
  failed: { tone: 'bad', icon: 'bad' },
  stopped: { tone: 'none', icon: 'pause' },
}

function Parts({ parts }: { parts: DataStatus['parts'] }) {
  return (
    <section>
      <h3 className="mb-1 font-semibold">{texts.data.parts}</h3>
      <ul className="grid gap-x-6 md:grid-cols-2">
        {parts.map((part) => (
          <li key={part.name} className="flex items-baseline justify-between gap-2 border-t border-line py-1">
            <span title={part.last_error ?? undefined}>
              {part.name}
              {part.memory_bytes !== null && (
                <span className="ml-2 text-muted">{formatBytes(part.memory_bytes)}</span>
              )}
              {part.event_loop_delay_ms !== null && (
                <span className="ml-2 text-muted" title={texts.data.delayMeans}>
                  {texts.data.delay(formatMs(part.event_loop_delay_ms))}
                </span>
              )}
              {part.restarts > 0 && (
                <span className="ml-2 text-muted">{texts.data.restarts(part.restarts)}</span>
              )}
            </span>
            <StateWord {...PART_STATES[part.state]}>{texts.data.partWords[part.state]}</StateWord>
          </li>
        ))}
      </ul>
    </section>
  )
}

function formatMs(ms: number): string {
  return ms < 999.5 ? `${Number(ms.toPrecision(2))} ms` : `${Number((ms / 1000).toPrecision(2))} s`
}
