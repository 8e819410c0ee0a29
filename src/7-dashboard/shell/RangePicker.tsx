/** The range of the figures, kept in the address; `[` and `]` step to the period before and after. */
import { Icon } from '../kit/icons.tsx'
import { ICON_BUTTON } from '../kit/overlays.tsx'
import { Segments } from '../kit/Segments.tsx'
import { texts } from '../texts.ts'
import { useOverview, useSearchState } from '../useHouse.ts'
import type { RangeName } from '../useHouse.ts'
import { formatPeriod, isOpen, shifted } from './period.ts'
import { useShortcut } from './shortcuts.ts'

type Named = Exclude<RangeName, 'custom'>
const NAMED: readonly Named[] = ['today', 'yesterday', '7d', '30d', 'month']

export function RangePicker() {
  const [{ range = 'today' }, change] = useSearchState()
  const { data } = useOverview()
  const shown = data?.range
  const step = (direction: -1 | 1) => {
    if (!shown) return
    if (direction === 1 && isOpen(shown)) return
    change({ range: 'custom', ...shifted(shown, direction) })
  }
  useShortcut('[', () => step(-1))
  useShortcut(']', () => step(1))
  const period = shown && formatPeriod(shown.from, shown.to)

  return (
    <div className="flex items-center gap-1">
      <Segments
        label={texts.ranges.label}
        segments={NAMED.map((value) => ({
          value,
          label: texts.ranges[value],
          short: texts.ranges.short[value],
        }))}
        value={range === 'custom' ? null : range}
        choose={(next) => change({ range: next, from: undefined, to: undefined })}
        stretch
      />
      <div className="ml-1 hidden items-center lg:flex">
        <button
          type="button"
          className={ICON_BUTTON}
          onClick={() => step(-1)}
          aria-label={texts.ranges.previous}
          title={`${texts.ranges.previous} ([)`}
        >
          <Icon name="left" className="size-4" />
        </button>
        <span className="min-w-[7.5rem] text-center text-xs whitespace-nowrap text-muted">{period}</span>
        <button
          type="button"
          className={`${ICON_BUTTON} disabled:opacity-35`}
          onClick={() => step(1)}
          disabled={!shown || isOpen(shown)}
          aria-label={texts.ranges.next}
          title={`${texts.ranges.next} (])`}
        >
          <Icon name="right" className="size-4" />
        </button>
      </div>
    </div>
  )
}
