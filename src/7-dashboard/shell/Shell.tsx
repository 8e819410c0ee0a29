/** The frame of all pages: sidebar or bottom bar, header, notice, content; help and data status above it. */
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import { Suspense, lazy, startTransition, useEffect, useState } from 'react'
import { Icon } from '../kit/icons.tsx'
import { useWide } from '../kit/wide.ts'
import { LiveProvider } from '../live/useLive.tsx'
import { texts } from '../texts.ts'
import { HouseProvider, useDataStatus, useTenant } from '../useHouse.ts'
import { useFocus } from '../overview/focus.ts'
import { DataStatusFoot } from './DataStatus.tsx'
import { Header } from './Header.tsx'
import { PAGES, pageAt } from './pages.ts'
import { useShortcut } from './shortcuts.ts'
import { SimulatedNotice } from './SimulatedNotice.tsx'

const Panels = lazy(() => import('./Panels.tsx'))

export type Panel = 'help' | 'data' | 'more' | null

export function Shell() {
  return (
    <HouseProvider>
      <Frame />
    </HouseProvider>
  )
}

function Frame() {
  const tenant = useTenant()
  const wide = useWide()
  const [panel, setPanel] = useState<Panel>(null)
  // In slices after the frame that answers the press.
  const open = (next: Panel) => startTransition(() => setPanel(next))
  const page = pageAt(useLocation({ select: ({ pathname }) => pathname }))
  const title = page?.label ?? texts.notFound.title
  const { clear } = useFocus()

  useShortcut('?', () => open('help'))
  useShortcut(
    'f',
    () =>
      void (document.fullscreenElement
        ? document.exitFullscreen()
        : document.documentElement.requestFullscreen()),
  )
  useShortcut('Escape', clear)
  useEffect(() => {
    document.title = `${title} · ${texts.product}`
  }, [title])

  return (
    <LiveProvider tenant={tenant}>
      <a
        href="#content"
        className="fixed top-2 left-2 z-50 -translate-y-20 rounded-md bg-accent px-4 py-2.5 font-medium text-on-accent focus:translate-y-0"
      >
        {texts.skip}
      </a>
      {PAGES.map(({ to, keys }) => (
        <GoTo key={to} to={to} keys={keys} />
      ))}
      {wide && <Sidebar open={open} />}
      <div className="pb-20 md:pb-0 md:pl-16 lg:pl-[220px]">
        <Header title={title} ranged={page?.ranged ?? false} help={() => open('help')} />
        <main
          id="content"
          tabIndex={-1}
          className="mx-auto max-w-[1220px] px-3 py-3 outline-none md:p-4 lg:px-6 lg:py-5"
        >
          <SimulatedNotice />
          <Outlet />
        </main>
      </div>
      {!wide && <BottomBar open={open} />}
      {panel && (
        <Suspense>
          <Panels panel={panel} open={open} />
        </Suspense>
      )}
    </LiveProvider>
  )
}

/** The keys that lead to a page. */
function GoTo({ to, keys }: Pick<(typeof PAGES)[number], 'to' | 'keys'>) {
  const navigate = useNavigate()
  useShortcut(keys, () => void navigate({ to, search: (old) => old }))
  return null
}

function Sidebar({ open }: { open: (panel: Panel) => void }) {
  return (
    <aside className="fixed inset-y-0 left-0 z-40 flex w-16 flex-col border-r border-line bg-card max-md:hidden lg:w-[220px]">
      <div className="flex h-[57px] items-center gap-2.5 px-4 font-semibold max-lg:justify-center">
        <img src="/favicon.svg" alt="" width="28" height="28" />
        <span className="max-lg:hidden">{texts.product}</span>
      </div>
      <nav aria-label={texts.nav.label} className="flex flex-col gap-1 p-2">
        {PAGES.map(({ to, label, icon }) => (
          <Link
            key={to}
            to={to}
            search={(old) => old}
            title={label}
            className="target flex h-9 items-center gap-2.5 rounded-md px-2.5 text-muted hover:bg-fill hover:text-text aria-[current=page]:bg-fill aria-[current=page]:font-medium aria-[current=page]:text-text max-lg:justify-center max-lg:px-0"
          >
            <Icon name={icon} className="group-aria-[current=page]:text-accent" />
            <span className="max-lg:sr-only">{label}</span>
          </Link>
        ))}
      </nav>
      <div className="mt-auto overflow-y-auto max-lg:hidden">
        <DataStatusFoot open={() => open('data')} />
      </div>
      <div className="mt-auto p-2 lg:hidden">
        <button
          type="button"
          onClick={() => open('data')}
          className="flex h-11 w-full items-center justify-center rounded-md text-muted hover:bg-fill hover:text-text"
          title={texts.nav.data}
        >
          <DataIcon />
          <span className="sr-only">{texts.nav.data}</span>
        </button>
      </div>
    </aside>
  )
}

/** Layers with the sign of their state. */
function DataIcon() {
  const { data, isError } = useDataStatus()
  const state = isError ? 'error' : (data?.state ?? 'empty')
  const sign = { ok: 'ok', stale: 'clock', empty: 'empty', error: 'bad' } as const
  const colour = { ok: 'text-ok', stale: 'text-warn', empty: 'text-muted', error: 'text-bad' }[state]
  return (
    <span className="relative" title={texts.data.words[state]}>
      <Icon name="layers" />
      <span className={`absolute -right-2 -bottom-1.5 rounded-full bg-card ${colour}`}>
        <Icon name={sign[state]} className="size-3.5" />
      </span>
      <span className="sr-only">{texts.data.words[state]}</span>
    </span>
  )
}

const BAR_ITEM =
  'flex h-14 grow basis-0 flex-col items-center justify-center gap-0.5 text-2xs text-muted aria-[current=page]:font-medium aria-[current=page]:text-accent'

function BottomBar({ open }: { open: (panel: Panel) => void }) {
  return (
    <nav
      aria-label={texts.nav.label}
      className="fixed inset-x-0 bottom-0 z-30 flex border-t border-line bg-card pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      {PAGES.filter(({ inBar }) => inBar).map(({ to, label, icon }) => (
        <Link key={to} to={to} search={(old) => old} className={BAR_ITEM}>
          <Icon name={icon} />
          {label}
        </Link>
      ))}
      <button type="button" className={BAR_ITEM} onClick={() => open('data')}>
        <DataIcon />
        {texts.nav.data}
      </button>
      <button type="button" className={BAR_ITEM} onClick={() => open('more')}>
        <Icon name="more" />
        {texts.nav.more}
      </button>
    </nav>
  )
}
