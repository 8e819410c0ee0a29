/** One message whole: where and when, its headers, what it says, its bytes; a dead letter can be put back. */
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { StreamMessage, StreamTopic } from '../../6-serve/contract.ts'
import { ask } from '../api.ts'
import { formatBytes, formatInstant } from '../format.ts'
import { Segments } from '../kit/Segments.tsx'
import { Sheet } from '../kit/popups.tsx'
import { placeOf } from './MessagesCard.tsx'
import { ReplayOne } from './Replay.tsx'
import { texts } from './texts.ts'

const { message: say } = texts
const BUTTON = 'target h-8 rounded-md border border-control px-3 font-medium hover:bg-fill'

export function MessageSheet(props: {
  topic: StreamTopic
  message: StreamMessage
  zone: string
  close: () => void
  replayed: () => void
}) {
  const { topic, zone, close, replayed } = props
  const { partition, offset } = props.message
  const [wanted, setWanted] = useState(false)
  const whole = useQuery({
    queryKey: ['stream-message', topic.topic, partition, offset],
    queryFn: ({ signal }) =>
      ask('streamMessages', { topic: topic.topic, partition, offset, limit: 1, full: 'true' }, signal),
    enabled: wanted,
    staleTime: Infinity,
  })
  const message = whole.data?.messages[0] ?? props.message
  const facts: [string, string][] = [
    [say.facts.time, formatInstant(Date.parse(message.time), zone)],
    [say.facts.key, message.key ?? texts.messages.noKey],
    [say.facts.size, formatBytes(message.bytes)],
    [say.facts.kind, say.kinds[message.kind]],
  ]
  const headers = Object.entries(message.headers)
  return (
    <Sheet title={say.title(placeOf(message))} open close={close} wide>
      <div className="flex flex-col gap-4 text-xs">
        <Facts facts={facts} />
        {headers.length > 0 && (
          <section>
            <h3 className="mb-1 font-semibold">{say.headers}</h3>
            <Facts facts={headers} />
          </section>
        )}
        {message.kind !== 'tombstone' && <Body message={message} />}
        {message.cut && (
          <p className="flex items-center gap-2">
            <span>{whole.error?.message ?? say.cut}</span>
            <button type="button" className={BUTTON} onClick={() => setWanted(true)}>
              {say.whole}
            </button>
          </p>
        )}
        {topic.kind === 'dead_letter' && <ReplayOne place={{ partition, offset }} done={replayed} />}
      </div>
    </Sheet>
  )
}

/** What it says and its bytes, one or the other. */
function Body({ message }: { message: StreamMessage }) {
  const [shown, setShown] = useState<'decoded' | 'raw'>('decoded')
  const decoded = decodedOf(message)
  const body = shown === 'decoded' && decoded !== null ? decoded : hexDump(message.raw)
  return (
    <section>
      <div className="mb-1.5 flex flex-wrap items-center gap-2">
        {decoded !== null && (
          <Segments
            label={say.facts.kind}
            segments={[
              { value: 'decoded', label: say.decoded },
              { value: 'raw', label: say.bytes },
            ]}
            value={shown}
            choose={setShown}
          />
        )}
        <Copy text={body} />
      </div>
      <pre
        className="max-h-[45dvh] overflow-auto rounded-md bg-fill p-3 whitespace-pre-wrap break-all"
        tabIndex={0}
      >
        {body}
      </pre>
    </section>
  )
}

function Facts({ facts }: { facts: readonly (readonly [string, string])[] }) {
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
      {facts.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted">{name}</dt>
          <dd className="break-all">{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function Copy({ text }: { text: string }) {
  const [copied, setCopied] = useState('')
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(text))
  const done = copied === text
  return (
    <>
      <button type="button" className={BUTTON} onClick={copy}>
        {done ? say.copied : say.copy}
      </button>
      <span role="status" className="sr-only">
        {done && say.copied}
      </span>
    </>
  )
}

/** JSON set out in lines; text as it is; null where it is neither. A beginning of JSON is text. */
function decodedOf({ text, kind, cut }: StreamMessage): string | null {
  if (text === null || cut || kind === 'text') return text
  return JSON.stringify(JSON.parse(text), null, 2)
}

const PER_LINE = 16

/** Offset, sixteen bytes, and what of them is a letter: as every hex viewer shows it. */
function hexDump(base64: string): string {
  const bytes = Array.from(atob(base64), (byte) => byte.charCodeAt(0))
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += PER_LINE) {
    const line = bytes.slice(at, at + PER_LINE)
    const hex = line.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const letters = line.map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('')
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(PER_LINE * 3 - 1)}  ${letters}`)
  }
  return lines.join('\n')
}
