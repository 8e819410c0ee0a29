/** The buttons behind which something opens above the page. What opens is loaded when it is wanted. */
import { Suspense, cloneElement, lazy, startTransition, useState } from 'react'
import type { ButtonHTMLAttributes, ReactElement } from 'react'
import { texts } from '../texts.ts'
import { Icon } from './icons.tsx'
import type { IconName } from './icons.tsx'

const popups = () => import('./popups.tsx')
const Explanation = lazy(() => popups().then((it) => ({ default: it.Explanation })))
const Choices = lazy(() => popups().then((it) => ({ default: it.Choices })))

/** Once the page is drawn and has nothing to do: who presses on a phone has not pointed before, and would wait for it. */
const LOADED_AFTER_MS = 4_000
setTimeout(() => {
  if ('requestIdleCallback' in window) requestIdleCallback(() => void popups())
  else void popups()
}, LOADED_AFTER_MS)

/** Who points at a button or comes to it by keyboard will soon press it. */
const LOADS_AHEAD = { onPointerEnter: () => void popups(), onFocus: () => void popups() }

export const ICON_BUTTON =
  'target inline-flex size-8 items-center justify-center rounded-md text-muted hover:bg-fill hover:text-text data-popup-open:bg-fill'

export interface ExplainProps {
  title: string
  definition: { what: string; formula: string }
  /** Further facts: compared with what, covered how much. */
  rows?: readonly (readonly [string, string])[]
}

/** Says how a number comes about. */
export function Explain(props: ExplainProps) {
  // Until the first press it is a button and nothing else: there are a dozen of them on a page.
  const [pressed, setPressed] = useState(false)
  const button = (
    <button
      type="button"
      className={ICON_BUTTON}
      aria-label={texts.explain.open(props.title)}
      aria-haspopup="dialog"
      onClick={() => startTransition(() => setPressed(true))}
      {...LOADS_AHEAD}
    >
      <Icon name="info" className="size-4" />
    </button>
  )
  if (!pressed) return button
  return (
    <Suspense fallback={button}>
      <Explanation {...props} />
    </Suspense>
  )
}

export interface Choice<Value extends string> {
  value: Value
  label: string
  note?: string
  icon?: IconName
}

export interface ChoiceMenuProps<Value extends string> {
  label: string
  trigger: ReactElement<ButtonHTMLAttributes<HTMLButtonElement>>
  choices: readonly Choice<Value>[]
  value: Value
  choose: (value: Value) => void
}

/** One of a few choices, behind a button. */
export function ChoiceMenu<Value extends string>(props: ChoiceMenuProps<Value>) {
  const [pressed, setPressed] = useState(false)
  const button = cloneElement(props.trigger, {
    'aria-label': props.label,
    'aria-haspopup': 'menu',
    onClick: () => startTransition(() => setPressed(true)),
    ...LOADS_AHEAD,
  })
  if (!pressed) return button
  return (
    <Suspense fallback={button}>
      <Choices {...props} choose={(value) => props.choose(value as Value)} />
    </Suspense>
  )
}
