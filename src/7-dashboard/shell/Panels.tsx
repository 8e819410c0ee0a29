/** What opens over the page: help, data status, and on a phone the rest of the header. Loaded when first opened. */
import { Switch } from '@base-ui/react/switch'
import { Link } from '@tanstack/react-router'
import { Icon } from '../kit/icons.tsx'
import { Segments } from '../kit/Segments.tsx'
import { Sheet } from '../kit/popups.tsx'
import { chooseTheme, useThemeChoice } from '../preferences.ts'
import { texts } from '../texts.ts'
import { DataStatusSheet } from './DataStatusSheet.tsx'
import type { Panel } from './Shell.tsx'
import { PAGES } from './pages.ts'
import { useSingleKeys } from './shortcuts.ts'

export default function Panels({ panel, open }: { panel: Panel; open: (panel: Panel) => void }) {
  const close = () => open(null)
  return (
    <>
      <DataStatusSheet open={panel === 'data'} close={close} />
      <Sheet title={texts.help.title} open={panel === 'help'} close={close}>
        <Keys />
      </Sheet>
      <Sheet title={texts.nav.more} open={panel === 'more'} close={close}>
        <More help={() => open('help')} close={close} />
      </Sheet>
    </>
  )
}

function Keys() {
  const [enabled, setEnabled] = useSingleKeys()
  return (
    <div className="flex flex-col gap-4 text-xs">
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-2">
        {texts.help.keys.map(([key, what]) => (
          <div key={key} className="contents">
            <dt className="flex gap-1">
              {key.split(/\s+/).map((each) => (
                <kbd
                  key={each}
                  className="min-w-6 rounded-sm border border-line bg-fill px-1.5 py-0.5 text-center font-sans text-2xs font-medium"
                >
                  {each}
                </kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label className="flex items-start gap-3 border-t border-line pt-4">
        <span className="grow">
          <span className="block font-medium">{texts.help.singleKeys}</span>
          <span className="text-muted">{texts.help.singleKeysNote}</span>
        </span>
        <Switch.Root
          checked={enabled}
          onCheckedChange={setEnabled}
          aria-label={texts.help.singleKeys}
          className="relative mt-0.5 h-6 w-10 shrink-0 rounded-full bg-control data-checked:bg-accent"
        >
          <Switch.Thumb className="absolute top-0.5 left-0.5 size-5 rounded-full bg-card transition-transform data-checked:translate-x-4" />
        </Switch.Root>
      </label>
    </div>
  )
}

function More({ help, close }: { help: () => void; close: () => void }) {
  const theme = useThemeChoice()
  const pages = PAGES.filter(({ inBar }) => !inBar)
  return (
    <div className="flex flex-col gap-4 text-xs">
      {pages.length > 0 && (
        <nav aria-label={texts.nav.label} className="flex flex-col">
          {pages.map(({ to, label, icon }) => (
            <Link
              key={to}
              to={to}
              search={(old) => old}
              onClick={close}
              className="target flex items-center gap-2.5 rounded-md py-2 text-base hover:bg-fill aria-[current=page]:font-medium"
            >
              <Icon name={icon} className="text-muted" />
              {label}
            </Link>
          ))}
        </nav>
      )}
      <div>
        <p className="mb-1.5 font-medium">{texts.theme.label}</p>
        <Segments
          label={texts.theme.label}
          segments={(['light', 'dark', 'system'] as const).map((value) => ({
            value,
            label: texts.theme[value],
          }))}
          value={theme}
          choose={chooseTheme}
          stretch
        />
      </div>
      <button
        type="button"
        onClick={help}
        className="target flex items-center rounded-md border border-control px-3 py-2 font-medium hover:bg-fill"
      >
        {texts.help.open}
      </button>
    </div>
  )
}
