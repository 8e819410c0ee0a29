/** How live the page is, in colour, icon and word; a press pauses it. */
import { formatAge, formatTime } from '../format.ts'
import { Icon } from '../kit/icons.tsx'
import type { IconName } from '../kit/icons.tsx'
import { useNow } from '../kit/time.ts'
import type { LiveState } from '../live/store.ts'
import { useLiveState, useLiveStore } from '../live/useLive.tsx'
import { texts } from '../texts.ts'
import { useOverview } from '../useHouse.ts'
import { useShortcut } from './shortcuts.ts'

type Word = keyof typeof texts.live.titles

/** A connection that has been lost for longer than this counts as offline where the API is silent too. */
function wordOf(state: LiveState, now: number, unreachable: boolean): Word {
  if (state.paused) return 'paused'
  if (state.connection !== 'open') return unreachable ? 'offline' : 'reconnecting'
  if (state.lastArrivalMs === null) return 'waiting'
  return now - state.lastArrivalMs > state.staleAfterMs ? 'stale' : 'live'
}

const LOOKS: Record<Word, { icon: IconName | null; colour: string }> = {
  live: { icon: null, colour: 'text-ok' },
  stale: { icon: 'clock', colour: 'text-warn' },
  paused: { icon: 'play', colour: 'text-accent' },
  reconnecting: { icon: 'retry', colour: 'text-warn' },
  offline: { icon: 'bad', colour: 'text-bad' },
  waiting: { icon: 'clock', colour: 'text-muted' },
}

export function LiveBadge() {
  const store = useLiveStore()
  const state = useLiveState()
  const now = useNow()
  const overview = useOverview()
  const toggle = () => store.setPaused(!state.paused)
  useShortcut('l', toggle)

  const word = wordOf(state, now, overview.isError)
  const { icon, colour } = LOOKS[word]
  const text = wording(word, now - (state.lastArrivalMs ?? now), overview.data)
  const action = state.paused ? texts.live.resume : texts.live.pause
  return (
    <>
      <button
        type="button"
        onClick={toggle}
        data-live={word}
        aria-label={`${text}. ${action}`}
        title={`${texts.live.titles[word]} ${action} (l)`}
        className="target inline-flex h-8 min-w-0 items-center justify-center gap-1.5 rounded-full border border-line bg-card px-3 text-xs font-medium whitespace-nowrap hover:bg-fill md:min-w-[7.5rem]"
      >
        {icon ? (
          <Icon name={icon} className={`size-4 ${colour}`} />
        ) : (
          <svg width="10" height="10" aria-hidden="true" className={colour}>
            <circle cx="5" cy="5" r="4" fill="currentColor" />
          </svg>
        )}
        <span className="truncate">{text}</span>
      </button>
      {/* Only a change of state is announced, never the values. */}
      <span className="sr-only" role="status">
        {texts.live.titles[word]}
      </span>
    </>
  )
}

function wording(word: Word, silentMs: number, shown: ReturnType<typeof useOverview>['data']): string {
  if (word === 'stale') return texts.live.stale(formatAge(silentMs))
  if (word !== 'offline') return texts.live[word]
  return texts.live.offline(shown ? formatTime(Date.parse(shown.generated_at), shown.time_zone) : '—')
}
