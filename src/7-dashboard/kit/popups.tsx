/** What opens above the page, on Base UI: explanations, menus, dialogs and sheets. Loaded after the first paint. */
import { Dialog } from '@base-ui/react/dialog'
import { Menu } from '@base-ui/react/menu'
import { Popover } from '@base-ui/react/popover'
import { startTransition, useState } from 'react'
import type { ReactNode } from 'react'
import { texts } from '../texts.ts'
import { Icon } from './icons.tsx'
import { ICON_BUTTON } from './overlays.tsx'
import type { ChoiceMenuProps, ExplainProps } from './overlays.tsx'

/** Open from the start; opened and closed in slices after the frame that answers the press. */
function useOpen() {
  const [open, setOpen] = useState(true)
  return { open, onOpenChange: (next: boolean) => startTransition(() => setOpen(next)) }
}

const RAISED = 'rounded-lg border border-line bg-raised shadow-raised outline-none'

export function Explanation(props: ExplainProps) {
  return (
    <Popover.Root {...useOpen()}>
      <Popover.Trigger className={ICON_BUTTON} aria-label={texts.explain.open(props.title)}>
        <Icon name="info" className="size-4" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={6} align="end" collisionPadding={12} className="z-50">
          <Popover.Popup className={`${RAISED} w-[320px] max-w-[calc(100vw-24px)] p-4 text-xs`}>
            <Popover.Title className="mb-1 font-semibold">{texts.explain.heading}</Popover.Title>
            <Popover.Description className="text-muted">{props.definition.what}</Popover.Description>
            <p className="mt-3 rounded-md bg-fill px-3 py-2 leading-relaxed break-words">
              {props.definition.formula}
            </p>
            {props.rows && props.rows.length > 0 && (
              <dl className="mt-3 grid grid-cols-[auto_1fr] gap-x-3 gap-y-1">
                {props.rows.map(([name, value]) => (
                  <div key={name} className="contents">
                    <dt className="text-muted">{name}</dt>
                    <dd>{value}</dd>
                  </div>
                ))}
              </dl>
            )}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

export function Choices(props: ChoiceMenuProps<string>) {
  return (
    <Menu.Root modal={false} {...useOpen()}>
      <Menu.Trigger render={props.trigger} aria-label={props.label} />
      <Menu.Portal>
        <Menu.Positioner sideOffset={6} align="end" collisionPadding={12} className="z-50">
          <Menu.Popup className={`${RAISED} min-w-[180px] p-1`}>
            <Menu.RadioGroup value={props.value} onValueChange={(value: string) => props.choose(value)}>
              {props.choices.map((choice) => (
                <Menu.RadioItem
                  key={choice.value}
                  value={choice.value}
                  closeOnClick
                  className="target flex min-h-9 cursor-default items-center gap-2 rounded-md px-2.5 text-xs outline-none data-highlighted:bg-fill"
                >
                  {choice.icon && <Icon name={choice.icon} className="size-4 text-muted" />}
                  <span className="grow">
                    {choice.label}
                    {choice.note && <span className="ml-1.5 text-muted">{choice.note}</span>}
                  </span>
                  <Menu.RadioItemIndicator>
                    <Icon name="ok" className="size-4 text-accent" />
                  </Menu.RadioItemIndicator>
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  )
}

/** A dialog in the middle of a wide screen, a sheet from below on a narrow one. */
export function Sheet(props: {
  title: string
  open: boolean
  close: () => void
  wide?: boolean
  children: ReactNode
}) {
  const place =
    'fixed inset-x-0 bottom-0 max-h-[85dvh] rounded-t-lg md:inset-auto md:top-1/2 md:left-1/2 md:-translate-x-1/2 md:-translate-y-1/2 md:rounded-lg'
  return (
    <Dialog.Root open={props.open} onOpenChange={(open) => !open && props.close()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-black/40" />
        <Dialog.Popup
          className={`${place} z-50 flex flex-col border border-line bg-raised shadow-raised outline-none ${props.wide ? 'md:w-[720px]' : 'md:w-[440px]'} md:max-w-[calc(100vw-48px)]`}
        >
          <header className="flex items-center justify-between gap-2 py-2 pr-2 pl-5">
            <Dialog.Title className="text-base font-semibold">{props.title}</Dialog.Title>
            <Dialog.Close className={ICON_BUTTON} aria-label={texts.close}>
              <Icon name="close" className="size-4" />
            </Dialog.Close>
          </header>
          <div className="overflow-y-auto overscroll-contain px-5 pb-5" tabIndex={-1}>
            {props.children}
          </div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}
