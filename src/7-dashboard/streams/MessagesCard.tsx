/** The messages of a topic: from the end, an offset or a time on, filtered, followed; each opens whole. */
import { memo, useState } from 'react'
import type { StreamMessage, StreamTopic } from '../../6-serve/contract.ts'
import { formatBytes, formatCount, formatInstant, formatSeconds } from '../format.ts'
import { Card, Empty, Failure, Skeleton } from '../kit/Card.tsx'
import { usePaused } from '../live/useLive.tsx'
import { MessageSheet } from './MessageSheet.tsx'
import { MessagesBar } from './MessagesBar.tsx'
import { ReplayAll } from './Replay.tsx'
import { queryOf, useStreamSearch } from './search.ts'
import { CELL, Scroll } from './table.tsx'
import { texts } from './texts.ts'
import { useTail, type Tail } from './useTail.ts'

export const placeOf = ({ partition, offset }: StreamMessage): string => `${partition}/${offset}`

export function MessagesCard(props: { topic: StreamTopic; zone: string; className: string }) {
  const { topic, zone, className } = props
  const [search] = useStreamSearch()
  const [follow, setFollow] = useState(false)
  const [opened, setOpened] = useState<StreamMessage | null>(null)
  const paused = usePaused()
  const fromEnd = search.from === undefined
  const following = follow && fromEnd && !paused && opened === null
  const tail = useTail(queryOf(search, topic.topic), following)
  const isDead = topic.kind === 'dead_letter'
  return (
    <Card
      title={texts.messages.title}
      note={`${topic.topic} · ${texts.messages.count(tail.messages.length)} · ${zone}`}
      className={className}
      actions={isDead && <ReplayAll count={topic.messages} done={tail.again} />}
    >
      {isDead && <p className="mb-2 text-xs text-muted">{texts.replay.about}</p>}
      <MessagesBar
        topic={topic}
        zone={zone}
        follow={follow}
        setFollow={fromEnd ? setFollow : null}
        note={follow && paused ? texts.messages.paused : null}
        look={tail.again}
      />
      <div className="mt-3 min-h-[240px]" data-tail={following ? 'live' : tail.state}>
        <Found tail={tail} zone={zone} open={setOpened} />
        {!fromEnd && tail.state === 'ready' && tail.messages.length > 0 && (
          <button
            type="button"
            onClick={() => void tail.more()}
            className="target mt-3 h-8 rounded-md border border-control px-3 text-xs font-medium hover:bg-fill"
          >
            {texts.messages.more}
          </button>
        )}
      </div>
      {opened && (
        <MessageSheet
          topic={topic}
          message={opened}
          zone={zone}
          close={() => setOpened(null)}
          replayed={tail.again}
        />
      )}
    </Card>
  )
}

interface FoundProps {
  zone: string
  open: (message: StreamMessage) => void
}

/** What was found, or why there is nothing. */
function Found({ tail, zone, open }: FoundProps & { tail: Tail }) {
  const [{ q, raw }] = useStreamSearch()
  const { messages, scanned, state, error } = tail
  if (error && state === 'failed') return <Failure error={error} retry={tail.again} />
  if (state !== 'ready') return <Skeleton className="h-56 w-full" />
  return (
    <>
      {messages.length > 0 ? (
        <Table messages={messages} zone={zone} raw={raw === true} open={open} />
      ) : q === undefined ? (
        <Empty what={texts.messages.none} why={texts.messages.noneWhy} />
      ) : (
        <Empty what={texts.messages.noMatch} why={texts.messages.scanned(formatCount(scanned))} />
      )}
      {error && (
        <p role="alert" className="mt-2 text-xs text-bad">
          {error.message}
        </p>
      )}
    </>
  )
}

interface TableProps extends FoundProps {
  messages: readonly StreamMessage[]
  raw: boolean
}

const HEAD = `${CELL} font-medium`

function Table({ messages, ...row }: TableProps) {
  const { columns } = texts.messages
  return (
    <Scroll label={texts.messages.title}>
      <table className="w-full table-fixed text-xs">
        <thead className="text-left text-muted">
          <tr>
            <th scope="col" className={`${HEAD} w-20`}>
              {columns.time}
            </th>
            <th scope="col" className={`${HEAD} w-24 truncate pl-3 md:w-36`}>
              {columns.place}
            </th>
            <th scope="col" className={`${HEAD} w-32 pl-3 max-md:hidden lg:w-44`}>
              {columns.key}
            </th>
            <th scope="col" className={`${HEAD} pl-3`}>
              {columns.value}
            </th>
          </tr>
        </thead>
        <tbody>
          {messages.map((message) => (
            <Row key={placeOf(message)} message={message} {...row} />
          ))}
        </tbody>
      </table>
    </Scroll>
  )
}

type RowProps = Omit<TableProps, 'messages'> & { message: StreamMessage }

const Row = memo(function Row({ message, zone, raw, open }: RowProps) {
  const at = Date.parse(message.time)
  return (
    <tr className="border-t border-line hover:bg-fill/60">
      <td className={`${CELL} text-muted`}>
        <time dateTime={message.time} title={formatInstant(at, zone)}>
          {formatSeconds(at, zone)}
        </time>
      </td>
      <td className={`${CELL} pl-3`}>
        <button
          type="button"
          onClick={() => open(message)}
          aria-label={texts.messages.open(placeOf(message))}
          aria-haspopup="dialog"
          className="target max-w-full truncate font-medium text-accent hover:underline"
        >
          {placeOf(message)}
        </button>
      </td>
      <td className={`${CELL} truncate pl-3 max-md:hidden`}>
        {message.key ?? <span className="text-muted">{texts.messages.noKey}</span>}
      </td>
      <td className={`${CELL} truncate pl-3`}>
        <Value message={message} raw={raw} />
      </td>
    </tr>
  )
})

function Value({ message, raw }: { message: StreamMessage; raw: boolean }) {
  const { kind, text, bytes } = message
  if (kind === 'tombstone') return <span className="text-muted">{texts.messages.noValue}</span>
  if (raw) return <code>{hexOf(message.raw, 48)}</code>
  if (text === null) return <span className="text-muted">{texts.messages.binary(formatBytes(bytes))}</span>
  return <code>{text.slice(0, 300)}</code>
}

/** Bytes as pairs of hexadecimal digits. */
function hexOf(base64: string, most: number): string {
  const bytes = atob(base64)
  return Array.from(bytes.slice(0, most), (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join(
    ' ',
  )
}
