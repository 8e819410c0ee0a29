/** A few exclusive choices side by side. Radio buttons to the keyboard: arrows move, Tab leaves. */
import { useId, useState } from 'react'

export interface Segment<Value extends string> {
  value: Value
  label: string
  /** For narrow screens. */
  short?: string
  title?: string
}

export function Segments<Value extends string>(props: {
  label: string
  segments: readonly Segment<Value>[]
  /** null: none of them. */
  value: Value | null
  choose: (value: Value) => void
  stretch?: boolean
}) {
  const name = useId()
  const { value: chosen } = props
  // What was pressed shows at once, also where what follows from it is drawn later.
  const [pressed, setPressed] = useState<Value>()
  if (pressed === chosen && pressed !== undefined) setPressed(undefined)
  const shown = pressed ?? chosen
  const press = (value: Value) => {
    setPressed(value)
    props.choose(value)
  }
  return (
    <div
      role="radiogroup"
      aria-label={props.label}
      className={`flex rounded-md bg-fill-strong/70 p-0.5 ${props.stretch ? 'w-full' : ''}`}
    >
      {props.segments.map(({ value, label, short, title }) => (
        <label
          key={value}
          title={title}
          className="group/segment relative flex grow cursor-pointer items-center justify-center rounded-sm text-xs font-medium text-muted hover:text-text has-checked:bg-card has-checked:text-text has-checked:shadow-card has-focus-visible:outline-2 has-focus-visible:outline-accent dark:has-checked:bg-fill-strong"
        >
          <input
            type="radio"
            name={name}
            value={value}
            checked={shown === value}
            onChange={() => press(value)}
            className="absolute inset-0 size-full cursor-pointer opacity-0"
            aria-label={label}
          />
          <span
            className="target flex h-7 items-center justify-center px-1.5 whitespace-nowrap sm:px-2.5"
            aria-hidden="true"
          >
            <span className={short ? 'max-lg:hidden' : ''}>{label}</span>
            {short && <span className="lg:hidden">{short}</span>}
          </span>
        </label>
      ))}
    </div>
  )
}
