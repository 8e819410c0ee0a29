/** Messages that nobody can read, each with a sample and a mapping that would read it. */
import { useState } from 'react'
import type { UnknownMessages } from '../../6-serve/contract.ts'
import { formatAge, formatCount, formatInstant } from '../format.ts'
import { Card, Failure, Skeleton } from '../kit/Card.tsx'
import { Icon } from '../kit/icons.tsx'
import { BUTTON } from './parts.tsx'
import { texts } from './texts.ts'
import { useUnknown } from './useDevices.ts'

const { unknown: words } = texts

export function UnknownCard({ count, zone }: { count: number; zone: string }) {
  const { data, error, refetch } = useUnknown(true)
  return (
    <Card title={words.title} note={words.note(formatCount(count))} className="min-h-[160px]">
      <p className="mb-2 max-w-prose text-xs text-muted">{words.why}</p>
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton className="h-24" />
      ) : (
        <ul className="-mx-4 -mb-4 border-t border-line">
          {data.patterns.map((pattern) => (
            <Pattern key={`${pattern.pattern} ${pattern.why}`} pattern={pattern} zone={zone} />
          ))}
        </ul>
      )}
    </Card>
  )
}

function Pattern({ pattern, zone }: { pattern: UnknownMessages['patterns'][number]; zone: string }) {
  const lastMs = Date.parse(pattern.last_seen)
  return (
    <li className="border-line not-first:border-t">
      <details className="group/pattern px-4">
        <summary className="target flex cursor-pointer list-none flex-wrap items-center gap-x-3 gap-y-0.5 py-2.5 text-xs">
          <Icon
            name="chevron"
            className="size-4 -rotate-90 text-muted transition-transform group-open/pattern:rotate-0"
          />
          <code className="min-w-0 font-medium break-all">{pattern.pattern}</code>
          <span className="text-muted">{words.whys[pattern.why] ?? pattern.why}</span>
          <span className="ml-auto text-muted">
            {formatCount(pattern.count)} ·{' '}
            <time dateTime={pattern.last_seen} title={formatInstant(lastMs, zone)}>
              {texts.ago(formatAge(Date.now() - lastMs))}
            </time>
          </span>
        </summary>
        <div className="grid gap-2 pb-4 pl-7 text-xs">
          <p className="text-muted">{words.sample}</p>
          <Code>{`${pattern.topic}\n${pattern.sample}`}</Code>
          {pattern.proposal === null ? (
            <p className="text-muted">{words.noProposal}</p>
          ) : (
            <>
              <p className="text-muted">{words.proposal}</p>
              <Code>{pattern.proposal}</Code>
              <Copy text={pattern.proposal} />
            </>
          )}
        </div>
      </details>
    </li>
  )
}

export function Code({ children }: { children: string }) {
  return (
    <pre
      className="max-h-60 overflow-auto rounded-md bg-fill px-3 py-2 break-all whitespace-pre-wrap"
      tabIndex={0}
    >
      {children}
    </pre>
  )
}

function Copy({ text }: { text: string }) {
  const [copied, setCopied] = useState(false)
  return (
    <button
      type="button"
      className={`${BUTTON} w-fit`}
      onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
    >
      <Icon name={copied ? 'ok' : 'table'} className="size-4" />
      <span aria-live="polite">{copied ? words.copied : words.copy}</span>
    </button>
  )
}
