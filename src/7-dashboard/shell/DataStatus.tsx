/** Data status at the foot of the sidebar: the layers with files, rows and last update. */
import type { DataStatus, LayerStatus } from '../../6-serve/contract.ts'
import { formatAge, formatCount, formatInstant, machineZone } from '../format.ts'
import { Skeleton } from '../kit/Card.tsx'
import { StateWord } from '../kit/Figure.tsx'
import type { Tone } from '../kit/Figure.tsx'
import { Icon } from '../kit/icons.tsx'
import type { IconName } from '../kit/icons.tsx'
import { ageOf, useNow } from '../kit/time.ts'
import { texts } from '../texts.ts'
import { useDataStatus } from '../useHouse.ts'

type State = DataStatus['state']

const STATES: Record<State, { tone: Tone; icon: IconName }> = {
  ok: { tone: 'ok', icon: 'ok' },
  stale: { tone: 'warn', icon: 'clock' },
  empty: { tone: 'none', icon: 'empty' },
  error: { tone: 'bad', icon: 'bad' },
}
export const titleOf = (layer: string) => texts.data.layers[layer] ?? layer

export function StateOf({ state }: { state: State }) {
  return <StateWord {...STATES[state]}>{texts.data.words[state]}</StateWord>
}

/** The foot of the sidebar. */
export function DataStatusFoot({ open }: { open: () => void }) {
  const status = useDataStatus()
  const { data } = status
  return (
    <section aria-label={texts.data.title} className="border-t border-line px-4 pt-3 pb-4 text-xs">
      <div className="mb-2 flex items-center justify-between">
        <h2 className="font-semibold">{texts.data.title}</h2>
        <button
          type="button"
          onClick={open}
          className="target flex items-center justify-end rounded-sm text-accent hover:underline"
        >
          {texts.data.details}
        </button>
      </div>
      {data ? (
        <ol>
          {data.layers.map((layer, i) => (
            <Layer key={layer.layer} layer={layer} last={i === data.layers.length - 1} />
          ))}
        </ol>
      ) : status.isError ? (
        <p className="text-muted">{texts.data.unreachable}</p>
      ) : (
        <Skeleton className="h-44 w-full" />
      )}
      {data && status.isError && <p className="mt-1 text-muted">{texts.data.unreachable}</p>}
    </section>
  )
}

/** One layer on the line that a reading takes. */
function Layer({ layer, last }: { layer: LayerStatus; last: boolean }) {
  const { tone, icon } = STATES[layer.state]
  const colour = { ok: 'text-ok', warn: 'text-warn', bad: 'text-bad', none: 'text-muted' }[tone]
  return (
    <li className="relative flex gap-2.5 pb-3 last:pb-0" data-layer={layer.layer}>
      {!last && <span aria-hidden="true" className="absolute top-6 bottom-0 left-[9.5px] w-px bg-line" />}
      <Icon name={icon} className={colour} />
      <div className="min-w-0 grow">
        <p className="flex items-baseline justify-between gap-2">
          <span className="font-medium">{titleOf(layer.layer)}</span>
          <span className="text-muted" title={layer.reason}>
            {texts.data.words[layer.state]}
          </span>
        </p>
        <p className="text-muted">
          {texts.data.rows(formatCount(layer.rows))} · {texts.data.files(formatCount(layer.files))}
        </p>
        <Updated at={layer.updated_at} />
      </div>
    </li>
  )
}

function Updated({ at }: { at: string | null }) {
  const age = ageOf(at, useNow())
  if (at === null || age === null) return <p className="text-muted">{texts.data.never}</p>
  return (
    <p className="text-muted">
      <time dateTime={at} title={formatInstant(Date.parse(at), machineZone())}>
        {texts.data.ago(formatAge(age))}
      </time>
    </p>
  )
}
