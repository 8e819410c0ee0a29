/**
 * The frame of every figure: a title, what belongs to it, and the states that a figure can be in. What is in it
 * is drawn when it comes near the window; a figure's card is drawn at once.
 */
import { useId } from 'react'
import type { ReactNode } from 'react'
import { ApiError } from '../api.ts'
import { texts } from '../texts.ts'
import { Icon } from './icons.tsx'
import { useNear } from './near.ts'

interface CardProps {
  title: string
  /** Said beside the title: measure, range, time zone. */
  note?: ReactNode
  actions?: ReactNode
  /** A figure's card: its number is the title's equal. */
  quiet?: boolean
  /** What is shown is old, and looks it. */
  stale?: boolean
  className?: string
  children: ReactNode
}

export function Card({
  title,
  note,
  actions,
  quiet = false,
  stale = false,
  className = '',
  children,
}: CardProps) {
  const id = useId()
  const [ref, near] = useNear()
  return (
    <section
      ref={ref}
      aria-labelledby={id}
      data-stale={stale || undefined}
      className={`group/card flex min-w-0 flex-col rounded-lg border border-line bg-card shadow-card ${className}`}
    >
      <header className="flex min-h-[44px] items-center gap-2 px-4 pt-2">
        <h2
          id={id}
          className={`truncate ${quiet ? 'text-xs font-medium text-muted' : 'text-base font-semibold'}`}
        >
          {title}
        </h2>
        {note && <span className="truncate text-xs text-muted max-sm:hidden">{note}</span>}
        {actions && <div className="-mr-2 ml-auto flex items-center">{actions}</div>}
      </header>
      <div className="flex min-h-0 grow flex-col px-4 pb-4">
        {near || quiet ? children : <div className="min-h-40 grow" />}
      </div>
    </section>
  )
}

/** Nothing to show: what is missing, why, and one thing to do. */
export function Empty({ what, why, action }: { what: string; why: string | null; action?: ReactNode }) {
  return (
    <div className="flex grow flex-col items-center justify-center gap-1 px-4 py-6 text-center">
      <Icon name="empty" className="mb-1 text-muted" />
      <p className="font-medium">{what}</p>
      {why && <p className="max-w-prose text-xs text-muted">{why}</p>}
      {action}
    </div>
  )
}

/** A question that failed: what was wrong, what to do, and the number under which the log has it. */
export function Failure({ error, retry }: { error: Error; retry: () => void }) {
  const { cure, requestId } = error instanceof ApiError ? error : { cure: null, requestId: null }
  return (
    <div role="alert" className="flex grow flex-col items-center justify-center gap-1 px-4 py-6 text-center">
      <Icon name="bad" className="mb-1 text-bad" />
      <p className="font-medium">{error.message}</p>
      {cure && <p className="max-w-prose text-xs text-muted">{cure}</p>}
      <button
        type="button"
        onClick={retry}
        className="target mt-2 inline-flex h-8 items-center gap-1.5 rounded-md border border-control px-3 text-xs font-medium hover:bg-fill"
      >
        <Icon name="retry" className="size-4" />
        {texts.state.retry}
      </button>
      {requestId && (
        <p className="mt-1 text-xs text-muted">
          {texts.state.request} <code className="select-all">{requestId}</code>
        </p>
      )}
    </div>
  )
}

/** Keeps the place of what is coming, in its final size. */
export function Skeleton({ className }: { className: string }) {
  return <div aria-hidden="true" className={`skeleton ${className}`} />
}
