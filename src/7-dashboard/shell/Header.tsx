/** The head of every page: its title, the range, how live it is, which home, which theme. */
import { Icon } from '../kit/icons.tsx'
import { ChoiceMenu, ICON_BUTTON } from '../kit/overlays.tsx'
import { chooseTheme, useThemeChoice } from '../preferences.ts'
import type { ThemeChoice } from '../preferences.ts'
import { texts } from '../texts.ts'
import { useHomes, useOverview, useSearchState, useTenant } from '../useHouse.ts'
import { LiveBadge } from './LiveBadge.tsx'
import { RangePicker } from './RangePicker.tsx'

interface HeaderProps {
  title: string
  /** Whether the page's figures are those of a range. */
  ranged: boolean
  help: () => void
}

export function Header({ title, ranged, help }: HeaderProps) {
  return (
    <header className="sticky top-0 z-30 border-b border-line bg-bg/95 supports-backdrop-filter:bg-bg/80 supports-backdrop-filter:backdrop-blur-md">
      <div className="mx-auto grid max-w-[1220px] grid-cols-[minmax(0,1fr)_minmax(0,auto)_auto] items-center gap-x-2 gap-y-2 md:flex md:gap-x-3 px-3 py-2.5 md:px-4 lg:px-6">
        <h1 className="mr-auto truncate text-xl font-semibold tracking-tight" tabIndex={-1}>
          {title}
        </h1>
        {ranged && (
          <div className="max-md:col-span-3 max-md:row-start-2 md:shrink-0">
            <RangePicker />
          </div>
        )}
        <LiveBadge />
        <HomeSwitch />
        <div className="flex items-center gap-1 max-md:hidden">
          <ThemeMenu />
          <button
            type="button"
            onClick={help}
            className={ICON_BUTTON}
            aria-label={texts.help.open}
            title={`${texts.help.open} (?)`}
          >
            <Icon name="help" />
          </button>
        </div>
      </div>
      <div className="absolute inset-x-0 -bottom-px h-0.5 overflow-hidden">
        <Refreshing wanted={ranged} />
      </div>
    </header>
  )
}

/** Apart, so that a refresh draws its line and not the whole header. */
function Refreshing({ wanted }: { wanted: boolean }) {
  const { isFetching, data } = useOverview(wanted)
  return isFetching && data ? <div className="progress-line h-full" data-refreshing /> : null
}

const THEMES = [
  { value: 'light', label: texts.theme.light, icon: 'sun' },
  { value: 'dark', label: texts.theme.dark, icon: 'moon' },
  { value: 'system', label: texts.theme.system, icon: 'system' },
] as const

export function ThemeMenu() {
  const choice = useThemeChoice()
  const icon = THEMES.find(({ value }) => value === choice)?.icon ?? 'system'
  return (
    <ChoiceMenu<ThemeChoice>
      label={texts.theme.label}
      trigger={
        <button type="button" className={ICON_BUTTON} title={texts.theme.label}>
          <Icon name={icon} />
        </button>
      }
      choices={THEMES}
      value={choice}
      choose={chooseTheme}
    />
  )
}

/** Which home; a plain name where there is only one. */
function HomeSwitch() {
  const homes = useHomes()
  const all = homes.data?.homes ?? []
  const tenant = useTenant()
  const [, change] = useSearchState()
  const current = all.find((home) => home.tenant === tenant)
  // Its place is kept until the homes are known.
  if (homes.isPending) return <div className="w-[62px] lg:w-[142px]" />
  if (!current || all.length < 2) return null
  return (
    <ChoiceMenu
      label={`${texts.home.label}: ${nameOf(current)}`}
      trigger={
        <button
          type="button"
          className="target inline-flex h-8 items-center gap-1.5 rounded-full border border-line bg-card pr-2 pl-2.5 text-xs font-medium hover:bg-fill"
        >
          <Icon name="home" className="size-4 text-muted" />
          <span className="max-w-[12ch] truncate max-lg:hidden">{nameOf(current)}</span>
          <Icon name="chevron" className="size-4 text-muted" />
        </button>
      }
      choices={all.map((home) => ({
        value: home.tenant,
        label: nameOf(home),
        note: home.simulated ? texts.home.simulated : home.has_data ? undefined : texts.home.empty,
      }))}
      value={current.tenant}
      choose={(home) => change({ home, dev: undefined })}
    />
  )
}

function nameOf({ tenant, simulated }: { tenant: string; simulated: boolean }): string {
  if (simulated) return texts.home.demo
  return tenant === 'home' ? texts.home.own : tenant
}
