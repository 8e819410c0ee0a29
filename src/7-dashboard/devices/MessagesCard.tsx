/** What a device sent, as it was received, and what was rejected of it with the rule that did it. */
import { useState } from 'react'
import type { DeviceMessages } from '../../6-serve/contract.ts'
import { formatCount, formatInstant, formatSeconds, humanize } from '../format.ts'
import { Card, Empty, Failure, Skeleton } from '../kit/Card.tsx'
import { Icon } from '../kit/icons.tsx'
import { Segments } from '../kit/Segments.tsx'
import { texts } from './texts.ts'
import { Code } from './UnknownCard.tsx'
import { useMessages } from './useDevices.ts'

const { device: words } = texts

export function MessagesCard({ device, className }: { device: string; className: string }) {
  const [kind, setKind] = useState<'messages' | 'rejects'>('messages')
  const { data, error, refetch } = useMessages(device)
  return (
    <Card title={words.messages} stale={Boolean(error && data)} className={`min-h-[420px] ${className}`}>
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Skeleton className="h-80" />
      ) : (
        <>
          <div className="mb-2">
            <Segments
              label={words.messageKinds}
              segments={[
                { value: 'messages', label: words.received },
                { value: 'rejects', label: words.rejected(formatCount(data.reject_count)) },
              ]}
              value={kind}
              choose={setKind}
            />
          </div>
          <List data={data} kind={kind} />
        </>
      )}
    </Card>
  )
}

function List({ data, kind }: { data: DeviceMessages; kind: 'messages' | 'rejects' }) {
  if (kind === 'rejects' && data.rejects.length === 0)
    return <Empty what={words.noRejects} why={words.noRejectsWhy} />
  if (kind === 'messages' && data.messages.length === 0)
    return <Empty what={words.noMessages} why={data.reason} />
  return (
    <ul
      className="-mx-4 -mb-4 max-h-[420px] overflow-auto overscroll-contain border-t border-line"
      tabIndex={0}
      aria-label={words.messages}
    >
      {kind === 'messages'
        ? data.messages.map((message) => (
            <Message
              key={message.position}
              message={message}
              zone={data.time_zone}
              about={[message.topic ?? message.protocol, message.channel].filter(Boolean).join(' · ')}
            />
          ))
        : data.rejects.map((reject) => (
            <Message
              key={reject.position}
              message={reject}
              zone={data.time_zone}
              about={`${humanize(reject.reason)}: ${reject.detail}`}
            />
          ))}
    </ul>
  )
}

function Message(props: {
  message: { arrived_at: string; position: string; text: string }
  zone: string
  about: string
}) {
  const { message, zone, about } = props
  const at = Date.parse(message.arrived_at)
  return (
    <li className="border-line not-first:border-t">
      <details className="group/message px-4">
        <summary className="target flex cursor-pointer list-none items-center gap-2 py-1.5 text-xs">
          <Icon
            name="chevron"
            className="size-4 -rotate-90 text-muted transition-transform group-open/message:rotate-0"
          />
          <time dateTime={message.arrived_at} title={formatInstant(at, zone)} className="text-muted">
            {formatSeconds(at, zone)}
          </time>
          <span className="min-w-0 truncate">{about === '' ? message.text : about}</span>
        </summary>
        <div className="pb-3 pl-6 text-xs">
          <Code>{pretty(message.text)}</Code>
        </div>
      </details>
    </li>
  )
}

/** JSON with its members below each other; all else as it is. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
